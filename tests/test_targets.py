"""What `make targets` says of a target is what that target did."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools.targets import verdict
from tools.targets.messages import Messages, Runs
from tools.targets.readers import Found
from tools.targets.verdict import Held

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]

KEYS = {"devices": ["uid"], "alerts": ["alertUid"]}
A = {"uid": "a", "lastSeen": "2026-11-18T10:00:00.000000+00:00", "udf": {"udf1": "x", "udf2": None}}
B = {**A, "uid": "b", "description": ""}
A_LATER = {**A, "lastSeen": "2026-11-18T11:00:00.000000+00:00"}
ALERT = {"alertUid": "1", "alertContext": {"@class": "disk", "free": 8.6}}
ALERT_LATER = {**ALERT, "alertUid": "2"}


def messages(*, devices: list[Row], alerts: list[Row]) -> Messages:
    rows = {"devices": devices, "alerts": alerts}
    records = {
        stream: {tuple(row[name] for name in KEYS[stream]): row for row in of_stream}
        for stream, of_stream in rows.items()
    }
    return Messages(Path("-"), records, KEYS, {"devices"})


@pytest.fixture
def runs() -> Runs:
    """B is gone in the second run; of the alerts it reads what is new."""
    return Runs(
        messages(devices=[A, B], alerts=[ALERT]),
        messages(devices=[A_LATER], alerts=[ALERT_LATER]),
    )


def held(devices: list[Row], alerts: list[Row]) -> Held:
    return Held.of(Found({"devices": devices, "alerts": alerts}), KEYS)


def test_a_first_run_that_is_there_with_every_value_is_right(runs: Runs) -> None:
    assert verdict.after_first(held([A, B], [ALERT]), runs) == "right"


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ([A], "1 rows missing (devices)"),
        ([A, B, {**A, "uid": "c"}], "1 rows too many (devices)"),
        ([A, A, B], "right; 1 rows twice"),
        ([A, {**B, "lastSeen": None}], "1 values differ (devices.lastSeen)"),
        ([A, {**B, "description": None}], "empty text is null"),
    ],
)
def test_what_is_wrong_with_a_first_run_is_told(runs: Runs, devices: list[Row], words: str) -> None:
    assert verdict.after_first(held(devices, [ALERT]), runs) == words


@pytest.mark.parametrize(
    ("devices", "alerts", "way", "fate"),
    [
        ([A_LATER], [ALERT, ALERT_LATER], "upserts", "rows are gone"),
        ([A_LATER, B], [ALERT, ALERT_LATER], "upserts", "ignored"),
        (
            [A_LATER, {**B, "_sdc_deleted_at": "2026-11-19"}],
            [ALERT, ALERT_LATER],
            "upserts",
            "`_sdc_deleted_at`",
        ),
        ([A, B, A_LATER], [ALERT, ALERT_LATER], "appends", "ignored"),
        ([A_LATER], [ALERT_LATER], "keeps the last run only", "rows are gone"),
        ([A], [ALERT, ALERT_LATER], "upserts; 1 values differ (devices.lastSeen)", "rows are gone"),
        ([A_LATER], [ALERT_LATER] * 3, "1 rows missing (alerts)", "rows are gone"),
    ],
)
def test_what_a_second_run_does_is_told(
    runs: Runs, devices: list[Row], alerts: list[Row], way: str, fate: str
) -> None:
    there = held(devices, alerts)
    assert verdict.after_second(there, runs) == way
    assert verdict.marks(there, runs) == fate


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.lower(),
        lambda name: {"lastSeen": "last_seen", "alertUid": "alert_uid"}.get(name, name),
    ],
    ids=["lower case", "words split"],
)
def test_columns_are_found_under_the_names_that_targets_give_them(
    runs: Runs, rename: Callable[[str], str]
) -> None:
    devices = [{rename(name): value for name, value in row.items()} for row in (A, B)]
    alert = {rename(name): value for name, value in ALERT.items()}
    assert verdict.after_first(held(devices, [alert]), runs) == "right"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (7, Decimal(7)),
        (7, "7"),
        (8.6, "8.6"),
        (True, "True"),
        (False, 0),
        ("2026-11-18T10:00:00.000000+00:00", datetime(2026, 11, 18, 10, tzinfo=UTC)),
        ("2026-11-18T10:00:00.000000+00:00", "2026-11-18 10:00:00"),
        ({"free": 8.6}, "{'free': Decimal('8.6')}"),
        ({"free": 8.6, "used": None}, '{"free": 8.6}'),
        ([{"free": 1}], [{"free": 1}]),
        (None, ""),
    ],
)
def test_a_value_of_another_type_is_the_same_value(wanted: object, found: object) -> None:
    assert verdict.same(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (7, None),
        (True, "False"),
        ("2026-11-18T10:00:00.000000+00:00", "2026-11-18 21:00:00"),
        ("one\ntwo", "one\\ntwo"),
        ({"free": 8.6}, "{}"),
        ([{"free": 1}], [{"free": 1}, {"free": 2}]),
        (None, 0),
    ],
)
def test_another_value_is_not(wanted: object, found: object) -> None:
    assert not verdict.same(wanted, found)
