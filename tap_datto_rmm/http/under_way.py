"""What several threads are at just now, for whoever watches from another one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")


class UnderWay(Generic[T]):
    """Values, each for as long as something lasts; the one that was noted first comes first."""

    def __init__(self) -> None:
        """Nothing is."""
        self._noted: dict[object, T] = {}

    @contextmanager
    def noted(self, value: T) -> Generator[None]:
        """Note a value, until the end of the `with`."""
        me = object()
        self._noted[me] = value
        try:
            yield
        finally:
            del self._noted[me]

    @property
    def oldest(self) -> T | None:
        """The value that was noted first; None where nothing is under way."""
        return next(iter(list(self._noted.values())), None)
