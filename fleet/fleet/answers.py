"""The answers (`sql/answers`) of each account, in a schema beside its rows: `datto_acme_answers`.

Over the rows of all accounts together they would be wrong: what "now" is, which alerts the newest
run saw, how far a stream was read and whether it was loaded at all, is an account's own matter.
They are made for each account, therefore, and `views.py` unites what they say.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

    from psycopg import Connection

SUFFIX = "_answers"
"""What the name of an account's schema gets for the schema of its answers."""

NEEDED = frozenset({"devices", "sites"})
"""Streams without which there are no answers; all others may be absent."""

THEIR_SCHEMA = re.compile(r"\bdatto_answers\b")
"""The schema that the files make. (`datto_answers_absent` serves all accounts.)"""

COMMENT = "SELECT obj_description(to_regnamespace(%s))"


@dataclass(frozen=True, slots=True)
class Answers:
    """The statements that make the answers."""

    statements: str

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `install.sql` and the files that it names, as psql does.

        Raises:
            FleetError: they are not there.
        """
        parts: list[str] = []
        try:
            for line in (folder / "install.sql").read_text(encoding="utf-8").splitlines():
                command, _, name = line.partition(" ")
                if command == "\\ir":
                    parts.append((folder / name).read_text(encoding="utf-8"))
                elif not line.startswith("\\"):
                    parts.append(line)
        except OSError as error:
            raise FleetError(
                f"{error.filename}: {error.strerror}; FLEET_ANSWERS names the folder sql/answers."
            ) from error
        return cls("\n".join(parts))

    def install(self, connection: Connection[Any], schema: str, streams: Iterable[str]) -> None:
        """Make the answers of an account where anything changed that they rest on.

        Args:
            connection: to the warehouse.
            schema: where the account's rows are.
            streams: those that it has tables of.

        Raises:
            psycopg.Error: its tables do not fit, or views of a former version; nothing is changed.
        """
        answers = schema + SUFFIX
        found = sorted(streams)
        if not NEEDED.issubset(found):
            return
        digest = hashlib.sha256(repr((self.statements, found)).encode()).hexdigest()
        if connection.execute(COMMENT, [answers]).fetchone() == (digest,):
            return
        # A view knows the tables by their numbers, not by the path on which it found them.
        ours = THEIR_SCHEMA.sub(answers, self.statements)
        text = ours.replace(':"source"', sql.Identifier(schema).as_string())
        try:
            connection.execute(text.encode())
        except psycopg.Error:
            connection.rollback()  # of the statements' own BEGIN
            raise
        connection.execute(f"COMMENT ON SCHEMA {answers} IS '{digest}'".encode())
