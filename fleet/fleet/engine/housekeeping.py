"""What keeps the fleet's house: the union views, and Dagster's own history within bounds."""

from datetime import UTC, datetime
from os import environ

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from fleet import views
from fleet.accounts import Fleet
from fleet.answers import Answers
from fleet.engine.accounts import datto_rmm
from fleet.secrets import Secrets
from fleet.settings import Settings
from fleet.warehouse import Warehouse

AT_ONCE = 500


@dg.asset(deps=[datto_rmm], kinds={"postgres"})
def datto_fleet(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Views over the schemas of all accounts, each row with its account's name."""
    settings = Settings.from_environment(environ)
    fleet = Fleet.load(settings.accounts)
    answers = Answers.load(settings.answers) if settings.answers else None
    with Warehouse(Secrets(environ).get(fleet.warehouse)) as warehouse:
        made = views.refresh(warehouse, fleet, answers)
    context.log.info("%d views made", made)
    return dg.MaterializeResult(metadata={"views_made": made})


@dg.op
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Delete runs, their events and their logs."""
    before = datetime.now(UTC) - Settings.from_environment(environ).keep
    old = dg.RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before)
    forgotten = 0
    while runs := context.instance.get_runs(old, limit=AT_ONCE):
        for run in runs:
            context.instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            context.instance.delete_run(run.run_id)
        forgotten += len(runs)
    context.log.info("%d runs forgotten", forgotten)


@dg.job(executor_def=dg.in_process_executor)
def forget() -> None:
    """Keep Dagster's history within `FLEET_KEEP_DAYS`."""
    forget_old_runs()


unite = dg.define_asset_job("views", selection=[datto_fleet], executor_def=dg.in_process_executor)

RUNNING = dg.DefaultScheduleStatus.RUNNING
every_hour = dg.ScheduleDefinition(job=unite, cron_schedule="50 * * * *", default_status=RUNNING)
every_night = dg.ScheduleDefinition(job=forget, cron_schedule="20 3 * * *", default_status=RUNNING)
