"""A time-out for a whole response, headers included.

The time-out of a socket starts anew with each byte that arrives, so a server that drips them could
hold a thread for ever. Here each read may take what is left of the time that the socket had when
the response began; `urllib3.Timeout(total=…)` sets that to what the connection left over.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer
    from urllib3.connection import HTTPConnection


class _Reader(io.RawIOBase):
    """Reads from a socket until a moment."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What a response takes of a socket: a file to read, with a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Open the file; time runs from here."""
        seconds = self._sock.gettimeout()
        if seconds is None:
            return self._sock.makefile(mode)
        return io.BufferedReader(_Reader(self._sock, time.monotonic() + seconds))


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        with_a_deadline: Any = _Socket(sock)  # all that is asked of it is a file
        super().__init__(with_a_deadline, *args, **kwargs)


def with_deadline(connection: type[HTTPConnection]) -> type[HTTPConnection]:
    """Make a class of connections whose responses have a deadline, unless it is such a class."""
    if connection.response_class is _Response:
        return connection
    return type(connection.__name__, (connection,), {"response_class": _Response})
