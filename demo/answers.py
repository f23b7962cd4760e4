"""Installs the views of `sql/answers/` as `psql -f sql/answers/install.sql` does, without psql."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from demo.pipeline import ROOT, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

VIEWS: Final = ROOT / "sql" / "answers"


def install(connection: Connection[Any], source: str = SCHEMA) -> None:
    """Make the views, or bring them up to date.

    Args:
        connection: to the database, as a user who may create schemas.
        source: the schema with the streams' tables.
    """
    for statement in _statements(VIEWS / "install.sql", sql.Identifier(source).as_string()):
        connection.execute(statement.encode())


def questions() -> list[str]:
    """The names of the views that answer a question, in the order of their installation."""
    names = (_included(line) for line in (VIEWS / "install.sql").read_text("utf-8").splitlines())
    return [Path(name).stem for name in names if name and "/" not in name]


def question(name: str) -> str:
    """What a view answers, in words.

    Args:
        name: of the view.
    """
    first_line, _, _ = (VIEWS / f"{name}.sql").read_text("utf-8").partition("\n")
    return first_line.removeprefix("--").strip()


def _statements(file: Path, source: str) -> Iterator[str]:
    """The file's statements, those of the files that it includes in their place."""
    kept: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if included := _included(line):
            yield "\n".join(kept)
            kept = []
            yield (file.parent / included).read_text(encoding="utf-8")
        elif not line.startswith("\\"):
            kept.append(line.replace(':"source"', source))
    yield "\n".join(kept)


def _included(line: str) -> str | None:
    command, _, name = line.partition(" ")
    return name if command == "\\ir" else None
