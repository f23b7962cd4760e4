"""The summary: one table in 100 columns, which tells what was read, what was not, and why."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.telemetry.report import (
    COMPLETE,
    FAILED,
    INCOMPLETE,
    NOT_DUE,
    NOT_REACHED,
    RunReport,
)
from tap_datto_rmm.telemetry.summary import tell
from tap_datto_rmm.telemetry.waits import HOST, RATE_LIMIT, RETRIES

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def report() -> RunReport:
    """A run of 754 seconds."""
    times = iter([100.0])
    return RunReport("1.0", clock=lambda: next(times, 854.0))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[RunReport, int], list[tuple[int, str]]]:
    """The summary's lines of the log, each with its level."""

    def read(report: RunReport, exit_code: int) -> list[tuple[int, str]]:
        with caplog.at_level(logging.INFO, "tap-datto-rmm"):
            tell(report, exit_code)
        return [(record.levelno, record.getMessage()) for record in caplog.records]

    return read


def cells(table: str, name: str) -> list[str]:
    (found,) = [line for line in table.splitlines() if line.startswith(f"{name} ")]
    return re.split(r" {2,}", found.removeprefix(name).strip())


def add(report: RunReport, name: str, status: str, *reasons: str, **numbers: int) -> None:
    stream = report.of(name)
    stream.status = status
    stream.reasons = list(reasons)
    stream.records = numbers.get("records", 0)
    stream.counters.add(calls=numbers.get("calls", 0), retries=numbers.get("retries", 0))
    stream.seconds = numbers.get("seconds", 0)


def test_a_run_in_which_all_went_well_is_one_table(
    report: RunReport, told: Callable[..., list[tuple[int, str]]]
) -> None:
    add(report, "users", COMPLETE, records=7, calls=1)
    add(report, "device_audits", COMPLETE, records=6_120, calls=6_144, retries=3, seconds=750)
    add(report, "site_settings", NOT_DUE)
    report.of("device_audits").counters.wait(RATE_LIMIT, 600)
    report.counters.add(calls=6_147, retries=3, refusals=2)
    report.counters.wait(RATE_LIMIT, 600)
    report.counters.wait(RETRIES, 12.4)
    report.counters.wait(HOST, 0.2)
    ((level, text),) = told(report, 0)
    assert level == logging.INFO
    head, *table = text.splitlines()
    assert head == "Done after 13 min: 2 of 3 streams complete, 1 not due"
    assert max(map(len, table)) <= 100
    assert len({len(line) for line in table[:-1]}) == 1, "the columns end at one place"
    assert cells(text, "device_audits") == [
        *("complete", "6,120", "6,144", "12 min", "10 min", "3", "0")
    ]
    assert cells(text, "users") == ["complete", "7", "1", "0.0 s", "-", "0", "0"]
    assert cells(text, "site_settings") == ["not due", *["-"] * 6]
    assert cells(text, "in all") == ["6,127", "6,147", "13 min", "10 min", "3", "0"]
    assert (
        table[-1]
        == "Waited 10 min for the rate limit, 12 s for retries; 2 requests refused (HTTP 429)"
    )


def test_what_was_not_reached_is_told_apart_from_what_had_nothing(
    report: RunReport, told: Callable[..., list[tuple[int, str]]]
) -> None:
    add(report, "users", COMPLETE)
    add(report, "alerts", FAILED, "HTTP 502")
    add(report, "jobs", NOT_REACHED)
    add(report, "printer_audits", NOT_REACHED)
    (_, text), *lines = told(report, 1)
    assert text.startswith(
        "Ended with exit code 1 after 13 min: 1 of 4 streams complete, 1 failed, 2 not reached"
    )
    assert cells(text, "users")[:3] == ["complete", "0", "0"]
    assert cells(text, "jobs") == ["not reached", *["-"] * 6]
    assert lines == [
        (logging.ERROR, "alerts FAILED: HTTP 502"),
        (logging.WARNING, "Not reached: jobs, printer_audits"),
    ]


def test_why_a_stream_is_not_complete_stands_below_the_table_at_a_level_that_stays(
    report: RunReport, told: Callable[..., list[tuple[int, str]]]
) -> None:
    add(report, "users", FAILED, "/v2/account/users: HTTP 403.")
    add(report, "sites", INCOMPLETE, "the list moved", "2 rows cannot be read")
    add(report, "devices", COMPLETE, "5 devices are on none of the lists")
    (_, text), *lines = told(report, 1)
    assert cells(text, "users")[0] == "FAILED"
    assert cells(text, "sites")[0] == "INCOMPLETE"
    assert lines == [
        (logging.ERROR, "users FAILED: /v2/account/users: HTTP 403."),
        (logging.WARNING, "sites INCOMPLETE: the list moved; 2 rows cannot be read"),
        (
            logging.WARNING,
            "devices: complete but for known gaps: 5 devices are on none of the lists",
        ),
    ]


def test_a_run_that_reached_no_stream_needs_no_table(
    report: RunReport, told: Callable[..., list[tuple[int, str]]]
) -> None:
    add(report, "users", NOT_REACHED)
    add(report, "sites", NOT_REACHED)
    assert told(report, 1) == [(logging.WARNING, "Nothing was read: 0 of 2 streams were reached.")]


def test_the_name_of_a_custom_stream_may_be_long(
    report: RunReport, told: Callable[..., list[tuple[int, str]]]
) -> None:
    add(report, "everything_that_anybody_might_ever_want_to_know", INCOMPLETE, "why", records=10**8)
    (_, text), _ = told(report, 1)
    assert max(map(len, text.splitlines()[1:])) <= 100


def test_a_stream_that_ends_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    report = RunReport("1.0")
    add(report, "device_audits", COMPLETE, records=6_120, calls=1, retries=1, seconds=75)
    stream = report.of("device_audits")
    stream.left_out, stream.bookmark = 2, "2026-11-25T05:25:10.497000+00:00"
    with caplog.at_level(logging.INFO, "tap-datto-rmm"):
        stream.tell()
        stream.status = FAILED
        stream.tell()
        stream.status = NOT_DUE
        stream.tell()
    whole = (
        "device_audits: 6,120 records, 1 call, 75 s, 1 retry, 2 left out, up to 2026-11-25 05:25:10"
    )
    assert caplog.messages == [whole, f"{whole}, failed", "device_audits: not due"]
