"""The time by the server's clock, as its `Date` headers tell it, and how far it can be believed."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median_low
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADERS: Final = 9
"""So many of the last ones count: of these, four may be wrong."""

TOLERANCE: Final = timedelta(hours=1)
"""Clocks that differ by more cannot both be right."""


class ServerClock:
    """Tells the time by the server's clock.

    Args:
        ours: this machine's time, in UTC.
    """

    def __init__(self, ours: Callable[[], datetime] | None = None) -> None:
        """Go by our own clock until the server's is known."""
        self._ours = ours or (lambda: datetime.now(UTC))
        self._offsets: deque[timedelta] = deque(maxlen=HEADERS)
        self._lock = Lock()

    def hear(self, headers: Mapping[str, str]) -> None:
        """Read the `Date` header of a response."""
        if date := date_of(headers.get("Date", "")):
            offset = date - self._ours()
            with self._lock:
                self._offsets.append(offset)

    @property
    def offset(self) -> timedelta:
        """How far the server's clock is ahead of ours: the median of the last headers."""
        with self._lock:
            return median_low(self._offsets) if self._offsets else timedelta()

    def now(self) -> datetime:
        """The server's time; where the clocks differ by more than an hour, the earlier one.

        What happens until then has certainly happened: a bookmark that goes no further passes over
        nothing, whichever clock is wrong.
        """
        ours, offset = self._ours(), self.offset
        theirs = ours + offset
        return theirs if abs(offset) <= TOLERANCE else min(ours, theirs)

    def latest(self) -> datetime:
        """The time by the clock that is ahead: what is later than that is in the future."""
        ours = self._ours()
        return max(ours, ours + self.offset)


def date_of(text: str) -> datetime | None:
    """Read the date of an HTTP header; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
