"""`python -m fleet.sync ACCOUNT`: one sync of one account, for any engine, on any machine.

The account's lock, its state and whose rows they are stand in the warehouse; the rest is
`tap | target`. The last line on standard output is the outcome as JSON, the log goes to standard
error. Exit codes: 0 complete, 1 incomplete or failed, 75 another run of the account is under way,
128 and its number where a signal ended the sync, the tap or the target.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import BaseModel

from fleet.accounts import Fleet
from fleet.errors import (
    AccountBusyError,
    FleetError,
    PipeError,
    ProgramKilledError,
    WrongAccountError,
)
from fleet.pipe import Pipe, Programs
from fleet.report import Report, read
from fleet.secrets import Secrets
from fleet.settings import ACCOUNTS_VARIABLE, Settings
from fleet.streams import account_only, selected
from fleet.warehouse import Entry, Identity, Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from fleet.accounts import Account
    from fleet.processes import Files

logger = logging.getLogger("fleet")

COMPLETE = 0
FAILED = 1
BUSY = os.EX_TEMPFAIL

TARGET_SETTINGS: dict[str, Any] = {
    "load_method": "upsert",
    "sanitize_null_text_characters": True,
    # Four times as fast, and right in every time zone; the tap's records hold to their schema.
    "use_copy": True,
    "validate_records": False,
}
"""What the fleet asks of target-postgres where the accounts file says nothing else."""

OF_MAPS = frozenset({"stream_maps", "stream_map_config", "flattening_enabled"})
"""Settings that would change what the API says of an account."""


class Outcome(BaseModel):
    """How a sync ended; the last line of its output."""

    account: str
    exit_code: int
    message: str
    seconds: float
    report: Report | None = None


class Sync:
    """One sync.

    Args:
        path: the accounts file.
        name: the account's.
        environment: where secrets and programs are looked for.

    Raises:
        AccountsFileError: the file is wrong, or has no such account.
        PipeError: the tap or the target is not installed.
    """

    def __init__(self, path: Path, name: str, environment: Mapping[str, str]) -> None:
        """Run nothing yet."""
        self.fleet = Fleet.load(path)
        self.account: Account = self.fleet.account(name)
        self.secrets = Secrets(environment)
        self.pipe = Pipe(Programs.find(environment), environment)
        self.started = datetime.now(UTC)
        self.report: Report | None = None
        self.signal = 0

    def run(self) -> Outcome:
        """Run it to its end, whatever that is."""
        try:
            url = self.secrets.get(self.fleet.warehouse)
            with Warehouse(url) as warehouse, warehouse.locked(self.account) as entry:
                outcome = self._outcome(*self._run_locked(warehouse, url, entry))
                warehouse.keep_end(self.account, outcome.exit_code, outcome.message)
                return outcome
        except AccountBusyError as error:
            return self._outcome(BUSY, str(error))
        except FleetError as error:
            return self._outcome(FAILED, str(error))
        except psycopg.Error as error:
            return self._outcome(FAILED, f"The warehouse: {str(error).strip()}")
        except OSError as error:
            return self._outcome(FAILED, f"This machine: {error.strerror}: {error.filename}")

    def _run_locked(self, warehouse: Warehouse, url: str, entry: Entry) -> tuple[int, str]:
        try:
            self._sync(warehouse, url, entry)
        except ProgramKilledError as error:
            return 128 + (self.signal or error.signal), str(error)
        except FleetError as error:
            return (128 + self.signal if self.signal else FAILED), str(error)
        return COMPLETE, "complete"

    def _sync(self, warehouse: Warehouse, url: str, entry: Entry) -> None:
        account = self.account
        settings = {
            **self.fleet.settings_of(account),
            "api_key": self.secrets.get(account.api_key),
            "api_secret": self.secrets.get(account.api_secret),
        }
        identity = entry.identity or self._ask_whose_key(settings)
        if account.uid not in {None, identity.uid}:
            raise WrongAccountError(
                f"The accounts file says uid {account.uid}, but the rows are those of {identity}. "
                "Nothing was written."
            )
        if entry.identity is None:
            warehouse.register(account, identity)
        state = entry.state or {}
        if state and not warehouse.tables_of(account):
            logger.warning("The schema %s is empty: all is read anew", account.schema_)
            state = {}
        with TemporaryDirectory(prefix="datto-rmm-fleet-") as folder:
            path = Path(folder) / "report.json"
            guards = {"account_uid": identity.uid, "report_path": str(path)}
            files: Files = {"config": {**settings, **guards}, "state": state}
            streams = self.fleet.streams_of(account)
            if streams.also or streams.without:
                files["catalog"] = selected(self._catalog(settings), streams)
            try:
                self.pipe.run(
                    files,
                    {"config": self._target_settings(url)},
                    lambda state: warehouse.keep_state(account, state),
                    warehouse,
                )
            finally:
                self.report = read(path)

    def _ask_whose_key(self, settings: Mapping[str, Any]) -> Identity:
        """Read the stream `account` alone, as the API sends it, before the first row is written."""
        settings = {name: value for name, value in settings.items() if name not in OF_MAPS}
        files: Files = {"config": settings, "catalog": account_only(self._catalog(settings))}
        messages = map(json.loads, self.pipe.ask(files))
        rows = [message["record"] for message in messages if message["type"] == "RECORD"]
        if not rows or not rows[0]["uid"]:
            raise PipeError("The API does not say whose account it is; a fleet cannot do without.")
        return Identity(rows[0]["uid"], rows[0].get("name"))

    def _catalog(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Discover with the settings: some add streams and columns, which are to be selected."""
        said = self.pipe.ask({"config": settings}, "--discover")
        catalog: dict[str, Any] = json.loads(b"".join(said))
        return catalog

    def _target_settings(self, url: str) -> dict[str, Any]:
        return {
            **TARGET_SETTINGS,
            **self.fleet.target,
            "default_target_schema": self.account.schema_,
            "sqlalchemy_url": f"postgresql+psycopg://{url.partition('://')[2]}",
        }

    def _outcome(self, code: int, message: str) -> Outcome:
        seconds = round((datetime.now(UTC) - self.started).total_seconds(), 1)
        return Outcome(
            account=self.account.name,
            exit_code=code,
            message=message,
            seconds=seconds,
            report=self.report,
        )

    def stop(self, signum: int, _frame: FrameType | None) -> None:
        """End early: a handler of signals.

        Raises:
            SystemExit: there is nothing to end but ourselves.
        """
        self.signal = signum
        if not self.pipe.stop():
            sys.exit(128 + signum)


def main(arguments: Sequence[str] | None = None) -> int:
    """Sync one account.

    Args:
        arguments: the command line; the process's own where left out.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m fleet.sync", description=__doc__)
    parser.add_argument("account", help="its name in the accounts file")
    parser.add_argument("--accounts", type=Path, help=f"the file; else ${ACCOUNTS_VARIABLE}")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        format="%(asctime)s | %(levelname)-8s | %(name)s | %(message)s", level=logging.INFO
    )
    try:
        path = given.accounts or Settings.from_environment(os.environ).accounts
        sync = Sync(path, given.account, os.environ)
    except FleetError as error:
        logger.error(error)  # noqa: TRY400 - no traceback
        return FAILED
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, sync.stop)
    outcome = sync.run()
    level = logging.INFO if outcome.exit_code == COMPLETE else logging.ERROR
    logger.log(level, "%s: %s", outcome.account, outcome.message)
    print(outcome.model_dump_json(), flush=True)  # noqa: T201 - what the engine reads
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main())
