"""What nobody else notices: a run whose machine is gone, and rows that have become old."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from os import environ

import dagster as dg
from dagster import DagsterRunStatus
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.storage.dagster_run import RunRecord

from fleet.accounts import Fleet
from fleet.engine.accounts import ASSET, CHECK
from fleet.engine.sensors import sync
from fleet.secrets import Secrets
from fleet.settings import Settings
from fleet.warehouse import Entry, Warehouse

START = timedelta(seconds=30)
"""How long a run may take from its start to its lock."""

LOOK_SECONDS = 15

LOST = "The run holds no lock in the warehouse: its process or its machine is gone."


@dg.sensor(minimum_interval_seconds=LOOK_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Fail the runs that hold no lock at two looks, and turn the check of old accounts red."""
    settings = Settings.from_environment(environ)
    fleet = Fleet.load(settings.accounts)
    schemas = [account.schema_ for account in fleet.accounts]
    seen = json.loads(context.cursor or "{}")
    running = started_runs(context.instance)
    with Warehouse(Secrets(environ).get(fleet.warehouse)) as warehouse:
        locked = warehouse.locked_accounts()  # also those that the file no longer has
        entries = warehouse.entries(schemas)
    suspects = [
        record
        for record in running
        if record.dagster_run.tags.get("dagster/partition") not in locked
    ]
    for record in suspects:
        if record.dagster_run.run_id in seen.get("suspects", []):
            context.instance.report_run_failed(record.dagster_run, LOST)
    old = old_entries(entries, settings.patience)
    looked = {
        "suspects": [record.dagster_run.run_id for record in suspects],
        "old": [entry.account for entry in old],
    }
    return dg.SensorResult(
        asset_events=[
            too_old(context.instance, entry)
            for entry in old
            if entry.account not in seen.get("old", [])
        ],
        cursor=json.dumps(looked),
    )


def started_runs(instance: dg.DagsterInstance) -> list[RunRecord]:
    """The syncs that have been running for some time, if Dagster is right."""
    statuses = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    records = instance.get_run_records(dg.RunsFilter(job_name=sync.name, statuses=statuses))
    latest = (datetime.now(UTC) - START).timestamp()
    return [record for record in records if record.start_time and record.start_time < latest]


def old_entries(entries: Iterable[Entry], patience: timedelta) -> list[Entry]:
    """The accounts whose last complete run was too long ago."""
    limit = datetime.now(UTC) - patience
    return [entry for entry in entries if entry.complete_at and entry.complete_at < limit]


def too_old(instance: dg.DagsterInstance, entry: Entry) -> dg.AssetCheckEvaluation:
    """Say of an account that its rows are too old."""
    filter_ = dg.AssetRecordsFilter(asset_key=ASSET, asset_partitions=[entry.account])
    latest = instance.fetch_materializations(filter_, limit=1).records
    about = [
        AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in latest
    ]
    return dg.AssetCheckEvaluation(
        asset_key=ASSET,
        check_name=CHECK,
        partition=entry.account,
        passed=False,
        metadata={"message": f"The last complete run ended at {entry.complete_at:%Y-%m-%d %H:%M}."},
        target_materialization_data=about[0] if about else None,
    )
