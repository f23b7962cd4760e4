"""Compares a schema of the warehouse with the sandbox that it comes from, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from datto_rmm_sandbox.expected import lines
from psycopg import sql
from psycopg.rows import dict_row

from tests import truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from rehearsal.world import Member

KEPT_AFTER_THEY_ARE_GONE = frozenset({"alerts", "device_software"})
"""Streams whose older rows rightly stay in the warehouse."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is wrong with a schema: keys by kind, each with its stream."""

    missing: list[tuple[Any, ...]]
    """Rows of the account that the schema lacks."""
    foreign: list[tuple[Any, ...]]
    """Rows of the schema that the account never had."""
    other: list[tuple[Any, ...]]
    """Rows with other values than the account's."""

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.missing or self.foreign or self.other)


def difference(
    connection: Connection[Any], member: Member, *, leaving_out: Iterable[str] = ()
) -> Difference:
    """Compare an account's schema with its sandbox.

    Args:
        connection: to the warehouse.
        member: the account.
        leaving_out: streams not to look at.
    """
    found = Difference([], [], [])
    for stream in sorted({name for name, one in truth.STREAMS.items() if one.by_default}):
        if stream in leaving_out:
            continue
        wire = member.sandbox.call(
            lambda stream=stream: list(lines(member.sandbox.state, stream))  # type: ignore[misc]
        )
        wanted = truth.records_of(stream, wire)
        got = rows(connection, member.schema, stream)
        found.missing.extend((stream, *key) for key in wanted.keys() - got.keys())
        if stream not in KEPT_AFTER_THEY_ARE_GONE:
            found.foreign.extend((stream, *key) for key in got.keys() - wanted.keys())
        found.other.extend(
            (stream, *key)
            for key, row in wanted.items()
            if key in got and any(got[key].get(name) != value for name, value in row.items())
        )
    return found


def rows(
    connection: Connection[Any], schema: str, stream: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Read a table, dates as the tap writes them."""
    if connection.execute("SELECT to_regclass(%s)", [f"{schema}.{stream}"]).fetchone() == (None,):
        return {}
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, stream))
    found = connection.cursor(row_factory=dict_row).execute(query).fetchall()
    records = [{name: _as_json(value) for name, value in row.items()} for row in found]
    return {truth.key_of(stream, record): record for record in records}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value
