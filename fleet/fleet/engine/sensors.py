"""What happens by itself: accounts come and go with the file, each has its turn in every hour."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from os import environ
from zlib import crc32

import dagster as dg
from dagster import DagsterRunStatus

from fleet.accounts import Fleet
from fleet.engine.accounts import ACCOUNTS, datto_rmm
from fleet.settings import Settings

UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]

sync = dg.define_asset_job(
    "sync",
    selection=[datto_rmm],
    executor_def=dg.in_process_executor,  # one process a run; its one step gains by no second
    description="Syncs one account.",
)


@dg.sensor(job=sync, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def accounts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Make a partition for each account of the file, and sync new ones at once."""
    wanted = Fleet.load(Settings.from_environment(environ).accounts).names
    known = context.instance.get_dynamic_partitions(ACCOUNTS.name or "")
    new, gone = sorted({*wanted} - {*known}), sorted({*known} - {*wanted})
    requests = [
        request
        for names, make in (
            (new, ACCOUNTS.build_add_request),
            (gone, ACCOUNTS.build_delete_request),
        )
        if names
        for request in [make(names)]
    ]
    return dg.SensorResult(
        dynamic_partitions_requests=requests,
        run_requests=[dg.RunRequest(partition_key=name) for name in new],
    )


@dg.sensor(job=sync, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def hourly(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Sync each account once in every hour, at a moment of its own.

    It is no schedule of Dagster's because that forgets the ticks that it misses: after an outage
    every account whose moment has passed is due, once.
    """
    settings, now = Settings.from_environment(environ), datetime.now(UTC)
    since = datetime.fromisoformat(context.cursor) if context.cursor else now
    known = context.instance.get_dynamic_partitions(ACCOUNTS.name or "")
    running = under_way(context.instance) if known else set()
    due_now = due(known, since, now, settings.interval)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{name} {moment:%Y-%m-%dT%H:%M:%SZ}", partition_key=name)
            for name, moment in due_now
            if name not in running
        ],
        cursor=now.isoformat(),
    )


def due(
    names: Iterable[str], since: datetime, now: datetime, interval: timedelta
) -> Iterator[tuple[str, datetime]]:
    """The accounts whose moment came after `since` and up to `now`, each with its last moment."""
    seconds = interval.total_seconds()
    for name in names:
        offset = crc32(name.encode()) % seconds
        last = now.timestamp() - (now.timestamp() - offset) % seconds
        if last > since.timestamp():
            yield name, datetime.fromtimestamp(last, UTC)


def under_way(instance: dg.DagsterInstance) -> set[str]:
    """The accounts that have a run, or will have one as soon as its turn comes."""
    runs = instance.get_runs(dg.RunsFilter(job_name=sync.name, statuses=UNFINISHED))
    return {run.tags["dagster/partition"] for run in runs if "dagster/partition" in run.tags}
