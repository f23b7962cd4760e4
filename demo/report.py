"""Writes the answers as one page: `python demo/report.py URI fleet.html`.

The page needs nothing else: no script, no address, no font. It reads on a phone, on paper, in the
light and in the dark. The views of `sql/answers/` must be there.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from demo.page.data import collect
from demo.page.markup import Html, note, tag, text
from demo.page.sections import everything
from demo.page.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.page.data import Fleet

STYLE: Final = Path(__file__).with_name("page") / "style.css"
OLD_HOURS: Final = 48
"""A page whose newest reading is older says so."""


def page(uri: str) -> str:
    """Make the page.

    Args:
        uri: of the database.

    Raises:
        psycopg.Error: the database cannot be reached, or has no answers.
    """
    return render(collect(uri), datetime.now(UTC).replace(tzinfo=None))


def render(fleet: Fleet, now: datetime) -> str:
    """Write the answers down as HTML.

    Args:
        fleet: the answers.
        now: by this machine's clock, UTC.
    """
    body = [tag("h1", text("Fleet report")), *_head(fleet, now)]
    if fleet["scorecard"]:
        body.append(everything(fleet))
    meta = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
    )
    style = STYLE.read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{meta}<title>Fleet report</title>\n'
        f"<style>\n{style}</style></head>\n{tag('body', *body)}</html>\n"
    )


def _head(fleet: Fleet, now: datetime) -> list[Html]:
    as_of, sites = fleet.as_of, fleet["scorecard"]
    if as_of is None or not sites:
        return [note("There are no computers in the database.")]
    computers = sum(row["computers"] for row in sites)
    said = (
        f"{words(computers)} computers at {words(len(sites))} sites, as read from Datto RMM on "
        f"{as_of.day} {as_of:%B %Y, %H:%M} UTC"
    )
    parts = [note(said)]
    hours = (now - as_of).total_seconds() / 3600
    if hours > OLD_HOURS:
        told = f"Nothing has been read for {words(int(hours // 24))} days: does the pipeline run?"
        parts.append(tag("p", text(told), class_="note amber"))
    return parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page.

    Args:
        arguments: the command line; the process's own where left out.

    Returns:
        0, or 1 where the database did not give the answers.
    """
    parser = argparse.ArgumentParser(description="The answers of sql/answers as one HTML page.")
    parser.add_argument("uri", help="postgresql://user:password@host/database")
    parser.add_argument("file", type=Path, help="where the page goes, for example fleet.html")
    given = parser.parse_args(arguments)
    try:
        text_of_page = page(given.uri)
        given.file.write_text(text_of_page, encoding="utf-8")
    except psycopg.errors.UndefinedTable as error:
        told = f"{str(error).splitlines()[0]}; install the answers: psql -f sql/answers/install.sql"
    except psycopg.Error as error:
        told = str(error).splitlines()[0]
    except OSError as error:
        told = f"{given.file}: {error.strerror}"
    else:
        return 0
    print(f"report: {told}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
