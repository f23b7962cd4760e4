"""Standard streams and the log as the process finds them: missing, full or set up wrongly."""

from __future__ import annotations

import errno
import logging
import os
import sys
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, TYPE_CHECKING, Final

from typing_extensions import override

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.singer.output import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import click

logger = logging.getLogger("tap-datto-rmm")

LEVEL_VARIABLES: Final = ("TAP_DATTO_RMM_LOGLEVEL", "LOGLEVEL")
"""The first that is set counts; the SDK reads both."""

LOG_CONFIG_VARIABLE: Final = "SINGER_SDK_LOG_CONFIG"
CHATTER: Final = (
    "METRIC: ",
    "Beginning sync of ",
    "Skipping deselected stream ",
)
"""How lines of the SDK begin that are for engineers."""

WRITING_FAILS: Final = frozenset(
    {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
)
"""What a stream that cannot be written says: nobody reads, the disk is full, and the like."""

NOBODY_READS: Final = 128 + 13
"""Exit code of a process that SIGPIPE ended, as a shell reports it."""


@contextmanager
def standard_streams(program: str) -> Generator[None]:
    """Make the three standard streams usable, and tell of output that could not be written.

    Without standard error a program works; without standard output it ends with one line.

    Args:
        program: whose name begins that line.

    Raises:
        SystemExit: standard output is closed, or could not be written.
    """
    if _open_closed():
        _tell(program, "standard output is closed; there is nowhere to write to.")
        raise SystemExit(1)
    # A character that a terminal lacks is shown as \u..., whatever LANG and PYTHONIOENCODING say.
    getattr(sys.stdout, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in WRITING_FAILS:
            raise  # of a file
        _discard(sys.stdout)
        _tell(program, f"standard output cannot be written: {error.strerror}.")
        raise SystemExit(NOBODY_READS if error.errno == errno.EPIPE else 1) from None
    finally:
        if not _works(sys.stderr):
            _discard(sys.stderr)


def run_command(
    program: str, command: Callable[[], object], log: logging.Logger | None = None
) -> None:
    """Run a command, to the end of this process: nothing follows.

    An expected failure is lines on standard error, and exit code 1. A signal ends with 128 and its
    number.

    Args:
        program: whose name begins those lines.
        command: does the work, and may raise `SystemExit`.
        log: takes those lines, where the command has one.
    """
    tell = partial(_tell, program)
    code: object = 0
    try:
        with standard_streams(program):
            try:
                command()
            except TapError as error:
                for line in str(error).splitlines():
                    (log.error if log else tell)(line)  # no traceback
                raise SystemExit(1) from None
            except Stopped as stopped:
                (log.warning if log else tell)(str(stopped))
                os._exit(stopped.code)  # at once: the target may not read
    except SystemExit as ended:
        code = ended.code
    # Without the interpreter's end: it would wait for a request that nobody needs any more.
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def with_log(make: Callable[[], click.Command]) -> click.Command:
    """Let the SDK set up the log, and make do where the environment has it set up wrongly.

    Args:
        make: makes the command; the SDK sets up the log while it does.
    """
    complaints = [*heed_log_level()]
    if not os.environ.get(LOG_CONFIG_VARIABLE, "x").strip():
        del os.environ[LOG_CONFIG_VARIABLE]
    try:
        command = make()
    except Exception as error:
        if LOG_CONFIG_VARIABLE not in os.environ:
            raise
        why = str(error).partition("\n")[0]
        path = os.environ.pop(LOG_CONFIG_VARIABLE)
        complaints.append(f"{LOG_CONFIG_VARIABLE}: {path} is not used: {why}")
        logging.getLogger().handlers.clear()
        command = make()
    if LOG_CONFIG_VARIABLE not in os.environ:
        _for_people()
    logger.disabled = False  # a configuration switches loggers off that it does not name
    for complaint in complaints:
        logger.warning(complaint)
    return command


class ForPeople(logging.Formatter):
    """A line of the log as people read it: the time, what is worse than news, and the text.

    The day stands in the first line, and in the first after midnight.
    """

    def __init__(self) -> None:
        """No day has begun."""
        super().__init__()
        self._day = ""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Give the line, and what follows it."""
        day, time = self.formatTime(record, "%Y-%m-%d %H:%M:%S").split()
        when = time if day == self._day else f"{day} {time}"
        self._day = day
        level = "" if record.levelno == logging.INFO else f"{record.levelname} | "
        return f"{when} | {level}{super().format(record)}"


def _for_people() -> None:
    """Make the SDK's log one that people read, unless somebody has set it up.

    What only engineers read is at DEBUG, with the SDK's own form of a line.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(_demote)
        if logging.getLogger().level > logging.DEBUG:
            handler.setFormatter(ForPeople())


def _demote(record: logging.LogRecord) -> bool:
    """Put what the SDK tells of itself at DEBUG.

    Returns:
        Whether the line is shown.
    """
    if record.levelno == logging.INFO and str(record.msg).startswith(CHATTER):
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger().isEnabledFor(logging.DEBUG)
    return True


def reset_log_level() -> None:
    """Heed a level that was set after the SDK had set up the log, by a `.env`."""
    complaints = list(heed_log_level())
    level = next((os.environ[name] for name in LEVEL_VARIABLES if name in os.environ), "INFO")
    logging.getLogger().setLevel(level)
    for complaint in complaints:
        logger.warning(complaint)


def heed_log_level() -> Iterator[str]:
    """Put the level that is meant in place of one that there is not.

    Yields:
        What to tell of it, once there is a log.
    """
    for name in LEVEL_VARIABLES:
        given = os.environ.pop(name, "").strip().upper()
        if not given:
            continue
        known = given in logging.getLevelNamesMapping()
        os.environ[name] = given if known else "INFO"
        if not known:
            yield f"{name} must be DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO is used."
        return


def _open_closed() -> bool:
    """Open what is closed, so that no file or connection takes its number.

    Returns:
        Whether standard output was closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    return sys.stdout is None


def _works(stream: IO[str]) -> bool:
    try:
        stream.flush()
    except OSError:
        return False  # what could not be written is still there, and fails again
    return True


def _discard(stream: IO[str]) -> None:
    """Let the rest go nowhere: it would fail again at the interpreter's end, with exit code 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _tell(program: str, what: str) -> None:
    with suppress(OSError):
        print(f"{program}: {what}", file=sys.stderr)  # noqa: T201 - there may be no log yet
