"""What a run did, stream by stream: counted while it runs, written to a file in the end."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.progress import Progress
from tap_datto_rmm.telemetry.wording import counted, span

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger("tap-datto-rmm")

VERSION: Final = 1
"""Of the report's form; report.schema.json describes it."""

COMPLETE: Final = "complete"
INCOMPLETE: Final = "incomplete"
FAILED: Final = "failed"
NOT_DUE: Final = "not_due"
NOT_REACHED: Final = "not_reached"
STATUSES: Final = (COMPLETE, NOT_DUE, INCOMPLETE, FAILED, NOT_REACHED)


@dataclass(slots=True)
class StreamReport:
    """One stream's part of a run."""

    name: str
    status: str = NOT_REACHED
    counters: Counters = field(default_factory=Counters)
    records: int = 0
    left_out: int = 0
    """Items that are no records, and rows that repeat a key with other content."""
    outstanding: int = 0
    """Parents that could not be read."""
    reasons: list[str] = field(default_factory=list)
    """Why the stream failed or may lack rows; of a complete one, its known gaps."""
    bookmark: str | None = None
    seconds: float = 0.0
    """That it took."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is missing that this run should have brought."""
        return self.status in {COMPLETE, NOT_DUE}

    def tell(self) -> None:
        """Write a line about it to the log, now that it has ended."""
        if self.status in {NOT_DUE, NOT_REACHED}:
            logger.info("%s: %s", self.name, self.status.replace("_", " "))
            return
        words = [
            counted(self.records, "record"),
            counted(self.counters.calls, "call"),
            span(self.seconds),
            counted(self.counters.retries, "retry", "retries") if self.counters.retries else "",
            f"{self.left_out:,} left out" if self.left_out else "",
            f"up to {self.bookmark[:19].replace('T', ' ')}" if self.bookmark else "",
            "" if self.is_complete else self.status,
        ]
        logger.info("%s: %s", self.name, ", ".join(filter(None, words)))

    def as_json(self) -> dict[str, Any]:
        """Give its part of the report file."""
        return {
            "status": self.status,
            "records": self.records,
            "calls": self.counters.calls,
            "retries": self.counters.retries,
            "left_out": self.left_out,
            "outstanding": self.outstanding,
            "reasons": self.reasons,
            "bookmark": self.bookmark,
        }


@dataclass(slots=True)
class RunReport:
    """The whole run."""

    tap_version: str
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """By this machine's clock."""
    account: dict[str, str | None] = field(default_factory=lambda: {"uid": None, "name": None})
    counters: Counters = field(default_factory=Counters)
    """What the whole run asked of the API."""
    streams: dict[str, StreamReport] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    """How far it has come."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that never run backwards."""
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        """Look at the clock."""
        self._began = self.clock()

    @property
    def seconds(self) -> float:
        """That the run has taken so far."""
        return self.clock() - self._began

    def of(self, name: str) -> StreamReport:
        """Give a stream's part."""
        return self.streams.setdefault(name, StreamReport(name))

    @property
    def unfinished(self) -> list[StreamReport]:
        """The streams that are not complete."""
        return [stream for stream in self.streams.values() if not stream.is_complete]

    def write(self, path: Path, exit_code: int) -> None:
        """Write the report file in one step.

        Args:
            path: of the file, which is replaced; a link to it stays.
            exit_code: of the tap.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "version": VERSION,
            "tap": self.tap_version,
            "account": self.account,
            "started_at": self.started_at,
            "ended_at": datetime.now(UTC),
            "exit_code": exit_code,
            "complete": exit_code == 0,
            "calls": self.counters.calls,
            "retries": self.counters.retries,
            "seconds_waited": round(self.counters.waited, 3),
            "streams": {name: stream.as_json() for name, stream in self.streams.items()},
        }
        path = path.resolve()
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
