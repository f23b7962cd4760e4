"""Whether the host answers at all, as the requests of all threads together have seen it."""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING

from tap_datto_rmm.errors import OutageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.http.closing import Closing
    from tap_datto_rmm.http.retry import Again, RetryPolicy


class HostHealth:
    """Tells an outage of the host, which is waited out, from the failure of one request.

    A circuit breaker, at which requests wait instead of failing.

    Where one request fails and no other succeeds, a probe decides: something that anybody may ask
    for at any time. One thread probes; all others wait for what it finds.

    Args:
        policy: says for how long.
        closing: ends the waits.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, policy: RetryPolicy, closing: Closing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know nothing yet."""
        self.answered = False
        """Whether the host has ever sent a response, of whatever status."""
        self.has_succeeded = False
        """Whether any request has ever got what it asked for."""
        self.down_since: float | None = None
        """By the clock; None while the host answers."""
        self._policy = policy
        self._closing = closing
        self._clock = clock
        self._last_success = -math.inf
        self._back_at = -math.inf
        self._ended: OutageError | None = None
        self._probing = Lock()

    def succeeded(self) -> None:
        """Note that a request got what it asked for, or a plain no."""
        self._last_success = self._clock()
        self.has_succeeded = True

    def wait_while_down(self) -> None:
        """Wait as long as the host is known to be down.

        Raises:
            OutageError: it stays so.
        """
        if self.down_since is not None or self._ended:
            with self._probing:
                if self._ended:
                    raise self._ended

    def outlast(self, since: float, failure: Again, probe: Callable[[], Again | None]) -> bool:
        """Find out whether the host is down; if so, wait until it is back.

        Args:
            since: moment from which on the request has failed.
            failure: of the request, the last one.
            probe: asks the host for something that anybody may have; None: it answered.

        Returns:
            Whether it was down. If not, the fault is in the request.

        Raises:
            OutageError: it stays so.
        """
        with self._probing:
            if self._ended:
                raise self._ended
            if self._back_at > since:
                return True
            if self._last_success > since:
                return False
            found = probe()
            if found is None:
                self.succeeded()
                return False
            self.down_since = since
            try:
                self._wait_until_back(since, failure, found, probe)
            finally:
                self.down_since = None
            return True

    def _wait_until_back(
        self, since: float, failure: Again, found: Again, probe: Callable[[], Again | None]
    ) -> None:
        self._closing.warn(
            f"{failure.error} Nothing else succeeds: an outage. All requests wait for its end, "
            f"{_span(self._policy.outage)} at most."
        )
        probes = 1
        latest: Again | None = found
        while latest is not None:
            if self._clock() - since >= self._policy.outage:
                self._ended = outage(failure, self._policy.outage)
                raise self._ended
            self._closing.sleep(max(latest.wait, self._policy.wait_after(probes)))
            latest = probe()
            probes += 1
        self.succeeded()
        self._back_at = self._clock()
        self._closing.warn(f"The outage is over, after {_span(self._back_at - since)}.")


def outage(failure: Again, seconds: float) -> OutageError:
    """Word the end of patience with a host."""
    error = failure.error
    return OutageError(
        f"No request has succeeded for {_span(seconds)}: an outage of the API, or of the way "
        f"to it. Run again later. The last failure: {error}",
        path=error.path,
        status=error.status,
    )


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} s"  # noqa: PLR2004
