"""What `make fleet` shows: two rounds of a fleet on Dagster, with kills in the first."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from typing_extensions import override

from fleet.accounts import Fleet
from fleet.answers import Answers
from fleet.views import refresh
from fleet.warehouse import Warehouse
from rehearsal import processes
from rehearsal.engine import ASK_SECONDS, Engine
from rehearsal.truth import Difference, difference
from rehearsal.world import ANSWERS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from rehearsal.processes import Kind

KILLS: dict[str, Kind] = {"acme": "tap", "bolt": "target", "crux": "worker"}
"""What dies by kill -9 in the middle of the first round."""

WITHOUT_WORKER = next(name for name, kind in KILLS.items() if kind == "worker")
"""The account whose run Dagster has to start again, just when its code server dies, too."""

BROKEN = "dyne"
"""The account with audits that are always refused: it is never complete, and says so."""

ACCOUNTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(KILLS, ()),
    BROKEN: ("status=422:path=/v2/audit/device/[^/]*a$",),
    "echo": ("status=503:every=17",),
}
"""The accounts, and the faults of those that misbehave."""

MISBEHAVIOUR = "dyne refuses some audits in each run; echo answers every 17th call with 503."

IN_THE_MIDDLE = 30
"""Calls after which a sync is in its audits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an account looks like at the end."""

    account: str
    rows: int
    calls: int
    message: str
    difference: Difference

    @property
    def as_it_should_be(self) -> bool:
        """Whether all rows are right, and none is missing but those that the API refuses."""
        wrong = self.difference
        return not (wrong.foreign or wrong.other or (wrong.missing and self.account != BROKEN))

    @override
    def __str__(self) -> str:
        """Say it in a line."""
        wrong = self.difference
        if not wrong:
            return "equals its sandbox"
        counts = {"missing": wrong.missing, "foreign": wrong.foreign, "other values": wrong.other}
        return ", ".join(f"{len(rows)} {what}" for what, rows in counts.items() if rows)


@contextmanager
def running_fleet(folder: Path) -> Generator[tuple[World, Engine]]:
    """Start the accounts, the database and Dagster."""
    with World(folder) as world:
        for name, faults in ACCOUNTS.items():
            world.add(name, faults=faults)
        with Engine(world) as engine:
            yield world, engine


def run_rounds(world: World, engine: Engine, tell: Callable[[str], None]) -> dict[str, str]:
    """Run both rounds, with an hour of the accounts' lives between them.

    Args:
        world: the accounts.
        engine: Dagster, which syncs new accounts at once.
        tell: told what is being done.

    Returns:
        How each account's last run of the first round ended.
    """

    def is_in_the_middle(name: str) -> bool | None:
        return len(world.members[name].sandbox.requests) > IN_THE_MIDDLE or None

    tell("The accounts and PostgreSQL run; Dagster starts")
    for name, kind in KILLS.items():
        processes.wait_for(f"calls of {name}", lambda name=name: is_in_the_middle(name))  # type: ignore[misc]
        processes.kill(name, kind)
        tell(f"kill -9 of the {kind} of {name}")
    processes.wait_for(
        "its next run", lambda: engine.count()[WITHOUT_WORKER] > 1 or None, ASK_SECONDS
    )
    engine.lose_the_code_server()
    tell(f"kill -9 of the code server, which was to start {WITHOUT_WORKER} again")
    first = engine.wait_for_round(ACCOUNTS, Counter())
    tell(f"Round 1, {_told(first)}")
    for member in world.members.values():
        member.sandbox.advance(60)
    tell("An hour passes for the accounts")
    before = engine.count()
    engine.ask_for(world.members)
    tell(f"Round 2, {_told(engine.wait_for_round(ACCOUNTS, before))}")
    with Warehouse(world.postgres.uri) as warehouse:
        made = refresh(warehouse, Fleet.load(world.accounts), Answers.load(ANSWERS))
        tell(f"{made} views over all accounts, of streams and of answers")
    return first


def verdicts(world: World) -> list[Verdict]:
    """Compare every schema with its sandbox."""
    found = []
    with world.connect() as connection:
        query = "SELECT schema, message FROM fleet.accounts"
        messages = dict(connection.execute(query).fetchall())
        for member in world.members.values():
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", [member.schema]
            ).fetchall()
            counts = [
                sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(member.schema, name))
                for (name,) in tables
            ]
            [(rows,)] = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(" + ").join(counts)))
            calls = len(member.sandbox.requests)
            wrong = difference(connection, member)
            found.append(Verdict(member.name, rows, calls, messages[member.schema], wrong))
    return found


def _told(results: dict[str, str]) -> str:
    by_status: dict[str, list[str]] = {}
    for name, status in sorted(results.items()):
        by_status.setdefault(status.lower(), []).append(name)
    return "; ".join(f"{status}: {', '.join(names)}" for status, names in by_status.items())
