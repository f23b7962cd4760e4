"""The end of a client, which all its threads heed: no wait outlasts it, and no line of the log."""

from __future__ import annotations

import logging
from threading import Event, Lock

logger = logging.getLogger("tap-datto-rmm")


class Closed(Exception):  # noqa: N818 - no error: the run has ended
    """Nothing may leave any more."""


class Closing:
    """Whether the client has been closed."""

    def __init__(self) -> None:
        """Not yet."""
        self._closed = Event()
        self._lock = Lock()

    def close(self) -> None:
        """End all waits."""
        with self._lock:
            self._closed.set()

    def check(self) -> None:
        """Go on.

        Raises:
            Closed: the client was closed.
        """
        if self._closed.is_set():
            raise Closed

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the client is closed.

        Raises:
            Closed: it was closed.
        """
        if self._closed.wait(seconds):
            raise Closed

    def warn(self, line: str) -> None:
        """Write a line to the log, unless its last lines have been written.

        Raises:
            Closed: they have.
        """
        with self._lock:
            self.check()
            logger.warning(line)
