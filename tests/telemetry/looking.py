"""A watch over a sync that a test plays, on a clock that the test moves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.progress import Progress
from tap_datto_rmm.telemetry.watch import Sources, Watch
from tests.http.fakes import Clock, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.telemetry.waits import Wait


class Paper:
    """A screen that keeps what it shows, with the time."""

    seconds: ClassVar[float] = 10.0

    def __init__(self, clock: Clock, columns: int = 80) -> None:
        self.columns = columns
        self.told: list[tuple[float, str]] = []
        self._clock = clock
        self.began = clock.now

    def show(self, text: str) -> None:
        self.told.append((self._clock.now - self.began, text))

    def clear(self) -> None:
        """Leave it."""

    @property
    def lines(self) -> list[str]:
        return [text for _, text in self.told]

    @property
    def longest_silence(self) -> float:
        """Seconds without a line, from the beginning until now."""
        times = [0.0, *(at for at, _ in self.told), self._clock.now - self.began]
        return max(after - before for before, after in pairwise(times))


class Played:
    """A sync that does what a test says, and what is told of it."""

    def __init__(
        self, *waits: Callable[[], Wait | None], columns: int = 80, per_minute: int = 1_000
    ) -> None:
        self.clock = Clock()
        self.counters = Counters()
        self.of_stream = Counters()
        self.progress = Progress(self.clock)
        self.paper = Paper(self.clock, columns)
        self.limiter = RateLimiter(per_minute, self.clock, changed=Waiting(self.clock))
        sources = Sources(self.progress, self.counters, self.limiter, waits)
        self.clock.show(Watch(sources, self.paper))

    def begin(self, name: str, total: int | None = None) -> None:
        """Begin with a stream, which may know how much it has to do."""
        self.progress.begin(name, self.of_stream)
        if total is not None:
            self.progress.expect(total)

    def does(self, steps: int, *, seconds: float, calls: int = 0) -> None:
        """So many steps and calls, spread evenly over the seconds."""
        made, began = 0, self.clock.now
        for step in range(1, steps + 1):
            self.clock.move(began + seconds * step / steps - self.clock.now)
            new = calls * step // steps - made
            self.counters.add(calls=new)
            self.of_stream.add(calls=new)
            for _ in range(new):
                self.limiter.count()
            self.progress.step()
            made += new

    @property
    def lines(self) -> list[str]:
        return self.paper.lines
