"""What was asked of the API, for one stream or for the whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Counters:
    """Counts that many threads add to."""

    calls: int = 0
    """Requests that left, those for tokens included."""
    tokens: int = 0
    """Requests for a token."""
    retries: int = 0
    """Requests repeated after a fault."""
    refusals: int = 0
    """HTTP 429."""
    waited: float = 0.0
    """Seconds that workers, taken together, waited for the rate limit."""
    waits: dict[str, float] = field(default_factory=dict)
    """Seconds by the clock, by the cause of the wait (see `waits`)."""
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(
        self,
        *,
        calls: int = 0,
        tokens: int = 0,
        retries: int = 0,
        refusals: int = 0,
        waited: float = 0.0,
    ) -> None:
        """Add to some of them, all at once."""
        with self._lock:
            self.calls += calls
            self.tokens += tokens
            self.retries += retries
            self.refusals += refusals
            self.waited += waited

    def wait(self, cause: str, seconds: float) -> None:
        """Add to what was waited for by the clock; one thread looks, so nothing is lost."""
        self.waits[cause] = self.waits.get(cause, 0.0) + seconds
