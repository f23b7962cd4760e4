"""One request, when its turn has come, and what its response means for all the others."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from tap_datto_rmm.http.failures import blocked, no_response, rate_limited, unreachable
from tap_datto_rmm.http.responses import outcome_of, retry_after
from tap_datto_rmm.http.retry import REFUSED, Again, Failed, Success
from tap_datto_rmm.http.transport import Lost
from tap_datto_rmm.http.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_datto_rmm.errors import RateLimitError
    from tap_datto_rmm.http.clock import ServerClock
    from tap_datto_rmm.http.closing import Closing
    from tap_datto_rmm.http.health import HostHealth
    from tap_datto_rmm.http.rate_limit import RateLimiter
    from tap_datto_rmm.http.retry import Outcome, Refused, RetryPolicy
    from tap_datto_rmm.http.service import Service
    from tap_datto_rmm.http.transport import Request, Response, Transport
    from tap_datto_rmm.telemetry.counters import Counters


@dataclass(slots=True, kw_only=True, eq=False)
class Exchanges:
    """Sends requests of any number of threads, no more at once than allowed, none too soon.

    Where the server refuses one (429, or a block of this machine's address), all wait.
    """

    service: Service
    """That is asked."""
    transport: Transport
    """Makes the exchanges."""
    limiter: RateLimiter
    """Says when."""
    policy: RetryPolicy
    """Says how long a pause may last."""
    parallel: int
    """Requests under way at once."""
    server_clock: ServerClock
    """Hears what time it is there."""
    health: HostHealth
    """Is told that the host answers."""
    closing: Closing
    """Ends it all."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that never run backwards."""
    _under_way: UnderWay[tuple[float, str]] = field(init=False, default_factory=UnderWay)
    _slots: BoundedSemaphore = field(init=False)
    _asking: Lock = field(init=False, default_factory=Lock)
    _blocked_at: float = field(init=False, default=-math.inf)

    def __post_init__(self) -> None:
        """Make room for so many requests: those of the main thread are among them."""
        self._slots = BoundedSemaphore(self.parallel)

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
        with self._slots, self.limiter.turn() as turn:
            for counters in counted:
                counters.add(waited=turn.waited)
            sent_at = self.clock()
            with self._under_way.noted((sent_at, where)):
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

    @property
    def oldest(self) -> tuple[float, str] | None:
        """When the request was sent that has waited longest for its response, and for what path."""
        return self._under_way.oldest

    @property
    def is_blocked(self) -> bool:
        """Whether the server blocks this machine's address, as far as is known."""
        return self._blocked_at > -math.inf and self.limiter.refused_for > 0

    def probe(self, counted: Sequence[Counters]) -> Again | None:
        """Ask for what anybody may have, whatever the limit; None where the host answered."""
        with self._slots:
            reply = self._ask_in_public(counted)
        where = self.service.public_path
        if isinstance(reply, Lost):
            return Again(no_response(reply, where, self.service.advice), seconds=reply.seconds)
        outcome = outcome_of(reply, where, self.service)
        return outcome if isinstance(outcome, Again) else None

    def _exchange(self, request: Request, counted: Sequence[Counters]) -> Response | Lost:
        for counters in counted:
            counters.add(calls=1)
        reply = self.transport.send(request)
        self.closing.check()
        if not isinstance(reply, Lost):
            self.health.answered = True
            self.server_clock.hear(reply.headers)
        return reply

    def _ask_in_public(self, counted: Sequence[Counters]) -> Response | Lost:
        self.limiter.count()
        return self._exchange(self.service.request(self.service.public_path), counted)

    def _without_response(self, lost: Lost, where: str) -> Again | Failed:
        """Tell what may pass from what a setting or the network keeps from ever working."""
        cause, advice = lost.cause, self.service.advice
        if cause.is_final or not (cause.passes or self.health.answered):
            return Failed(unreachable(lost, where, advice))
        return Again(no_response(lost, where, advice), seconds=lost.seconds)

    def _heed_the_limit(
        self, response: Response, where: str, counted: Sequence[Counters]
    ) -> Refused | Failed:
        for counters in counted:
            counters.add(refusals=1)
        seconds = retry_after(response)
        refused_for = self.limiter.refused_for
        if refused_for + (self.policy.window if seconds is None else seconds) > self.policy.refused:
            return self._give_up(rate_limited(where, refused_for, self.service.advice))
        return self._tell(self.limiter.refuse(seconds), f"HTTP 429 on {where}")

    def _heed_the_block(
        self, where: str, sent_at: float, counted: Sequence[Counters]
    ) -> Again | Refused | Failed | None:
        """Tell a missing permission (None) from the block of this address, by the public path."""
        with self._asking:
            if self._blocked_at > sent_at:
                return REFUSED
            reply, public = self._ask_in_public(counted), self.service.public_path
            if isinstance(reply, Lost):
                return self._without_response(reply, public)
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                return self._heed_the_limit(reply, public, counted)
            return self._block(reply, where) if reply.status == HTTPStatus.FORBIDDEN else None

    def _block(self, response: Response, where: str) -> Refused | Failed:
        self._blocked_at = self.clock()
        error = blocked(where, self.service.advice)
        if not self.health.has_succeeded:
            return Failed(error)
        seconds = retry_after(response) or self.policy.block
        if self.limiter.refused_for + seconds > self.policy.refused:
            return self._give_up(error)
        why = "HTTP 403 on every path: the IP address is blocked"
        return self._tell(self.limiter.pause(seconds), why)

    def _give_up(self, error: RateLimitError) -> Failed:
        self.limiter.close(error)
        return Failed(error)

    def _tell(self, seconds: float, why: str) -> Refused:
        if seconds:
            self.closing.warn(f"{why}: all requests wait {seconds:.0f} s, then go slower")
        return REFUSED
