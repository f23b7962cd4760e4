"""What the fleet keeps in the warehouse, beside the rows: locks, the registry of uids, states.

They are in the database that the rows go to, so that a backup holds what fits together: whoever
restores yesterday's rows has yesterday's bookmarks.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from typing_extensions import override

from fleet.errors import AccountBusyError, PipeError, WrongAccountError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from datetime import datetime

    from fleet.accounts import Account

LOCK_SEED = 0x666C656574
"""Keeps the fleet's advisory locks apart from those of other programs in the database."""

SET_UP_LOCK = "the fleet's own tables"

SESSION = {
    # A machine that is gone holds its locks for half a minute, not for two hours.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "idle_session_timeout": "0",
}
"""Settings of the server's side of a connection."""

CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 20,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "application_name": "datto-rmm-fleet",
}
"""Settings of our side."""

TABLES = """
CREATE SCHEMA IF NOT EXISTS fleet;
CREATE TABLE IF NOT EXISTS fleet.accounts (
    schema text PRIMARY KEY,
    account text NOT NULL,
    uid text UNIQUE,
    name text,
    state jsonb,
    ended_at timestamptz,
    exit_code integer,
    message text,
    complete_at timestamptz,
    CHECK (uid <> '')
);
ALTER TABLE fleet.accounts ADD COLUMN IF NOT EXISTS retired_at timestamptz;
COMMENT ON TABLE fleet.accounts IS 'One row an account: whose rows its schema holds, and its state';
COMMENT ON COLUMN fleet.accounts.uid IS 'The Datto RMM account whose rows fill the schema';
COMMENT ON COLUMN fleet.accounts.state IS 'The Singer state that fits the rows';
COMMENT ON COLUMN fleet.accounts.complete_at IS 'The end of the last run with exit code 0';
COMMENT ON COLUMN fleet.accounts.retired_at IS 'Since when no entry of the file has the schema';
"""


IS_SET_UP = """
SELECT FROM pg_attribute
WHERE attrelid = to_regclass('fleet.accounts') AND attname = 'retired_at'
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """A Datto RMM account, as its API introduces it."""

    uid: str
    name: str | None

    @override
    def __str__(self) -> str:
        """Say name and uid."""
        return f"{self.name!r} (uid {self.uid})" if self.name else f"uid {self.uid}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account's row."""

    schema: str
    account: str
    uid: str | None
    name: str | None
    state: dict[str, Any] | None
    ended_at: datetime | None
    exit_code: int | None
    message: str | None
    complete_at: datetime | None

    @property
    def identity(self) -> Identity | None:
        """Whose rows the schema holds, once that is known."""
        return Identity(self.uid, self.name) if self.uid else None


