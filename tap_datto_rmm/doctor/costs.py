"""What a stream costs in calls: in words for any account, in numbers for one.

A call gives at most 250 rows of a list, or one row; a stream's declaration says what it is asked
for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tap_datto_rmm.settings import MAX_PAGE_SIZE
from tap_datto_rmm.settings.refresh import hours_of
from tap_datto_rmm.streams.activity import ActivityLogsStream

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    sweep_days: int = 0
    """Within which the audits of every device are read again; 0: never."""
    refresh_hours: Mapping[str, float] = field(default_factory=dict)
    """The setting."""

    def cost(self, stream: DattoStream) -> Cost:
        """Count a stream's calls."""
        if stream.fan_out is None:
            full = _pages(self.rows.get(stream.name))
            in_a_window = stream.name == ActivityLogsStream.name
            return Cost(
                full, _pages(self.entries) if in_a_window else self._on_average(stream, full)
            )
        pages, full = self.pages.get(stream.name, 1), self.parents.get(stream.fan_out)
        if stream.bookmark_key is None:
            return Cost(_times(full, pages), self._on_average(stream, _times(full, pages)))
        hourly = self.hourly.get(stream.fan_out)
        if (
            hourly is not None
            and full is not None
            and stream.fan_out.device_class
            and self.sweep_days
        ):
            hourly += math.ceil(full / (self.sweep_days * 24))
        return Cost(_times(full, pages), _times(hourly, pages))

    def _on_average(self, stream: DattoStream, calls: int | None) -> int | None:
        """Spread the calls over the hours after which a stream is due again."""
        hours = max(1.0, hours_of(stream.name, self.refresh_hours))
        return None if calls is None else math.ceil(calls / hours)


def minutes(calls: int, per_minute: int, seconds_per_call: float) -> float:
    """Say how long so many calls take.

    Args:
        calls: how many.
        per_minute: what the budget allows in any 60 seconds: so many leave as fast as the API
            answers, the next when those are a minute old.
        seconds_per_call: of what the API's own speed allows.
    """
    waits, rest = divmod(max(calls - 1, 0), per_minute)
    return max(waits + rest * seconds_per_call / 60, calls * seconds_per_call / 60)


def _pages(rows: int | None) -> int | None:
    return None if rows is None else max(1, math.ceil(rows / MAX_PAGE_SIZE))


def _times(number: int | None, pages: int) -> int | None:
    return None if number is None else number * pages
