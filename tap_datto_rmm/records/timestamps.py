"""Dates: whatever form the API sends them in, the canonical timestamp or the plain day.

This is the hot path of every record, so it stays with `datetime`: pendulum takes many times as
long for a date.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType

Timestamp = NewType("Timestamp", str)
"""A moment in UTC as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`: text order is time order.

The canonical timestamp of records, state and comparisons. A date that is absent is None."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEVER: Final = 1
"""Year of .NET's minimum date (-62135596800000), which means "never" (docs/datto-rmm-api.md §4)."""
MILLISECONDS_FROM: Final = 1e11
"""A number from here on counts milliseconds, a smaller one seconds (docs/datto-rmm-api.md §4)."""


def canonical(moment: datetime) -> Timestamp:
    """Write a moment, which knows its time zone, as the canonical timestamp."""
    return Timestamp(moment.astimezone(UTC).isoformat(timespec="microseconds"))


@lru_cache(maxsize=1024, typed=True)  # the inventory reads the same dates as the converter
def as_timestamp(value: object) -> Timestamp | None:
    """Read a date: epoch milliseconds, epoch seconds or ISO 8601 text (docs/datto-rmm-api.md §4).

    Text without an offset is UTC. 0, empty text and the .NET minimum date mean "never".

    >>> as_timestamp(1785542402118)
    '2026-08-01T00:00:02.118000+00:00'

    Raises:
        ValueError: no date.
        TypeError: neither a finite number nor text.
        OverflowError: outside the years 1 to 9999.
    """
    moment = _from_text(value.strip()) if type(value) is str else _from_number(value)
    return None if moment is None or moment.year == NEVER else canonical(moment)


def timestamp_of(item: object, name: str) -> Timestamp | None:
    """Read a date off an item of the API; None where there is none, or none that can be read."""
    try:
        return as_timestamp(item[name]) if isinstance(item, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def as_date(value: object) -> str | None:
    """Write a plain date as `YYYY-MM-DD`; a date-time only where it says no more than its day.

    Raises:
        ValueError: no date.
        TypeError: no text.
    """
    if type(value) is not str:
        moment = datetime.fromisoformat(as_timestamp(value) or "")
    elif not value.strip():
        return None
    elif len(value) == len("2026-11-22"):
        return date.fromisoformat(value).isoformat()
    else:
        moment = datetime.fromisoformat(value.strip())
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise ValueError
    return moment.date().isoformat()


def _from_number(value: object) -> datetime | None:
    if not (type(value) is int or (type(value) is float and math.isfinite(value))):
        raise TypeError
    if not value:
        return None
    if abs(value) >= MILLISECONDS_FROM:
        return EPOCH + timedelta(milliseconds=value)
    return EPOCH + timedelta(seconds=value)


def _from_text(text: str) -> datetime | None:
    if not text:
        return None
    if len(text) > len("20261122") and text.lstrip("-").isdecimal():
        return _from_number(int(text))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
