"""Watches a sync from a thread of its own: tells how far it is, and counts what it waits for.

The sync notes what it does and tells nothing; so there is a line every ten seconds whatever it
waits for, and none at each step.
"""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_datto_rmm.telemetry.screen import open_screen
from tap_datto_rmm.telemetry.time_left import TimeLeft
from tap_datto_rmm.telemetry.waits import ANSWERS, RATE_LIMIT, RETRIES
from tap_datto_rmm.telemetry.wording import line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from tap_datto_rmm.telemetry.counters import Counters
    from tap_datto_rmm.telemetry.progress import Progress
    from tap_datto_rmm.telemetry.screen import Screen
    from tap_datto_rmm.telemetry.time_left import Budget
    from tap_datto_rmm.telemetry.waits import Wait

USUAL: Final = frozenset({RATE_LIMIT, ANSWERS})
"""Waits that the pace of the last minute has in it already."""

OF_ONE: Final = frozenset({RETRIES, ANSWERS})
"""Waits of one request: they are told, and counted, where no other goes on."""

SECONDS_PER_LOOK: Final = 1.0

SECONDS_TO_STOP: Final = 2.0
"""A terminal that takes no more text cannot keep the tap from ending."""


class Sources(NamedTuple):
    """Where a watch looks."""

    progress: Progress
    counters: Counters
    """Of the whole run."""
    budget: Budget
    waits: Sequence[Callable[[], Wait | None]]
    """Give what is waited for; the first that does counts."""


class Watch:
    """Looks when it is told to.

    Args:
        sources: where it looks.
        screen: where it tells.
    """

    def __init__(self, sources: Sources, screen: Screen) -> None:
        """Look at nothing yet."""
        self._sources = sources
        self._screen = screen
        self._clock = sources.progress.clock
        self._time_left = TimeLeft(sources.budget)
        self._calls = sources.counters.calls
        self._looked_at = self._clock()
        self._tells_at = self._looked_at + screen.seconds

    @property
    def pause(self) -> float:
        """Seconds until the next look: a second, or less where a line is due before."""
        return min(SECONDS_PER_LOOK, max(self._tells_at - self._clock(), 0.0))

    def look(self) -> None:
        """Count what the time since the last look went into; tell it where a line is due."""
        now = self._clock()
        wait = self._wait()
        progress, seconds = self._sources.progress, now - self._looked_at
        self._looked_at = now
        if wait is not None:
            for counters in (self._sources.counters, progress.counters):
                if counters is not None:
                    counters.wait(wait.cause, seconds)
        if wait is not None and wait.cause not in USUAL:
            self._time_left.forget()
        left = self._time_left.look(now, self._calls, progress.calls_left)
        if now >= self._tells_at:
            every = self._screen.seconds
            self._tells_at += every * math.floor((now - self._tells_at) / every + 1)
            words = wait.words if wait else ""
            self._screen.show(
                line(progress, words, self._sources.budget, left, self._screen.columns)
            )

    def _wait(self) -> Wait | None:
        """Find out what the whole sync waits for, not only one of its requests."""
        found = next(filter(None, (waits() for waits in self._sources.waits)), None)
        calls, self._calls = self._calls, self._sources.counters.calls
        return None if found and found.cause in OF_ONE and calls != self._calls else found


class Watcher:
    """The thread that lets a watch look, again and again.

    Args:
        watch: looks.
        screen: is cleared in the end.
    """

    def __init__(self, watch: Watch, screen: Screen) -> None:
        """Start nothing yet."""
        self._watch = watch
        self._screen = screen
        self._ended = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and leave nothing on the screen."""
        self._ended.set()
        self._thread.join(SECONDS_TO_STOP)
        if not self._thread.is_alive():
            with suppress(OSError):
                self._screen.clear()

    def _run(self) -> None:
        with suppress(OSError):  # of a terminal that has gone
            while not self._ended.wait(self._watch.pause):
                self._watch.look()


@contextmanager
def watching(sources: Sources, screen: Screen | None = None) -> Generator[None]:
    """Watch for as long as something lasts.

    Args:
        sources: where to look.
        screen: where to tell; None: on the terminal, or in the log.
    """
    screen = screen or open_screen()
    watcher = Watcher(Watch(sources, screen), screen)
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()
