"""What is asked for again: by the date of its change, the look-back and the sweep.

The device list tells when each device was audited, so that only what changed since the bookmark is
asked for. What that rule alone would miss: a date that shows in the list late (the look-back), and
a device that becomes visible with an old date (the sweep).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.records.timestamps import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_datto_rmm.api.devices import Device
    from tap_datto_rmm.records.timestamps import Timestamp

MARK_LENGTH: Final = 3
"""Characters of a mark: 18 bits. Of a hundred remembered ones, what shows late is taken for one of
them once in 2,600 times; then the sweep finds it."""
MOST_MARKS: Final = 640
"""Marks that the state keeps of a stream. Where more lie within the look-back, the older of them
are asked for once more."""


def mark_of(key: str, changed: Timestamp) -> str:
    """Give a short hash of a parent and the date of its change."""
    text = f"{key} {changed}".encode(errors="replace")
    return urlsafe_b64encode(blake2b(text, digest_size=3).digest()).decode()[:MARK_LENGTH]


@lru_cache(maxsize=64)  # asked for each device, of the same few bookmarks
def earlier(moment: Timestamp | None, span: timedelta) -> Timestamp | None:
    """Move a timestamp back."""
    return None if moment is None else canonical(datetime.fromisoformat(moment) - span)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The share of the devices whose turn has come since the sweep before, by hash of their uid.

    The hashes lie on a circle, once around which takes `days`; every run goes on from where the
    last one ended, so that every device's turn comes.
    """

    start: float
    """Place on the circle, 0 to 1."""
    length: float
    """Of the circle: 1 is all of it."""

    @classmethod
    def between(cls, last: Timestamp | None, now: Timestamp, days: int) -> Sweep:
        """Give the share that is due.

        Args:
            last: until when devices were swept; None: everything has just been read.
            now: when the run began.
            days: once around; 0: never.
        """
        if last is None or not days or now <= last:
            return cls(0.0, 0.0)
        start, end = (datetime.fromisoformat(moment).timestamp() for moment in (last, now))
        around = timedelta(days=days).total_seconds()
        return cls(start / around % 1, min(1.0, (end - start) / around))

    def includes(self, device: Device) -> bool:
        """Whether a device's turn has come."""
        if not self.length:
            return False
        digest = blake2b(device.uid.encode(errors="replace"), digest_size=8).digest()
        place = int.from_bytes(digest) / 2**64
        return (place - self.start) % 1 < self.length


@dataclass(frozen=True, slots=True)
class ChangeDemand:
    """What one stream asks for, of what has a date."""

    since: Timestamp | None = None
    """The bookmark: audits up to here have been read; None: nothing has."""
    lookback: timedelta = timedelta()
    marks: frozenset[str] = frozenset()
    """Of the audits within the look-back that have been read."""
    sweep: Sweep = Sweep(0.0, 0.0)
    first: frozenset[str] = frozenset()
    """Uids of devices that an earlier run could not read."""

    def includes(self, device: Device) -> bool:
        """Whether a device is to be asked for."""
        if device.last_audit is None or self.since is None or device.last_audit > self.since:
            return True
        if device.uid in self.first or self.sweep.includes(device):
            return True
        is_late = self.may_be_late(device.last_audit)
        return is_late and not self.has_read(device.uid, device.last_audit)

    def has_read(self, key: str, changed: Timestamp | None) -> bool:
        """Whether a change lies within the look-back and has been read."""
        is_within = changed is not None and self.may_be_late(changed)
        return is_within and changed is not None and mark_of(key, changed) in self.marks

    def may_be_late(self, changed: Timestamp | None) -> bool:
        """Whether a change lies within the look-back, or behind it."""
        begin = earlier(self.since, self.lookback)
        return begin is not None and changed is not None and begin <= changed


class ReadChanges:
    """The changes within the look-back that have been read."""

    def __init__(
        self, lookback: timedelta, known: Iterable[tuple[str, Timestamp | None]] = ()
    ) -> None:
        """Start with those that earlier runs have read: keys and dates."""
        self._lookback = lookback
        self._read: dict[str, Timestamp] = {}
        for key, changed in known:
            self.add(key, changed)

    def add(self, key: str, changed: Timestamp | None) -> None:
        """Note a change that has been read."""
        if changed:
            self._read[mark_of(key, changed)] = changed

    def text(self, bookmark: Timestamp | None) -> str:
        """Give the marks for the state: those within the look-back, the newest at most.

        Args:
            bookmark: whose look-back counts; what is later is asked for again in any case.
        """
        begin = earlier(bookmark, self._lookback)
        if begin is None or bookmark is None:
            return ""
        self._read = {mark: date for mark, date in self._read.items() if date >= begin}
        within = [mark for mark, date in self._read.items() if date <= bookmark]
        return "".join(sorted(within, key=self._read.__getitem__)[-MOST_MARKS:])


def marks_in(text: str) -> frozenset[str]:
    """Read the marks off the state."""
    return frozenset(text[at : at + MARK_LENGTH] for at in range(0, len(text), MARK_LENGTH))
