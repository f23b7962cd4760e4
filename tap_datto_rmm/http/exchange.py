"""One request, when its turn has come, and what its response means for all the others."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from tap_datto_rmm.http.failures import blocked, no_response, rate_limited, unreachable
from tap_datto_rmm.http.responses import outcome_of, retry_after
from tap_datto_rmm.http.retry import REFUSED, Again, Failed, Success
from tap_datto_rmm.http.transport import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_datto_rmm.errors import RateLimitError
    from tap_datto_rmm.http.clock import ServerClock
    from tap_datto_rmm.http.closing import Closing
    from tap_datto_rmm.http.outage import HostWatch
    from tap_datto_rmm.http.rate_limit import RateLimiter
    from tap_datto_rmm.http.retry import Outcome, Refused, RetryPolicy
    from tap_datto_rmm.http.service import Service
    from tap_datto_rmm.http.transport import Request, Response, Transport
    from tap_datto_rmm.telemetry.counters import Counters


class Exchanges:
    """Sends requests of any number of threads, no more at once than allowed, none too soon.

    Where the server refuses one (429, or a block of this machine's address), all wait.

    Args:
        service: that is asked.
        transport: makes the exchanges.
        limiter: says when.
        policy: how long a pause may last.
        parallel: requests under way at once.
        server_clock: hears what time it is there.
        watch: is told that the host answers.
        closing: ends it all.
        clock: seconds that never run backwards.
    """

    def __init__(  # noqa: PLR0913 - the parts of a client, put together in one place
        self,
        service: Service,
        transport: Transport,
        limiter: RateLimiter,
        *,
        policy: RetryPolicy,
        parallel: int,
        server_clock: ServerClock,
        watch: HostWatch,
        closing: Closing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send nothing yet."""
        self._service = service
        self._transport = transport
        self._limiter = limiter
        self._policy = policy
        self._server_clock = server_clock
        self._watch = watch
        self._closing = closing
        self._clock = clock
        self._slots = BoundedSemaphore(parallel)  # the main thread sends requests too
        self._asking = Lock()
        self._blocked_at = -math.inf

    def send(self, request: Request, where: str, counted: Sequence[Counters]) -> Outcome[Response]:
        """Send a request when its turn has come.

        Args:
            request: to send.
            where: path, for errors and the log.
            counted: what counts it.

        Returns:
            The response, whatever its status; `Refused`, where the server refused it and everybody
            waits now.

        Raises:
            Closed: the client was closed.
            RateLimitError: another request found that refusals do not end.
        """
        with self._slots, self._limiter.turn() as turn:
            for counters in counted:
                counters.add(waited=turn.waited)
            sent_at = self._clock()
            reply = self._exchange(request, counted)
            if isinstance(reply, Lost):
                return self._without_response(reply, where)
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                return self._heed_the_limit(reply, where, counted)
            if reply.status == HTTPStatus.FORBIDDEN:
                verdict = self._heed_the_block(where, sent_at, counted)
                if verdict is not None:
                    return verdict
            return Success(replace(reply, before=turn.before))

    def probe(self, counted: Sequence[Counters]) -> Again | None:
        """Ask for what anybody may have, whatever the limit; None where the host answered."""
        with self._slots:
            reply = self._ask_in_public(counted)
        where = self._service.public_path
        if isinstance(reply, Lost):
            return Again(no_response(reply, where, self._service.advice), seconds=reply.seconds)
        outcome = outcome_of(reply, where, self._service)
        return outcome if isinstance(outcome, Again) else None

    def _exchange(self, request: Request, counted: Sequence[Counters]) -> Response | Lost:
        for counters in counted:
            counters.add(calls=1)
        reply = self._transport.send(request)
        self._closing.check()
        if not isinstance(reply, Lost):
            self._watch.answered = True
            self._server_clock.hear(reply.headers)
        return reply

    def _ask_in_public(self, counted: Sequence[Counters]) -> Response | Lost:
        self._limiter.count()
        return self._exchange(self._service.request(self._service.public_path), counted)

    def _without_response(self, lost: Lost, where: str) -> Again | Failed:
        """Tell what may pass from what a setting or the network keeps from ever working."""
        cause, advice = lost.cause, self._service.advice
        if cause.is_final or not (cause.passes or self._watch.answered):
            return Failed(unreachable(lost, where, advice))
        return Again(no_response(lost, where, advice), seconds=lost.seconds)

    def _heed_the_limit(
        self, response: Response, where: str, counted: Sequence[Counters]
    ) -> Refused | Failed:
        for counters in counted:
            counters.add(refusals=1)
        seconds = retry_after(response)
        refused_for = self._limiter.refused_for
        if (
            refused_for + (self._policy.window if seconds is None else seconds)
            > self._policy.refused
        ):
            return self._give_up(rate_limited(where, refused_for, self._service.advice))
        return self._tell(self._limiter.refuse(seconds), f"HTTP 429 on {where}")

    def _heed_the_block(
        self, where: str, sent_at: float, counted: Sequence[Counters]
    ) -> Again | Refused | Failed | None:
        """Tell a missing permission (None) from the block of this address, by the public path."""
        with self._asking:
            if self._blocked_at > sent_at:
                return REFUSED
            reply, public = self._ask_in_public(counted), self._service.public_path
            if isinstance(reply, Lost):
                return self._without_response(reply, public)
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                return self._heed_the_limit(reply, public, counted)
            return self._block(reply, where) if reply.status == HTTPStatus.FORBIDDEN else None

    def _block(self, response: Response, where: str) -> Refused | Failed:
        self._blocked_at = self._clock()
        error = blocked(where, self._service.advice)
        if not self._watch.has_succeeded:
            return Failed(error)
        seconds = retry_after(response) or self._policy.block
        if self._limiter.refused_for + seconds > self._policy.refused:
            return self._give_up(error)
        why = "HTTP 403 on every path: the IP address is blocked"
        return self._tell(self._limiter.pause(seconds), why)

    def _give_up(self, error: RateLimitError) -> Failed:
        self._limiter.close(error)
        return Failed(error)

    def _tell(self, seconds: float, why: str) -> Refused:
        if seconds:
            self._closing.warn(f"{why}: all requests wait {seconds:.0f} s, then go slower")
        return REFUSED
