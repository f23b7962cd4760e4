"""The HTTP client: one answer for one request, or one typed error.

Everything that may go wrong between a request and its decoded answer is decided here, once for all
streams: pace, token, retries, the IP block, bodies that are no JSON.
"""

from __future__ import annotations

import ctypes
import logging
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from threading import BoundedSemaphore, Event, Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar

import backoff
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from typing_extensions import override
from urllib3.exceptions import HTTPError

from tap_datto_rmm.auth import CLIENT, TOKEN_PATH, Token, TokenSource, refused
from tap_datto_rmm.bodies import NOT_JSON, decode, decode_answer, one_line
from tap_datto_rmm.budget import WINDOW_SECONDS, Closed, RateBudget
from tap_datto_rmm.errors import (
    ApiError,
    AuthenticationError,
    NotAvailableError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse

    from tap_datto_rmm.settings import Settings

logger = logging.getLogger("tap-datto-rmm")

RATE_STATUS_PATH: Final = "/v2/system/request_rate"
PUBLIC_PATH: Final = "/v2/system/status"
"""Answers without a token, so only a blocked address gets a 403 from it."""

CALLS_PER_CALIBRATION: Final = 120
SECONDS_PER_CALIBRATION: Final = 20.0
CONNECT_SECONDS: Final = 10.0
"""Time for a connection; `request_timeout`, if shorter, counts instead."""
CHUNK: Final = 1 << 18
M_ARENA_MAX: Final = -8
"""Of glibc's `mallopt`: how many heaps there may be."""
LONGEST_RETRY_AFTER: Final = 600.0

PASSING_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
)
"""4xx that speak of the moment, not of the request."""

Answer = TypeVar("Answer")


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


