"""`make fleet` and `make fleet-ui`: five accounts on Dagster into one PostgreSQL."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from contextlib import suppress

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rehearsal.show import MISBEHAVIOUR, Verdict, run_rounds, running_fleet, verdicts
from rehearsal.world import PROJECT

FOLDER = PROJECT / ".rehearsal"
PORT = 3000

console = Console(highlight=False)


def table(found: list[Verdict]) -> Table:
    """Rows, calls and verdict of each account."""
    made = Table(title="After two rounds", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    made.add_column("account")
    made.add_column("rows", justify="right")
    made.add_column("calls", justify="right")
    made.add_column("its schema", no_wrap=True)
    made.add_column("its last run")
    for one in found:
        made.add_row(one.account, f"{one.rows:,}", f"{one.calls:,}", str(one), one.message)
    return made


def main() -> int:
    """Run the rehearsal.

    Returns:
        The exit code: 0 where each account's rows are as they should be.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ui", action="store_true", help="leave Dagster's pages open until Ctrl-C")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    started = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"  {time.monotonic() - started:5.0f} s  {what}", markup=False)

    console.print("[bold]Five accounts on Dagster into one PostgreSQL[/], two rounds\n")
    with running_fleet(FOLDER) as (world, engine):
        run_rounds(world, engine, tell)
        found = verdicts(world)
        console.print()
        console.print(table(found))
        console.print(MISBEHAVIOUR)
        if given.ui:
            engine.serve(PORT)
            console.print(f"Dagster's pages: http://127.0.0.1:{PORT} (Ctrl-C ends it)")
            with suppress(KeyboardInterrupt):
                signal.pause()
    return int(not all(one.as_it_should_be for one in found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(128 + signal.SIGINT)
