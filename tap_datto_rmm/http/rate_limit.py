"""The rate budget: how many requests may leave in any rolling minute, shared by all threads.

The vendor counts reads per account over a sliding window of 60 seconds, slows answers down from
90 % of the limit on, answers 429 above it, and blocks the IP address of who goes on
(docs/datto-rmm-api.md §3). Kept limiter libraries fix their rate when they are made; this ceiling
moves with what other clients of the account use, and with the API's refusals.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from itertools import takewhile
from threading import Condition
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

WINDOW_SECONDS: Final = 60.0
GUARD_SECONDS: Final = 0.5
"""Added to the window: a request is counted when it arrives, not when it leaves."""

SMALLEST_SHARE: Final = 0.1
"""However busy others are, this share of the tap's own budget stays usable."""

AFTER_REFUSAL: Final = 0.8
"""A refusal lowers the ceiling to this share of what it was."""

RECOVERY_PER_WINDOW: Final = 0.05
"""Share of the ceiling that each window without a refusal gives back."""


class Closed(Exception):  # noqa: N818 - no error: the tap has ended
    """Nothing may leave any more."""


class Turn(NamedTuple):
    """Leave to send one request."""

    waited: float
    """Seconds."""
    before: int
    """Requests that left within the vendor's window before this one."""


class RateLimiter:
    """A sliding window over the moments at which requests left.

    Args:
        per_minute: requests that may leave in any rolling window.
        clock: seconds that never run backwards.
        window: the vendor's window in seconds.
    """

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        window: float = WINDOW_SECONDS,
    ) -> None:
        """Start with the whole budget free, so that a short sync is one burst."""
        self.per_minute = per_minute
        self.window = window
        self._clock = clock
        self._room = per_minute
        self._share = 1.0
        self._share_since = 0.0
        self._left: deque[float] = deque()
        self._paused_until = 0.0
        self._refused_since: float | None = None
        self._trial_under_way = False
        self._closed: Exception | None = None
        self._changed = Condition()

    @property
    def ceiling(self) -> int:
        """Requests that may leave in the window now; at most `per_minute`."""
        return max(self._smallest(), int(self._room * self._share_at(self._clock())))

    @property
    def used(self) -> int:
        """Requests that left within the last window."""
        with self._changed:
            self._forget(self._clock())
            return len(self._left)

    @property
    def refused_for(self) -> float:
        """Seconds since the first refusal that no success has followed yet; 0 without one."""
        since = self._refused_since
        return 0.0 if since is None else self._clock() - since

    @contextmanager
    def turn(self) -> Generator[Turn]:
        """Wait for room in the window and take it, for the length of one request.

        After a pause requests leave one at a time until one of them was not refused: however many
        threads wait, the API's patience is tried once.

        Yields:
            How long it took, and what left before.

        Raises:
            Closed: nothing may leave any more; or whatever `close` was given.
        """
        started = self._clock()
        with self._changed:
            while (seconds := self._seconds_to_wait(self._clock())) > 0:
                self._changed.wait(seconds)
            now = self._clock()
            aged = takewhile(lambda at: now - at >= self.window, self._left)
            turn = Turn(now - started, len(self._left) - sum(1 for _ in aged))
            self._left.append(now)
            is_trial = self._trial_under_way = self._refused_since is not None
        try:
            yield turn
        finally:
            if is_trial:
                self._end_trial()

    def count(self) -> None:
        """Count a request that leaves without waiting for its turn."""
        with self._changed:
            self._left.append(self._clock())

    def pause(self, seconds: float) -> bool:
        """Let nobody send anything for so long, then go slower: the API refused a request.

        Refusals during a pause, of what was still under way, do not slow down further.

        Returns:
            Whether this is news: the pause begins, or becomes longer.
        """
        with self._changed:
            now = self._clock()
            if now >= self._paused_until:
                self._share, self._share_since = self._share_at(now) * AFTER_REFUSAL, now
            if self._refused_since is None:
                self._refused_since = now
            before = self._paused_until
            self._paused_until = max(before, now + seconds)
            return self._paused_until > before + GUARD_SECONDS

    def leave_room_for(self, others: int, account_limit: int, slow_from: int) -> bool:
        """Set the ceiling from what the account's other clients use.

        Args:
            others: requests of other clients in the window.
            account_limit: requests after which the vendor answers 429.
            slow_from: requests from which on the vendor slows answers down; respected unless the
                user's own budget is above it.

        Returns:
            Whether that changes anything.
        """
        room = (slow_from if self.per_minute <= slow_from else account_limit) - others
        with self._changed:
            before, self._room = self._room, min(self.per_minute, room)
            self._changed.notify_all()
            return self._room != before

    def close(self, why: Exception | None = None) -> None:
        """Let nobody send anything any more.

        Args:
            why: what those who try, or wait, get; `Closed` without it.
        """
        with self._changed:
            self._closed = why or Closed()
            self._changed.notify_all()

    def _smallest(self) -> int:
        return max(1, int(self.per_minute * SMALLEST_SHARE))

    def _share_at(self, now: float) -> float:
        windows = (now - self._share_since) / self.window
        return min(1.0, self._share + RECOVERY_PER_WINDOW * windows)

    def _end_trial(self) -> None:
        with self._changed:
            self._trial_under_way = False
            if self._paused_until <= self._clock():
                self._refused_since = None
            self._changed.notify_all()

    def _forget(self, now: float) -> None:
        while self._left and now - self._left[0] >= self.window + GUARD_SECONDS:
            self._left.popleft()

    def _seconds_to_wait(self, now: float) -> float:
        if self._closed:
            raise self._closed
        self._forget(now)
        wait = self._paused_until - now
        if self._trial_under_way:
            wait = max(wait, self.window)
        ceiling = self.ceiling
        if len(self._left) >= ceiling:
            oldest = self._left[len(self._left) - ceiling]
            wait = max(wait, oldest + self.window + GUARD_SECONDS - now)
        return wait