class _Again(Exception):  # noqa: N818 - a signal, never shown
    """This request failed in a way that may pass.

    Args:
        error: what to raise if it does not pass.
        wait: seconds that the API asked for.
    """

    def __init__(self, error: RequestError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait or 0.0


class _Refused(Exception):  # noqa: N818 - a signal, never shown
    """This request is to be sent again as soon as the budget allows."""


class _Reply(NamedTuple):
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Tally:
    """What was asked of the API, for a stream or for the whole run."""

    calls: int = 0
    """Requests that left, those for tokens included."""
    tokens: int = 0
    retries: int = 0
    """Requests repeated after a fault."""
    refusals: int = 0
    """HTTP 429."""
    waited: float = 0.0
    """Seconds that workers, taken together, waited for the budget."""


TALLY: Final[ContextVar[Tally]] = ContextVar("TALLY", default=Tally())  # noqa: B039 - a sink
"""Where the stream counts for which this thread works."""


class _Fetchers(ThreadPoolExecutor):
    """Threads that count for the stream that handed them the work."""

    def __init__(self, threads: int) -> None:
        """Start no thread yet.

        glibc would give each a heap of its own, which keeps the memory of page bodies that the
        main thread frees: 20 MB and more in all.
        """
        super().__init__(threads, thread_name_prefix="fetch")
        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

    @override
    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        context = copy_context()
        return super().submit(lambda: context.run(fn, *args, **kwargs))


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
        self.window = settings.max_parallel_requests
        self._patience = patience or Patience()
        self.budget = RateBudget(
            settings.max_requests_per_minute, window=self._patience.window_seconds
        )
        self.tally = Tally()
        """What the whole run did."""
        self._answered = False
        self._timeout = settings.request_timeout
        self._tokens = TokenSource(settings.api_key, settings.api_secret, self._post_token_form)
        self._session = _session(settings)
        self._lock = Lock()
        self._probing = Lock()
        self._blocked_at = -math.inf
        self._closed = Event()
        self._clock_offset = timedelta()
        self._calibrates = True
        self._calls_at_calibration: int | None = None
        self._calibrated_at = -math.inf
        self._early: dict[object, Future[Any]] = {}
        self._slots = BoundedSemaphore(self.window)  # the main thread sends requests too
        self.executor = _Fetchers(self.window)

    def close(self) -> None:
        """End what waits, start nothing more, close idle connections."""
        with self._lock:
            self._closed.set()
        self.budget.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def now(self) -> datetime:
        """The time by the API's clock (its `Date` header); by ours until it has answered."""
        return datetime.now(UTC) + self._clock_offset

    @property
    def signed_in(self) -> bool:
        """Whether the API has ever handed out a token."""
        return self._tokens.signed_in

    @property
    def clock_offset(self) -> timedelta:
        """How far the API's clock is ahead of ours."""
        return self._clock_offset

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
        return self._get(path, params, read)

    def look_ahead(self, path: str, params: Mapping[str, Any] | None = None) -> None:
        """Fetch an answer that `get` will be asked for later, while others are being read.

        An error surfaces when it is asked for.
        """
        key = _request_key(path, params)
        self._early[key] = self.executor.submit(self._get, path, params, _as_it_is)

    def rate_status(self) -> dict[str, Any]:
        """What the account used of its limit in the last minute (`RateStatusResponse`).

        The budget leaves room for what others used of it.

        Raises:
            RequestError: as `get`.
        """
        self._calls_at_calibration, self._calibrated_at = self.tally.calls, time.monotonic()
        own = self.budget.used  # before the answer: what leaves meanwhile may not be counted yet
        status = self._get(RATE_STATUS_PATH, None, _rate_status)
        self._calibrate(status, own)
        return status

    def token(self) -> Token:
        """The token in use; fetches one when there is none."""
        return self._tokens.current()

    # From here on: one request, and what may go wrong with it.

    def _get(
        self, path: str, params: Mapping[str, Any] | None, read: Callable[[Any], Answer]
    ) -> Answer:
        renewed = False

        def attempt() -> Answer:
            nonlocal renewed
            token = self._tokens.current()
            url = f"{self.host_url}/api{path}"
            reply = self._exchange("GET", url, path, auth=_Bearer(token), params=params)
            if reply.status == HTTPStatus.UNAUTHORIZED:
                self._tokens.discard(token)
                if renewed:
                    raise _not_authorized(path)
                renewed = True
                raise _Refused
            renewed = False
            if reply.status == HTTPStatus.FORBIDDEN:
                raise _not_permitted(path)
            answer = _answer_of(reply, path)
            try:
                return read(answer)
            except ApiError as error:
                raise _Again(error) from None

        return self._retrying(attempt)

    def _post_token_form(self, form: Mapping[str, str]) -> object:
        def attempt() -> object:
            self._count("tokens")
            url = f"{self.host_url}{TOKEN_PATH}"
            reply = self._exchange("POST", url, TOKEN_PATH, auth=HTTPBasicAuth(*CLIENT), data=form)
            if reply.status in _CREDENTIALS_REFUSED:
                raise refused(reply.status)
            return _answer_of(reply, TOKEN_PATH)

        return self._retrying(attempt)

    def _retrying(self, attempt: Callable[[], Answer]) -> Answer:
        """Call until it answers; where it fails, with exponential back-off and full jitter."""

        def until_let_in() -> Answer:
            while True:
                with suppress(_Refused):
                    return attempt()

        again = backoff.on_exception(
            backoff.constant,
            _Again,
            interval=0,  # `_before_retry` waits, so that closing the client ends the wait
            jitter=None,
            max_tries=self._patience.tries,
            on_backoff=self._before_retry,
            logger=None,
        )
        try:
            return again(until_let_in)()
        except _Again as last:
            raise last.error from None

    def _before_retry(self, details: Mapping[str, Any]) -> None:
        failed, failures = details["exception"], details["tries"]
        if failures >= self._tries:
            raise failed.error from None
        self._count("retries")
        self._tell(f"{failed} Trying again.")
        ceiling = min(self._patience.longest_wait, 2.0 ** (failures - 1))
        self._rest(max(failed.wait, backoff.full_jitter(ceiling)))

    @property
    def _tries(self) -> int:
        return self._patience.tries if self._answered else self._patience.first_tries

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
    ) -> _Reply:
        """Send a request when its turn has come, and pause everything where the API refuses it."""
        with self._slots, self.budget.turn() as waited:
            self._count("waited", waited)
            sent_at = time.monotonic()
            reply = self._send(method, url, where, **request)
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
    ) -> _Reply:
        self._count("calls")
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
                self._answered = True
                self._read_clock(response.headers)
                body = _read(response.raw, deadline)
        except (OSError, HTTPError, ValueError) as error:  # requests' own are among the first
            raise _Again(_transport_error(error, where, self._timeout)) from None
        return _Reply(response.status_code, response.headers, body)

    def _heed_the_limit(self, reply: _Reply, where: str) -> NoReturn:
        self._count("refusals")
        seconds = _retry_after(reply)
        self._pause(
            self._patience.window_seconds if seconds is None else max(seconds, 1.0),
            f"HTTP 429 on {where}",
            RateLimitError(
                f"{where}: HTTP 429 for {self.budget.refused_for / 60:.0f} minutes. Other tools "
                "use up the account's request limit: stop them, or run at another hour.",
                path=where,
                status=reply.status,
            ),
        )

    def _heed_the_block(self, reply: _Reply, where: str, sent_at: float) -> None:
        """Tell a missing permission (return) from the IP block (pause), by the public path."""
        with self._probing:
            if self._blocked_at > sent_at:
                raise _Refused
            self.budget.count()
            public = f"{self.host_url}/api{PUBLIC_PATH}"
            probe = self._send("GET", public, PUBLIC_PATH, auth=_Bearer(None))
            if probe.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._heed_the_limit(probe, PUBLIC_PATH)
            if probe.status != HTTPStatus.FORBIDDEN:
                return
            self._blocked_at = time.monotonic()
            error = RateLimitError(
                f"{where}: HTTP 403 on every path: this IP address is blocked, as the vendor does "
                "for five minutes when requests go on after 429. Stop the tools that share it, "
                "then run again. If it was never let in, check `api_url` and the proxy.",
                path=where,
                status=reply.status,
            )
            if not self.signed_in:
                raise error
            seconds = _retry_after(reply) or self._patience.block_seconds
            self._pause(seconds, "HTTP 403 on every path: the IP address is blocked", error)

    def _pause(self, seconds: float, why: str, error: RateLimitError) -> NoReturn:
        """Let all threads wait, then send this request again; give up for all if that goes on."""
        if self.budget.refused_for + seconds > self._patience.refused_seconds:
            self.budget.close(error)
            raise error
        if self.budget.pause(seconds):
            self._tell(f"{why}: all requests wait {seconds:.0f} s, then go slower")
        raise _Refused

    def _count(self, what: str, number: float = 1) -> None:
        stream = TALLY.get()
        with self._lock:
            for tally in (self.tally, stream):
                setattr(tally, what, getattr(tally, what) + number)

    def _read_clock(self, headers: Mapping[str, str]) -> None:
        if date := _date(headers.get("Date", "")):
            self._clock_offset = date - datetime.now(UTC)

    def _calibrate_when_due(self) -> None:
        """Ask now and then what others use of the account's limit: at most 1 call in 100."""
        with self._lock:
            made, last = self.tally.calls, self._calls_at_calibration
            now = time.monotonic()
            if not self._calibrates or (
                last is not None
                and (
                    made - last < CALLS_PER_CALIBRATION
                    or now - self._calibrated_at < SECONDS_PER_CALIBRATION
                )
            ):
                return
            self._calls_at_calibration, self._calibrated_at = made, now
        try:
            self.rate_status()
        except (PermissionDeniedError, NotAvailableError) as error:
            self._calibrates = False
            logger.debug("The account's use of its limit cannot be known: %s", error)
        except (ApiError, TransportError) as error:
            logger.debug("The account's use of its limit is not known: %s", error)

    def _calibrate(self, status: Mapping[str, Any], own: int) -> None:
        limit, count = status.get("accountRateLimit"), status.get("accountCount")
        if type(limit) is not int or type(count) is not int or limit < 1:
            return
        ratio = status.get("accountCutOffRatio")
        slow_from = int(limit * ratio) if isinstance(ratio, (int, float)) else limit
        others = max(0, count - own)
        if self.budget.leave_room_for(others, limit, slow_from):
            logger.info(
                "Other clients made %d of the account's %d requests a minute: the tap uses %d",
                others,
                limit,
                self.budget.ceiling,
            )


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


