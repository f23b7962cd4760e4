"""How long each answer takes on a large account: every view of `sql/answers/`, and the page.

`python -m benchmarks.answers` loads an account through the tap into PostgreSQL by target-postgres,
as a user does, gives it a history of 90 days, and asks each view three times.
Loading takes about ten minutes; the database stays in .benchmarks/answers, and `--again` asks it
once more. `--publish` writes the table into README.md.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from benchmarks.measure import (
    KEY,
    NOW,
    ROOT,
    SECRET,
    TapRun,
    folder,
    machine,
    median,
    note,
    options,
    publish,
    sandbox,
    table,
)
from demo.answers import install, question, questions
from demo.pipeline import Pipeline, alone_in_this_clone, target_postgres
from demo.postgres import Postgres
from demo.report import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection

DATABASE: Final = ROOT / ".benchmarks" / "answers"
DEVICES: Final = 11_500
"""So many, that there are 800,000 patches."""
STREAMS: Final = (
    "account",
    "sites",
    "devices",
    "alerts",
    "device_audits",
    "device_software",
    "device_patches",
    "site_patches",
)
REPEAT: Final = 3
HISTORY: Final = """
CREATE TABLE datto_rmm.devices_daily AS
SELECT
  uid,
  "lastSeen"::date - day AS day,
  "siteUid",
  "deviceClass",
  "operatingSystem",
  "lastSeen" - day * interval '1 day' AS "lastSeen",
  "lastAuditDate" - day * interval '1 day' AS "lastAuditDate",
  "patchManagement" ->> 'patchStatus' AS "patchStatus",
  antivirus ->> 'antivirusStatus' AS "antivirusStatus"
FROM datto_rmm.devices, generate_series(1, 90) AS day;

CREATE TABLE datto_rmm.disks_by_audit AS
SELECT "deviceUid", "lastAuditDate" - day * interval '1 day' AS "lastAuditDate", "logicalDisks"
FROM datto_rmm.device_audits, generate_series(0, 44) AS day;

CREATE TABLE datto_rmm.patches_daily AS
SELECT
  "siteUid",
  "patchId",
  "installStatus",
  (SELECT max("lastSeen")::date FROM datto_rmm.devices) - day AS day,
  severity,
  "releaseDate",
  "totalDevices",
  _sdc_sync_started_at
FROM datto_rmm.site_patches, generate_series(0, 89) AS day
WHERE "installStatus" <> 'INSTALLED';

ANALYZE;
"""
"""Every day as the last one, in the tables that the stream maps would have filled."""


def load(postgres: Postgres, devices: int) -> None:
    """Bring an account into the database."""
    keys: dict[str, Any] = {"api_key": KEY, "api_secret": SECRET}
    account: dict[str, Any] = {"devices": devices, "now": NOW, "rate_limit": 0}
    with sandbox(**account, **keys) as server, folder() as files:
        with alone_in_this_clone():
            Pipeline(files, {}).install()
        command = TapRun(files, server.url, STREAMS).command()
        with (files / "log.txt").open("wb") as log:
            tap = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
            target = target_postgres(files, postgres.settings)
            code = subprocess.run(
                target, stdin=tap.stdout, stdout=log, stderr=log, check=False
            ).returncode
            if tap.wait() or code:
                raise SystemExit((files / "log.txt").read_text(encoding="utf-8")[-4000:])
    with postgres.connect() as connection:
        connection.execute(HISTORY)


def seconds(work: Callable[[], object]) -> float:
    """The median time that something takes."""
    times = []
    for _ in range(REPEAT):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def measure(connection: Connection[Any]) -> list[list[str]]:
    """Ask every view."""
    rows = []
    for name in questions():
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("datto_answers", name))
        found = len(connection.execute(query).fetchall())
        used = cpu(connection)
        taken = seconds(lambda query=query: connection.execute(query).fetchall())  # type: ignore[misc]
        used = (cpu(connection) - used) / REPEAT
        rows.append([f"`{name}`: {question(name)}", f"{found:,}", f"{taken:.2f}", f"{used:.2f}"])
    return rows


def cpu(connection: Connection[Any]) -> float:
    """Seconds of processor time that the server has spent for this connection."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table."""
    parser = options("benchmarks.answers", __doc__)
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--again", action="store_true", help="ask the database of the last run")
    given = parser.parse_args(arguments)
    started_on = machine()
    with Postgres(DATABASE) as postgres:
        with postgres.connect() as connection:
            if not given.again:
                connection.execute("DROP SCHEMA IF EXISTS datto_rmm, datto_answers CASCADE")
        if not given.again:
            note(f"loading {given.devices:,} devices")
            load(postgres, given.devices)
        with postgres.connect() as connection:
            install(connection)
            connection.execute("SET max_parallel_workers_per_gather = 0")  # their time is not told
            counts = [
                f"{connection.execute(query).fetchall()[0][0]:,} {name}"
                for name, query in (
                    ("devices", "SELECT count(*) FROM datto_rmm.devices"),
                    ("rows of patches", "SELECT count(*) FROM datto_rmm.device_patches"),
                    ("rows of software", "SELECT count(*) FROM datto_rmm.device_software"),
                    ("of daily history", "SELECT count(*) FROM datto_rmm.devices_daily"),
                )
            ]
            rows = measure(connection)
        text = page(postgres.uri)
        taken = seconds(lambda: page(postgres.uri))
        rows.append([f"the page ({len(text) / 1000:.0f} kB)", "", f"{taken:.2f}", ""])
    publish(
        given,
        "answers",
        "Answers",
        started_on,
        table(["answer", "rows", "s", "CPU s"], rows),
        f"{', '.join(counts)}; PostgreSQL 18 as it is out of the box, one "
        f"process for each answer; medians of {REPEAT}. CPU s is what a quiet machine takes.",
    )


if __name__ == "__main__":
    main()
