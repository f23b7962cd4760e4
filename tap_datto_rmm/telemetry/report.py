"""What a run did, stream by stream: counted while it runs, told in a few lines at its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_datto_rmm.telemetry.counters import Counters

if TYPE_CHECKING:
    from tap_datto_rmm.errors import TapError
    from tap_datto_rmm.records.data_issues import DataIssues

logger = logging.getLogger("tap-datto-rmm")


@dataclass(slots=True)
class StreamRun:
    """One stream's part of a run."""

    name: str
    counters: Counters = field(default_factory=Counters)
    records: int = 0
    left_out: int = 0
    newest: str | None = None
    failure: TapError | None = None

    def end(self, issues: DataIssues, newest: str | None) -> None:
        """Keep the final numbers, and tell what was left out and why."""
        self.left_out = issues.left_out.total()
        self.newest = newest
        for why, count in issues.left_out.items():
            logger.warning("%s: %d left out: %s", self.name, count, why)
        for path, count in issues.nulled.items():
            logger.warning("%s: `%s` became null in %d records", self.name, path, count)


@dataclass(slots=True)
class Report:
    """The whole run."""

    runs: dict[str, StreamRun] = field(default_factory=dict)

    def of(self, name: str) -> StreamRun:
        """Give a stream's part."""
        return self.runs.setdefault(name, StreamRun(name))

    @property
    def failed(self) -> list[StreamRun]:
        """The streams that failed."""
        return [run for run in self.runs.values() if run.failure]

    def tell(self, total: Counters) -> None:
        """Write the summary to the log, a line a stream.

        Args:
            total: what the whole run asked of the API.
        """
        for run in self.runs.values():
            logger.log(
                logging.ERROR if run.failure else logging.INFO,
                "%s: %d records, %d calls, %d retries, %.0f s waited for the budget, "
                "%d left out, newest %s%s",
                run.name,
                run.records,
                run.counters.calls,
                run.counters.retries,
                run.counters.waited,
                run.left_out,
                run.newest or "-",
                f", FAILED: {run.failure}" if run.failure else "",
            )
        logger.info(
            "In all: %d streams, %d failed, %d records, %d calls, %d retries, %d times HTTP 429",
            len(self.runs),
            len(self.failed),
            sum(run.records for run in self.runs.values()),
            total.calls,
            total.retries,
            total.refusals,
        )
