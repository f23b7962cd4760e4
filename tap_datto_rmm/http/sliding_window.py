"""The arithmetic of the rate limit: how many requests may leave in any rolling window, and when.

The server counts per rolling window, all clients of an account together, and blocks the address of
who goes on after a refusal. Kept limiter libraries fix their rate when they are made; this ceiling
moves with what other clients use, and with the server's refusals.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS: Final = 60.0
GUARD_SECONDS: Final = 0.5
"""Added to the window: a request is counted when it arrives, not when it leaves."""

SMALLEST_SHARE: Final = 0.1
"""However busy others are, this share of the own budget stays usable."""

AFTER_REFUSAL: Final = 0.8
"""A refusal lowers the ceiling to this share of what was in use, for that was too much."""

LOWEST_AFTER_REFUSAL: Final = 0.5
"""But not below this share of what the ceiling was: one refusal may say little."""

RECOVERY_PER_WINDOW: Final = 0.05
"""Share of the ceiling that each window without a refusal gives back; each refusal that is still
remembered halves it, so that two clients beside each other are refused more and more seldom."""

MEMORY_WINDOWS: Final = 10
"""Windows for which a refusal is remembered."""

SHORTEST_PAUSE: Final = 1.0
"""Seconds, whatever the server asks for."""

JITTER: Final = 0.1
"""Share by which a pause is drawn longer, so that two clients do not come back together."""


class Turn(NamedTuple):
    """Leave to send one request."""

    before: int
    """Requests that left within the server's window before this one."""
    is_trial: bool = False
    """Whether nobody else may send until it is known that this one was not refused."""
    waited: float = 0.0
    """Seconds."""


class Slowdown:
    """The share of the ceiling that refusals have left, and how it comes back.

    Args:
        window: the server's window in seconds.
    """

    def __init__(self, window: float) -> None:
        """Start with the whole."""
        self._window = window
        self._share = 1.0
        self._since = 0.0
        self._recovery = RECOVERY_PER_WINDOW
        self._refusals: deque[float] = deque()

    def share(self, now: float) -> float:
        """Give the share of the ceiling that may be used, at most 1."""
        windows = (now - self._since) / self._window
        slowly = min(windows, MEMORY_WINDOWS)
        gained = slowly * self._recovery + (windows - slowly) * RECOVERY_PER_WINDOW
        return min(1.0, self._share + gained)

    def lower(self, now: float, in_use: float) -> None:
        """Lower it: the server has refused a request.

        Args:
            now: the time.
            in_use: share of the ceiling that was used; that was too much.
        """
        while self._refusals and now - self._refusals[0] > MEMORY_WINDOWS * self._window:
            self._refusals.popleft()
        to = max(LOWEST_AFTER_REFUSAL, AFTER_REFUSAL * min(in_use, 1.0))
        self._share, self._since = self.share(now) * to, now
        self._recovery = RECOVERY_PER_WINDOW / 2.0 ** len(self._refusals)
        self._refusals.append(now)


