"""Where messages leave the tap: one whole line at a time, and an end between two of them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.singerlib import Message

SECONDS_TO_END: Final = 5.0
"""A target that does not read cannot keep the tap from ending after so long."""
NOBODY_READS: Final = 128 + 13
"""Exit code of a process that SIGPIPE ended, as a shell reports it."""
OUTPUT_FAILS: Final = 1
"""Exit code where output cannot be written, as the disk is full or the like."""


class Stopped(BaseException):
    """The run ends here: a signal came, or nobody reads the output any more.

    No `Exception`: nobody may take it for an error and go on.

    Attributes:
        code: exit code.
    """

    def __init__(self, why: str, code: int) -> None:
        """Keep both."""
        super().__init__(why)
        self.code = code


class MessageWriter(MsgSpecWriter):
    """Writes messages to standard output; `stop` never cuts one in two."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self.before_forced_end: Callable[[int], None] = lambda _: None
        """Takes the exit code, where a target that does not read leaves no other time for it."""
        self._writing = False
        self._stopped: Stopped | None = None

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Raises:
            Stopped: after the message, where `stop` was called meanwhile; or nobody reads, or the
                output cannot be written.
        """
        self._writing = True
        try:
            super().write_message(message)
        except (BrokenPipeError, ConnectionResetError):
            raise Stopped("Stopped: nobody reads the output any more", NOBODY_READS) from None
        except OSError as error:
            why = f"Stopped: standard output cannot be written: {error.strerror}"
            raise Stopped(why, OUTPUT_FAILS) from None
        finally:
            self._writing = False
        if self._stopped:
            raise self._stopped

    def stop(self, signum: int) -> None:
        """End the run from a signal handler: now, or as soon as the message in hand is written.

        Args:
            signum: the signal.

        Raises:
            Stopped: unless a message is being written.
        """
        code = 128 + signum
        if hasattr(signal, "SIGALRM"):  # not on Windows
            signal.signal(signal.SIGALRM, lambda *_: self._end(code))
            signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_END)
        self._stopped = Stopped(f"Stopped by {signal.Signals(signum).name}", code)
        if not self._writing:
            raise self._stopped

    def _end(self, code: int) -> None:
        self.before_forced_end(code)
        os._exit(code)