class Warehouse:
    """A connection to the warehouse, as a context manager. What it locks is free when it ends.

    Args:
        url: `postgresql://...`, not through a pool that changes sessions between transactions.
    """

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        """Connect, and make the fleet's tables where they are missing.

        Raises:
            PipeError: the warehouse does not answer, or refuses.
        """
        _check_address(self._url)
        _forget_what_libpq_inherits()
        try:
            self._connection = psycopg.connect(self._url, **CONNECTION)
            for name, value in SESSION.items():
                self.connection.execute("SELECT set_config(%s, %s, false)", [name, value])
            self._set_up()
        except psycopg.Error as error:
            self.__exit__()
            raise PipeError(f"The warehouse: {str(error).strip()}") from error
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        if self._connection:
            self._connection.close()

    @property
    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection, which commits every statement."""
        if self._connection is None:
            raise PipeError("The warehouse is not connected.")
        return self._connection

    def fileno(self) -> int:
        """Give the descriptor that can be read when the server says something, or is gone."""
        return self.connection.fileno()

    def check(self) -> None:
        """See whether the connection, and with it what is locked, still holds.

        Raises:
            PipeError: it does not.
        """
        try:
            self.connection.execute("SELECT")
        except psycopg.OperationalError as error:
            raise PipeError(f"The warehouse: {str(error).strip()}") from error

    def _set_up(self) -> None:
        if self.connection.execute(IS_SET_UP).fetchone() is None:
            with self.connection.transaction():  # alone: IF NOT EXISTS does not help two at once
                key = [SET_UP_LOCK, LOCK_SEED]
                self.connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s,%s))", key
                )
                self.connection.execute(TABLES)

    @contextmanager
    def locked(self, account: Account) -> Generator[Entry]:
        """Hold an account's lock, on all machines together; give the account's row.

        Raises:
            AccountBusyError: another run holds it.
        """
        key = [account.schema_, LOCK_SEED]
        query = "SELECT pg_try_advisory_lock(hashtextextended(%s, %s))"
        if self.connection.execute(query, key).fetchone() == (False,):
            raise AccountBusyError(f"Another run of {account.name} is under way.")
        self.connection.execute(
            """
            INSERT INTO fleet.accounts (schema, account) VALUES (%s, %s)
            ON CONFLICT (schema) DO UPDATE SET account = excluded.account, retired_at = NULL
            """,
            [account.schema_, account.name],
        )
        yield next(iter(self.entries([account.schema_])))

    def locked_accounts(self) -> set[str]:
        """The names of the accounts that have a run under way, on whatever machine."""
        query = """
            SELECT account FROM fleet.accounts
            JOIN pg_locks ON locktype = 'advisory' AND objsubid = 1 AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32 | objid::bigint) = hashtextextended(schema, %s)
        """
        return {account for (account,) in self.connection.execute(query, [LOCK_SEED])}

    def retire_others(self, schemas: Iterable[str]) -> None:
        """Note which accounts have no entry in the accounts file any more.

        Args:
            schemas: of those that have one.
        """
        query = """
            UPDATE fleet.accounts SET retired_at = CASE WHEN schema = ANY(%(schemas)s)
                THEN NULL ELSE coalesce(retired_at, now()) END
            WHERE (retired_at IS NULL) <> (schema = ANY(%(schemas)s))
        """
        self.connection.execute(query, {"schemas": list(schemas)})

    def entries(self, schemas: Iterable[str]) -> list[Entry]:
        """The rows of these schemas."""
        columns = sql.SQL(", ").join(map(sql.Identifier, Entry.__slots__))
        query = sql.SQL("SELECT {} FROM fleet.accounts WHERE schema = ANY(%s)").format(columns)
        cursor = self.connection.cursor(row_factory=class_row(Entry))
        return cursor.execute(query, [list(schemas)]).fetchall()

    def register(self, account: Account, identity: Identity) -> None:
        """Note for good whose rows the account's schema holds.

        Raises:
            WrongAccountError: these rows go to another schema already, or this one has rows of
                another account, or of nobody knows whom.
        """
        schema = account.schema_
        tables = self._tables_with_rows(account)
        uids = self._uids_in(schema) if "account" in tables else set()
        if others := uids - {identity.uid}:
            there = ", ".join(sorted(others))
            raise WrongAccountError(
                f"The key opens {identity}, but the schema {schema} holds rows of uid {there}. "
                "Give the key that belongs to them, or another schema."
            )
        if tables and not uids:
            raise WrongAccountError(
                f"The key opens {identity}. Whose rows the schema {schema} holds is not known, as "  # noqa: S608
                "it has no table `account` with rows. Give another schema; if they are this "
                f"account's, say so: UPDATE fleet.accounts SET uid = '{identity.uid}' "
                f"WHERE schema = '{schema}'"
            )
        try:
            self.connection.execute(
                "UPDATE fleet.accounts SET uid = %s, name = %s WHERE schema = %s",
                [identity.uid, identity.name, account.schema_],
            )
        except psycopg.errors.UniqueViolation as error:
            query = "SELECT account, schema FROM fleet.accounts WHERE uid = %s"
            found = self.connection.execute(query, [identity.uid]).fetchone()
            other, schema = found or ("another account", "another one")
            raise WrongAccountError(
                f"The key opens {identity}, whose rows go to the schema {schema} of {other}. "
                f"Give {account.name} the key that belongs to it."
            ) from error

    def _uids_in(self, schema: str) -> set[str]:
        """The accounts whose rows a schema holds, as its table `account` tells."""
        table = sql.Identifier(schema, "account")
        found = self.connection.execute(sql.SQL("SELECT DISTINCT uid::text FROM {}").format(table))
        return {uid for (uid,) in found if uid}

    def tables_of(self, account: Account) -> set[str]:
        """The tables of an account's schema."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        return {table for (table,) in self.connection.execute(query, [account.schema_])}

    def _tables_with_rows(self, account: Account) -> set[str]:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})")
        tables = self.tables_of(account)
        asked = {table: query.format(sql.Identifier(account.schema_, table)) for table in tables}
        return {t for t, ask in asked.items() if self.connection.execute(ask).fetchone() == (True,)}

    def keep_state(self, account: Account, state: dict[str, Any]) -> None:
        """Keep a state, now that the rows that it covers are written.

        Raises:
            PipeError: the connection is lost, and the lock with it.
        """
        self._update(account, "state = %s", Jsonb(state))

    def keep_end(self, account: Account, exit_code: int, message: str) -> None:
        """Keep how a run ended.

        Raises:
            PipeError: the connection is lost, and the lock with it.
        """
        self._update(
            account,
            "ended_at = now(), exit_code = %s, message = %s, "
            "complete_at = CASE WHEN %s = 0 THEN now() ELSE complete_at END",
            exit_code,
            message,
            exit_code,
        )

    def _update(self, account: Account, change: str, *values: object) -> None:
        query = f"UPDATE fleet.accounts SET {change} WHERE schema = %s"  # noqa: S608 - ours
        try:
            self.connection.execute(query.encode(), [*values, account.schema_])
        except psycopg.OperationalError as error:
            raise PipeError(f"The warehouse: {str(error).strip()}") from error


def _forget_what_libpq_inherits() -> None:
    """Drop `PGDATABASE` and the like: the target does not see them, and would connect elsewhere."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def _check_address(url: str) -> None:
    """Refuse what is no address; libpq would, too, but quote the password as what is wrong.

    It must also mean to the target, which is not built on libpq alone, what it means to us.

    Raises:
        PipeError: it is none.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        parts = {"port": "none"}
    is_one_host = "," not in f"{parts.get('host')}{parts.get('port')}"
    if (
        not url.startswith(("postgresql://", "postgres://"))
        or url.count("@") > 1
        or "@" in str(parts.get("dbname"))
        or not (str(parts.get("port", "5432")).isdecimal() and is_one_host)
    ):
        raise PipeError(
            "The warehouse's address is not postgresql://USER:PASSWORD@HOST/DATABASE, with one "
            "host; write @, :, /, % and blanks in the password as %40, %3A, %2F, %25 and %20."
        )
