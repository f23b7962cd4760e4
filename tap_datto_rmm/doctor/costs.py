"""What a stream costs in calls: in words for any account, in numbers for one.

A call gives at most 250 rows of a list, or one row; a stream's declaration says what it is asked
for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_datto_rmm.settings import MAX_PAGE_SIZE
from tap_datto_rmm.streams.activity import ActivityLogsStream

if TYPE_CHECKING:
    from tap_datto_rmm.api.fan_out import FanOut
    from tap_datto_rmm.streams.base import DattoStream


def in_words(stream: DattoStream, *, paged: bool) -> str:
    """Word what a stream costs in API calls; the README's table shows it.

    Args:
        stream: any.
        paged: whether its path gives pages.
    """
    if isinstance(stream, ActivityLogsStream):
        return f"1 per {MAX_PAGE_SIZE} entries since the last run"
    if stream.fan_out is None:
        return f"1 per {MAX_PAGE_SIZE} rows" if paged else "1"
    per = stream.fan_out.per
    if per[0].isdecimal():
        return per
    return f"1 {per}, and 1 per further {MAX_PAGE_SIZE} rows" if paged else f"1 {per}"


class Cost(NamedTuple):
    """Calls of a first and of an hourly sync; None: not known."""

    full: int | None
    hourly: int | None


@dataclass(slots=True)
class Figures:
    """What is known of an account's size."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows of each stream that is one list."""
    parents: dict[FanOut, int] = field(default_factory=dict)
    """How many there are to be asked for, of each kind."""
    hourly: dict[FanOut, int] = field(default_factory=dict)
    """How many of them change in an hour."""
    entries: int | None = None
    """Of the activity log in an hour."""
    pages: dict[str, int] = field(default_factory=dict)
    """Calls for one parent, where that is seen to be more than one."""

    def cost(self, stream: DattoStream) -> Cost:
        """Count a stream's calls."""
        if stream.fan_out is None:
            full = _pages(self.rows.get(stream.name))
            in_a_window = stream.name == ActivityLogsStream.name
            return Cost(full, _pages(self.entries) if in_a_window else full)
        pages, full = self.pages.get(stream.name, 1), self.parents.get(stream.fan_out)
        hourly = self.hourly.get(stream.fan_out) if stream.bookmark_key else full
        return Cost(_times(full, pages), _times(hourly, pages))


def minutes(calls: int, per_minute: int, seconds_per_call: float) -> float:
    """Say how long so many calls take.

    Args:
        calls: how many.
        per_minute: what the budget allows; the first so many may leave at once.
        seconds_per_call: of what the API's own speed allows.
    """
    return max((calls - per_minute) / per_minute, calls * seconds_per_call / 60, 0.0)


def _pages(rows: int | None) -> int | None:
    return None if rows is None else max(1, math.ceil(rows / MAX_PAGE_SIZE))


def _times(number: int | None, pages: int) -> int | None:
    return None if number is None else number * pages
