"""How far a long sync has come: a living line on a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_datto_rmm.telemetry.counters import Counters

logger = logging.getLogger("tap-datto-rmm")


@dataclass(slots=True)
class _Stretch:
    """Steps of one kind: rows of a list, or parents that are asked for."""

    name: str
    started: float
    calls: int
    """Of the counters when it started."""
    done: int = 0
    total: int | None = None


class Progress:
    """Tells on stderr what is being read; what takes less than ten seconds is not told.

    Args:
        budget: gives the requests of the last minute, and how many there may be.
        clock: seconds that never run backwards.
    """

    seconds_per_line: ClassVar[float] = 10.0
    """Until the first sign of a stretch, and between two lines of a log; none in tests."""
    seconds_per_redraw: ClassVar[float] = 0.5
    """Between two pictures of the living line."""

    def __init__(
        self,
        budget: Callable[[], tuple[int, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find out whether somebody is watching."""
        self._budget = budget
        self._clock = clock
        self._line = _LivingLine.on_terminal()
        self._every = self.seconds_per_redraw if self._line else self.seconds_per_line
        self._stretch: _Stretch
        self._next: float
        self.begin("", None)

    def begin(self, name: str, counters: Counters | None) -> None:
        """Start with a stream.

        Args:
            name: of the stream.
            counters: what it asks of the API.
        """
        self._name = name
        self._counters = counters
        self._start(name)

    def expect(self, total: int) -> None:
        """Say how many steps there will be in all.

        Before the first of them the clock starts anew: what was read until then, such as the list
        of those to ask for, says nothing of their pace. A list may tell another number while it is
        read; what was done of it stays.
        """
        if not self._stretch.done:
            self._start(self._stretch.name)
        self._stretch.total = total

    @contextmanager
    def aside(self, what: str) -> Generator[None]:
        """Count the steps of something that the stream needs first, apart from its own.

        Args:
            what: is read, as it is told after the stream's name.
        """
        before = self._stretch
        self._start(f"{self._name}: {what}")
        try:
            yield
        finally:
            self._stretch = before

    def step(self) -> None:
        """Say that one more was done; now and then this is told."""
        self._stretch.done += 1
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        if self._line:
            self._line.show(self._words(now))
        else:
            logger.info(self._words(now))

    def end(self) -> None:
        """Take the living line away."""
        if self._line:
            self._line.stop()

    def _start(self, name: str) -> None:
        now = self._clock()
        self._stretch = _Stretch(name, now, self._counters.calls if self._counters else 0)
        self._next = now + self.seconds_per_line
        self.end()

    def _words(self, now: float) -> str:
        """Word it, as in `device_audits 4,120/9,830 (42 %), 8.9 calls/s, about 11 min left`."""
        done, total = self._stretch.done, self._stretch.total
        seconds = max(now - self._stretch.started, 1e-9)
        words = [f"{self._stretch.name} {done:,}"]
        if total:
            words[0] += f"/{total:,} ({_percent(done, total)})"
        if self._counters:
            words.append(f"{(self._counters.calls - self._stretch.calls) / seconds:.1f} calls/s")
        words.append(f"budget {_percent(*self._budget())} used")
        if total and done < total:
            left = timedelta(seconds=seconds / done * (total - done))
            words.append(f"about {_span(left)} left")
        return ", ".join(words)


def _percent(part: float, whole: float) -> str:
    return f"{min(part / whole, 1) * 100:.0f} %"


def _span(span: timedelta) -> str:
    if span < timedelta(seconds=90):
        return f"{span.seconds} s"
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class _LivingLine:
    """A line that rewrites itself; log lines go above it.

    `sys.stdout` stays what it is: rich would put a file in its place whose `flush` does nothing for
    the messages.
    """

    def __init__(self, console: Console) -> None:
        self._spinner = Spinner("dots")
        self._live = Live(
            self._spinner,
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @classmethod
    def on_terminal(cls) -> _LivingLine | None:
        """Make one where stderr is a terminal that can move its cursor."""
        console = Console(stderr=True)
        if not (sys.stderr.isatty() and console.is_interactive):
            return None
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
                with suppress(ValueError):
                    handler.setStream(_Above(console))
        return cls(console)

    def show(self, text: str) -> None:
        self._spinner.update(text=Text(text))
        self._live.start(refresh=True)

    def stop(self) -> None:
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
