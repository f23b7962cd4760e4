"""The loop around a request: again and again, until it has an answer or is not worth a try."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from tap_datto_rmm.http.health import outage
from tap_datto_rmm.http.retry import Again, Failed, Refused, Success
from tap_datto_rmm.http.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.errors import RequestError
    from tap_datto_rmm.http.health import HostHealth
    from tap_datto_rmm.http.retry import Outcome, RetryPolicy

T = TypeVar("T")

SECOND: Final = 2
"""Failure of a request; the first one may be chance."""


class Retrying:
    """Makes attempts until one succeeds, as long as the policy allows.

    Args:
        policy: says for how long, and how long to wait in between.
        health: tells an outage of the host from the failure of one request.
        probe: asks the host for something that anybody may have; None: it answered.
        sleep: waits.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        health: HostHealth,
        probe: Callable[[], Again | None],
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Try nothing yet."""
        self._policy = policy
        self._health = health
        self._probe = probe
        self._sleep = sleep
        self._clock = clock
        self._waiting: UnderWay[RequestError] = UnderWay()

    def until_answered(
        self,
        attempt: Callable[[], Outcome[T]],
        on_retry: Callable[[RequestError], None],
        patience: float | None = None,
    ) -> T:
        """Make attempts until there is an answer.

        Args:
            attempt: sends the request once.
            on_retry: is told of each failure that another try will follow.
            patience: seconds from the first failure to the last try while others succeed; None:
                the policy's; 0: one try, unless it met an outage.

        Raises:
            RequestError: what the last attempt gave.
            OutageError: the host has answered nobody for as long as the policy waits.
            Closed: the client was closed meanwhile.
        """
        trouble = _Trouble(self._policy, self._clock())
        while True:
            self._health.wait_while_down()
            match attempt():
                case Success(answer):
                    return answer
                case Failed(error):
                    raise error
                case Refused():
                    pass  # the rate limiter holds it back
                case Again(error) as failure:
                    seconds = self._seconds_to_wait(failure, trouble, patience)
                    on_retry(error)
                    with self._waiting.noted(error):
                        self._sleep(seconds)

    @property
    def waits_for(self) -> RequestError | None:
        """The failure after which a request waits for its next try; None where none does."""
        return self._waiting.oldest

    def _seconds_to_wait(self, failure: Again, trouble: _Trouble, patience: float | None) -> float:
        """Give the seconds until the next try.

        Raises:
            RequestError: it is not worth one.
        """
        allowed, failed_before = self._patience(failure, patience), trouble.last_at
        seconds = trouble.add(failure, allowed, self._clock())
        if trouble.is_doubtful(seconds) and self._was_down(failed_before, failure):
            trouble.forget(self._clock())
            return 0.0
        if seconds is None:
            raise self._last_word(failure, allowed)
        return seconds

    def _patience(self, failure: Again, asked: float | None) -> float:
        """Give the seconds that a failing request is worth."""
        if self._health.has_succeeded:
            return self._policy.patience if asked is None else asked
        status = failure.error.status or 0
        is_up = status >= HTTPStatus.INTERNAL_SERVER_ERROR  # the right host, at a bad time
        return self._policy.outage if is_up else self._policy.first_patience

    def _was_down(self, since: float, failure: Again) -> bool:
        """Find out whether the host is down, and wait until it is back."""
        return self._health.has_succeeded and self._health.outlast(since, failure, self._probe)

    def _last_word(self, failure: Again, allowed: float) -> RequestError:
        if not self._health.has_succeeded and allowed == self._policy.outage:
            return outage(failure, allowed)
        return failure.error


class _Trouble:
    """What one request has gone through so far."""

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self._policy = policy
        self.forget(now)

    def forget(self, now: float) -> None:
        """Begin anew."""
        self._failures = 0
        self._spent = 0.0
        self.last_at = now
        """When it failed last; before it has, when it was asked for."""

    def add(self, failure: Again, patience: float, now: float) -> float | None:
        """Give the seconds to wait before the next try; None: it is not worth one.

        What the rate limiter makes a request wait costs no patience.
        """
        self._failures += 1
        if self._failures > 1:
            self._spent += failure.seconds
        self.last_at = now
        left = patience - self._spent
        if left <= 0 or failure.wait > left:
            return None
        wait = min(max(failure.wait, self._policy.wait_after(self._failures)), left)
        self._spent += wait
        return wait

    def is_doubtful(self, wait: float | None) -> bool:
        """Whether to ask if the fault is the host's: at the second failure, and before the end."""
        return wait is None or self._failures == SECOND
