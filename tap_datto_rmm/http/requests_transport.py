"""The transport in use: requests, with proxies and certificates from the environment.

Requests are prepared and sent by an adapter, without a session: what a session would add to each of
them (cookies, redirects, what is in the environment) is not wanted, and takes a fifth of the time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_headers, select_proxy
from typing_extensions import override
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from tap_datto_rmm.http.deadline import with_deadline
from tap_datto_rmm.http.transport import Cause, Lost, Response

if TYPE_CHECKING:
    from tap_datto_rmm.http.transport import Request

CONNECT_SECONDS: Final = 10.0
"""Time for a connection to one address; a shorter time-out of the exchange counts instead."""


class RequestsTransport:
    """Makes exchanges over pooled connections.

    Args:
        user_agent: header of every request.
        timeout: seconds for one exchange, from the first packet to the last byte; only the
            system's own look-up of the host's name may outlast them.
        connections: kept open at most.
    """

    def __init__(self, user_agent: str, timeout: float, connections: int) -> None:
        """Open nothing yet."""
        self._timeout = timeout
        self._adapter = _Adapter(pool_maxsize=connections, pool_connections=2)
        self._environments: dict[str, dict[str, Any]] = {}
        self._headers = {
            **default_headers(),
            "Accept": "application/json",
            "User-Agent": user_agent,
        }

    def send(self, request: Request) -> Response | Lost:
        """Make one exchange; redirects are not followed."""
        started = time.monotonic()
        connect = min(CONNECT_SECONDS, self._timeout)
        timeout: Any = Timeout(total=self._timeout, connect=connect)  # the stubs know no such type
        environment = self._environment_of(request.url)
        try:
            prepared = requests.Request(
                request.method,
                request.url,
                params=request.params,
                data=request.form,
                headers={**self._headers, **request.headers},
            ).prepare()
            with self._adapter.send(prepared, timeout=timeout, **environment) as response:
                body = response.raw.read(decode_content=True)
        except (OSError, HTTPError, ValueError) as error:  # requests' own are among the first
            return self._lost(request, error, time.monotonic() - started)
        seconds = time.monotonic() - started
        return Response(response.status_code, response.headers, body, seconds)

    def close(self) -> None:
        """Close idle connections."""
        self._adapter.close()

    def _environment_of(self, url: str) -> dict[str, Any]:
        """Look up the proxies and certificates for a host, once; a .netrc never counts."""
        host = "/".join(url.split("/", 3)[:3])
        if host not in self._environments:
            known = requests.Session().merge_environment_settings(
                url, proxies={}, stream=True, verify=None, cert=None
            )
            self._environments[host] = dict(known)
        return self._environments[host]

    def _lost(self, request: Request, error: Exception, seconds: float) -> Lost:
        proxy = _proxy_of(request.url, self._environment_of(request.url)["proxies"])
        cause = _cause_of(error)
        if proxy and cause in {Cause.CONNECTION_REFUSED, Cause.NO_ROUTE, Cause.NO_NAME}:
            cause = Cause.PROXY  # as SOCKS proxies tell it
        return Lost(cause, _host_of(request.url), proxy, seconds, self._timeout)


class _Adapter(HTTPAdapter):
    """Gives every connection, through whatever proxy, a deadline for the whole response."""

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = with_deadline(pool.ConnectionCls)
        return pool


_KINDS: Final = (
    (requests.exceptions.ProxyError, Cause.PROXY),
    (requests.ConnectTimeout, Cause.NO_CONNECTION),
    (requests.Timeout, Cause.TIME_OUT),
)
_PHRASES: Final = (
    ("SOCKS support", Cause.NO_SOCKS),
    ("CA certificate", Cause.NOT_TRUSTED),  # a bundle of certificates that is not there
    ("CERTIFICATE_VERIFY_FAILED", Cause.NOT_TRUSTED),
    ("doesn't match", Cause.NOT_TRUSTED),
    ("timed out", Cause.TIME_OUT),
    ("EOF occurred", Cause.CUT),
)
"""What the libraries tell in words only."""


def _cause_of(error: Exception) -> Cause:
    """Tell why requests gave no response."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NewConnectionError):
        return _cause_of_no_connection(reason)
    known = [cause for kind, cause in _KINDS if isinstance(error, kind)]
    known += [cause for phrase, cause in _PHRASES if phrase in str(error)]
    if known:
        return known[0]
    if isinstance(error, requests.exceptions.SSLError):
        return Cause.NO_TLS
    return Cause.NO_REQUEST if isinstance(error, ValueError) else Cause.CUT


def _cause_of_no_connection(reason: NewConnectionError) -> Cause:
    if isinstance(reason, NameResolutionError):
        return Cause.NO_NAME
    refused = isinstance(reason.__cause__, ConnectionRefusedError)
    return Cause.CONNECTION_REFUSED if refused else Cause.NO_ROUTE


def _host_of(url: str) -> str:
    """Host and port, without the name and password that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _proxy_of(url: str, proxies: dict[str, str]) -> str | None:
    """Host and port of the proxy for an address."""
    proxy = select_proxy(url, proxies)
    return (_host_of(proxy if "//" in proxy else f"//{proxy}") or None) if proxy else None
