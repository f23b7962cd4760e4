"""The asset: an account's rows in its schema, a partition an account, a run a sync."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from fleet import leash
from fleet.accounts import Fleet
from fleet.pipe import KEPT_VARIABLES, TAP_VARIABLE, TARGET_VARIABLE
from fleet.report import Report
from fleet.secrets import Secrets
from fleet.settings import ACCOUNTS_VARIABLE, Settings
from fleet.sync import BUSY, COMPLETE, FAILED, Outcome

# Without `from __future__ import annotations`: Dagster looks at the type of `context` itself.

ACCOUNTS = dg.DynamicPartitionsDefinition(name="accounts")
ASSET = dg.AssetKey("datto_rmm")
CHECK = "complete_and_fresh"

BY_SIGNAL = 128
"""Exit codes above it tell that something was killed."""

STOP_SECONDS = 60
"""How long a sync that is cancelled may take to write its last state."""

OWN_VARIABLES = (ACCOUNTS_VARIABLE, TAP_VARIABLE, TARGET_VARIABLE)


@dg.asset(
    key=ASSET,
    partitions_def=ACCOUNTS,
    output_required=False,
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=ASSET,
            partitions_def=ACCOUNTS,
            description="The last run was complete, and it is not older than two intervals.",
        )
    ],
    description="Datto RMM accounts in the warehouse, each in a schema of its own.",
    kinds={"singer", "postgres"},
)
def datto_rmm(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Sync one account by `python -m fleet.sync`.

    Raises:
        Failure: the sync was not complete; its next turn, or a person, makes good.
        RetryRequested: it was killed from outside.
    """
    outcome = run_sync(context.partition_key)
    if outcome.exit_code == BUSY:
        context.log.warning(outcome.message)
        return
    if outcome.exit_code > BY_SIGNAL and context.retry_number == 0:
        raise dg.RetryRequested(max_retries=1, seconds_to_wait=10) from dg.Failure(outcome.message)
    passed = outcome.exit_code == COMPLETE
    if outcome.report and outcome.report.records:
        yield dg.MaterializeResult(asset_key=ASSET, metadata=metadata(outcome, outcome.report))
    # After the materialization that it is about: a later one would make it count no more.
    yield dg.AssetCheckResult(
        passed=passed, check_name=CHECK, asset_key=ASSET, metadata={"message": outcome.message}
    )
    if not passed:
        raise dg.Failure(outcome.message, allow_retries=False)


def metadata(
    outcome: Outcome, report: Report
) -> dict[str, dg.MetadataValue[Any] | int | float | str]:
    """What the page shows of a run, and what it plots over the runs."""
    return {
        "dagster/row_count": report.records,
        "calls": report.calls,
        "seconds": outcome.seconds,
        "seconds_waited": report.seconds_waited,
        "retries": report.retries,
        "streams_failed": ", ".join(report.of_status("failed", "not_reached")) or "none",
        "streams_incomplete": ", ".join(report.of_status("incomplete")) or "none",
        "message": outcome.message,
        "report": dg.MetadataValue.table([_row(name, report) for name in report.streams]),
    }


def _row(name: str, report: Report) -> dg.TableRecord:
    stream = report.streams[name]
    return dg.TableRecord(
        {
            "stream": name,
            "status": stream.status,
            "records": stream.records,
            "calls": stream.calls,
            "retries": stream.retries,
            "left out": stream.left_out,
            "outstanding": stream.outstanding,
            "reasons": "; ".join(stream.reasons),
        }
    )


def run_sync(name: str) -> Outcome:
    """Sync an account in a process of its own, which dies with this one."""
    module = [sys.executable, "-m", "fleet.sync", name]
    command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *module]
    process = subprocess.Popen(  # noqa: S603 - a list, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment_for(name)
    )
    with _ended(process):
        said, _ = process.communicate()
    if not said:  # killed, or the accounts file is wrong; its log says so
        code = 128 - process.returncode if process.returncode < 0 else FAILED
        message = f"The sync of {name} ended with exit code {process.returncode}; see its log."
        return Outcome(account=name, exit_code=code, message=message, seconds=0)
    return Outcome.model_validate_json(said.splitlines()[-1])


def environment_for(name: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All that the sync of an account sees of the engine's environment."""
    settings = Settings.from_environment(environment)
    fleet = Fleet.load(settings.accounts)
    account = fleet.account(name)
    names = (fleet.warehouse, account.api_key, account.api_secret)
    kept = {*KEPT_VARIABLES, *OWN_VARIABLES}
    return {
        **{key: value for key, value in environment.items() if key in kept},
        **Secrets(environment).variables(*names),
        ACCOUNTS_VARIABLE: str(Path(settings.accounts).absolute()),
    }


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Generator[None]:
    """End a process where we are cancelled: first so that it can keep its state."""
    try:
        yield
    except BaseException:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    finally:
        process.wait()
