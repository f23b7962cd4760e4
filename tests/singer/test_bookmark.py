"""A bookmark reads and writes the state itself, and keeps it small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum

from tap_datto_rmm.records.timestamps import Timestamp, canonical
from tap_datto_rmm.singer.bookmark import (
    MOST_UNFINISHED,
    Bookmark,
    is_known_gap,
    is_too_old,
)

NOW = pendulum.datetime(2026, 11, 18)


def at(**ago: float) -> Timestamp:
    return canonical(NOW - timedelta(**ago))


def test_what_is_set_stands_in_the_state_and_what_is_empty_is_left_out() -> None:
    state: dict[str, Any] = {}
    bookmark = Bookmark(state, "alerts", "resolvedOn")
    bookmark.move(at())
    bookmark.set("full_sweep", at())
    assert state["bookmarks"]["alerts"] == {
        "replication_key": "resolvedOn",
        "replication_key_value": at(),
        "full_sweep": at(),
    }
    bookmark.set("full_sweep", None)
    bookmark.gone = []
    assert list(state["bookmarks"]["alerts"]) == ["replication_key", "replication_key_value"]


def test_reading_changes_nothing() -> None:
    state: dict[str, Any] = {}
    bookmark = Bookmark(state, "jobs", "date")
    assert (bookmark.value, bookmark.outstanding, bookmark.unfinished) == (None, {}, {})
    assert state == {}


def test_outstanding_parents_are_kept_by_the_date_that_most_share() -> None:
    state: dict[str, Any] = {}
    bookmark = Bookmark(state, "device_audits", "lastAuditDate")
    keys = {"a": at(days=2), "b": at(), "c": at()}
    bookmark.outstanding = keys
    assert state["bookmarks"]["device_audits"]["outstanding"] == {
        at(days=2): ["a"],
        at(): ["b", "c"],
    }
    assert bookmark.outstanding == keys


def test_of_unfinished_jobs_the_newest_two_hundred_are_kept() -> None:
    bookmark = Bookmark({}, "jobs", "date")
    bookmark.unfinished = {f"job-{n}": at(minutes=n) for n in range(300)}
    assert len(bookmark.unfinished) == MOST_UNFINISHED == 200
    assert "job-0" in bookmark.unfinished
    assert "job-299" not in bookmark.unfinished


def test_a_forced_full_table_forgets_the_whole_bookmark() -> None:
    state: dict[str, Any] = {"bookmarks": {"alerts": {"full_sweep": at()}, "jobs": {}}}
    Bookmark(state, "alerts", "resolvedOn").forget()
    assert state == {"bookmarks": {"jobs": {}}}


def test_what_fails_for_more_than_a_day_is_a_known_gap() -> None:
    assert not is_known_gap(at(hours=24), at())
    assert is_known_gap(at(hours=25), at())


def test_a_job_is_taken_for_finished_after_thirty_days() -> None:
    assert not is_too_old(at(days=30), at())
    assert is_too_old(at(days=31), at())
