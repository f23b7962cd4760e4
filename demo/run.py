"""`make demo`: an account of 500 devices, which is none, goes through Meltano into PostgreSQL.

It starts the sandbox and a PostgreSQL server, runs `meltano run tap-datto-rmm target-postgres`,
lets the account live for an hour, runs it again, and shows what arrived and what it cost.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from datto_rmm_sandbox import Sandbox
from rich.console import Console

from demo import tables
from demo.pipeline import ROOT, TAP, Pipeline, PipelineError, alone_in_this_clone
from demo.postgres import Postgres, PostgresError
from tap_datto_rmm.settings import CONFIG_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = ROOT / ".demo"
SERVER = FOLDER / "postgres"
FILES = ROOT / "output" / "demo"
QUERIES = ROOT / "demo" / "queries"
VIEW = ROOT / "sql" / "current_software.sql"

DEVICES = 500
SEED = 7
MINUTES = 60
"""How long the account lives between the two runs."""

BUDGET = CONFIG_SCHEMA["properties"]["max_requests_per_minute"]["default"]

NEXT = f"""
What next?
  Look into this database       .venv/bin/python demo/psql.py
  The same rows, and more       {FILES.relative_to(ROOT)}/*.jsonl
  Take the questions along      demo/queries/*.sql
  Your own account              cp .env.example .env     (fill in three lines)
                                .venv/bin/meltano run {TAP} target-jsonl
  Your own PostgreSQL           docs/meltano.md
"""

console = Console(highlight=False)


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
            PipelineError: a command of Meltano's failed.
        """
        with step("Meltano installs the tap and two targets"):
            self.pipeline.install()
        first_rows, first_calls = self.sync("Run 1: everything")
        happened = self.sandbox.advance(MINUTES)
        console.print(
            f"  An hour passes: {len(happened.audited)} devices audited, "
            f"{len(happened.opened)} alerts opened, {len(happened.resolved)} resolved"
        )
        second_rows, second_calls = self.sync("Run 2: what has changed")
        with step("Every stream, the costly ones too, as JSONL files"):
            self.pipeline.run("target-jsonl", select="*.*")
        show(tables.rows_table(first_rows, second_rows))
        show(tables.calls_table(first_calls, second_calls, BUDGET))
        with self.postgres.connect() as connection:
            connection.execute(VIEW.read_bytes())
            for query in sorted(QUERIES.glob("*.sql")):
                show(tables.answer(connection, query))

    def sync(self, title: str) -> tuple[dict[str, tables.Counts], dict[str, int]]:
        """Run the tap into PostgreSQL; give the rows there and the API calls by endpoint."""
        journal = self.sandbox.state.journal
        self.sandbox.call(journal.reset)
        started = tables.now()
        with step(title):
            self.pipeline.run("target-postgres")
        with self.postgres.connect() as connection:
            rows = tables.counts(connection, started)
        return rows, dict(journal.by_endpoint)


@contextmanager
def step(title: str) -> Generator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    with console.status(title):
        yield
    console.print(f"  {title:<64}{time.monotonic() - started:6.1f} s")


def show(table: Any) -> None:  # noqa: ANN401 - anything that rich can print
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
    with ExitStack() as stack:
        stack.enter_context(alone_in_this_clone())
        fresh_folders()
        with step(f"A sandbox with {DEVICES} devices (and without the API's rate limit)"):
            sandbox = stack.enter_context(Sandbox(devices=DEVICES, seed=SEED, rate_limit=0))
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
    sys.exit(0)


if __name__ == "__main__":
    main()
