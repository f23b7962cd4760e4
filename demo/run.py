"""`make demo`: an account of 500 devices, which is none, goes through Meltano into PostgreSQL.

It starts the sandbox and a PostgreSQL server, lets the account live for four weeks with a small run
each night, runs `meltano run tap-datto-rmm target-postgres`, lets an hour pass, runs it again, and
shows what arrived, what it cost, and what an owner would want to know of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from datto_rmm_sandbox import Sandbox
from datto_rmm_sandbox.account import default_now
from rich.console import Console
from rich.terminal_theme import MONOKAI

from demo import report, tables
from demo.answers import install
from demo.history import stream_maps
from demo.nights import MINUTES_OF_A_DAY, Nights
from demo.page.data import collect
from demo.pipeline import ROOT, TAP, Pipeline, PipelineError, alone_in_this_clone, target_postgres
from demo.postgres import Postgres, PostgresError
from tap_datto_rmm.settings import CONFIG_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = ROOT / ".demo"
SERVER = FOLDER / "postgres"
SCREEN = FOLDER / "screen.html"
FILES = ROOT / "output" / "demo"
PAGE = FILES / "fleet.html"

DEVICES = 500
SEED = 7
NIGHTS = 27
"""How long the account lives before the first run that reads all of it."""
DAILY = {"opened": 25, "activities": 40}
"""What happens on each day, about as much as before the account began."""
MINUTES = 60
"""How long it lives between the two runs."""
COSTLY = ("devices_v3.*", "job_components.*", "job_results.*", "job_outputs.*")
"""Streams that PostgreSQL does not get here; they go to files."""
SELECTED = ("*.*", *(f"!{pattern}" for pattern in COSTLY))
"""The default, and the patches."""
SITES_SHOWN, ROWS_SHOWN = 8, 5
MINUTE_MS = 60_000

BUDGET = CONFIG_SCHEMA["properties"]["max_requests_per_minute"]["default"]

NEXT = f"""
Open {PAGE.relative_to(ROOT)}

