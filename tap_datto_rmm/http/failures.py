"""The errors of requests, worded: what happened, where, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_datto_rmm.errors import (
    ApiError,
    AuthenticationError,
    CredentialsError,
    PermissionDeniedError,
    RateLimitError,
    TimedOutError,
    TransportError,
    UnreachableError,
)
from tap_datto_rmm.http.transport import Cause

if TYPE_CHECKING:
    from tap_datto_rmm.http.transport import Lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a user is told to do next, in the words of the API that is asked."""

    name: str = "The API"
    """Of the API."""
    address: str = "the URL"
    """What says which host is asked."""
    outbound: str = "outbound connections"
    """What a firewall must let through."""
    timeout: str = "the time-out"
    """What says how long an exchange may take."""
    socks: str = "install PySocks"
    """How to get what SOCKS proxies need."""
    credentials: str = "Check the credentials."
    """Where they are refused."""
    token: str = "Check that the credentials have not been revoked."  # noqa: S105 - words
    """Where a new token is refused."""
    permission: str = "The credentials do not allow this."
    """Where one path answers 403."""
    limit: str = "Others use up the limit."
    """Where 429 does not pass."""
    block: str = "Stop what else sends requests from here."
    """Where every path answers 403."""


def refused_credentials(where: str, status: int, advice: Advice) -> CredentialsError:
    """Word a 4xx of the token URL."""
    message = f"{advice.name} refused the credentials (HTTP {status}). {advice.credentials}"
    return CredentialsError(message, path=where, status=status)


def no_token(where: str, advice: Advice) -> ApiError:
    """Word a 200 of the token URL that is of another kind."""
    message = f"{where}: the answer has no access token. Check {advice.address}."
    return ApiError(message, path=where, status=HTTPStatus.OK)


def refused_token(where: str, advice: Advice) -> AuthenticationError:
    """Word a token that was refused although it is new."""
    return AuthenticationError(
        f"{where}: HTTP 401 twice in a row, the second time with a new token. {advice.token}",
        path=where,
        status=HTTPStatus.UNAUTHORIZED,
    )


def not_permitted(where: str, advice: Advice) -> PermissionDeniedError:
    """Word a 403 that is no block."""
    return PermissionDeniedError(
        f"{where}: HTTP 403. {advice.permission}", path=where, status=HTTPStatus.FORBIDDEN
    )


def rate_limited(where: str, seconds: float, advice: Advice) -> RateLimitError:
    """Word what to raise when the API has answered 429 for so long."""
    return RateLimitError(
        f"{where}: HTTP 429 for {seconds / 60:.0f} minutes. {advice.limit}",
        path=where,
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )


def blocked(where: str, advice: Advice) -> RateLimitError:
    """Word what to raise when this machine's address is blocked."""
    return RateLimitError(
        f"{where}: HTTP 403 on every path: this IP address is blocked. {advice.block}",
        path=where,
        status=HTTPStatus.FORBIDDEN,
    )


def not_json(where: str, size: int, kind: str, advice: Advice) -> ApiError:
    """Word a 200 whose body is no JSON."""
    return ApiError(
        f"{where}: HTTP 200 with {size} bytes that are not JSON ({kind}). If it goes on, check "
        f"{advice.address} and any proxy between.",
        path=where,
        status=HTTPStatus.OK,
    )


def redirected(where: str, status: int, advice: Advice) -> ApiError:
    """Word a 3xx."""
    return ApiError(
        f"{where}: HTTP {status}: redirects are not followed, so that the token stays with the "
        f"API's host. Check {advice.address}.",
        path=where,
        status=status,
    )


def no_response(lost: Lost, where: str, advice: Advice) -> TransportError:
    """Word an exchange without a response."""
    kind = TimedOutError if lost.cause is Cause.TIME_OUT else TransportError
    return kind(_worded(lost, where, advice), path=where)


def unreachable(lost: Lost, where: str, advice: Advice) -> UnreachableError:
    """Word it where there is no point in trying again."""
    return UnreachableError(_worded(lost, where, advice), path=where)


def _worded(lost: Lost, where: str, advice: Advice) -> str:
    """Nothing is quoted of what the libraries say: it may hold a proxy's password."""
    host, proxy = lost.host, f"the proxy {lost.proxy}" if lost.proxy else "the proxy"
    check = f"check {advice.outbound}, and {advice.address}"
    what = {
        Cause.NO_NAME: f"the host name {host} does not resolve; check {advice.address}, DNS and "
        "firewall",
        Cause.NO_ROUTE: f"there is no route to {host}; {check}",
        Cause.NO_CONNECTION: f"no connection to {host}; {check}",
        Cause.CONNECTION_REFUSED: f"{host} refuses the connection; {check}",
        Cause.NOT_TRUSTED: f"the TLS certificate is not trusted ({host}); check REQUESTS_CA_BUNDLE "
        f"and {advice.address}",
        Cause.NO_TLS: f"no TLS connection to {host}; check {advice.address} and any proxy between",
        Cause.PROXY: f"{proxy} refused or does not answer, on the way to {host}; check "
        "HTTPS_PROXY, ALL_PROXY and NO_PROXY",
        Cause.NO_SOCKS: f"{proxy} is a SOCKS proxy, and the package for those is missing: "
        f"{advice.socks}, or check HTTPS_PROXY and ALL_PROXY",
        Cause.NO_REQUEST: f"no request can be made of this (host {host}); check {advice.address}, "
        "HTTPS_PROXY, ALL_PROXY and NO_PROXY",
        Cause.TIME_OUT: f"no answer within {lost.timeout:g} s ({advice.timeout})",
        Cause.CUT: f"the connection failed or was cut; check {advice.outbound}",
    }
    return f"{where}: {what[lost.cause]}."
