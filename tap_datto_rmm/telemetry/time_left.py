"""When a sync will end: guessed at each look, told once the guesses agree."""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Protocol, TypeVar

N = TypeVar("N", int, float)

PACE_SECONDS: Final = 60.0
"""Over which the pace is taken, and for which a wait for the rate limit is remembered."""

AGREEING_SECONDS: Final = 15.0
"""For so long the guesses must agree."""

LOOSE_SECONDS: Final = 10.0
LOOSE_SHARE: Final = 0.2
"""They agree where they lie no further apart than this, or than this share of what is left."""


class Budget(Protocol):
    """The rate limit."""

    @property
    def used(self) -> int:
        """Requests of the last minute."""

    @property
    def ceiling(self) -> int:
        """How many there may be."""

    @property
    def delay(self) -> float:
        """Seconds until the next one may leave."""

    def seconds_for(self, requests: int) -> float:
        """Seconds until the last of so many may leave."""


class TimeLeft:
    """Guesses from the calls that are left, the budget, and the pace.

    At the limit calls leave in bursts, so that only the budget tells; below it, the pace does.

    Args:
        budget: of the calls.
    """

    def __init__(self, budget: Budget) -> None:
        """Know nothing yet."""
        self._budget = budget
        self._made: deque[tuple[float, int]] = deque()
        self._ends: deque[tuple[float, float]] = deque()
        self._limited_at = -math.inf

    def look(self, now: float, made: int, calls: int | None) -> float | None:
        """Guess anew.

        Args:
            now: the time.
            made: calls so far.
            calls: that are left; None: not known.

        Returns:
            Seconds that are left; None as long as the guesses differ.
        """
        _keep(self._made, now, made, PACE_SECONDS)
        if self._budget.delay > 0:
            self._limited_at = now
        seconds = None if calls is None else self._guess(now, made, calls)
        if seconds is None:
            self._ends.clear()
            return None
        _keep(self._ends, now, now + seconds, AGREEING_SECONDS)
        if now - self._ends[0][0] < AGREEING_SECONDS:
            return None
        ends = [end for _, end in self._ends]
        agree = max(ends) - min(ends) <= max(LOOSE_SECONDS, LOOSE_SHARE * seconds)
        return seconds if agree else None

    def forget(self) -> None:
        """Begin anew: what was seen does not count any more."""
        self._made.clear()
        self._ends.clear()

    def _guess(self, now: float, made: int, calls: int) -> float | None:
        by_budget = self._budget.seconds_for(calls)
        if now - self._limited_at <= PACE_SECONDS:
            return by_budget
        began, before = self._made[0]
        return max(by_budget, calls * (now - began) / (made - before)) if made > before else None


def _keep(seen: deque[tuple[float, N]], now: float, value: N, seconds: float) -> None:
    """Add a value; of those that are older than so many seconds, keep the newest."""
    seen.append((now, value))
    while len(seen) > 1 and now - seen[1][0] >= seconds:
        seen.popleft()
