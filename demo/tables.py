"""What is in PostgreSQL, as tables for a person: rows by stream, and answers from SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from demo.answers import question
from demo.page.limits import (
    COVER,
    DISKS,
    PATCHED,
    SEVERE,
    SILENT,
    UNSUPPORTED,
    Tone,
    shown,
    totals,
    worst_first,
)
from demo.page.words import words
from demo.pipeline import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

    from demo.page.data import Fleet, Row

ROWS_SHOWN = 10
CARD = {
    "patched": PATCHED,
    "severe": SEVERE,
    "antivirus": COVER,
    "old OS": UNSUPPORTED,
    "silent": SILENT,
    "disks": DISKS,
}
"""The columns of the scorecard that fit a terminal."""
STYLES = {Tone.PLAIN: "", Tone.AMBER: "yellow", Tone.RED: "bold red", Tone.UNKNOWN: "dim"}


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


def scorecard(fleet: Fleet, most: int) -> Table:
    """Each site in one row, worst first, and the whole account; as on the page.

    Args:
        fleet: the answers.
        most: how many sites.
    """
    sites = worst_first(fleet["scorecard"])
    table = _table(question("scorecard"))
    table.caption = f"the worst of {len(sites)} sites; all: datto_answers.scorecard"
    table.add_column("site")
    for title in ("computers", *CARD):
        table.add_column(title, justify="right", no_wrap=True, min_width=len(title))
    for row in sites[:most]:
        table.add_row(*_card_row(row))
    table.add_section()
    table.add_row(*_card_row({"site": "all sites", **totals(sites)}))
    return table


def _card_row(row: Row) -> list[Text]:
    numbers = [
        Text(shown(measure, row), style=STYLES[measure.tone(row)]) for measure in CARD.values()
    ]
    return [_text(row["site"]), _text(row["computers"]), *numbers]


def answer(fleet: Fleet, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> Table:
    """Some rows of an answer.

    Args:
        fleet: the answers.
        name: of the view.
        columns: the title of each column that is shown.
        rows: those that are shown.
    """
    table = _table(question(name))
    table.caption = f"{len(rows)} of {len(fleet[name])} rows of datto_answers.{name}"
    for number, (column, title) in enumerate(columns.items()):
        is_text = any(isinstance(row[column], str) for row in rows)
        # Where it is too wide, the first column gives way.
        table.add_column(title, justify="left" if is_text else "right", no_wrap=number > 0)
    for row in rows:
        table.add_row(*(_text(row[column]) for column in columns))
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


def _text(value: object) -> Text:
    return Text(words(value), no_wrap=True, overflow="ellipsis")
