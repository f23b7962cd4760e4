"""What a stream costs in calls: in words for any account, in numbers for one.

A call gives at most 250 rows of a list, or one row; a stream's declaration says what it is asked
for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_datto_rmm.settings import MAX_PAGE_SIZE
from tap_datto_rmm.streams.activity import ActivityLogsStream

if TYPE_CHECKING:
    from tap_datto_rmm.streams.base import DattoStream

PER_PARENT: Final = {
    "sites": "per site",
    "devices": "per device",
    "computers": "per computer audited since the last run",
    "esxi_hosts": "per ESXi host audited since the last run",
    "printers": "per printer audited since the last run",
    "jobs": "per job logged since the last run",
    "job_devices": "per job and device logged since the last run",
    "job_channels": "2 per job and device logged since the last run",
}
"""What one more of each `parent` costs."""


def in_words(stream: DattoStream, *, paged: bool) -> str:
    """Word what a stream costs in API calls; the README's table shows it.

    Args:
        stream: any.
        paged: whether its path gives pages.
    """
    if isinstance(stream, ActivityLogsStream):
        return f"1 per {MAX_PAGE_SIZE} entries since the last run"
    if stream.parent is None:
        return f"1 per {MAX_PAGE_SIZE} rows" if paged else "1"
    per = PER_PARENT[stream.parent]
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
    parents: dict[str, int] = field(default_factory=dict)
    """How many there are to be asked for, by a stream's `parent`."""
    hourly: dict[str, int] = field(default_factory=dict)
    """How many of them change in an hour."""
    pages: dict[str, int] = field(default_factory=dict)
    """Calls for one parent, where that is seen to be more than one."""

    def cost(self, stream: DattoStream) -> Cost:
        """Count a stream's calls."""
        if stream.parent is None:
            full = _pages(self.rows.get(stream.name))
            in_a_window = stream.name == ActivityLogsStream.name
            return Cost(full, _pages(self.hourly.get(stream.name)) if in_a_window else full)
        pages, full = self.pages.get(stream.name, 1), self.parents.get(stream.parent)
        hourly = self.hourly.get(stream.parent) if stream.follows else full
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
