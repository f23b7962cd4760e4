"""How far a long sync has come: a living line on a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.budget import RateBudget
    from tap_datto_rmm.fetchers import Tally

logger = logging.getLogger("tap-datto-rmm")

SECONDS_PER_LINE: Final = 10.0
SECONDS_PER_REDRAW: Final = 0.5


class Progress:
    """Tells on stderr what is being read; a stream that takes less than ten seconds is not told.

    Args:
        budget: whose use is told.
        clock: seconds that never run backwards.
    """

    def __init__(self, budget: RateBudget, clock: Callable[[], float] = time.monotonic) -> None:
        """Find out whether somebody is watching."""
        self._budget = budget
        self._clock = clock
        self._line = _living_line()
        self._every = SECONDS_PER_REDRAW if self._line else SECONDS_PER_LINE
        self.begin("", None)

    def begin(self, name: str, tally: Tally | None) -> None:
        """Start with a stream.

        Args:
            name: of the stream.
            tally: what it asks of the API.
        """
        self._name = name
        self._tally = tally
        self._done = 0
        self._total: int | None = None
        self._started = self._clock()
        self._next = self._started + SECONDS_PER_LINE

    def expect(self, total: int) -> None:
        """Say how many steps there will be in all."""
        self._total = total

    def step(self, steps: int = 1) -> None:
        """Say that so many were done; now and then this is told."""
        self._done += steps
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        if self._line:
            self._line.update(self.line(now))
            self._line.start()
        else:
            logger.info(self.line(now))

    def end(self) -> None:
        """Take the living line away."""
        if self._line:
            self._line.stop()

    def line(self, now: float) -> str:
        """Word it, as in `device_audits 4,120/9,830 (42 %), 8.9 calls/s, about 11 min left`."""
        seconds = max(now - self._started, 1e-9)
        words = [f"{self._name} {self._done:,}"]
        if self._total:
            words[0] += f"/{self._total:,} ({_percent(self._done, self._total)})"
        if self._tally:
            words.append(f"{self._tally.calls / seconds:.1f} calls/s")
        words.append(f"budget {_percent(self._budget.used, self._budget.per_minute)} used")
        if self._total and self._done:
            left = timedelta(seconds=seconds / self._done * max(self._total - self._done, 0))
            words.append(f"about {_span(left)} left")
        return ", ".join(words)


def _percent(part: float, whole: float) -> str:
    return f"{min(part / whole, 1) * 100:.0f} %"


def _span(span: timedelta) -> str:
    if span < timedelta(seconds=90):
        return f"{span.seconds} s"
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _living_line() -> Status | None:
    """Give a line that rewrites itself, where stderr is a terminal; log lines go above it."""
    if not sys.stderr.isatty():
        return None
    console = Console(stderr=True)
    line = Status("", console=console)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            with suppress(ValueError):
                handler.setStream(_Above(console))
    return line


class _Above:
    """A text stream whose lines rich prints above the living line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> None:
        if text := text.rstrip("\n"):
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        self._console.file.flush()
