"""Rows that change places while a list is read, with none coming and none going."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

ROWS = 5
"""How many rows of a page change places with rows of the page after it."""


class Moves:
    """Which rows of which list have changed places, for lists of any kind."""

    def __init__(self) -> None:
        """Let every row stand where it belongs."""
        self._swaps: dict[str, dict[tuple[int, int], None]] = {}

    def swap(self, path: str, at: int, size: int) -> None:
        """Let rows of a page and of the next one change places, those of one place only once.

        Args:
            path: The list's path.
            at: The page's number from 0.
            size: Rows of a page.
        """
        begin = at * size
        pairs = ((begin + n, begin + size + n) for n in range(min(ROWS, size)))
        self._swaps.setdefault(path, {}).update(dict.fromkeys(pairs))

    def arranged(self, path: str, items: Sequence[T]) -> Sequence[T]:
        """A list as it stands now.

        Args:
            path: The list's path.
            items: Its items in their own order.

        Returns:
            The same items in the order that all swaps led to.
        """
        if path not in self._swaps:
            return items
        found = list(items)
        for one, other in self._swaps[path]:
            if other < len(found):
                found[one], found[other] = found[other], found[one]
        return found

    def clear(self) -> None:
        """Let every row stand where it belongs, and change places anew."""
        self._swaps.clear()