def _answer_of(reply: _Reply, where: str) -> Any:  # noqa: ANN401 - JSON
    """Give what a reply says.

    Raises:
        _Again: 5xx and the like; a body that is no JSON, or carries an `error`.
        NotAvailableError: 404 or 400.
        ApiError: any other status.
    """
    if reply.status != HTTPStatus.OK:
        raise _failure(reply, where)
    answer = decode_answer(reply.body)
    if answer is NOT_JSON:
        kind = one_line(reply.headers.get("Content-Type", "no type").split(";")[0])
        message = (
            f"{where}: HTTP 200 with {len(reply.body)} bytes that are not JSON ({kind}). If it "
            "goes on, check `api_url`/`platform` and any proxy between."
        )
        raise _Again(ApiError(message, path=where, status=reply.status))
    error = answer.get("error") if isinstance(answer, dict) else None
    if error and isinstance(error, (str, dict)):
        message = f"{where}: HTTP 200 with the error {one_line(error)!r}."
        raise _Again(ApiError(message, path=where, status=reply.status))
    return answer


def _failure(reply: _Reply, where: str) -> Exception:
    """Give what to raise for an error status that is not handled before."""
    status, error = reply.status, _worded(reply, where)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING_STATUSES:
        return _Again(error, _retry_after(reply))
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return _Again(error)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
        return NotAvailableError(str(error), path=where, status=status)
    if status < HTTPStatus.BAD_REQUEST:
        return ApiError(
            f"{where}: HTTP {status}: redirects are not followed, so that the token stays with "
            "the API's host. Check `api_url`/`platform`.",
            path=where,
            status=status,
        )
    return error


