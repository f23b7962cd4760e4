"""Completeness: what a read says of itself, so that exit code 0 can mean every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(frozen=True, slots=True)
class Completeness:
    """Why a read may lack rows; without a reason it lacks none.

    Deletion marks, bookmarks and the exit code depend on it.
    """

    reasons: tuple[str, ...] = ()
    """What may be missing and why, a line each: no bookmark goes beyond."""
    known_gaps: tuple[str, ...] = ()
    """What is missing since more than a day, in every run: named, and no failure any more."""
    unreadable: int = 0
    """Rows that the API fails to give, however small the page."""

    @property
    def is_whole(self) -> bool:
        """Whether no row is missing."""
        return not (self.reasons or self.known_gaps or self.unreadable)

    def __add__(self, other: Completeness) -> Completeness:
        """Join what two reads say, each reason once."""
        return Completeness(
            tuple(dict.fromkeys((*self.reasons, *other.reasons))),
            tuple(dict.fromkeys((*self.known_gaps, *other.known_gaps))),
            self.unreadable + other.unreadable,
        )


WHOLE = Completeness()


class Rows:
    """Rows that are read one by one; when the last has come, it is known whether all have."""

    def __init__(self, read: Generator[Any, None, Completeness]) -> None:
        """Read nothing yet."""
        self._read = read
        self.completeness = WHOLE
        """Why rows may be missing; final once they have been iterated over."""

    def __iter__(self) -> Generator[Any]:
        """Give the rows as the API sent them."""
        self.completeness = yield from self._read
