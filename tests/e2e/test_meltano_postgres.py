"""From the sandbox through a real Meltano into a real PostgreSQL: the main job, end to end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from demo import tables
from demo.answers import install
from demo.page.data import collect
from demo.pipeline import SCHEMA, TAP, Pipeline, PipelineError, alone_in_this_clone
from demo.postgres import DATABASE, Postgres, psql
from tests import truth
from tests.conftest import calls
from tests.e2e.warehouse import true_rows, without_left_devices

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

DEVICES = 60
REMOVED = 2
TIME_ZONE = "Australia/Sydney"
"""Of the database: nothing that is loaded may depend on it."""
BY_DEFAULT = [name for name, stream in truth.STREAMS.items() if stream.by_default]
"""Streams that a user gets who selects nothing."""

Records = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Loaded:
    """A PostgreSQL into which an account was loaded twice, with an hour between."""

    sandbox: Sandbox
    postgres: Postgres
    pipeline: Pipeline
    wanted: list[dict[str, Records]]
    """What the account held at each run, by stream and key."""
    found: list[dict[str, Records]]
    """What PostgreSQL held after each run."""
    calls: list[Counter[str]]
    logs: list[str]
    """What Meltano and its plugins said in each run."""

    def ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self.postgres.connect() as connection:
            return connection.execute(query.encode(), values).fetchall()


@pytest.fixture(scope="module")
def loaded(
    sandboxes: Callable[..., Sandbox], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("meltano")
    sandbox = sandboxes(devices=DEVICES)
    with alone_in_this_clone(), Postgres(folder / "postgres") as postgres:
        pipeline = Pipeline(folder, settings(sandbox, postgres.settings, folder))
        pipeline.install()
        with postgres.connect() as connection:
            connection.execute(f"ALTER DATABASE {DATABASE} SET timezone TO '{TIME_ZONE}'".encode())
        loaded = Loaded(sandbox, postgres, pipeline, [], [], [], [])
        for minutes in (0, 60):
            if minutes:
                sandbox.advance(minutes, removed=REMOVED)
            calls(sandbox)
            loaded.logs.append(pipeline.run("target-postgres").read_text(encoding="utf-8"))
            loaded.calls.append(calls(sandbox))
            loaded.wanted.append(account(sandbox))
            loaded.found.append(
                {
                    stream: without_left_devices(sandbox, stream, rows)
                    for stream, rows in warehouse(postgres).items()
                }
            )
        yield loaded


def settings(
    sandbox: Sandbox, target: Mapping[str, str], folder: Path
) -> dict[str, Mapping[str, str]]:
    return {
        TAP: {
            **sandbox.settings,
            "max_requests_per_minute": "1000000",
            "refresh_hours": '{"site_*": 0}',  # all of it in each run
        },
        "target-postgres": target,
        "target-jsonl": {"destination_path": str(folder)},
    }


def account(sandbox: Sandbox) -> dict[str, Records]:
    """Say what the records of the account are now."""
    found = {}
    for stream in BY_DEFAULT:
        found[stream] = true_rows(sandbox, stream)
    return found


def warehouse(postgres: Postgres) -> dict[str, Records]:
    """Read what is in PostgreSQL, dates as the tap writes them, the target's columns left out.

    Rows that are marked as gone from the account are left out too.
    """
    found: dict[str, Records] = {}
    with postgres.connect() as connection:
        for stream in tables.table_names(connection):
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(SCHEMA, stream))
            rows = connection.cursor(row_factory=dict_row).execute(query).fetchall()
            records = [
                {name: as_json(row[name]) for name in row if not name.startswith("_sdc_")}
                for row in rows
                if row["_sdc_deleted_at"] is None
            ]
            found[stream] = {truth.key_of(stream, record): record for record in records}
            assert len(found[stream]) == len(records)
    return found


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def test_exactly_the_streams_that_the_tap_selects_become_tables(loaded: Loaded) -> None:
    assert sorted(loaded.found[0]) == sorted(BY_DEFAULT)


@pytest.mark.parametrize("stream", BY_DEFAULT)
@pytest.mark.parametrize("run", [0, 1], ids=["first run", "second run"])
def test_every_row_of_the_account_is_in_postgresql_with_the_same_values(
    loaded: Loaded, run: int, stream: str
) -> None:
    wanted, found = loaded.wanted[run][stream], loaded.found[run][stream]
    if stream == "device_software" and run == 1:
        found = {key: found[key] for key in wanted if key in found}  # older titles stay
    assert found.keys() == wanted.keys()
    for key, record in wanted.items():
        assert {name: found[key].get(name) for name in record} == record


@pytest.mark.parametrize("stream", BY_DEFAULT)
def test_every_table_has_the_primary_key_of_its_stream(loaded: Loaded, stream: str) -> None:
    columns = loaded.ask(
        """
        SELECT attname FROM pg_index
        CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS key (attnum, place)
        JOIN pg_attribute USING (attnum)
        WHERE indisprimary AND indrelid = %s::regclass AND attrelid = indrelid
        ORDER BY place
        """,
        f"{SCHEMA}.{stream}",
    )
    assert tuple(name for (name,) in columns) == truth.STREAMS[stream].keys


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("devices.lastSeen", "timestamp without time zone"),
        ("devices.warrantyDate", "date"),
        ("devices.patchManagement", "jsonb"),
        ("devices.udf", "jsonb"),
        ("devices.id", "bigint"),
        ("devices.online", "boolean"),
        ("alerts.alertContext", "jsonb"),
        ("alerts.timestamp", "timestamp without time zone"),
        ("device_audits.logicalDisks", "jsonb[]"),
        ("device_software.version", "text"),
        ("activity_logs.date", "timestamp without time zone"),
    ],
)
def test_columns_have_sensible_types(loaded: Loaded, column: str, kind: str) -> None:
    stream, _, name = column.partition(".")
    types = loaded.ask(
        """
        SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = %s::regclass AND attname = %s
        """,
        f"{SCHEMA}.{stream}",
        name,
    )
    assert types == [(kind,)]


def test_a_device_that_is_gone_is_marked_with_the_moment_in_utc(loaded: Loaded) -> None:
    gone = loaded.wanted[0]["devices"].keys() - loaded.wanted[1]["devices"].keys()
    assert len(gone) == REMOVED
    marked = loaded.ask(
        "SELECT uid, _sdc_deleted_at FROM datto_rmm.devices WHERE _sdc_deleted_at IS NOT NULL"
    )
    assert {(uid,) for uid, _ in marked} == gone
    for _, moment in marked:
        assert abs(datetime.now(UTC) - moment.replace(tzinfo=UTC)) < timedelta(hours=1)


def test_rows_are_loaded_by_copy(loaded: Loaded) -> None:
    for log in loaded.logs:
        assert "with SQL: COPY" in log
        assert "with SQL: INSERT" not in log


def test_the_second_run_asks_for_the_audits_that_are_new_and_no_others(loaded: Loaded) -> None:
    first, second = (run["/v2/audit/device/{device_uid}"] for run in loaded.calls)
    dates = [
        {key: record["lastAuditDate"] for key, record in run["device_audits"].items()}
        for run in loaded.wanted
    ]
    changed = [key for key, moment in dates[1].items() if moment != dates[0].get(key)]
    never = [key for key, moment in dates[1].items() if moment is None]
    assert first == len(dates[0])
    assert changed
    assert len(changed) <= second <= len(changed) + len(never) + DEVICES // 10


def test_the_view_shows_the_software_of_each_devices_newest_audit_only(loaded: Loaded) -> None:
    with loaded.postgres.connect() as connection:
        install(connection)
    found = loaded.ask("SELECT device_uid, name, version FROM datto_answers.current_software")
    wanted = loaded.wanted[1]["device_software"]
    assert len(loaded.found[1]["device_software"]) > len(wanted)
    assert sorted(found) == sorted(wanted)


def test_the_default_selection_is_enough_for_the_scorecard(loaded: Loaded) -> None:
    with loaded.postgres.connect() as connection:
        install(connection)
    fleet = collect(loaded.postgres.uri)
    assert fleet["scorecard"]
    assert {row["severe_patches"] for row in fleet["scorecard"]} == {None}
    assert None not in {row["full_disks"] for row in fleet["scorecard"]}


def test_a_selection_of_streams_and_properties_reaches_the_tap(loaded: Loaded) -> None:
    calls(loaded.sandbox)
    loaded.pipeline.run("target-jsonl", select=["devices.hostname"])
    files = {path.stem: path for path in loaded.pipeline.folder.glob("*.jsonl")}
    assert files.keys() == {"devices"}
    records = [json.loads(line) for line in files["devices"].read_text("utf-8").splitlines()]
    assert len(records) == len(loaded.sandbox.account.devices)
    assert {tuple(sorted(record)) for record in records} == {("hostname", "uid")}
    assert not [path for path in calls(loaded.sandbox) if "/audit/" in path]


def test_the_doctor_is_a_command_of_the_plugin(loaded: Loaded) -> None:
    log = loaded.pipeline.meltano("invoke", f"{TAP}:doctor").read_text(encoding="utf-8")
    assert re.search(r"ok +device_audits ", log)
    assert "A sync would work" in log


def test_a_failure_shows_the_end_of_what_was_said(loaded: Loaded, tmp_path: Path) -> None:
    wrong = {**loaded.postgres.settings, "password": "wrong"}
    pipeline = Pipeline(tmp_path, settings(loaded.sandbox, wrong, tmp_path))
    with pytest.raises(PipelineError, match="password authentication failed"):
        pipeline.run("target-postgres", select=["account.*"])


def test_psql_is_there_for_whoever_wants_to_look() -> None:
    assert psql().is_file()
