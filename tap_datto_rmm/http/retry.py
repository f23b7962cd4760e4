"""Retries: what may have come of a request, and how long it is worth trying again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.errors import RequestError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Success(Generic[T]):
    """An answer."""

    value: T


@dataclass(frozen=True, slots=True)
class Again:
    """A failure that may pass: the same request may be sent again after a while."""

    error: RequestError
    """What to raise if it does not pass."""
    wait: float = 0.0
    """Seconds that the server asked for."""
    seconds: float = 0.0
    """That the exchange took."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now: the same request is to be sent again as soon as the rate limiter lets it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure that stays."""

    error: RequestError


Outcome: TypeAlias = Success[T] | Again | Refused | Failed

REFUSED: Final = Refused()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long the client tries again before it gives up; all in seconds."""

    patience: float = 50.0
    """From the first failure of a request to its last try, while others succeed: with that try
    it costs a minute at most, unless it hangs."""
    first_patience: float = 10.0
    """The same as long as nothing has succeeded: rather a setting that is wrong."""
    outage: float = 600.0
    """Wait for a host that answers nobody."""
    longest_wait: float = 15.0
    """Waits grow exponentially, with full jitter, up to here."""
    window: float = 60.0
    """The server's rolling window, and the pause after a 429 that names none."""
    block: float = 300.0
    """The pause when the server blocks this machine's address, where it names none."""
    refused: float = 1200.0
    """Refusals (429, the block) and nothing else for so long end the run."""
    jitter: Callable[[float], float] = backoff.full_jitter
    """Draws the wait from its ceiling.

    Of `backoff` no more is used: its decorators wait in `time.sleep`, which closing the client
    could not end."""

    def wait_after(self, failures: int) -> float:
        """Draw the wait after so many failures in a row, 1 or more."""
        return self.jitter(min(self.longest_wait, 2.0 ** (failures - 1)))
