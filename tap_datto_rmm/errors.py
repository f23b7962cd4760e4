"""The ways a sync can fail, each with what happened, where, and what to do next.

A message never holds a credential: it is built from a status, a path and text of our own, plus at
most a short, cleaned excerpt of the API's own message.

    TapError                        one line for the user, no traceback
    ├── SpecError                   the OpenAPI document lacks what a stream needs
    ├── UnexpectedError             what nobody foresaw, contained in its stream
    └── RequestError                a request did not give what it was asked for
        ├── AuthenticationError     a token was refused, and the new one as well
        │   └── CredentialsError *  the key pair was refused (any 4xx at the token URL)
        ├── PermissionDeniedError   403, and the address is not blocked
        ├── NotAvailableError       400, 404, 410: there is no such thing, or not any more
        ├── ApiError                any other 4xx; 5xx or a damaged answer, again and again
        ├── TransportError          no complete answer, again and again
        │   ├── TimedOutError       not within the time that a request may take
        │   └── UnreachableError *  no name, no route, refused, not trusted, no way through a proxy
        ├── RateLimitError *        429, or the block that follows it, did not pass in time
        ├── OutageError *           no request at all has succeeded for ten minutes
        ├── DeclarationError        the answer is whole, and not what a setting says of it
        ├── PaginationError         the next page is on another host, or was there before
        └── TooManyFailuresError    too many parents of a stream fail to be bad one by one

An error with a star ends the run: no other request could do better. So does any other one as long
as there has been no token.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import ClassVar


class TapError(Exception):
    """An expected failure: shown to the user as one line, without a traceback."""


class SpecError(TapError):
    """The OpenAPI document is missing, damaged, or lacks what a stream needs."""


class UnexpectedError(TapError):
    """An error that nobody foresaw: its kind and place are told, never the values in it."""

    @classmethod
    def of(cls, error: Exception) -> UnexpectedError:
        """Word it."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{PurePath(frame.filename).name}:{frame.lineno}"
        return cls(f"unexpected {type(error).__name__} at {place}; LOGLEVEL=DEBUG shows more")


class RequestError(TapError):
    """A request that did not give what it was asked for.

    Attributes:
        path: path below the API's base, such as `/v2/account`; None where no one path is meant.
        status: HTTP status of the last answer; None where there was none.
    """

    ends_the_run: ClassVar[bool] = False
    """Whether no other request could do better."""

    def __init__(self, message: str, *, path: str | None = None, status: int | None = None) -> None:
        """Keep what happened and where."""
        super().__init__(message)
        self.path = path
        self.status = status


class AuthenticationError(RequestError):
    """The token is not accepted, and neither is a new one."""


class CredentialsError(AuthenticationError):
    """The key pair is not accepted on this platform."""

    ends_the_run = True


class PermissionDeniedError(RequestError):
    """The API user may not read this path (403 while the IP address is not blocked)."""

    def name_the_need(self, permission: str) -> None:
        """Add to the message what the security level must allow."""
        self.args = (f"{self} What is read here needs: {permission}.",)


class NotAvailableError(RequestError):
    """There is no such thing: 404, 410, or 400 for a device or site of the wrong kind."""


class ApiError(RequestError):
    """The API answered with an error, or with something that is not an answer."""


class TransportError(RequestError):
    """No complete answer arrived: a time-out, a reset, a cut."""


class TimedOutError(TransportError):
    """No complete answer arrived within `request_timeout`: each further try may cost as much."""


class UnreachableError(TransportError):
    """The host cannot be reached as the settings and the network are: there is no point in waiting.

    Where the host was reached before, the same causes are an outage.
    """

    ends_the_run = True


class RateLimitError(RequestError):
    """The account's request limit, or the block that follows it, did not pass in time."""

    ends_the_run = True


class OutageError(RequestError):
    """The host has answered no request for as long as the client waits."""

    ends_the_run = True


class DeclarationError(RequestError):
    """What a setting says of a path is not so: another try would give the same."""


class PaginationError(RequestError):
    """The API's next page leads to another host, or in a circle."""


class TooManyFailuresError(RequestError):
    """So many devices, sites or jobs of a stream fail that it is no matter of one by one."""
