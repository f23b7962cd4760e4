"""Dagster's parts one by one: whose turn it is, who comes and goes, what the watch sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from fleet.accounts import Fleet
from fleet.engine import sensors, watch
from fleet.engine.accounts import ACCOUNTS, environment_for, metadata
from fleet.engine.definitions import definitions
from fleet.report import Report
from fleet.settings import Settings
from fleet.sync import Outcome
from fleet.warehouse import Entry, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import SmallFleet

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NAMES = [f"account-{number}" for number in range(500)]


def test_every_account_is_due_once_in_an_hour_and_the_hour_is_used_evenly() -> None:
    minutes = [NOON + timedelta(minutes=minute) for minute in range(61)]
    turns = [list(sensors.due(NAMES, since, now, HOUR)) for since, now in pairwise(minutes)]
    assert sorted(name for turn in turns for name, _ in turn) == sorted(NAMES)
    assert max(map(len, turns)) < 25


def test_after_an_outage_each_account_that_missed_its_turn_is_due_once() -> None:
    late = list(sensors.due(NAMES, NOON - timedelta(hours=5), NOON, HOUR))
    assert sorted(name for name, _ in late) == sorted(NAMES)
    assert all(NOON - HOUR < moment <= NOON for _, moment in late)


def test_a_turn_has_the_same_moment_whoever_asks_when() -> None:
    [(_, first)] = sensors.due(["acme"], NOON - HOUR, NOON, HOUR)
    assert list(sensors.due(["acme"], first - timedelta(seconds=1), first, HOUR)) == [
        ("acme", first)
    ]
    assert not list(sensors.due(["acme"], first, first + timedelta(minutes=59), HOUR))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def engine(fleet: SmallFleet, monkeypatch: pytest.MonkeyPatch) -> SmallFleet:
    for name, value in fleet.environment.items():
        monkeypatch.setenv(name, value)
    return fleet


def looked(instance: dg.DagsterInstance, sensor: Any, cursor: str | None = None) -> Any:
    with dg.build_sensor_context(
        instance, cursor=cursor, definitions=definitions, sensor_name=sensor.name
    ) as context:
        result = sensor(context)
    for request in result.dynamic_partitions_requests or []:
        names = list(request.partition_keys)
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(request.partitions_def_name, names)
        else:
            for name in names:
                instance.delete_dynamic_partition(request.partitions_def_name, name)
    return result


def test_accounts_come_and_go_with_the_file_and_new_ones_are_synced_at_once(
    engine: SmallFleet, instance: dg.DagsterInstance
) -> None:
    first = looked(instance, sensors.accounts)
    assert [request.partition_key for request in first.run_requests] == ["acme", "bolt"]
    assert not looked(instance, sensors.accounts).run_requests
    del engine.lines["bolt"]
    engine.write_accounts()
    assert not looked(instance, sensors.accounts).run_requests
    assert instance.get_dynamic_partitions(ACCOUNTS.name or "") == ["acme"]


def test_an_account_whose_run_is_under_way_is_not_asked_for_again(
    engine: SmallFleet, instance: dg.DagsterInstance
) -> None:
    looked(instance, sensors.accounts)
    instance.create_run_for_job(
        definitions.resolve_job_def("sync"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "acme"},
    )
    an_hour_ago = (datetime.now(UTC) - HOUR).isoformat()
    asked = looked(instance, sensors.hourly, an_hour_ago)
    assert [request.partition_key for request in asked.run_requests] == ["bolt"]
    assert not looked(instance, sensors.hourly, asked.cursor).run_requests
    del engine


def entry(name: str, complete_at: datetime | None) -> Entry:
    return Entry(
        schema=name,
        account=name,
        uid=name,
        name=None,
        state=None,
        ended_at=None,
        exit_code=None,
        message=None,
        complete_at=complete_at,
    )


def test_rows_are_too_old_after_two_hours_without_a_complete_run() -> None:
    now = datetime.now(UTC)
    entries = [
        entry("fresh", now - timedelta(minutes=119)),
        entry("old", now - timedelta(minutes=121)),
        entry("new", None),
    ]
    patience = Settings.from_environment({}).patience
    assert [one.account for one in watch.old_entries(entries, patience)] == ["old"]


def test_the_check_of_an_account_turns_red_once_when_its_rows_are_too_old(
    engine: SmallFleet, instance: dg.DagsterInstance
) -> None:
    with Warehouse(engine.postgres.uri) as warehouse:
        warehouse.connection.execute(
            "INSERT INTO fleet.accounts (schema, account, complete_at) "
            "VALUES (%s, 'acme', now() - interval '3 hours')",
            [engine.members["acme"].schema],
        )
    first = looked(instance, watch.watch)
    [event] = first.asset_events
    assert (event.partition, event.passed) == ("acme", False)
    assert not looked(instance, watch.watch, first.cursor).asset_events


def test_a_run_of_an_account_that_was_retired_meanwhile_is_not_taken_for_dead(
    engine: SmallFleet, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "START", timedelta(seconds=-5))
    run = instance.create_run_for_job(
        definitions.resolve_job_def("sync"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "bolt"},
    )
    bolt = Fleet.load(engine.accounts).account("bolt")
    del engine.lines["bolt"]
    engine.write_accounts()
    with Warehouse(engine.postgres.uri) as warehouse, warehouse.locked(bolt):
        first = looked(instance, watch.watch)
        looked(instance, watch.watch, first.cursor)
    found = instance.get_run_by_id(run.run_id)
    assert found
    assert found.status == dg.DagsterRunStatus.STARTED


def test_the_page_shows_rows_calls_seconds_and_the_streams_that_are_not_complete() -> None:
    report = Report.model_validate(
        {
            "exit_code": 1,
            "complete": False,
            "calls": 12,
            "streams": {
                "devices": {"status": "complete", "records": 60, "calls": 1},
                "alerts": {"status": "failed", "reasons": ["403 on /v2/account/alerts/open"]},
                "device_audits": {"status": "incomplete", "records": 5, "outstanding": 1},
                "jobs": {"status": "not_reached"},
            },
        }
    )
    outcome = Outcome(account="acme", exit_code=1, message="why", seconds=2.5, report=report)
    shown = metadata(outcome, report)
    assert shown["dagster/row_count"] == 65
    assert shown["calls"] == 12
    assert shown["seconds"] == 2.5
    assert shown["streams_failed"] == "alerts, jobs"
    assert shown["streams_incomplete"] == "device_audits"
    table = shown["report"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["stream"] for record in table.records] == list(report.streams)
    assert table.records[1].data["reasons"] == "403 on /v2/account/alerts/open"


def test_a_sync_sees_its_own_secrets_and_nothing_else_of_the_engines_environment(
    engine: SmallFleet,
) -> None:
    environment = {
        **engine.environment,
        "ACME_KEY": "acme's",
        "BOLT_KEY": "bolt's",
        "FLEET_DAGSTER_URL": "postgresql://engine",
        "TAP_DATTO_RMM_API_KEY": "somebody's",
        "MELTANO_ENVIRONMENT": "prod",
    }
    seen = environment_for("acme", environment)
    assert seen["ACME_KEY"] == "acme's"
    assert not {"BOLT_KEY", "FLEET_DAGSTER_URL", "TAP_DATTO_RMM_API_KEY"} & seen.keys()
    assert not [name for name in seen if name.startswith("MELTANO_")]
