"""The HTTP client: one answer for one request, or one typed error.

Its parts are made and put together here; each is a module of its own.
"""

from __future__ import annotations

import time
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tap_datto_rmm.errors import ApiError
from tap_datto_rmm.http.asker import Asker, Question
from tap_datto_rmm.http.clock import ServerClock
from tap_datto_rmm.http.closing import Closing
from tap_datto_rmm.http.exchange import Exchanges
from tap_datto_rmm.http.executor import fetch_threads
from tap_datto_rmm.http.outage import HostWatch
from tap_datto_rmm.http.persistence import Persistence
from tap_datto_rmm.http.retry import RetryPolicy
from tap_datto_rmm.telemetry.counters import Counters

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
        policy = policy or RetryPolicy()
        self.host_url = service.host_url
        self.limiter = limiter
        self.parallel = parallel
        self.executor = fetch_threads(parallel)
        self.counters = Counters()
        """What the whole run did."""
        self._counted: tuple[Counters, ...] = (self.counters,)
        self._service = service
        self._transport = transport
        self._closing = closing or Closing()
        self._server_clock = ServerClock()
        self._watch = HostWatch(policy, self._closing, clock)
        self._exchanges = Exchanges(
            service,
            transport,
            limiter,
            policy=policy,
            parallel=parallel,
            server_clock=self._server_clock,
            watch=self._watch,
            closing=self._closing,
            clock=clock,
        )
        persistence = Persistence(
            policy,
            self._watch,
            probe=lambda: self._exchanges.probe((self.counters,)),
            sleep=self._closing.sleep,
            clock=clock,
        )
        self._asker = Asker(
            service,
            self._exchanges,
            persistence,
            watch=self._watch,
            closing=self._closing,
            counted=self._counted,
            clock=clock,
        )
        self._before_each_get: list[Callable[[], None]] = []
        self._early: dict[object, Future[Any]] = {}
        self.page_size = 250

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

    def look_ahead(self, path: str, params: Mapping[str, Any] | None = None) -> None:
        """Fetch an answer that `get` will be asked for later; an error surfaces then."""
        key = _key(path, params)
        self._early[key] = self.submit(self.ask, path, params, lambda answer, _: answer)

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
        return self._asker.tokens.signed_in

    def token(self) -> Token:
        """The token in use; fetches one when there is none."""
        return self._asker.tokens.current()

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
            read: makes sense of the decoded JSON, which is None for null and for a response
                without content (204); where it raises `ApiError`, the answer counts as damaged and
                is asked for again.
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
        early = self._early.pop(_key(path, params), None)
        if early is not None:
            answer = early.result()
            with suppress(ApiError):
                return read(answer) if read else answer
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
        return self._asker.ask(Question(path, params, read, self._counted), patience)


def _key(path: str, params: Mapping[str, Any] | None) -> object:
    return path, frozenset((params or {}).items())
