"""The loop around a request: again and again, until it has an answer or is not worth a try."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from tap_datto_rmm.http.outage import outage
from tap_datto_rmm.http.retry import Again, Failed, Success

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.errors import RequestError
    from tap_datto_rmm.http.outage import HostWatch
    from tap_datto_rmm.http.retry import Outcome, RetryPolicy

T = TypeVar("T")


class Persistence:
    """Makes attempts until one succeeds, as long as the policy allows.

    Args:
        policy: says for how long, and how long to wait in between.
        watch: tells an outage of the host from the failure of one request.
        probe: asks the host for something that anybody may have; None: it answered.
        sleep: waits.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        watch: HostWatch,
        probe: Callable[[], Again | None],
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Try nothing yet."""
        self._policy = policy
        self._watch = watch
        self._probe = probe
        self._sleep = sleep
        self._clock = clock

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
                the policy's; 0: one try.

        Raises:
            RequestError: what the last attempt gave.
            OutageError: the host has answered nobody for as long as the policy waits.
            Closed: the client was closed meanwhile.
        """
        trouble = _Trouble(self._policy)
        while True:
            self._watch.wait_while_down()
            outcome = attempt()
            if isinstance(outcome, Success):
                return outcome.value
            if isinstance(outcome, Failed):
                raise outcome.error
            if isinstance(outcome, Again):
                allowed = self._patience(outcome, patience)
                since, wait = trouble.last_at, trouble.add(outcome, allowed, self._clock())
                if trouble.is_doubtful(wait) and self._was_down(since, outcome):
                    trouble, wait = _Trouble(self._policy), 0.0
                if wait is None:
                    raise self._last_word(outcome, allowed)
                on_retry(outcome.error)
                self._sleep(wait)
            # Where it was refused, the rate limiter holds it back.

    def _patience(self, failure: Again, asked: float | None) -> float:
        """Give the seconds that a failing request is worth."""
        if self._watch.has_succeeded:
            return self._policy.patience if asked is None else asked
        status = failure.error.status or 0
        is_up = status >= HTTPStatus.INTERNAL_SERVER_ERROR  # the right host, at a bad time
        return self._policy.outage if is_up else self._policy.first_patience

    def _was_down(self, since: float, failure: Again) -> bool:
        """Find out whether the host is down, and wait until it is back."""
        return self._watch.has_succeeded and self._watch.outlast(since, failure, self._probe)

    def _last_word(self, failure: Again, allowed: float) -> RequestError:
        if not self._watch.has_succeeded and allowed == self._policy.outage:
            return outage(failure, allowed)
        return failure.error


class _Trouble:
    """What one request has gone through so far."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._spent = 0.0
        self.last_at = 0.0
        """When it failed last."""

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
        """Whether the fault may not be the request's: at the second failure, and before the end."""
        return self._failures == 2 or (self._failures > 1 and wait is None)  # noqa: PLR2004