What next?
  Your own account              cp .env.example .env     (fill in three lines)
                                .venv/bin/tap-datto-rmm-doctor --config ENV
                                .venv/bin/meltano run {TAP} target-jsonl
  Look into this database       .venv/bin/python demo/psql.py
  The other streams             {FILES.relative_to(ROOT)}/*.jsonl
  Take the answers along        sql/answers, docs/answers.md
  Your own PostgreSQL           docs/meltano.md
"""

console = Console(highlight=False, record=True)


class Demo:
    """The demonstration, step by step.

    Args:
        sandbox: whose account is read.
        postgres: where it goes.
        pipeline: what brings it there.
    """

    def __init__(self, sandbox: Sandbox, postgres: Postgres, pipeline: Pipeline) -> None:
        """Do nothing yet."""
        self.sandbox = sandbox
        self.postgres = postgres
        self.pipeline = pipeline

    def run(self) -> None:
        """Do all of it.

        Raises:
            PipelineError: a command failed.
        """
        with step("Meltano installs the tap and two targets"):
            self.pipeline.install()
        with step(f"{NIGHTS + 1} days pass; each night a small run, for the history"):
            self.nights()
        first_rows, first_calls = self.sync("Run 1: everything")
        happened = self.sandbox.advance(MINUTES)
        console.print(
            f"  An hour passes: {len(happened.audited)} devices audited, "
            f"{len(happened.opened)} alerts opened, {len(happened.resolved)} resolved"
        )
        second_rows, second_calls = self.sync("Run 2: what has changed")
        with step("The other streams, as JSONL files"):
            self.pipeline.run("target-jsonl", select=COSTLY)
        show(tables.rows_table(first_rows, second_rows))
        show(tables.calls_table(first_calls, second_calls, BUDGET))
        self.answer()

    def nights(self) -> None:
        """Let the account live, and copy devices and disks into the history each night.

        Raises:
            PipelineError: the tap or the target failed.
        """
        settings = {**self.sandbox.settings, "max_requests_per_minute": 1_000_000}
        nights = Nights(self.sandbox.url, settings, NIGHTS, DAILY)
        log = FOLDER / "logs" / "nights.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as file:
            tap = subprocess.Popen(
                nights.command(),
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=ROOT,
                env={**self.pipeline.environment, "PYTHONPATH": os.fspath(ROOT)},
            )
            target = target_postgres(FOLDER, self.postgres.settings)
            code = subprocess.run(
                target, stdin=tap.stdout, stdout=subprocess.DEVNULL, stderr=file, check=False
            ).returncode
            if tap.wait() or code:
                raise PipelineError(f"the nights failed; see {log}")

    def sync(self, title: str) -> tuple[dict[str, tables.Counts], dict[str, int]]:
        """Run the tap into PostgreSQL; give the rows there and the API calls by endpoint."""
        journal = self.sandbox.state.journal
        self.sandbox.call(journal.reset)
        today = datetime.fromtimestamp(self.sandbox.account.now / 1000, UTC).date().isoformat()
        self.pipeline.set(TAP, "stream_maps", json.dumps(stream_maps(today)))
        started = tables.now()
        with step(title):
            self.pipeline.run("target-postgres", select=SELECTED)
        with self.postgres.connect() as connection:
            rows = tables.counts(connection, started)
        return rows, dict(journal.by_endpoint)

    def answer(self) -> None:
        """Install the answers, show the shortest of them, write the page."""
        with self.postgres.connect() as connection:
            install(connection)
        fleet = collect(self.postgres.uri)
        PAGE.write_text(report.page(self.postgres.uri), encoding="utf-8")
        show(tables.scorecard(fleet, SITES_SHOWN))
        filling = [row for row in fleet["full_disks"] if row["days_to_full"]]
        for name, columns, rows in (
            ("patch_ageing", AGEING, fleet["patch_ageing"]),
            ("full_disks", DISKS, sorted(filling, key=lambda row: row["days_to_full"])),
            ("unsupported_systems", SYSTEMS, fleet["unsupported_systems"]),
        ):
            show(tables.answer(fleet, name, columns, rows[:ROWS_SHOWN]))


AGEING = {
    "severity": "severity",
    "days_0_14": "0-14 days",
    "days_15_30": "15-30",
    "days_31_90": "31-90",
    "days_over_90": "over 90",
    "age_unknown": "no date",
}
DISKS = {
    "site": "site",
    "computer": "computer",
    "disk": "disk",
    "free_percent": "free, %",
    "days_to_full": "full in days",
}
SYSTEMS = {
    "system": "system",
    "support_ends": "support ends",
    "days_left": "days left",
    "computers": "computers",
    "sites": "sites",
}
"""Columns that are shown of an answer, and what they are called."""


@contextmanager
def step(title: str) -> Generator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    with console.status(title):
        yield
    console.print(f"  {title:<64}{time.monotonic() - started:6.1f} s")


def show(table: Any) -> None:
    """Print a table with a line of air before it."""
    console.print()
    console.print(table)


def fresh_folders() -> None:
    """Forget the last demonstration: its database, its state, its files."""
    for folder in (FOLDER, FILES):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    FOLDER.chmod(0o700)
    (FOLDER / ".gitignore").write_text("*\n")


def settings(sandbox: Sandbox, postgres: Postgres) -> dict[str, dict[str, str]]:
    """What Meltano hands to its plugins; the rest is as in meltano.yml."""
    return {
        TAP: {**sandbox.settings, "max_requests_per_minute": "1000000"},
        "target-postgres": postgres.settings,
        "target-jsonl": {"destination_path": str(FILES.relative_to(ROOT))},
    }


def demonstrate() -> None:
    """Start what is needed, show everything, stop what was started.

    Raises:
        PipelineError: a command of Meltano's failed.
        PostgresError: PostgreSQL does not start.
    """
    began = default_now() - NIGHTS * MINUTES_OF_A_DAY * MINUTE_MS
    with ExitStack() as stack:
        stack.enter_context(alone_in_this_clone())
        fresh_folders()
        with step(f"A sandbox with {DEVICES} devices (and without the API's rate limit)"):
            sandbox = stack.enter_context(
                Sandbox(devices=DEVICES, seed=SEED, now=began, rate_limit=0)
            )
        with step("A PostgreSQL server"):
            postgres = stack.enter_context(Postgres(SERVER))
        pipeline = Pipeline(FOLDER, settings(sandbox, postgres))
        Demo(sandbox, postgres, pipeline).run()


def main() -> NoReturn:
    """Show it, and say what to do next.

    Raises:
        SystemExit: always; 0 where all went well, 1 where something failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.monotonic()
    console.print("[bold]From the Datto RMM API into PostgreSQL[/], without a Datto account\n")
    try:
        demonstrate()
    except (PipelineError, PostgresError, OSError) as error:
        console.print(error, style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(128 + signal.SIGINT)
    console.print(NEXT, markup=False, soft_wrap=True)
    console.print(f"Done in {time.monotonic() - started:.0f} s.")
    console.save_html(os.fspath(SCREEN), theme=MONOKAI, inline_styles=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
