"""Where messages leave the tap: one whole line at a time, and an end between two of them."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import StateMessage
from typing_extensions import override

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.telemetry.waits import TARGET, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from singer_sdk.singerlib import Message

logger = logging.getLogger("tap-datto-rmm")

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


class Undivided:
    """A block that no signal divides: what is to stop the run is raised at its end.

    What is written, and what is noted of it, belong together. Blocks may be nested.

    Attributes:
        depth: so many are under way.
        stopped: what is to stop the run.
    """

    __slots__ = ("depth", "stopped")

    def __init__(self) -> None:
        """Let nothing stop the run yet."""
        self.depth = 0
        self.stopped: Stopped | None = None

    def __enter__(self) -> None:
        """Begin."""
        self.depth += 1

    def __exit__(self, *error: object) -> None:
        """End.

        Raises:
            Stopped: `stop` was called meanwhile.
        """
        self.depth -= 1
        if self.stopped and not self.depth:
            raise self.stopped

    def stop(self, stopped: Stopped) -> None:
        """Raise it, now or at the block's end."""
        self.stopped = stopped
        if not self.depth:
            raise stopped


class MessageWriter(MsgSpecWriter):
    """Writes messages to standard output; `stop` never cuts one in two.

    Attributes:
        undivided: what notes something of a message writes it and notes it in this block.
        messages: so many have been written.
    """

    def __init__(self) -> None:
        """Write nothing yet."""
        self.before_forced_end: Callable[[int], None] = lambda _: None
        """Takes the exit code, where a target that does not read leaves no other time for it."""
        self.undivided = Undivided()
        self.messages = 0
        self._last: Message | None = None
        self._last_state: StateMessage | None = None

    @property
    def is_writing(self) -> bool:
        """Whether a message is on its way."""
        return self.undivided.depth > 0

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Raises:
            Stopped: after the message, where `stop` was called meanwhile; or nobody reads, or the
                output cannot be written.
        """
        with self.undivided:
            try:
                super().write_message(message)
            except (BrokenPipeError, ConnectionResetError):
                raise Stopped("Stopped: nobody reads the output any more", NOBODY_READS) from None
            except OSError as error:
                why = f"Stopped: standard output cannot be written: {error.strerror}"
                raise Stopped(why, OUTPUT_FAILS) from None
            finally:
                self.messages += 1
            self._last = message
            if isinstance(message, StateMessage):
                self._last_state = message

    @contextmanager
    def ending_with_state(self, write_state: Callable[[], None]) -> Generator[None]:
        """Let what is written end with a STATE, however it fails.

        Args:
            write_state: writes one where anything has changed since the last.
        """
        try:
            yield
        except (TapError, Stopped):
            with suppress(Stopped):
                write_state()
                self.repeat_state()
            raise
        write_state()
        self.repeat_state()

    def repeat_state(self) -> None:
        """Write the last STATE once more, where anything has followed it.

        target-jsonl, and others made after the same template, pass on no STATE that a record
        follows.

        Raises:
            Stopped: as `write_message`.
        """
        if self._last_state is not None and self._last is not self._last_state:
            self.write_message(self._last_state)

    def stop(self, signum: int) -> None:
        """End the run from a signal handler: now, or as soon as the message in hand is written.

        Args:
            signum: the signal.

        Raises:
            Stopped: unless a message is in hand.
        """
        stopped = Stopped(f"Stopped by {signal.Signals(signum).name}", 128 + signum)
        if hasattr(signal, "SIGALRM"):  # not on Windows
            signal.signal(signal.SIGALRM, lambda *_: self._end(stopped))
            signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_END)
        self.undivided.stop(stopped)

    def _end(self, stopped: Stopped) -> None:
        self.before_forced_end(stopped.code)
        logger.warning("%s; the target did not read what was written", stopped)
        os._exit(stopped.code)


class TargetWait:
    """Notices that nobody takes the message that is being written.

    Args:
        writer: writes it.
        clock: seconds that never run backwards.
    """

    def __init__(self, writer: MessageWriter, clock: Callable[[], float] = time.monotonic) -> None:
        """Look for the first time."""
        self._writer = writer
        self._clock = clock
        self._message = -1
        self._since = clock()

    def __call__(self) -> Wait | None:
        """Say so where it is still the message of the last look."""
        now, message = self._clock(), self._writer.messages
        if not self._writer.is_writing or message != self._message:
            self._message, self._since = message if self._writer.is_writing else -1, now
            return None
        return Wait(TARGET, f"waiting for {TARGET} to read, since {now - self._since:.0f} s")