def _worded(reply: _Reply, where: str) -> ApiError:
    """Word an error status, with the API's own message where its body has one.

    Not for the token URL: what it was sent, secret included, might be quoted there.
    """
    answer = None if where == TOKEN_PATH else decode(reply.body[:10_000])
    said = ""
    if isinstance(answer, dict):
        told = answer.get("errorMessage") or answer.get("message") or answer.get("error") or ""
        said = one_line(told)
    text = f"{where}: HTTP {reply.status}" + (f" ({said})" if said else "") + "."
    return ApiError(text, path=where, status=reply.status)


def _not_authorized(where: str) -> AuthenticationError:
    return AuthenticationError(
        f"{where}: HTTP 401 twice in a row, the second time with a new token. Check that `api_key` "
        "has not been revoked and that API access is enabled.",
        path=where,
        status=HTTPStatus.UNAUTHORIZED,
    )


def _not_permitted(where: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        f"{where}: HTTP 403. The API user's security level does not allow this: change it in "
        "Datto RMM (Setup > Security Levels), or deselect the stream.",
        path=where,
        status=HTTPStatus.FORBIDDEN,
    )


def _transport_error(error: Exception, where: str, timeout: float) -> TransportError:
    if isinstance(error, requests.exceptions.ProxyError):
        what = "the proxy refused or does not answer; check HTTPS_PROXY and NO_PROXY"
    elif isinstance(error, requests.exceptions.SSLError) or "CA certificate" in str(error):
        what = "the TLS certificate is not trusted; check REQUESTS_CA_BUNDLE and `api_url`"
    elif isinstance(error, requests.ConnectTimeout):
        what = "no connection; check outbound HTTPS to *.centrastage.net, and `api_url`"
    elif isinstance(error, requests.Timeout) or "timed out" in str(error):
        what = f"no answer within {timeout:g} s (`request_timeout`)"
    elif "NameResolution" in repr(error):
        what = "the host name does not resolve; check `platform`/`api_url`, DNS and firewall"
    elif isinstance(error, (requests.exceptions.InvalidURL, ValueError)):
        what = "no request can be made of this; check `api_url`, HTTPS_PROXY and NO_PROXY"
    else:
        what = "the connection failed or was cut; check outbound HTTPS to *.centrastage.net"
    return TransportError(f"{where}: {what}.", path=where)


def _rate_status(answer: object) -> dict[str, Any]:
    if not isinstance(answer, dict):
        message = f"{RATE_STATUS_PATH}: the answer is no object."
        raise ApiError(message, path=RATE_STATUS_PATH, status=HTTPStatus.OK)
    return answer


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _retry_after(reply: _Reply) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; at most ten minutes."""
    text = reply.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until, sent = _date(text), _date(reply.headers.get("Date", ""))
        if until is None:
            return None
        seconds = (until - (sent or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None
