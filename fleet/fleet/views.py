"""`python -m fleet.views`: for each stream a view over all accounts, with the account's name.

They stand in the schema `datto_fleet` and are made anew only where accounts or columns changed.
A column that only some accounts have yet is null for the others. The accounts' answers are united
in the same way, in `datto_fleet_answers`. Which accounts are retired is noted in `fleet.accounts`.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from fleet.accounts import Fleet
from fleet.answers import COMMENT, SUFFIX, Answers
from fleet.errors import FleetError
from fleet.secrets import Secrets
from fleet.settings import Settings
from fleet.warehouse import LOCK_SEED, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psycopg import Connection

logger = logging.getLogger("fleet")

SCHEMA = "datto_fleet"
ANSWERS_SCHEMA = "datto_fleet_answers"
ACCOUNT = "account"
"""The column that each view begins with."""
THEIR_ACCOUNT = "_account"
"""What a table's own column of that name is called in the view."""

COLUMNS = """
    SELECT nspname, relname, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = ANY(%s) AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
    ORDER BY nspname, relname, attnum
"""

ONE_AT_A_TIME = "SELECT pg_advisory_lock(hashtextextended(%s, %s))"
"""Free again when the connection ends."""

MARK = "The rows of all accounts; made by python -m fleet.views"
"""The comment of each view, which tells ours from those that others put beside them."""

OURS = """
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace(%s) AND obj_description(oid, 'pg_class') = %s
"""

Columns = dict[str, str]
"""Types by column, in the table's order."""

Tables = dict[str, dict[str, Columns]]
"""Columns by table and schema."""


@dataclass(frozen=True, slots=True)
class Union:
    """A stream's tables in all schemas, or an answer's views, and the view over them."""

    name: str
    tables: dict[str, Columns]
    """By schema."""
    shown: Columns
    """What the view shows as it is; nothing where there is none yet."""

    @property
    def columns(self) -> Columns:
        """The view's columns: those that it shows already, in their order, then the new ones."""
        kinds: dict[str, set[str]] = {name: set() for name in self.shown if name != ACCOUNT}
        for columns in self.tables.values():
            for name, kind in columns.items():
                kinds.setdefault(THEIR_ACCOUNT if name == ACCOUNT else name, set()).add(kind)
        return {name: self._type(name, found) for name, found in kinds.items()}

    def _type(self, name: str, found: set[str]) -> str:
        if not found:
            return self.shown[name]
        # Accounts that were loaded by different versions may differ: text holds both.
        return next(iter(found)) if len(found) == 1 else "text"

    def query(self, accounts: Mapping[str, str]) -> str:
        """The view's definition.

        Args:
            accounts: names by schema.
        """
        columns = self.columns
        return "\nUNION ALL\n".join(
            f"SELECT {_literal(accounts[schema])}::text AS {ACCOUNT}, "  # noqa: S608 - quoted
            f"{', '.join(_column(*column, there) for column in columns.items())} "
            f"FROM {_name(schema, self.name)}"
            for schema, there in self.tables.items()
        )


def _column(name: str, kind: str, there: Columns) -> str:
    source = ACCOUNT if name == THEIR_ACCOUNT and ACCOUNT in there else name
    value = _name(source) if source in there else "NULL"
    if there.get(source) != kind:
        value += f"::{kind}"
    return value if value == _name(name) else f"{value} AS {_name(name)}"


def _name(*parts: str) -> str:
    return sql.Identifier(*parts).as_string()


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()


def refresh(warehouse: Warehouse, fleet: Fleet, answers: Answers | None = None) -> int:
    """Bring the views up to date.

    Args:
        warehouse: where the rows are.
        fleet: whose rows.
        answers: made for each account first; without them, those that are there are united.

    Returns:
        How many views over all accounts were made anew.

    Raises:
        FleetError: a view of somebody's rests on one that must go, or an account has no answers;
            whatever else there is has been made.
    """
    connection = warehouse.connection
    connection.execute(ONE_AT_A_TIME, [SCHEMA, LOCK_SEED])
    accounts = {account.schema_: account.name for account in fleet.accounts}
    warehouse.retire_others(accounts)
    made, failed = _unite(connection, SCHEMA, accounts)
    failed += _install(connection, answers, accounts) if answers else []
    theirs = {schema + SUFFIX: name for schema, name in accounts.items()}
    more, others = _unite(connection, ANSWERS_SCHEMA, theirs)
    if failed := failed + others:
        raise FleetError("\n".join(failed))
    return made + more


