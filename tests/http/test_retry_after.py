"""Retry-After: seconds or a date, by the API's own clock, never for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tap_datto_rmm.http.responses import Reply, retry_after

THEIRS = datetime.now(UTC).replace(microsecond=0) - timedelta(days=4)
"""What the API's clock says: nothing like ours."""


def seconds(value: str | None) -> float | None:
    headers = {"Date": format_datetime(THEIRS, usegmt=True)}
    return retry_after(
        Reply(429, headers if value is None else {**headers, "Retry-After": value}, b"")
    )


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("7", 7),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("-3", 0),
        ("86400", 600),
    ],
)
def test_seconds_are_taken_as_they_are_within_reason(
    value: str | None, wanted: float | None
) -> None:
    assert seconds(value) == wanted


@pytest.mark.parametrize(("ahead", "wanted"), [(42, 42), (-9, 0), (7200, 600)])
def test_a_date_counts_from_the_moment_of_the_answer(ahead: int, wanted: float) -> None:
    moment = THEIRS + timedelta(seconds=ahead)
    assert seconds(format_datetime(moment, usegmt=True)) == wanted
    assert seconds(f"{moment:%a, %d %b %Y %H:%M:%S} -0000") == wanted
