"""Deletion marks (ACTIVATE_VERSION): what a complete read no longer has is gone.

How much would vanish is estimated from a few bytes of the read before.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_datto_rmm.singer.bookmark import Bookmark

SAMPLED: Final = 16
"""Keys of a read that its state remembers."""
DIGITS: Final = 8
"""Hexadecimal digits of a remembered key."""
MOST_OF_SAMPLE: Final = 50
"""Percent. Of a read with a fifth of its rows gone, half the sample is missing once in 140 times;
of the read of another account, always."""


class KeySample:
    """A sample of the keys of one complete read, and what it lacks of the sample before.

    The sample is the keys with the smallest hashes, so that it is drawn evenly, and is the same
    for the same rows. Nothing else is kept of a read, however long.

    Args:
        before: number of rows of the last complete read; 0 before the first.
        sample: its sample, as `text` gave it.
    """

    def __init__(self, before: int = 0, sample: str = "") -> None:
        """Count nothing yet."""
        self._old_rows = before
        self._old_sample = {sample[at : at + DIGITS] for at in range(0, len(sample), DIGITS)}
        self._missing = set(self._old_sample)
        self._smallest: list[str] = []

    def count(self, key: Iterable[Any]) -> None:
        """Count a row by the values of its primary key; one that comes twice counts once."""
        text = "\0".join(map(str, key)).encode(errors="replace")
        digest = blake2b(text, digest_size=DIGITS // 2).hexdigest()
        self._missing.discard(digest)
        place = bisect_left(self._smallest, digest)
        if place < SAMPLED and self._smallest[place : place + 1] != [digest]:
            self._smallest.insert(place, digest)
            del self._smallest[SAMPLED:]

    @property
    def text(self) -> str:
        """The sample, for the state."""
        return "".join(self._smallest)

    def vanished(self, rows: int) -> float:
        """Estimate how much of the last complete read is gone, in percent.

        A difference in number is exact, but rows that come hide rows that go. The sample sees
        those: all of them where it held every key, else only if most of it is gone.

        Args:
            rows: that this read had.
        """
        old_rows, sampled = self._old_rows, len(self._old_sample)
        fewer = 100 * (old_rows - rows) / old_rows if old_rows else 0.0
        gone = 100 * len(self._missing) / sampled if sampled else 0.0
        return max(fewer, gone if old_rows <= sampled or gone >= MOST_OF_SAMPLE else 0.0)


class DeletionMark:
    """Decides whether a read may tell a target to forget the rows that it did not have.

    Args:
        bookmark: of the stream; remembers the last read after which it might.
        guard_percent: share of that read that may vanish.
    """

    def __init__(self, bookmark: Bookmark, guard_percent: int) -> None:
        """Count nothing yet."""
        self._bookmark = bookmark
        self._guard_percent = guard_percent
        self._before: int = bookmark.get("rows") or 0
        self._sample = KeySample(self._before, bookmark.get("sample") or "")

    def count(self, key: Iterable[Any]) -> None:
        """Count a row that was written, by the values of its primary key."""
        self._sample.count(key)

    def why_not(self, rows: int, left_out: int, *, is_whole: bool) -> str | None:
        """Say why no row may be marked as deleted; None where they may be, "" where none can be.

        Args:
            rows: that were written.
            left_out: items that were no records; as many as in the read before are no reason.
            is_whole: whether no row is missing.
        """
        if not is_whole:
            return "the read was not complete"
        if left_out > (self._bookmark.get("left_out") or 0):
            self._bookmark.set("left_out", left_out)
            return f"{left_out} rows were left out; if as many are in the next run, they may be"
        if rows == 0:
            return "no rows came" if self._before else ""
        if (share := self._sample.vanished(rows)) > self._guard_percent:
            return (
                f"about {share:.0f} % of the {self._before} rows of the last complete read would "
                "vanish; to let them, set `deletion_guard_percent` (now "
                f"{self._guard_percent}) to 100 for one run"
            )
        return None

    def remember(self, rows: int, left_out: int) -> None:
        """Let the state remember this read."""
        self._bookmark.set("rows", rows)
        self._bookmark.set("sample", self._sample.text)
        self._bookmark.set("left_out", left_out)