def unions(tables: Tables, schema: str) -> list[Union]:
    """What there is to unite.

    Args:
        tables: of all schemas.
        schema: where the views over them are.
    """
    return [
        Union(name, by_schema, found.get(schema, {}))
        for name, found in tables.items()
        if (by_schema := {one: found[one] for one in found if one != schema})
    ]


def _unite(
    connection: Connection[Any], schema: str, accounts: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Make a schema's views over those of the accounts; give their number, and what failed."""
    found = unions(_tables(connection, [schema, *accounts]), schema)
    return _make(connection, schema, {one.name: one.query(accounts) for one in found})


def _install(
    connection: Connection[Any], answers: Answers, accounts: Mapping[str, str]
) -> list[str]:
    """Make the answers of each account; say what is wrong with those that have none."""
    streams: dict[str, set[str]] = {schema: set() for schema in accounts}
    for table, found in _tables(connection, accounts).items():
        for schema in found:
            streams[schema].add(table)
    failed = []
    for schema, name in accounts.items():
        try:
            answers.install(connection, schema, streams[schema])
        except psycopg.Error as error:
            failed.append(
                f"{name}: no new answers: {error.diag.message_primary}. Where an older version "
                f"made them: DROP SCHEMA {schema}{SUFFIX} CASCADE, then make the views again."
            )
    return failed


def _tables(connection: Connection[Any], schemas: Iterable[str]) -> Tables:
    found: Tables = defaultdict(lambda: defaultdict(dict))
    for schema, table, column, kind in connection.execute(COLUMNS, [list(schemas)]):
        found[table][schema][column] = kind
    return found


def _make(
    connection: Connection[Any], schema: str, queries: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Make the views of a schema what they should be; give their number, and what failed."""
    digest = hashlib.sha256(repr(sorted(queries.items())).encode()).hexdigest()
    there = {view for (view,) in connection.execute(OURS, [schema, MARK])}
    if there == queries.keys() and connection.execute(COMMENT, [schema]).fetchone() == (digest,):
        return 0, []
    if queries:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
    made, failed = 0, list[str]()
    for view in sorted({*there, *queries}):
        name = _name(schema, view)
        try:
            if view in queries:
                _replace(connection, name, queries[view])
                made += 1
            else:  # of accounts that are retired
                connection.execute(f"DROP VIEW {name}".encode())
        except psycopg.errors.DependentObjectsStillExist as error:
            failed.append(f"{str(error).strip()}; drop it, then make the views again.")
        except psycopg.ProgrammingError as error:
            failed.append(f"{name} could not be made: {error.diag.message_primary}")
    if queries and not failed:
        connection.execute(f"COMMENT ON SCHEMA {schema} IS '{digest}'".encode())
    return made, failed


def _replace(connection: Connection[Any], view: str, query: str) -> None:
    create = f"CREATE OR REPLACE VIEW {view} AS {query}".encode()
    try:
        connection.execute(create)
    except psycopg.errors.InvalidTableDefinition:  # a column has another type now
        with connection.transaction():
            connection.execute(f"DROP VIEW {view}".encode())
            connection.execute(create)
    connection.execute(f"COMMENT ON VIEW {view} IS '{MARK}'".encode())


def main() -> int:
    """Bring the views of the fleet's warehouse up to date.

    Returns:
        The exit code.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        settings = Settings.from_environment(os.environ)
        fleet = Fleet.load(settings.accounts)
        answers = Answers.load(settings.answers) if settings.answers else None
        with Warehouse(Secrets().get(fleet.warehouse)) as warehouse:
            logger.info("%d views made", refresh(warehouse, fleet, answers))
    except FleetError as error:
        logger.error(error)  # noqa: TRY400 - no traceback
        return 1
    except psycopg.Error as error:
        logger.error("The warehouse: %s", str(error).strip())  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
