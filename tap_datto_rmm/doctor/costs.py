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
    from collections.abc import Sequence

    from tap_datto_rmm.api.fan_out import FanOut
    from tap_datto_rmm.settings import Settings
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

    settings: Settings
    """Which say how often what is read again."""
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
    is_estimate: bool = False
    """Whether a part stood for the whole."""

    def pages_of(self, rows: int) -> int:
        """Count the calls that a list of so many rows takes."""
        return max(1, math.ceil(rows / self.settings.page_size))

    def cost(self, stream: DattoStream) -> Cost:
        """Count a stream's calls."""
        if stream.fan_out is None:
            return self.cost_of_list(stream.name, [stream])
        pages = self.pages.get(stream.name, 1)
        full = _times(self.parents.get(stream.fan_out), pages)
        if stream.bookmark_key is None:
            return Cost(full, self._on_average(stream, full))
        return Cost(full, _times(self._changed_hourly(stream.fan_out), pages))

    def cost_of_list(self, name: str, readers: Sequence[DattoStream]) -> Cost:
        """Count the calls of a list.

        Args:
            name: of its stream.
            readers: the streams that it is read for, each of which may be due less often.
        """
        rows = self.rows.get(name)
        full = None if rows is None else self.pages_of(rows)
        if name == ActivityLogsStream.name:
            return Cost(full, None if self.entries is None else self.pages_of(self.entries))
        averages = [self._on_average(stream, full) for stream in readers]
        return Cost(full, max((one for one in averages if one is not None), default=None))

    def _changed_hourly(self, fan_out: FanOut) -> int | None:
        """Count the parents that change in an hour, and those whose turn the sweep brings."""
        changed, every = self.hourly.get(fan_out), self.parents.get(fan_out)
        days = self.settings.audit_sweep_days if fan_out.device_class else 0
        if changed is None or every is None or not days:
            return changed
        return changed + math.ceil(every / (days * 24))

    def _on_average(self, stream: DattoStream, calls: int | None) -> int | None:
        """Spread the calls over the hours after which a stream is due again."""
        hours = max(1.0, stream.refresh_hours(self.settings) or 0)
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


def _times(number: int | None, pages: int) -> int | None:
    return None if number is None else number * pages
