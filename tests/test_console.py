"""The log for people: the day when it changes, a level where it is worse than news."""

from __future__ import annotations

import logging
from datetime import datetime

from tap_datto_rmm.console import ForPeople


def record(text: str, hour: str, level: int = logging.INFO) -> logging.LogRecord:
    found = logging.LogRecord("tap-datto-rmm", level, "", 0, text, None, None)
    found.created = datetime.fromisoformat(f"2026-11-{hour}").astimezone().timestamp()
    return found


def test_the_day_stands_where_it_begins_and_a_level_where_it_matters() -> None:
    people = ForPeople()
    assert [
        people.format(record("starts", "26T23:59:58")),
        people.format(record("goes on", "26T23:59:59")),
        people.format(record("stumbles", "27T00:00:00", logging.WARNING)),
        people.format(record("one\ntwo", "27T00:00:01")),
    ] == [
        "2026-11-26 23:59:58 | starts",
        "23:59:59 | goes on",
        "2026-11-27 00:00:00 | WARNING | stumbles",
        "00:00:01 | one\ntwo",
    ]
