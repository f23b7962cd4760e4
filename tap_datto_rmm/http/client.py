"""The HTTP client: one answer for one request, or one typed error.

Everything that may go wrong between a request and its decoded answer is decided here, once for all
streams: pace, token, retries, the IP block, bodies that are no JSON.
"""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from threading import BoundedSemaphore, Event, Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, ParamSpec, TypeVar

import backoff
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from typing_extensions import override
from urllib3.exceptions import HTTPError

from tap_datto_rmm.errors import (
    ApiError,
    NotAvailableError,
    PermissionDeniedError,
    RateLimitError,
    TransportError,
)
from tap_datto_rmm.http.auth import CLIENT, TOKEN_PATH, Token, TokenSource, refused
from tap_datto_rmm.http.executor import fetch_threads
from tap_datto_rmm.http.rate_limit import WINDOW_SECONDS, Closed, RateLimiter
from tap_datto_rmm.http.responses import (
    PASSING_STATUSES,
    Again,
    Reply,
    answer_of,
    blocked,
    date_of,
    not_authorized,
    not_permitted,
    rate_limited,
    retry_after,
    transport_error,
)
from tap_datto_rmm.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from urllib3 import BaseHTTPResponse

    from tap_datto_rmm.settings import Settings

logger = logging.getLogger("tap-datto-rmm")

RATE_STATUS_PATH: Final = "/v2/system/request_rate"
PUBLIC_PATH: Final = "/v2/system/status"
"""Answers without a token, so only a blocked address gets a 403 from it."""

CALLS_PER_CALIBRATION: Final = 120
CONNECT_SECONDS: Final = 10.0
"""Time for a connection; `request_timeout`, if shorter, counts instead."""
CHUNK: Final = 1 << 18

Answer = TypeVar("Answer")
P = ParamSpec("P")


def _as_it_is(answer: Any) -> Any:  # noqa: ANN401 - JSON
    return answer


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long the client tries again before it gives up."""

    tries: int = 7
    """Requests made for one answer where the server or the network fails."""
    first_tries: int = 4
    """The same while the host has not answered anything yet: rather a setting that is wrong."""
    longest_wait: float = 60.0
    """Seconds; waits grow exponentially with full jitter up to here."""
    window_seconds: float = WINDOW_SECONDS
    """The vendor's window, and the wait after a 429 that names none."""
    block_seconds: float = 305.0
    """The vendor's IP block lasts 5 minutes."""
    refused_seconds: float = 1200.0
    """Refusals (429, the block) and nothing else for so long end the run: three blocks."""
    calibration_seconds: float = 20.0
    """At least so long from one look at the account's use of its limit to the next."""


class Quota(NamedTuple):
    """The account's request limit, and what is used of it."""

    limit: int
    """Requests a minute, all clients together, above which the API refuses."""
    slow_from: int
    """Requests a minute from which on it answers more slowly."""
    used: int
    """Requests in the last minute."""
    others: int
    """Those of them that the tap did not make, at most: the one that asked is among them."""


class _Refused(Exception):  # noqa: N818 - a signal, never shown
    """This request is to be sent again as soon as the budget allows."""


@dataclass(slots=True)
class _Shared:
    """What a client learns, together with the views of it."""

    answered: bool = False
    blocked_at: float = -math.inf
    clock_offset: timedelta = field(default_factory=timedelta)
    calibrates: bool = True
    calls_at_calibration: int | None = None
    calibrated_at: float = -math.inf


