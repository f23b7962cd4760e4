"""Dates: whatever form the API sends them in, the canonical timestamp or the plain day.

This is the hot path of every record, so it stays with `datetime`: pendulum takes about ten times
as long for a date.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType

Timestamp = NewType("Timestamp", str)
"""A moment in UTC as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`: text order is time order.

The canonical timestamp of records, state and comparisons. A date that is absent is None."""

EPOCH: Final = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
"""Without a time zone: all arithmetic is in UTC, and a time zone costs half as much again."""
NEVER: Final = 1
"""Year of .NET's minimum date (-62135596800000), which means "never" (docs/datto-rmm-api.md §4)."""
MILLISECONDS_FROM: Final = 1e11
"""A number from here on counts milliseconds, a smaller one seconds (docs/datto-rmm-api.md §4)."""
MILLISECOND: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)


def canonical(moment: datetime) -> Timestamp:
    """Write a moment, which knows its time zone, as the canonical timestamp."""
    return _written(moment.astimezone(UTC).replace(tzinfo=None))


@lru_cache(maxsize=1024, typed=True)  # dates come again: of drivers, of devices in the inventory
def as_timestamp(value: object) -> Timestamp | None:
    """Read a date: epoch milliseconds, epoch seconds or ISO 8601 text (docs/datto-rmm-api.md §4).

    Text without an offset is UTC. 0, empty text and the .NET minimum date mean "never".

    >>> as_timestamp(1785542402118)
    '2026-08-01T00:00:02.118000+00:00'

    Raises:
        ValueError: no date.
        TypeError: neither a number nor text.
        OverflowError: outside the years 1 to 9999.
    """
    moment = _moment(value)
    if moment is None:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return None if moment.year == NEVER else _written(moment)


def timestamp_of(item: object, name: str) -> Timestamp | None:
    """Read a date off an item of the API; None where there is none, or none that can be read."""
    try:
        return as_timestamp(item[name]) if isinstance(item, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def as_date(value: object) -> str | None:
    """Read a plain date as `YYYY-MM-DD`; of a moment, the day that it has where it is written.

    That is the day before the `T` of a text, whatever its offset, and the day in UTC of a number
    (docs/datto-rmm-api.md §4).

    >>> as_date("2027-03-01T23:45:00-05:00")
    '2027-03-01'

    Raises:
        ValueError: no date.
        TypeError: neither a number nor text.
        OverflowError: outside the years 1 to 9999.
    """
    moment = _moment(value)
    return None if moment is None or moment.year == NEVER else moment.date().isoformat()


def _moment(value: object) -> datetime | None:
    """Read a date in any form, with the offset that a text has; None where it is empty or 0."""
    if type(value) is str:
        text = value.strip()
        if len(text) <= len("20261122") or not text.lstrip("-").isdecimal():
            return datetime.fromisoformat(text) if text else None
        value = int(text)
    if not (type(value) is int or type(value) is float):
        raise TypeError
    if not value:
        return None
    return EPOCH + value * (MILLISECOND if abs(value) >= MILLISECONDS_FROM else SECOND)


def _written(moment: datetime) -> Timestamp:
    return Timestamp(f"{moment.isoformat('T', 'microseconds')}+00:00")
