"""The account-wide rate limit: a rolling window, a slow-down, refusals, and a block of who goes on.

Source: the vendor's help page (600 reads in 60 s, 1 s delay above 90 %, 429, then 403 and five
minutes of waiting). How many refusals lead to the block is nowhere said: `block_after` is our own.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CUT_OFF_RATIO = 0.9
UNLIMITED = 1_000_000
"""What the rate status tells as the limit where the sandbox has none."""


class Verdict(Enum):
    """What happens to a call."""

    FREE = "free"
    SLOW = "slow"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass(slots=True)
class RateLimit:
    """Counts calls and says what happens to the next one.

    Served and failed calls count; refused ones do not, but too many of them in a window block.

    Attributes:
        limit: Calls in a window; 0 for no limit.
        window: Seconds.
        slow_down_seconds: The delay above 90 % of the limit.
        block_after: Refusals in a window that lead to a block.
        block_seconds: How long it lasts.
        other_rate: Calls a minute of another client of the account, since `set_other`.
        clock: Seconds that only go forward.
    """

    limit: int
    window: float
    slow_down_seconds: float
    block_after: int
    block_seconds: float
    other_rate: float = 0.0
    clock: Callable[[], float] = time.monotonic
    _calls: deque[float] = field(default_factory=deque)
    _refused: deque[float] = field(default_factory=deque)
    _blocked_until: float = 0.0
    _other_since: float = 0.0

    def __post_init__(self) -> None:
        """Let the other client begin a full window ago."""
        self.set_other(self.other_rate)

    def set_other(self, rate: float) -> None:
        """Let another client of the account make calls, as if it had all along.

        Args:
            rate: Calls a minute.
        """
        self.other_rate = rate
        self._other_since = self.clock() - self.window

    def arrive(self) -> Verdict:
        """Count a call.

        Returns:
            What happens to it.
        """
        now = self.clock()
        if self._blocked_until > now:
            return Verdict.BLOCKED
        count = self.count()
        if self.limit and count >= self.limit:
            self._refused.append(now)
            _forget(self._refused, now - self.window)
            if len(self._refused) >= self.block_after:
                self._blocked_until = now + self.block_seconds
                self._refused.clear()
            return Verdict.REFUSED
        self._calls.append(now)
        if self.limit and count + 1 > self.limit * CUT_OFF_RATIO:
            return Verdict.SLOW
        return Verdict.FREE

    @property
    def is_blocked(self) -> bool:
        """Whether every call is answered with 403 now."""
        return self._blocked_until > self.clock()

    def count(self) -> int:
        """The calls of the last window, the other client's too.

        Returns:
            A number that may pass the limit where the other client alone does.
        """
        now = self.clock()
        _forget(self._calls, now - self.window)
        elapsed = min(now - self._other_since, self.window)
        return len(self._calls) + int(self.other_rate * elapsed / 60)

    def reset(self) -> None:
        """Forget all calls, refusals and the block."""
        self._calls.clear()
        self._refused.clear()
        self._blocked_until = 0.0


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()
