"""Dates: every form of the wire becomes the canonical timestamp, whose text order is time order."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.records.timestamps import as_date, as_timestamp, timestamp_of
from tests import truth


@given(st.datetimes())
def test_text_order_is_time_order(moment: datetime) -> None:
    written = as_timestamp(moment.isoformat())
    if moment.year == 1:
        assert written is None
        return
    assert written is not None
    assert len(written) == len("2026-08-01T00:00:02.118000+00:00")
    assert written[:26] == moment.isoformat(timespec="microseconds")
    assert as_timestamp(written) == written


@given(
    st.integers(-30_000_000_000, 253_402_300_799_999)
    | st.integers(0, 4_000_000_000_000).map(lambda number: number / 1000)
)
def test_every_number_is_the_date_that_simple_arithmetic_gives(number: float) -> None:
    assert as_timestamp(number) == truth.timestamp(number)


@given(st.integers(10**8, 10**11 - 1))
def test_seconds_and_milliseconds_are_told_apart(seconds: int) -> None:
    assert as_timestamp(seconds) == as_timestamp(seconds * 1000) == as_timestamp(str(seconds))


@pytest.mark.parametrize("item", [None, 7, "x", [], {}, {"at": None}, {"at": "soon"}, {"at": 0}])
def test_an_item_without_a_date_has_no_timestamp(item: object) -> None:
    assert timestamp_of(item, "at") is None


def test_the_date_of_an_item_is_read_as_a_canonical_timestamp() -> None:
    assert timestamp_of({"at": 1785542402118}, "at") == "2026-08-01T00:00:02.118000+00:00"


@given(st.dates(date(2, 1, 1)))
def test_a_plain_date_stays_what_it_is(day: date) -> None:
    assert as_date(day.isoformat()) == day.isoformat()


@given(st.datetimes(datetime(2, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - any
def test_of_a_moment_in_text_the_day_is_the_one_that_is_written(moment: datetime) -> None:
    assert as_date(moment.isoformat()) == str(moment.date())
