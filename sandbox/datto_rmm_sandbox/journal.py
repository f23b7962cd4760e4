"""What was asked of the sandbox and how it answered, for tests and measurements."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

MOST_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An answered request: when (ms since 1970), what was asked, the status, how long it took.

    The status is 0 where the connection was cut on purpose. `endpoint` is the path's template.
    """

    at: int
    method: str
    path: str
    query: str
    endpoint: str
    status: int
    milliseconds: float


@dataclass(slots=True)
class Journal:
    """The last requests and counters over all of them since the last reset."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ENTRIES))
    total: int = 0
    by_endpoint: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    by_minute: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    peak: int = 0
    started: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Note that a request came."""
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)

    def end(self, entry: Entry) -> None:
        """Note that a request was answered.

        Args:
            entry: What to remember of it.
        """
        self.under_way -= 1
        self.total += 1
        self.entries.append(entry)
        self.by_endpoint[entry.endpoint] += 1
        self.by_status[entry.status] += 1
        self.by_minute[int((time.monotonic() - self.started) // 60)] += 1

    def reset(self) -> None:
        """Forget everything but what is under way."""
        self.entries.clear()
        for counter in (self.by_endpoint, self.by_status, self.by_minute, self.faults):
            counter.clear()
        self.total = 0
        self.peak = self.under_way
        self.started = time.monotonic()

    def summary(self, tokens: int, last: int) -> dict[str, object]:
        """The counters and the last requests.

        Args:
            tokens: How many tokens were issued.
            last: How many requests to tell.

        Returns:
            JSON; `per_minute` counts from the last reset.
        """
        minutes = range(max(self.by_minute, default=-1) + 1)
        entries = list(self.entries)
        return {
            "total": self.total,
            "by_endpoint": dict(self.by_endpoint),
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "refused": self.by_status[429],
            "faults": dict(self.faults),
            "tokens_issued": tokens,
            "peak_concurrency": self.peak,
            "per_minute": [self.by_minute[minute] for minute in minutes],
            "log": [asdict(entry) for entry in entries[max(len(entries) - last, 0) :]],
        }