class Client:
    """Fetches JSON from the API for any number of threads.

    Args:
        settings: where, as whom, how fast.
        patience: when to give up.
    """

    def __init__(self, settings: Settings, patience: Patience | None = None) -> None:
        """Open nothing yet."""
        self.host_url = settings.host_url
        self.page_size = settings.page_size
        self.parallel = settings.max_parallel_requests
        self._patience = patience or Patience()
        self.limiter = RateLimiter(
            settings.max_requests_per_minute, window=self._patience.window_seconds
        )
        self.counters = Counters()
        """What the whole run did."""
        self._counted: tuple[Counters, ...] = (self.counters,)
        self._shared = _Shared()
        self._timeout = settings.request_timeout
        self._tokens = TokenSource(settings.api_key, settings.api_secret, self._post_token_form)
        self._session = _session(settings)
        self._lock = Lock()
        self._probing = Lock()
        self._closed = Event()
        self._early: dict[object, Future[Any]] = {}
        self._slots = BoundedSemaphore(self.parallel)  # the main thread sends requests too
        self.executor = fetch_threads(self.parallel)

    def close(self) -> None:
        """End what waits, start nothing more, close idle connections."""
        with self._lock:
            self._closed.set()
        self.limiter.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def for_stream(self, counters: Counters) -> Client:
        """Give a view that shares everything, and counts here as well as for the whole run.

        A new token is counted for the run alone: no one stream needs it.
        """
        view = copy(self)
        view._counted = (self.counters, counters)  # noqa: SLF001 - one of us
        return view

    def submit(
        self, fetch: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Run on a thread that fetches; what the client raises comes with the result."""
        return self.executor.submit(fetch, *args, **kwargs)

    def now(self) -> datetime:
        """The time by the API's clock (its `Date` header); by ours until it has answered."""
        return datetime.now(UTC) + self._shared.clock_offset

    @property
    def signed_in(self) -> bool:
        """Whether the API has ever handed out a token."""
        return self._tokens.signed_in

    @property
    def clock_offset(self) -> timedelta:
        """How far the API's clock is ahead of ours."""
        return self._shared.clock_offset

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        read: Callable[[Any], Answer] = _as_it_is,
    ) -> Answer:
        """Fetch one answer, waiting for the budget and trying again where that may help.

        Args:
            path: path below `/api`, such as `/v2/account`.
            params: query parameters.
            read: makes sense of the decoded JSON; where it raises `ApiError`, the answer counts as
                damaged and is asked for again.

        Returns:
            What `read` makes of the answer.

        Raises:
            AuthenticationError: a new token was refused as well.
            PermissionDeniedError: 403, and the address is not blocked.
            NotAvailableError: 404 or 400.
            RateLimitError: the limit or the block did not pass in time.
            ApiError: 5xx, no JSON, or an `error` in the answer, again and again.
            TransportError: no complete answer, again and again.
            Closed: the client was closed meanwhile.
        """
        early = self._early.pop(_request_key(path, params), None)
        if early is not None:
            answer = early.result()
            with suppress(ApiError):
                return read(answer)
        self._calibrate_when_due()
        return self._get(path, params, lambda answer, _: read(answer))

    def look_ahead(self, path: str, params: Mapping[str, Any] | None = None) -> None:
        """Fetch an answer that `get` will be asked for later, while others are being read.

        An error surfaces when it is asked for.
        """
        key = _request_key(path, params)
        self._early[key] = self.submit(self._get, path, params, lambda answer, _: answer)

    def quota(self, tries: int | None = None) -> Quota:
        """Ask what the account's clients used of its limit in the last minute.

        The budget leaves room for the other ones.

        Args:
            tries: requests made for an answer; without it as many as for any other.

        Raises:
            RequestError: as `get`.
        """
        self._shared.calls_at_calibration, self._shared.calibrated_at = (
            self.counters.calls,
            time.monotonic(),
        )
        quota = _quota(*self._get(RATE_STATUS_PATH, None, lambda *both: both, tries))
        if self.limiter.leave_room_for(quota.others, quota.limit, quota.slow_from):
            logger.info(
                "Other clients made %d of the account's %d requests a minute: the tap uses %d",
                quota.others,
                quota.limit,
                self.limiter.ceiling,
            )
        return quota

    def token(self) -> Token:
        """The token in use; fetches one when there is none."""
        return self._tokens.current()

    # From here on: one request, and what may go wrong with it.

    def _get(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        read: Callable[[Any, Reply], Answer],
        tries: int | None = None,
    ) -> Answer:
        renewed = False

        def attempt() -> Answer:
            nonlocal renewed
            token = self._tokens.current()
            url = f"{self.host_url}/api{path}"
            reply = self._exchange("GET", url, path, auth=_Bearer(token), params=params)
            if reply.status == HTTPStatus.UNAUTHORIZED:
                is_news = self._tokens.discard(token)  # otherwise it was known to be bad
                if renewed and is_news:
                    raise not_authorized(path)
                renewed = True
                raise _Refused
            renewed = False
            if reply.status == HTTPStatus.FORBIDDEN:
                raise not_permitted(path)
            answer = answer_of(reply, path)
            try:
                return read(answer, reply)
            except ApiError as error:
                raise Again(error) from None

        return self._retrying(attempt, tries)

    def _post_token_form(self, form: Mapping[str, str]) -> object:
        def attempt() -> object:
            self._count(tokens=1)
            url = f"{self.host_url}{TOKEN_PATH}"
            reply = self._exchange("POST", url, TOKEN_PATH, auth=HTTPBasicAuth(*CLIENT), data=form)
            if reply.status in _CREDENTIALS_REFUSED:
                raise refused(reply.status)
            return answer_of(reply, TOKEN_PATH)

        return self._retrying(attempt)

    def _retrying(self, attempt: Callable[[], Answer], tries: int | None = None) -> Answer:
        """Call until it answers; where it fails, with exponential back-off and full jitter."""

        def until_let_in() -> Answer:
            while True:
                with suppress(_Refused):
                    return attempt()

        again = backoff.on_exception(
            backoff.constant,
            Again,
            interval=0,  # `_before_retry` waits, so that closing the client ends the wait
            jitter=None,
            max_tries=tries or self._patience.tries,
            on_backoff=self._before_retry,
            logger=None,
        )
        try:
            return again(until_let_in)()
        except Again as last:
            raise last.error from None

    def _before_retry(self, details: Mapping[str, Any]) -> None:
        failed, failures = details["exception"], details["tries"]
        if failures >= self._tries:
            raise failed.error from None
        self._count(retries=1)
        self._tell(f"{failed} Trying again.")
        ceiling = min(self._patience.longest_wait, 2.0 ** (failures - 1))
        self._rest(max(failed.wait, backoff.full_jitter(ceiling)))

    @property
    def _tries(self) -> int:
        return self._patience.tries if self._shared.answered else self._patience.first_tries

    def _tell(self, line: str) -> None:
        """Write a line to the log, unless its last lines have been written."""
        with self._lock:
            if self._closed.is_set():
                raise Closed from None
            logger.warning(line)

    def _rest(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise Closed

    def _exchange(
        self,
        method: str,
        url: str,
        where: str,
        **request: Any,  # noqa: ANN401 - what requests takes
    ) -> Reply:
        """Send a request when its turn has come, and pause everything where the API refuses it."""
        with self._slots, self.limiter.turn() as turn:
            self._count(waited=turn.waited)
            sent_at = time.monotonic()
            reply = self._send(method, url, where, **request)._replace(before=turn.before)
            if self._closed.is_set():
                raise Closed
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._heed_the_limit(reply, where)
            if reply.status == HTTPStatus.FORBIDDEN:
                self._heed_the_block(reply, where, sent_at)
        return reply

    def _send(
        self,
        method: str,
        url: str,
        where: str,
        **request: Any,  # noqa: ANN401 - what requests takes
    ) -> Reply:
        self._count(calls=1)
        deadline = time.monotonic() + self._timeout
        try:
            with self._session.request(
                method,
                url,
                timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
                **request,
            ) as response:
                self._shared.answered = True
                self._read_clock(response.headers)
                body = _read(response.raw, deadline)
        except (OSError, HTTPError, ValueError) as error:  # requests' own are among the first
            raise Again(transport_error(error, where, self._timeout)) from None
        return Reply(response.status_code, response.headers, body)

    def _heed_the_limit(self, reply: Reply, where: str) -> NoReturn:
        self._count(refusals=1)
        seconds = retry_after(reply)
        self._pause(
            self._patience.window_seconds if seconds is None else max(seconds, 1.0),
            f"HTTP 429 on {where}",
            rate_limited(where, self.limiter.refused_for),
        )

    def _heed_the_block(self, reply: Reply, where: str, sent_at: float) -> None:
        """Tell a missing permission (return) from the IP block (pause), by the public path."""
        with self._probing:
            if self._shared.blocked_at > sent_at:
                raise _Refused
            self.limiter.count()
            public = f"{self.host_url}/api{PUBLIC_PATH}"
            probe = self._send("GET", public, PUBLIC_PATH, auth=_Bearer(None))
            if probe.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._heed_the_limit(probe, PUBLIC_PATH)
            if probe.status != HTTPStatus.FORBIDDEN:
                return
            self._shared.blocked_at = time.monotonic()
            error = blocked(where)
            if not self.signed_in:
                raise error
            seconds = retry_after(reply) or self._patience.block_seconds
            self._pause(seconds, "HTTP 403 on every path: the IP address is blocked", error)

    def _pause(self, seconds: float, why: str, error: RateLimitError) -> NoReturn:
        """Let all threads wait, then send this request again; give up for all if that goes on."""
        if self.limiter.refused_for + seconds > self._patience.refused_seconds:
            self.limiter.close(error)
            raise error
        if self.limiter.pause(seconds):
            self._tell(f"{why}: all requests wait {seconds:.0f} s, then go slower")
        raise _Refused

    def _count(
        self,
        *,
        calls: int = 0,
        tokens: int = 0,
        retries: int = 0,
        refusals: int = 0,
        waited: float = 0.0,
    ) -> None:
        for counters in self._counted:
            counters.add(
                calls=calls, tokens=tokens, retries=retries, refusals=refusals, waited=waited
            )

    def _read_clock(self, headers: Mapping[str, str]) -> None:
        if date := date_of(headers.get("Date", "")):
            self._shared.clock_offset = date - datetime.now(UTC)

    def _calibrate_when_due(self) -> None:
        """Ask now and then what others use of the account's limit: at most 1 call in 100.

        Only the first time does anybody wait for the answer.
        """
        with self._lock:
            made, last, now = (
                self.counters.calls,
                self._shared.calls_at_calibration,
                time.monotonic(),
            )
            if not self._shared.calibrates or (
                last is not None
                and (
                    made - last < CALLS_PER_CALIBRATION
                    or now - self._shared.calibrated_at < self._patience.calibration_seconds
                )
            ):
                return
            self._shared.calls_at_calibration, self._shared.calibrated_at = made, now
        if last is None:
            self._calibrate()
        else:
            self.submit(self._calibrate)

    def _calibrate(self) -> None:
        """Ask once: without an answer the budget stays as it is until the next time."""
        try:
            self.quota(tries=1)
        except (PermissionDeniedError, NotAvailableError) as error:
            self._shared.calibrates = False
            logger.debug("The account's use of its limit cannot be known: %s", error)
        except (ApiError, TransportError) as error:
            logger.debug("The account's use of its limit is not known: %s", error)


class _Bearer(AuthBase):
    """Puts the token on one request; no token keeps requests from looking one up in .netrc."""

    def __init__(self, token: Token | None) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            r.headers["Authorization"] = f"Bearer {self._token.value}"
        return r


_CREDENTIALS_REFUSED: Final = frozenset(range(400, 500)) - PASSING_STATUSES


def _session(settings: Settings) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=settings.max_parallel_requests + 1, pool_connections=2)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": settings.user_agent})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _request_key(path: str, params: Mapping[str, Any] | None) -> object:
    return path, frozenset((params or {}).items())


def _read(raw: BaseHTTPResponse, deadline: float) -> bytes:
    """Read a body as it comes, so that one that trickles in does not outlast the time-out."""
    parts = []
    while part := raw.read1(CHUNK, decode_content=True):
        parts.append(part)
        if time.monotonic() > deadline:
            raise requests.Timeout
    return b"".join(parts)


def _quota(status: object, reply: Reply) -> Quota:
    """Read a `RateStatusResponse`, of the older shape as well."""
    told = status if isinstance(status, dict) else {}
    limit, count = told.get("accountRateLimit"), told.get("accountCount")
    if type(limit) is not int or type(count) is not int or limit < 1:
        message = f"{RATE_STATUS_PATH}: no `accountRateLimit` and `accountCount` in the answer."
        raise ApiError(message, path=RATE_STATUS_PATH, status=reply.status)
    ratio = told.get("accountCutOffRatio")
    slow_from = int(limit * ratio) if isinstance(ratio, (int, float)) else limit
    return Quota(limit, slow_from, count, others=max(0, count - reply.before))
