"""The ways a sync can fail, each with what happened, where, and what to do next.

A message never holds a credential: it is built from a status, a path and text of our own, plus at
most a short, cleaned excerpt of the API's own message.
"""

from __future__ import annotations


class TapError(Exception):
    """An expected failure: shown to the user as one line, without a traceback."""


class SpecError(TapError):
    """The OpenAPI document is missing, damaged, or lacks what a stream needs."""


class RequestError(TapError):
    """A request that did not give what it was asked for.

    Attributes:
        path: path below the API's base, such as `/v2/account`; None where no one path is meant.
        status: HTTP status of the last answer; None where there was none.
    """

    def __init__(self, message: str, *, path: str | None = None, status: int | None = None) -> None:
        """Keep what happened and where."""
        super().__init__(message)
        self.path = path
        self.status = status


class AuthenticationError(RequestError):
    """The key pair, or the token made from it, is not accepted on this platform."""


class PermissionDeniedError(RequestError):
    """The API user may not read this path (403 while the IP address is not blocked)."""

    def name_the_need(self, permission: str) -> None:
        """Add to the message what the security level must allow."""
        self.args = (f"{self} What is read here needs: {permission}.",)


class RateLimitError(RequestError):
    """The account's request limit, or the block that follows it, did not pass in time."""


class NotAvailableError(RequestError):
    """The API knows no such thing: 404, or 400 for a device or site of the wrong kind."""


class ApiError(RequestError):
    """The API answered with an error, or with something that is not an answer."""


class TransportError(RequestError):
    """No complete answer arrived: time-out, reset, or a name that does not resolve."""


class PaginationError(RequestError):
    """The API's next page leads to another host, or in a circle."""
