"""The HTTP client: one answer for one request, or one typed error.

Its parts are made and put together here; each is a module of its own.
"""

from __future__ import annotations

import time
from copy import copy
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from tap_datto_rmm.http.clock import ServerClock
from tap_datto_rmm.http.closing import Closing
from tap_datto_rmm.http.exchange import Exchanges
from tap_datto_rmm.http.executor import fetch_threads
from tap_datto_rmm.http.health import HostHealth
from tap_datto_rmm.http.retry import RetryPolicy
from tap_datto_rmm.http.retrying import Retrying
from tap_datto_rmm.http.session import Question, Session
from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.waits import ANSWERS, BLOCK, HOST, RATE_LIMIT, RETRIES, Wait, brief

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime, timedelta

    from tap_datto_rmm.http.auth import Token
    from tap_datto_rmm.http.rate_limit import RateLimiter
    from tap_datto_rmm.http.service import Service
    from tap_datto_rmm.http.transport import Response, Transport

Answer = TypeVar("Answer")
P = ParamSpec("P")

SLOW_SECONDS: Final = 5.0
"""An answer that takes longer is worth a word."""


class Client:
    """Fetches JSON from an API for any number of threads.

    Args:
        service: the API.
        transport: makes one exchange.
        limiter: says when a request may leave.
        policy: when to give up.
        parallel: requests under way at once.
        closing: ends the waits; another one in tests, where waiting moves the clock.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        service: Service,
        transport: Transport,
        limiter: RateLimiter,
        *,
        policy: RetryPolicy | None = None,
        parallel: int = 8,
        closing: Closing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet."""
        self.host_url = service.host_url
        self.limiter = limiter
        self.parallel = parallel
        self.executor = fetch_threads(parallel)
        self.counters = Counters()
        """What the whole run did."""
        self._counted: tuple[Counters, ...] = (self.counters,)
        self._transport = transport
        self._clock = clock
        self._closing = closing or Closing()
        self._server_clock = ServerClock()
        policy = policy or RetryPolicy()
        self._health = health = HostHealth(policy, self._closing, clock)
        self._exchanges = exchanges = Exchanges(
            service=service,
            transport=transport,
            limiter=limiter,
            policy=policy,
            parallel=parallel,
            server_clock=self._server_clock,
            health=health,
            closing=self._closing,
            clock=clock,
        )
        self._retrying = Retrying(
            policy, health, lambda: exchanges.probe(self._counted), self._closing.sleep, clock
        )
        self._session = Session(
            service=service,
            exchanges=exchanges,
            retrying=self._retrying,
            health=health,
            closing=self._closing,
            counted=self._counted,
            clock=clock,
        )
        self._before_each_get: list[Callable[[], None]] = []

    def close(self) -> None:
        """End what waits, start nothing more, close idle connections."""
        self._closing.close()
        self.limiter.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    def for_stream(self, counters: Counters) -> Client:
        """Give a view that shares everything, and counts here as well as for the whole run.

        What no one stream needs, such as a new token, is counted for the run alone.
        """
        view = copy(self)
        view._counted = (self.counters, counters)  # noqa: SLF001 - one of us
        return view

    def submit(
        self, fetch: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Run on a thread that fetches; what the client raises comes with the result."""
        return self.executor.submit(fetch, *args, **kwargs)

    def before_each_get(self, do: Callable[[], None]) -> None:
        """Let something be done, on the caller's thread, before each `get`."""
        self._before_each_get.append(do)

    def now(self) -> datetime:
        """The time by the server's clock, or by ours where that is earlier by over an hour."""
        return self._server_clock.now()

    def latest_now(self) -> datetime:
        """The time by the server's clock or by ours, whichever is ahead."""
        return self._server_clock.latest()

    @property
    def clock_offset(self) -> timedelta:
        """How far the server's clock is ahead of ours."""
        return self._server_clock.offset

    @property
    def signed_in(self) -> bool:
        """Whether the API has ever handed out a token."""
        return self._session.tokens.signed_in

    def waits_for(self) -> Wait | None:
        """What the client waits for; None: for answers that take their usual time."""
        now = self._clock()
        if (since := self._health.down_since) is not None:
            return Wait(HOST, f"waiting for the host, since {now - since:.0f} s")
        if (delay := self.limiter.delay) >= 1 or (delay and self.limiter.waiting):
            cause = BLOCK if self._exchanges.is_blocked else RATE_LIMIT
            return Wait(cause, f"waiting {delay:.0f} s for {cause}" if delay >= 1 else "")
        if error := self._retrying.waits_for:
            status = f"HTTP {error.status}" if error.status else "a failure"
            return Wait(RETRIES, f"retrying {brief(error.path or '')} after {status}")
        sent_at, path = self._exchanges.oldest or (now, "")
        if (seconds := now - sent_at) >= SLOW_SECONDS:
            return Wait(ANSWERS, f"waiting for {brief(path)}, since {seconds:.0f} s")
        return None

    def token(self) -> Token:
        """The token in use; fetches one when there is none."""
        return self._session.tokens.current()

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        read: Callable[[Any], Answer] | None = None,
        *,
        patience: float | None = None,
    ) -> Answer:
        """Fetch one answer, waiting for the rate limit and trying again where that may help.

        Args:
            path: path below the service's base, such as `/v2/account`.
            params: query parameters.
            read: makes sense of the decoded JSON, or of `NO_CONTENT` (204); where it raises
                `ApiError`, the answer counts as damaged and is asked for again.
            patience: seconds from a first failure to the last try while other requests succeed,
                where the policy's are too many; 0: one try. An outage of the host is waited out
                all the same.

        Returns:
            What `read` makes of the answer.

        Raises:
            AuthenticationError: a new token was refused as well.
            PermissionDeniedError: 403, and the address is not blocked.
            NotAvailableError: 400, 404 or 410.
            RateLimitError: the limit or the block did not pass in time.
            ApiError: any other 4xx; 5xx, no JSON, or an `error` in the answer, again and again.
            TransportError: no complete answer, again and again.
            OutageError: the host has answered nobody for ten minutes.
            Closed: the client was closed meanwhile.
        """
        for do in self._before_each_get:
            do()
        return self.ask(
            path, params, lambda answer, _: read(answer) if read else answer, patience=patience
        )

    def ask(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        read: Callable[[Any, Response], Answer],
        *,
        patience: float | None = None,
    ) -> Answer:
        """Fetch one answer as `get` does, and read it together with its response."""
        return self._session.ask(Question(path, params, read, self._counted), patience)
