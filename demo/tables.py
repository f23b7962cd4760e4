"""What is in PostgreSQL, as tables for a person: rows by stream, and answers from SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from psycopg import Connection

SCHEMA = "datto_rmm"
ROWS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """A table's rows, and how many of them were written since some moment."""

    rows: int
    written: int


def now() -> datetime:
    """The time as the target notes it with each row: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)


def counts(connection: Connection[Any], since: datetime) -> dict[str, Counts]:
    """Count the rows of every table.

    Args:
        connection: to the database.
        since: from when on a row counts as written.
    """
    found = {}
    for name in table_names(connection):
        query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE _sdc_received_at >= %s) FROM {}")
        row = connection.execute(query.format(sql.Identifier(SCHEMA, name)), [since]).fetchone()
        found[name] = Counts(*row) if row else Counts(0, 0)
    return found


def table_names(connection: Connection[Any]) -> list[str]:
    """The tables that the target made, by name."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"
    return [name for (name,) in connection.execute(query, [SCHEMA])]


def rows_table(first: Mapping[str, Counts], second: Mapping[str, Counts]) -> Table:
    """Rows by stream, after the first run and after the second."""
    table = _table("Rows in PostgreSQL")
    table.add_column("stream")
    for title in ("after run 1", "after run 2", "written by run 2"):
        table.add_column(title, justify="right")
    for name, after in sorted(second.items()):
        before = first.get(name, Counts(0, 0)).rows
        table.add_row(name, *_numbers([before, after.rows, after.written]))
    table.add_section()
    totals = [
        sum(count.rows for count in first.values()),
        sum(count.rows for count in second.values()),
        sum(count.written for count in second.values()),
    ]
    table.add_row("in all", *_numbers(totals))
    return table


def calls_table(first: Mapping[str, int], second: Mapping[str, int], per_minute: int) -> Table:
    """API calls by endpoint: the dearest ones, and all the others together."""
    dearest = sorted(first, key=lambda endpoint: -first[endpoint])[:ROWS_SHOWN]
    table = _table("API calls")
    table.add_column("endpoint")
    for title in ("run 1", "run 2"):
        table.add_column(title, justify="right")
    for endpoint in dearest:
        table.add_row(endpoint, *_numbers([first[endpoint], second.get(endpoint, 0)]))
    totals = [sum(first.values()), sum(second.values())]
    listed = [sum(run.get(name, 0) for name in dearest) for run in (first, second)]
    table.add_row("others", *_numbers(a - b for a, b in zip(totals, listed, strict=True)))
    table.add_section()
    table.add_row("in all", *_numbers(totals))
    minutes = [f"{total / per_minute:.1f}" for total in totals]
    table.add_row(f"minutes at {per_minute} calls a minute", *minutes)
    return table


def answer(connection: Connection[Any], query: Path) -> Table:
    """Put a question of `demo/queries/`; its first line says it in words.

    Args:
        connection: to the database.
        query: the SQL file.
    """
    text = query.read_text(encoding="utf-8")
    question = text.partition("\n")[0].removeprefix("--").strip()
    cursor = connection.execute(text.encode())
    rows = cursor.fetchall()
    table = _table(question)
    table.caption = f"demo/queries/{query.name}"
    if len(rows) > ROWS_SHOWN:
        table.caption += f" gives {len(rows)} rows"
    for number, column in enumerate(cursor.description or ()):
        is_number = any(_is_number(row[number]) for row in rows)
        # Where it is too wide, the first column gives way.
        table.add_column(column.name, justify="right" if is_number else "left", no_wrap=number > 0)
    for row in rows[:ROWS_SHOWN]:
        table.add_row(*(_text(value) for value in row))
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _numbers(values: Iterable[int]) -> Sequence[str]:
    return [f"{value:,}" for value in values]


def _text(value: Any) -> Text:  # noqa: ANN401 - whatever a column holds
    text = "" if value is None else f"{value:,}" if _is_number(value) else str(value)
    return Text(text, no_wrap=True, overflow="ellipsis")


def _is_number(value: object) -> bool:
    return hasattr(value, "__float__")
