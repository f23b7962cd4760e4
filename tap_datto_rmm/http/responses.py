"""What a reply of the API means: an answer, or one typed error that says what to do next."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests

from tap_datto_rmm.errors import (
    ApiError,
    AuthenticationError,
    NotAvailableError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    TransportError,
)
from tap_datto_rmm.http.auth import TOKEN_PATH
from tap_datto_rmm.http.decoding import NOT_JSON, decode, decode_answer, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RETRY_AFTER: Final = 600.0

PASSING_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
)
"""4xx that speak of the moment, not of the request."""


class Reply(NamedTuple):
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    before: int = 0
    """Requests of the tap that left within the vendor's window before this one."""


class Again(Exception):  # noqa: N818 - a signal, never shown
    """This request failed in a way that may pass.

    Args:
        error: what to raise if it does not pass.
        wait: seconds that the API asked for.
    """

    def __init__(self, error: RequestError, wait: float | None = None) -> None:
        """Keep both."""
        super().__init__(str(error))
        self.error = error
        self.wait = wait or 0.0


def answer_of(reply: Reply, where: str) -> Any:  # noqa: ANN401 - JSON
    """Give what a reply says.

    Raises:
        Again: 5xx and the like; a body that is no JSON, or carries an `error`.
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
        raise Again(ApiError(message, path=where, status=reply.status))
    error = answer.get("error") if isinstance(answer, dict) else None
    if error and isinstance(error, (str, dict)):
        message = f"{where}: HTTP 200 with the error {one_line(error)!r}."
        raise Again(ApiError(message, path=where, status=reply.status))
    return answer


def _failure(reply: Reply, where: str) -> Exception:
    """Give what to raise for an error status that is not handled before."""
    status, error = reply.status, _worded(reply, where)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING_STATUSES:
        return Again(error, retry_after(reply))
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Again(error)
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


def _worded(reply: Reply, where: str) -> ApiError:
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


def not_authorized(where: str) -> AuthenticationError:
    """Word a token that was refused although it is new."""
    return AuthenticationError(
        f"{where}: HTTP 401 twice in a row, the second time with a new token. Check that `api_key` "
        "has not been revoked and that API access is enabled.",
        path=where,
        status=HTTPStatus.UNAUTHORIZED,
    )


def not_permitted(where: str) -> PermissionDeniedError:
    """Word a 403 that is no block."""
    return PermissionDeniedError(
        f"{where}: HTTP 403. The API user's security level does not allow this: change it in "
        "Datto RMM (Setup > Security Levels), or deselect the stream.",
        path=where,
        status=HTTPStatus.FORBIDDEN,
    )


def rate_limited(where: str, seconds: float) -> RateLimitError:
    """Word what to raise when the API has answered 429 for so long."""
    return RateLimitError(
        f"{where}: HTTP 429 for {seconds / 60:.0f} minutes. Other tools use up the account's "
        "request limit: stop them, or run at another hour.",
        path=where,
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )


def blocked(where: str) -> RateLimitError:
    """Word what to raise when the vendor blocks this machine's address."""
    return RateLimitError(
        f"{where}: HTTP 403 on every path: this IP address is blocked, as the vendor does for "
        "five minutes when requests go on after 429. Stop the tools that share it, then run "
        "again. If it was never let in, check `api_url` and the proxy.",
        path=where,
        status=HTTPStatus.FORBIDDEN,
    )


def transport_error(error: Exception, where: str, timeout: float) -> TransportError:
    """Word what requests raised, without what it quotes: it may hold a proxy's password."""
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


def date_of(text: str) -> datetime | None:
    """Read the date of an HTTP header; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(reply: Reply) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; at most ten minutes."""
    text = reply.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until, sent = date_of(text), date_of(reply.headers.get("Date", ""))
        if until is None:
            return None
        seconds = (until - (sent or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None
