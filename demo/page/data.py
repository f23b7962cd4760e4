"""What the page shows, read from the answers in one snapshot of the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Row: TypeAlias = dict[str, Any]

SHOWN: Final = 8
"""Rows of a table."""
TREND_DAYS: Final = 30
ASKED: Final = (
    "scorecard",
    "software",
    "full_disks",
    "trend_computers",
    "patch_ageing",
    "patch_trouble",
    "noise_by_monitor",
    "noise_by_device",
    "unsupported_systems",
    "patch_compliance",
    "trend_alerts",
    "restart_due",
    "silent_agents",
    "warranty",
    "clock",
)
"""The answers, those that take long first."""
CONNECTIONS: Final = 3
"""On which they are asked for at the same time; each takes the next one."""
COMMONEST: Final = """
SELECT name FROM datto_answers.current_software GROUP BY name ORDER BY count(*) DESC, name LIMIT 16
"""
"""Titles with most rows: among them are those on most computers."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The answers, by name, and when they were true."""

    as_of: datetime | None
    answers: Mapping[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        """The rows of an answer, in its own order."""
        return self.answers[name]


def collect(uri: str) -> Fleet:
    """Ask everything.

    Args:
        uri: of the database.

    Raises:
        psycopg.Error: it cannot be reached, or has no answers.
    """
    with psycopg.connect(uri) as leader:
        leader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = leader.execute("SELECT pg_export_snapshot()").fetchall()[0]
        left = iter(ASKED)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            found = pool.map(lambda _: _ask(uri, snapshot, left), range(CONNECTIONS))
            answers = {name: rows for group in found for name, rows in group.items()}
    return Fleet(answers["clock"][0]["as_of"], answers)


def _ask(uri: str, snapshot: str, names: Iterable[str]) -> dict[str, list[Row]]:
    with psycopg.Connection[Row].connect(uri, row_factory=dict_row) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        connection.execute("SET LOCAL jit = off")  # it compiles longer than these queries take
        connection.execute("SET LOCAL work_mem = '64MB'")
        # Other processes would not help: all cores are busy, and the tables mostly in the cache.
        connection.execute("SET LOCAL effective_io_concurrency = 0")
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        return {name: _rows(connection, name) for name in names}


def _rows(connection: psycopg.Connection[Row], name: str) -> list[Row]:
    """The rows of an answer that the page needs; the rest of the long ones costs time."""
    view = sql.Identifier("datto_answers", name)
    match name:
        case "noise_by_device":
            query = sql.SQL("SELECT * FROM {} LIMIT {}").format(view, SHOWN)
        case "software":
            titles = connection.execute(COMMONEST).fetchall()
            query = sql.SQL("SELECT * FROM {} WHERE name = ANY({}) LIMIT {}").format(
                view, [row["name"] for row in titles], SHOWN
            )
        case "trend_computers":
            query = sql.SQL(
                "SELECT * FROM {} WHERE day > (SELECT as_of::date - {} FROM datto_answers.clock)"
            ).format(view, TREND_DAYS)
        case _:
            query = sql.SQL("SELECT * FROM {}").format(view)
    return connection.execute(query).fetchall()
