"""Tables as the target makes them, filled by hand: for cases that no account shows on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from demo.answers import VIEWS, install

if TYPE_CHECKING:
    from demo.postgres import Postgres

NOW: Final = "2026-11-18 12:00"
DEVICES: Final = """
CREATE TABLE devices (
  uid text PRIMARY KEY,
  hostname text,
  "siteUid" text,
  "siteName" text,
  "deviceClass" text,
  "deviceType" jsonb,
  "operatingSystem" text,
  "lastSeen" timestamp,
  "lastAuditDate" timestamp,
  "lastReboot" timestamp,
  "rebootRequired" boolean,
  deleted boolean,
  "warrantyDate" date,
  antivirus jsonb,
  "patchManagement" jsonb,
  _sdc_deleted_at timestamp
);
CREATE TABLE sites (uid text PRIMARY KEY, name text, "onDemand" boolean, _sdc_deleted_at timestamp);
"""

Row = dict[str, Any]


@dataclass
class Tables:
    """A database with tables of streams, and the answers on them."""

    postgres: Postgres
    count: int = 0

    def reset(self, *absent: str) -> None:
        """Start with empty tables of all streams but those; install the answers."""
        streams = (VIEWS / "base" / "absent_streams.sql").read_text(encoding="utf-8")
        with self.postgres.connect() as connection:
            for schema in ("datto_answers", "datto_answers_absent", "datto_rmm"):
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
            connection.execute("CREATE SCHEMA datto_rmm")
            connection.execute("SET search_path = datto_rmm")
            connection.execute(DEVICES.encode())
            connection.execute(streams.replace("datto_answers_absent.", "").encode())
            for stream in absent:
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(stream)))
        self.install()

    def uninstall(self) -> None:
        """Leave the streams' tables alone."""
        with self.postgres.connect() as connection:
            connection.execute("DROP SCHEMA datto_answers, datto_answers_absent CASCADE")

    def install(self) -> None:
        """Install the answers."""
        with self.postgres.connect() as connection:
            install(connection)

    def add(self, stream: str, **row: Any) -> None:
        """Add a row."""
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier("datto_rmm", stream),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        )
        with self.postgres.connect() as connection:
            connection.execute(query, [_adapted(value) for value in row.values()])

    def device(self, **given: Any) -> str:
        """Add a computer that is well; give its uid."""
        self.count += 1
        uid = given.setdefault("uid", f"device-{self.count}")
        status = given.pop("status", "FullyPatched")
        row = {
            "hostname": f"PC{self.count}",
            "siteUid": "site",
            "deviceClass": "device",
            "operatingSystem": "Microsoft Windows 11 Pro 10.0.26200",
            "lastSeen": NOW,
            "lastAuditDate": NOW,
            "warrantyDate": "2030-01-01",
            "antivirus": {"antivirusStatus": given.pop("antivirus", "RunningAndUpToDate")},
            "patchManagement": {"patchStatus": status} if status else None,
            **given,
        }
        self.add("devices", **row)
        return str(uid)

    def patch(self, device: str, **given: Any) -> None:
        """Add a patch of a device: approved, critical, from the audit of now."""
        self.count += 1
        row = {
            "deviceUid": device,
            "patchId": f"patch-{self.count}",
            "title": f"Patch {self.count}",
            "severity": "CRITICAL",
            "releaseDate": "2026-09-01",
            "installStatus": "APPROVED_PENDING",
            "lastAuditDate": NOW,
            **given,
        }
        self.add("device_patches", **row)

    def ask(self, view: str) -> list[Row]:
        """The rows of a view."""
        with self.postgres.connect() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("datto_answers", view))
            return cursor.execute(query).fetchall()


def _adapted(value: Any) -> Any:
    """Objects are jsonb, arrays jsonb[]."""
    if isinstance(value, list):
        return [Jsonb(item) for item in value]
    return Jsonb(value) if isinstance(value, dict) else value
