"""The last words of a run: one table, and a line for each stream that is not complete."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.telemetry.report import (
    COMPLETE,
    FAILED,
    INCOMPLETE,
    NOT_DUE,
    NOT_REACHED,
    STATUSES,
)
from tap_datto_rmm.telemetry.wording import counted, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_datto_rmm.telemetry.counters import Counters
    from tap_datto_rmm.telemetry.report import RunReport, StreamReport

logger = logging.getLogger("tap-datto-rmm")

WORDS: Final = {NOT_DUE: "not due", NOT_REACHED: "not reached"}
HEAD: Final = ("stream", "status", "records", "calls", "time", "waited", "retries", "left out")
NAME: Final = 30
"""Columns of the longest name: the table has 100 in all."""
COLUMNS: Final = (12, 12, 8, 10, 10, 9, 9)
"""Of what stands behind it."""
SHORTEST: Final = 0.5
"""Seconds: no shorter wait is worth a word."""


def tell(report: RunReport, exit_code: int) -> None:
    """Write the summary to the log.

    Where no stream was reached, one line says so, and the error that follows says why.

    Args:
        report: of the run.
        exit_code: of the tap.
    """
    streams = list(report.streams.values())
    by_status = Counter(stream.status for stream in streams)
    if by_status[NOT_REACHED] == len(streams):
        if streams:
            logger.warning("Nothing was read: 0 of %d streams were reached.", len(streams))
        return
    logger.info("\n".join([_headline(report, by_status, exit_code), *_table(report)]))
    for stream in streams:
        _tell_of(stream)
    if exit_code and (names := [each.name for each in streams if each.status == NOT_REACHED]):
        logger.warning("Not reached: %s", ", ".join(names))


def _tell_of(stream: StreamReport) -> None:
    """Say why a stream is not complete, or what is known to be missing of it."""
    why = "; ".join(stream.reasons)
    if stream.status == FAILED:
        logger.error("%s FAILED: %s", stream.name, why)
    elif stream.status == INCOMPLETE:
        logger.warning("%s INCOMPLETE: %s", stream.name, why)
    elif why:
        logger.warning("%s: complete but for known gaps: %s", stream.name, why)


def _headline(report: RunReport, by_status: Counter[str], exit_code: int) -> str:
    others = (
        f", {by_status[status]} {WORDS.get(status, status)}"
        for status in STATUSES[1:]
        if by_status[status]
    )
    ended = "Done" if exit_code == 0 else f"Ended with exit code {exit_code}"
    complete = f"{by_status[COMPLETE]} of {len(report.streams)} streams complete"
    return f"{ended} after {span(report.seconds)}: {complete}{''.join(others)}"


def _table(report: RunReport) -> Iterator[str]:
    streams = list(report.streams.values())
    yield _row(HEAD)
    for stream in streams:
        yield _row(_cells(stream))
    counters = report.counters
    yield _row(
        (
            "in all",
            "",
            f"{sum(stream.records for stream in streams):,}",
            f"{counters.calls:,}",
            span(report.seconds),
            _span(counters.waits.values()),
            str(counters.retries),
            f"{sum(stream.left_out for stream in streams):,}",
        )
    )
    yield _causes(counters)


def _cells(stream: StreamReport) -> Sequence[str]:
    status = WORDS.get(stream.status, stream.status)
    if stream.status in WORDS:
        return (stream.name, status, *["-"] * 6)
    counters = stream.counters
    return (
        stream.name,
        status.upper() if not stream.is_complete else status,
        f"{stream.records:,}",
        f"{counters.calls:,}",
        span(stream.seconds),
        _span(counters.waits.values()),
        str(counters.retries),
        f"{stream.left_out:,}",
    )


def _row(cells: Sequence[str]) -> str:
    name, status, *numbers = cells
    first, *others = COLUMNS
    padded = (cell.rjust(width) for cell, width in zip(numbers, others, strict=True))
    return f"{name[:NAME]:{NAME}}{status:{first}}{''.join(padded)}".rstrip()


def _causes(counters: Counters) -> str:
    """Say where the time went."""
    causes = [
        f"{span(seconds)} for {cause}"
        for cause, seconds in sorted(counters.waits.items(), key=lambda each: -each[1])
        if seconds >= SHORTEST
    ]
    words = [f"Waited {', '.join(causes)}" if causes else "Waited for nothing"]
    if counters.refusals:
        words.append(f"{counted(counters.refusals, 'request')} refused (HTTP 429)")
    return "; ".join(words)


def _span(seconds: Iterable[float]) -> str:
    total = sum(seconds)
    return span(total) if total >= SHORTEST else "-"
