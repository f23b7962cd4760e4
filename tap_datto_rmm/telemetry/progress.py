"""How far a sync has come: noted at each step, for whoever looks (see `watch`)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_datto_rmm.telemetry.counters import Counters

SIGNING_IN: Final = "signing in"

SHORTEST_PACE: Final = 1.0
"""Seconds: a pace over less says nothing."""


@dataclass(slots=True)
class Stretch:
    """Steps of one kind: rows of a list, or parents that are asked for."""

    name: str
    started: float
    """By the clock."""
    calls: int
    """Of the counters when it started."""
    done: int = 0
    total: int | None = None
    again: bool = False
    """Whether it is read once more, all of it having come."""
    least: int = 0
    """Calls that each step takes at least."""
    calls_at_first: int = 0
    """Of the counters after the first step: some are made ahead, which say nothing of its cost."""


class Progress:
    """Knows what is being read, and how much of it has been.

    Args:
        clock: seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with signing in."""
        self.clock = clock
        self.counters: Counters | None = None
        """Of the stream that is being read."""
        self.number = 0
        """Of that stream among those of the sync; 0 before the first."""
        self.of = 0
        """Streams of the sync."""
        self.calls_ahead: int | None = None
        """That the streams after this one will take; None: not known."""
        self.stretch: Stretch
        self._name: str
        self._ask_ahead: Callable[[], int | None] = lambda: None
        self._is_aside = False
        self.begin(SIGNING_IN, None)

    def turn_to(self, number: int, of: int, ask_ahead: Callable[[], int | None]) -> None:
        """Say which stream comes next.

        Args:
            number: of the stream, from 1 on.
            of: streams in all.
            ask_ahead: gives the calls that those after it will take; None where that is not known
                yet. It is asked again as soon as the stream knows what it has to do itself.
        """
        self.number, self.of = number, of
        self._ask_ahead = ask_ahead
        self.calls_ahead = ask_ahead()

    def begin(self, name: str, counters: Counters | None) -> None:
        """Start with a stream, or with what comes before the first.

        Args:
            name: of it.
            counters: what it asks of the API.
        """
        self._name = name
        self.counters = counters
        self._start(name)

    def expect(self, total: int, least: int = 0) -> None:
        """Say how many steps there will be in all.

        Before the first of them the clock starts anew: what was read until then, such as the list
        of those to ask for, says nothing of their pace. A list tells its number each time that it
        is read, and maybe another one meanwhile; what was done of it stays.

        Args:
            total: how many.
            least: calls that each takes at least.
        """
        if not self.stretch.done:
            self._start(self.stretch.name)
        self.stretch.again = 0 < total <= self.stretch.done
        self.stretch.total, self.stretch.least = total, least
        if not self._is_aside:
            self.calls_ahead = self._ask_ahead()

    @contextmanager
    def aside(self, what: str) -> Generator[None]:
        """Count the steps of something that the stream needs first, apart from its own.

        Args:
            what: is read, as it is told after the stream's name.
        """
        before, was_aside = self.stretch, self._is_aside
        self._start(f"{self._name}: {what}")
        self._is_aside = True
        try:
            yield
        finally:
            self.stretch, self._is_aside = before, was_aside

    def step(self) -> None:
        """Say that one more was done."""
        stretch = self.stretch
        stretch.done += 1
        if stretch.done == 1 and self.counters:
            stretch.calls_at_first = self.counters.calls

    @property
    def calls_per_second(self) -> float | None:
        """The pace of the stretch; None where nothing is counted, or it has hardly begun."""
        seconds = self.clock() - self.stretch.started
        if self.counters is None or seconds < SHORTEST_PACE:
            return None
        return (self.counters.calls - self.stretch.calls) / seconds

    @property
    def calls_left(self) -> int | None:
        """Calls until the end of the sync, by what the steps so far have taken; None: not known."""
        stretch = self.stretch
        if self.calls_ahead is None or self.counters is None or self._is_aside:
            return None
        if not stretch.total or stretch.done <= 1:
            return None
        made = self.counters.calls
        each = (made - stretch.calls_at_first) / (stretch.done - 1)
        left = round(max(each, stretch.least) * stretch.total) - (made - stretch.calls)
        return self.calls_ahead + max(left, 0)

    def _start(self, name: str) -> None:
        self.stretch = Stretch(name, self.clock(), self.counters.calls if self.counters else 0)
