"""The server's clock: believed within an hour, and never for one wrong header."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tap_datto_rmm.http.clock import ServerClock

OURS = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def clock_that_heard(*ahead: timedelta) -> ServerClock:
    clock = ServerClock(lambda: OURS)
    for offset in ahead:
        clock.hear({"Date": format_datetime(OURS + offset, usegmt=True)})
    return clock


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "yesterday"}])
def test_without_a_date_our_own_time_counts(headers: dict[str, str]) -> None:
    clock = ServerClock(lambda: OURS)
    clock.hear(headers)
    assert clock.now() == OURS
    assert clock.offset == timedelta()


@pytest.mark.parametrize("ahead", [-HOUR, -7 * SECOND, 7 * SECOND, HOUR])
def test_within_an_hour_the_servers_time_counts(ahead: timedelta) -> None:
    assert clock_that_heard(ahead).now() == OURS + ahead


@pytest.mark.parametrize("ahead", [2 * HOUR, 48 * HOUR])
def test_a_server_that_is_hours_ahead_is_not_believed(ahead: timedelta) -> None:
    clock = clock_that_heard(*[ahead] * 20)
    assert clock.now() == OURS
    assert clock.offset == ahead


@pytest.mark.parametrize("ahead", [-2 * HOUR, -48 * HOUR])
def test_where_our_clock_is_hours_ahead_the_servers_counts(ahead: timedelta) -> None:
    assert clock_that_heard(*[ahead] * 20).now() == OURS + ahead


@pytest.mark.parametrize("wrong", [-48 * HOUR, -2 * HOUR, HOUR / 2, 48 * HOUR])
def test_wrong_headers_among_many_count_for_nothing(wrong: timedelta) -> None:
    clock = clock_that_heard(*[SECOND] * 5, wrong, SECOND, wrong, SECOND, wrong)
    assert clock.now() == OURS + SECOND


def test_of_two_headers_that_differ_the_earlier_counts() -> None:
    assert clock_that_heard(HOUR / 2, SECOND).now() == OURS + SECOND


def test_a_clock_that_was_set_right_is_believed_after_a_few_answers() -> None:
    clock = clock_that_heard(*[HOUR / 2] * 9, *[SECOND] * 5)
    assert clock.now() == OURS + SECOND
