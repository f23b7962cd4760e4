"""Parents that could not be read: one by one in the state, unless they are too many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
import pytest

from tap_datto_rmm.api.devices import Device
from tap_datto_rmm.api.fan_out import Parent
from tap_datto_rmm.errors import (
    ApiError,
    NotAvailableError,
    PermissionDeniedError,
    TooManyFailuresError,
)
from tap_datto_rmm.records.timestamps import Timestamp, canonical
from tap_datto_rmm.singer.bookmark import Bookmark
from tap_datto_rmm.streams.set_aside import SetAside

NOW = pendulum.datetime(2026, 11, 18)
BAD = ApiError("HTTP 500", path="/v2/x", status=500)
GONE = NotAvailableError("HTTP 404", path="/v2/x", status=404)
DENIED = PermissionDeniedError("HTTP 403", path="/v2/x", status=403)


def at(**ago: float) -> Timestamp:
    return canonical(NOW - timedelta(**ago))


def parent(number: int, changed: Timestamp | None = None) -> Parent:
    return Parent(f"p{number}", {"deviceUid": f"p{number}"}, changed or at(hours=100 - number))


def bookmark(**held: Any) -> Bookmark:
    return Bookmark({"bookmarks": {"x": held}}, "x", "lastAuditDate")


def aside(of: Bookmark, total: int = 1000) -> SetAside:
    return SetAside(of, at(), total)


def test_one_that_fails_stands_in_the_state_at_once_and_makes_the_stream_incomplete() -> None:
    kept = bookmark()
    failing = aside(kept)
    failing.fail(parent(1), BAD)
    assert kept.outstanding == {"p1": at()}
    failing.succeed(parent(2))
    verdict = failing.settle()
    assert verdict.outstanding == 1
    assert "p1 (HTTP 500)" in verdict.reasons[0]


def test_one_that_succeeds_the_second_time_leaves_no_trace() -> None:
    kept = bookmark()
    failing = aside(kept)
    failing.fail(parent(1), BAD)
    assert failing.once_more() == [parent(1)]
    failing.succeed(parent(1))
    assert failing.settle() == (0, (), ())
    assert kept.outstanding == {}


def test_what_has_failed_for_more_than_a_day_is_a_known_gap_and_gets_one_request() -> None:
    kept = bookmark(outstanding={at(days=2): ["p1"]})
    failing = aside(kept)
    assert failing.is_known_gap("p1")
    failing.fail(parent(1), BAD)
    assert failing.once_more() == []
    failing.succeed(parent(2))
    verdict = failing.settle()
    assert verdict.reasons == ()
    assert "known gap" in verdict.known_gaps[0]
    assert kept.outstanding == {"p1": at(days=2)}


def test_what_is_no_longer_listed_is_forgotten() -> None:
    kept = bookmark(outstanding={at(hours=1): ["left"]}, gone=["left-too"])
    failing = aside(kept)
    failing.succeed(parent(1))
    failing.settle()
    assert (kept.outstanding, kept.gone) == ({}, [])


def test_what_is_gone_is_asked_for_in_one_more_run_and_then_forgotten() -> None:
    kept = bookmark()
    first = aside(kept)
    first.be_gone(parent(1), GONE)
    assert first.settle().reasons == ()
    assert kept.gone == ["p1"]
    second = aside(kept)
    second.be_gone(parent(1), GONE)
    second.settle()
    assert kept.gone == []


def test_what_is_asked_for_in_each_run_need_not_be_remembered_as_gone() -> None:
    kept = bookmark()
    failing = aside(kept, total=30)
    for number in range(30):
        device = Device(f"p{number}", "device", None)
        failing.be_gone(Parent(f"p{number}", {}, None, device), GONE)
    failing.settle()
    assert kept.gone == []


@pytest.mark.parametrize(("total", "most"), [(60, 19), (99, 19), (150, 30), (1000, 100)])
@pytest.mark.parametrize("gone", [False, True])
def test_too_many_stop_the_stream_and_the_bookmark_stays_before_the_first(
    total: int, most: int, *, gone: bool
) -> None:
    kept = bookmark(
        replication_key_value=at(days=9), outstanding={at(hours=1): ["before"]}, gone=["once"]
    )
    failing = aside(kept, total)

    def fail(number: int) -> None:
        if gone:
            failing.be_gone(parent(number), GONE)
        else:
            failing.fail(parent(number), BAD)
        kept.move(at(days=8, hours=-number))

    for number in range(most):
        fail(number)
    with pytest.raises(TooManyFailuresError, match=f"{most + 1} of {total}"):
        fail(most)
    assert kept.value == at(days=9)
    assert kept.outstanding == {"before": at(hours=1)}
    assert kept.gone == ["once"]


def test_a_permission_that_lacks_for_all_is_told_after_a_few() -> None:
    failing = aside(bookmark())
    for number in range(4):
        failing.fail(parent(number), DENIED)
    with pytest.raises(PermissionDeniedError):
        failing.fail(parent(4), DENIED)


def test_a_permission_that_lacks_for_all_of_a_few_is_told_at_the_end() -> None:
    kept = bookmark()
    failing = aside(kept, total=2)
    failing.fail(parent(1), DENIED)
    failing.fail(parent(2), DENIED)
    with pytest.raises(PermissionDeniedError):
        failing.settle()
    assert kept.outstanding == {}


def test_a_state_that_would_grow_too_large_stops_the_stream() -> None:
    long = "x" * 1_000
    kept = bookmark()
    failing = aside(kept)

    def fail_all() -> None:
        for number in range(60):
            failing.fail(Parent(f"{number}{long}", {}, at()), BAD)

    with pytest.raises(TooManyFailuresError):
        fail_all()
    assert kept.state_size() < 32_000
