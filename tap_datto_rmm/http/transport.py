"""One exchange with a server: a request, and its response or the reason why there is none.

No policy: nothing here waits, tries again, or knows what a status means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Headers and form may hold secrets, so a repr shows neither."""

    method: str
    url: str
    """Without the query."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, Any] | None = None
    """The query's parameters."""
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    """By name, in any case."""
    body: bytes = field(repr=False)
    seconds: float = 0.0
    """That the exchange took."""
    before: int = 0
    """Requests that left within the rate limit's window before this one."""


class Cause(Enum):
    """Why there is no response."""

    NO_NAME = "the host's name does not resolve"
    NO_ROUTE = "no way leads to the host"
    NO_CONNECTION = "the host does not take the connection in time"
    CONNECTION_REFUSED = "the host refuses the connection"
    NOT_TRUSTED = "the host's certificate is not trusted"
    NO_TLS = "the host and this machine agree on no encryption"
    PROXY = "the proxy refuses, or does not answer"
    NO_SOCKS = "the proxy speaks SOCKS, and the package for that is not installed"
    NO_REQUEST = "no request can be made of this address or proxy"
    TIME_OUT = "the response was not whole in time"
    CUT = "the connection was cut"

    @property
    def passes(self) -> bool:
        """Whether it may pass by itself, even if the host has never answered."""
        return self in {Cause.TIME_OUT, Cause.CUT}

    @property
    def is_final(self) -> bool:
        """Whether it stays until somebody changes a setting."""
        return self in {Cause.NO_SOCKS, Cause.NO_REQUEST}


@dataclass(frozen=True, slots=True)
class Lost:
    """An exchange without a response."""

    cause: Cause
    host: str
    """Host and port that were asked."""
    proxy: str | None = None
    """Host and port of the proxy that was to be used."""
    seconds: float = 0.0
    """That the exchange took."""
    timeout: float = 0.0
    """Seconds that it was allowed."""


class Transport(Protocol):
    """Makes exchanges, on any number of threads at once."""

    def send(self, request: Request) -> Response | Lost:
        """Make one exchange; redirects are not followed."""

    def close(self) -> None:
        """Close idle connections."""
