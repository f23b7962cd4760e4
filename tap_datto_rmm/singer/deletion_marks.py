"""Deletions: what a complete read no longer has, estimated from a few bytes of the one before."""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SAMPLED: Final = 16
"""Keys of a read that its state remembers."""
DIGITS: Final = 8
"""Hexadecimal digits of a remembered key."""
MOST_OF_SAMPLE: Final = 50
"""Percent. Of a read with a fifth of its rows gone, half the sample is missing once in 140 times;
of the read of another account, always."""


class Census:
    """A sample of the keys of one complete read, and what it lacks of the sample before.

    The sample is the keys with the smallest hashes, so that it is drawn evenly, and is the same
    for the same rows. Nothing else is kept of a read, however long.

    Args:
        before: what the state remembers of the last complete read; empty before the first.
    """

    def __init__(self, before: Mapping[str, Any]) -> None:
        """Count nothing yet."""
        sample = before.get("sample", "")
        self._old_rows = before.get("rows", 0)
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

    def told(self, rows: int) -> dict[str, Any]:
        """What the state remembers: the number of rows, and the sample."""
        return {"rows": rows, "sample": "".join(self._smallest)}

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
