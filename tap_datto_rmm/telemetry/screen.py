"""Where progress is told: one living line on a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import ClassVar, Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

logger = logging.getLogger("tap-datto-rmm")

COLUMNS: Final = 80
"""Of a terminal that nobody has made wider; more are not used."""

TIME_OF_DAY: Final = "00:00:00 | "
"""Stands before a line of the log."""


class Screen(Protocol):
    """Shows one line after the other."""

    seconds: ClassVar[float]
    """From one line to the next."""

    @property
    def columns(self) -> int:
        """Of a line."""

    def show(self, text: str) -> None:
        """Show a line."""

    def clear(self) -> None:
        """Take away what may not stay."""


def open_screen() -> Screen:
    """Find out whether somebody watches: standard error is a terminal that can move its cursor.

    Where the messages go to the same terminal, a line that rewrites itself would be torn.
    """
    console = Console(stderr=True)
    if not (sys.stderr.isatty() and console.is_interactive) or sys.stdout.isatty():
        return LogLines()
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            with suppress(ValueError):
                handler.setStream(_Above(console))
    return LivingLine(console)


class LogLines:
    """Lines in a log."""

    seconds: ClassVar[float] = 9.5
    """Ten with what a busy machine takes: no silence is longer."""
    columns: Final = COLUMNS - len(TIME_OF_DAY)

    def show(self, text: str) -> None:
        """Write a line."""
        logger.info(text)

    def clear(self) -> None:
        """Leave them."""


class LivingLine:
    """A line that rewrites itself; log lines go above it.

    `sys.stdout` stays what it is: rich would put a file in its place whose `flush` does nothing for
    the messages.
    """

    seconds: ClassVar[float] = 0.25

    def __init__(self, console: Console) -> None:
        """Show nothing yet."""
        self._console = console
        self._spinner = Spinner("line" if not _is_unicode(console) else "dots")
        self._live = Live(
            self._spinner,
            console=console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @property
    def columns(self) -> int:
        """What the terminal has now, without the spinner and its blank."""
        return max(min(self._console.width, COLUMNS) - 2, 10)

    def show(self, text: str) -> None:
        """Rewrite the line."""
        self._spinner.update(text=Text(text, no_wrap=True))
        if not self._live.is_started:
            self._live.start()
            self._console.show_cursor()  # a run that is killed would leave the terminal without
        self._live.refresh()

    def clear(self) -> None:
        """Take the line away."""
        self._live.stop()


class _Above:
    """A text stream whose lines rich prints above the living line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> None:
        if text := text.rstrip("\n"):
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        self._console.file.flush()


def _is_unicode(console: Console) -> bool:
    return (console.encoding or "").lower().startswith("utf")
