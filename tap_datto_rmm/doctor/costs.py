"""What a stream costs in calls: in words for any account, in numbers for one.

A call gives at most 250 rows of a list, or one row; a stream's declaration says what it is asked
for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_datto_rmm.settings import MAX_PAGE_SIZE
from tap_datto_rmm.streams.account import AccountStream
from tap_datto_rmm.streams.activity import ActivityLogsStream

if TYPE_CHECKING:
    from tap_datto_rmm.streams.base import DattoStream

PARENTS: Final = {
    "sites": "site",
    "devices": "device",
    "computers": "computer",
    "esxi_hosts": "ESXi host",
    "printers": "printer",
    "jobs": "job",
    "job_devices": "job and device",
    "job_channels": "job, device and channel",
}
"""What a stream is asked for one by one, in words, by its `parent`."""

SINCE: Final = {"lastAuditDate": "audited since the last run", "date": "since the last run"}
"""What is left of it in an incremental run, by the stream's `follows`."""


def in_words(stream: type[DattoStream] | DattoStream) -> str:
    """Word a stream's calls.

    >>> from tap_datto_rmm.streams.devices import DeviceAuditsStream
    >>> in_words(DeviceAuditsStream)
    '1 per computer audited since the last run'
    """
    since = f" {SINCE[stream.follows]}" if stream.follows in SINCE else ""
    if stream.name == AccountStream.name:
        return "1"
    if stream.parent is None:
        return f"1 per {MAX_PAGE_SIZE} rows{since}"
    return f"1 per {PARENTS[stream.parent]}{since}"


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