class SlidingWindow:
    """The moments at which requests left. It is told the time, and waits for nothing.

    Args:
        requests: that may leave in any rolling window.
        window: the server's window in seconds.
        jitter: draws a number up to the one given.
    """

    def __init__(
        self,
        requests: int,
        window: float = WINDOW_SECONDS,
        jitter: Callable[[float], float] = backoff.full_jitter,
    ) -> None:
        """Start with the whole budget free, so that a short sync is one burst."""
        self.requests = requests
        self.window = window
        self._jitter = jitter
        self._room = requests
        self._left: deque[float] = deque()
        self._slowdown = Slowdown(window)
        self._in_a_row = 0
        self._paused_until = -math.inf
        self._refused_since: float | None = None
        self._trial_under_way = False

    def ceiling(self, now: float) -> int:
        """Requests that may leave in the window; at most `requests`."""
        smallest = max(1, int(self.requests * SMALLEST_SHARE))
        return max(smallest, int(self._room * self._slowdown.share(now)))

    def used(self, now: float) -> int:
        """Requests that left within the last window."""
        while self._left and now - self._left[0] >= self.window + GUARD_SECONDS:
            self._left.popleft()
        return len(self._left)

    def refused_for(self, now: float) -> float:
        """Seconds since the first refusal that no success has followed yet; 0 without one."""
        return 0.0 if self._refused_since is None else now - self._refused_since

    def delay(self, now: float) -> float:
        """Seconds until the next request may leave; infinite until a trial has ended.

        After a refusal requests leave at even distances: a burst after each pause would meet the
        burst of another client that was refused at the same moment.
        """
        if self._trial_under_way:
            return math.inf
        wait = self._paused_until - now
        ceiling, used = self.ceiling(now), self.used(now)
        if used >= ceiling:
            wait = max(wait, self._left[used - ceiling] + self.window + GUARD_SECONDS - now)
        if used and self._slowdown.share(now) < 1:
            wait = max(wait, self._left[-1] + self.window / ceiling - now)
        return max(wait, 0.0)

    def seconds_for(self, now: float, requests: int) -> float:
        """Seconds until the last of so many requests may leave, if each leaves at once.

        Each takes the place of the one that left a ceiling's worth before it.
        """
        ceiling, used = self.ceiling(now), self.used(now)
        pause = max(self._paused_until - now, 0.0)
        if requests <= ceiling - used:
            return pause
        places = [*islice(self._left, max(0, used - ceiling), None)]
        places += [now] * (ceiling - used)
        rounds, place = divmod(requests - max(0, ceiling - used) - 1, ceiling)
        period = self.window + GUARD_SECONDS
        return max(pause, places[place] + (rounds + 1) * period - now)

    def leave(self, now: float) -> Turn:
        """Note that a request leaves.

        After a pause requests leave one at a time until one of them was not refused: however many
        threads wait, the server's patience is tried once.
        """
        used = self.used(now)
        aged = sum(1 for _ in takewhile(lambda at: now - at >= self.window, self._left))
        self._left.append(now)
        self._trial_under_way = self._refused_since is not None
        return Turn(used - aged, self._trial_under_way)

    def count(self, now: float) -> None:
        """Note that a request leaves that cannot wait for its turn."""
        self._left.append(now)

    def end_trial(self, now: float) -> None:
        """Note that a trial has come back; refused, where a pause has begun meanwhile."""
        self._trial_under_way = False
        if self._paused_until <= now:
            self._refused_since = None

    def refuse(self, now: float, asked: float | None) -> float:
        """Note that the server refused a request: nothing leaves for a while, then more slowly.

        Args:
            now: the time.
            asked: seconds that the server asked for; each time in a row they are doubled, up to a
                window. None: until the window has room again; in a row a whole one, after which it
                is free for certain.

        Returns:
            Seconds of the pause that begins; 0 where it is no news.
        """
        if now >= self._paused_until:
            again = now - self._paused_until <= self.window
            self._in_a_row = self._in_a_row + 1 if again else 0
        if asked is None:
            seconds = self.window if self._in_a_row else self._until_there_is_room(now)
        else:
            asked = max(asked, SHORTEST_PAUSE)
            seconds = max(asked, min(asked * 2.0**self._in_a_row, self.window))
        return self.pause(now, seconds + self._jitter(JITTER * seconds))

    def pause(self, now: float, seconds: float) -> float:
        """Let nothing leave for so long, then less than before.

        Refusals during a pause, of what was still under way, do not slow down further.

        Returns:
            Seconds of the pause that begins; 0 where it is no news.
        """
        if now >= self._paused_until:
            self._slowdown.lower(now, self.used(now) / self.ceiling(now))
        if self._refused_since is None:
            self._refused_since = now
        before = self._paused_until
        self._paused_until = max(before, now + seconds)
        return seconds if self._paused_until > before + GUARD_SECONDS else 0.0

    def leave_room_for(self, others: int, account_limit: int, slow_from: int) -> bool:
        """Set the ceiling from what the account's other clients use.

        Args:
            others: requests of other clients in the window.
            account_limit: requests after which the server refuses.
            slow_from: requests from which on the server slows answers down; respected unless the
                own budget is above it.

        Returns:
            Whether that changes anything.
        """
        room = (slow_from if self.requests <= slow_from else account_limit) - others
        before, self._room = self._room, min(self.requests, room)
        return self._room != before

    def _until_there_is_room(self, now: float) -> float:
        """Seconds until so many of ours have left the window that the lowered ceiling has room."""
        used = self.used(now)
        if not used:
            return self.window
        gone = self._left[int(used * (1 - AFTER_REFUSAL))] + self.window - now
        return min(max(gone, SHORTEST_PAUSE), self.window)
