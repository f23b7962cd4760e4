"""Deletions: what a complete read no longer has, estimated from a few bytes of the one before."""

from __future__ import annotations

from hashlib import blake2b
from heapq import nsmallest
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
    """The keys of one complete read: how many, and a sample to look for in the next one.

    The sample is the keys with the smallest hashes, so that it is drawn evenly, and is the same
    for the same rows.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self._keys: set[str] = set()

    def count(self, key: Iterable[Any]) -> None:
        """Count a row by the values of its primary key."""
        text = "\0".join(map(str, key)).encode(errors="replace")
        self._keys.add(blake2b(text, digest_size=DIGITS // 2).hexdigest())

    def told(self, rows: int) -> dict[str, Any]:
        """What the state remembers: the number of rows, and the sample."""
        return {"rows": rows, "sample": "".join(nsmallest(SAMPLED, self._keys))}

    def vanished(self, rows: int, before: Mapping[str, Any]) -> float:
        """Estimate how much of the last complete read is gone, in percent.

        A difference in number is exact, but rows that come hide rows that go. The sample sees
        those: all of them where it held every key, else only if most of it is gone.

        Args:
            rows: that this read had.
            before: what the state remembers; empty after a first read.
        """
        old_rows, sample = before.get("rows", 0), before.get("sample", "")
        fewer = 100 * (old_rows - rows) / old_rows if old_rows else 0.0
        keys = [sample[at : at + DIGITS] for at in range(0, len(sample), DIGITS)]
        gone = 100 * sum(key not in self._keys for key in keys) / len(keys) if keys else 0.0
        return max(fewer, gone if old_rows <= len(keys) or gone >= MOST_OF_SAMPLE else 0.0)
