"""The rate limit, shared by all threads: each request waits for its turn."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

from tap_datto_rmm.http.closing import Closed
from tap_datto_rmm.http.sliding_window import WINDOW_SECONDS, SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_datto_rmm.http.sliding_window import Turn


class RateLimiter:
    """A sliding window over the moments at which requests leave, for any number of threads.

    Args:
        requests: that may leave in any rolling window.
        clock: seconds that never run backwards.
        window: the server's window in seconds.
        changed: where threads wait for their turn.
    """

    def __init__(
        self,
        requests: int,
        clock: Callable[[], float] = time.monotonic,
        window: float = WINDOW_SECONDS,
        changed: Condition | None = None,
    ) -> None:
        """Start with the whole budget free."""
        self._window = SlidingWindow(requests, window)
        self._clock = clock
        self._changed = changed or Condition()
        self._closed: Exception | None = None
        self.waiting = 0
        """Threads that wait for their turn."""

    @property
    def ceiling(self) -> int:
        """Requests that may leave in the window now."""
        with self._changed:
            return self._window.ceiling(self._clock())

    @property
    def used(self) -> int:
        """Requests that left within the last window."""
        with self._changed:
            return self._window.used(self._clock())

    @property
    def refused_for(self) -> float:
        """Seconds since the first refusal that no success has followed yet; 0 without one."""
        with self._changed:
            return self._window.refused_for(self._clock())

    @property
    def delay(self) -> float:
        """Seconds until the next request may leave; 0 while a trial after a pause is under way."""
        with self._changed:
            seconds = self._window.delay(self._clock())
        return 0.0 if seconds == math.inf else seconds

    def seconds_for(self, requests: int) -> float:
        """Seconds until the last of so many may leave, as `SlidingWindow.seconds_for`."""
        with self._changed:
            return self._window.seconds_for(self._clock(), requests)

    @contextmanager
    def turn(self) -> Generator[Turn]:
        """Wait for room in the window and take it, for the length of one request.

        Yields:
            How long it took, and what left before.

        Raises:
            Closed: nothing may leave any more; or whatever `close` was given.
        """
        started = self._clock()
        with self._changed:
            self.waiting += 1
            try:
                while (seconds := self._delay()) > 0:
                    self._changed.wait(None if seconds == math.inf else seconds)
            finally:
                self.waiting -= 1
            now = self._clock()
            turn = self._window.leave(now)._replace(waited=now - started)
        try:
            yield turn
        finally:
            if turn.is_trial:
                with self._changed:
                    self._window.end_trial(self._clock())
                    self._changed.notify_all()

    def count(self) -> None:
        """Count a request that leaves without waiting for its turn."""
        with self._changed:
            self._window.count(self._clock())

    def refuse(self, asked: float | None) -> float:
        """Pause everybody as the server asks, as `SlidingWindow.refuse`."""
        with self._changed:
            return self._window.refuse(self._clock(), asked)

    def pause(self, seconds: float) -> float:
        """Pause everybody, as `SlidingWindow.pause`."""
        with self._changed:
            return self._window.pause(self._clock(), seconds)

    def leave_room_for(self, others: int, account_limit: int, slow_from: int) -> bool:
        """Leave others their room, as `SlidingWindow.leave_room_for`."""
        with self._changed:
            changes = self._window.leave_room_for(others, account_limit, slow_from)
            self._changed.notify_all()
            return changes

    def close(self, why: Exception | None = None) -> None:
        """Let nobody send anything any more.

        Args:
            why: what those who try, or wait, get; `Closed` without it.
        """
        with self._changed:
            self._closed = why or Closed()
            self._changed.notify_all()

    def _delay(self) -> float:
        if self._closed:
            raise self._closed
        return self._window.delay(self._clock())
