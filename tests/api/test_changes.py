"""Audits that are asked for again: the look-back's memory, and the sweep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.api.changes import (
    MARK_LENGTH,
    MOST_MARKS,
    ReadChanges,
    Sweep,
    earlier,
    mark_of,
    marks_in,
)
from tap_datto_rmm.api.devices import Device
from tap_datto_rmm.records.timestamps import canonical

if TYPE_CHECKING:
    from tap_datto_rmm.records.timestamps import Timestamp

NOON = canonical(datetime.fromisoformat("2026-11-18T12:00:00+00:00"))
HOUR = timedelta(hours=1)


def later(minutes: float) -> Timestamp:
    moved = earlier(NOON, timedelta(minutes=-minutes))
    assert moved
    return moved


def device(number: int, minutes: float) -> Device:
    return Device(f"device-{number}", "device", later(minutes))


def mark(one: Device) -> str:
    assert one.last_audit
    return mark_of(one.uid, one.last_audit)


def pairs(*devices: Device) -> list[tuple[str, Timestamp | None]]:
    return [(one.uid, one.last_audit) for one in devices]


def test_every_devices_turn_comes_once_around_and_hardly_one_comes_twice() -> None:
    devices = [device(number, 0) for number in range(500)]
    turns = [0] * len(devices)
    for hour in range(30 * 24):
        sweep = Sweep.between(later(60 * hour), later(60 * (hour + 1)), days=30)
        for place, one in enumerate(devices):
            turns[place] += sweep.includes(one)
    assert min(turns) >= 1
    assert sum(turns) <= len(devices) + 5


def test_an_hours_share_of_ten_thousand_devices_is_fourteen() -> None:
    sweep = Sweep.between(NOON, later(60), days=30)
    assert sweep.length * 10_000 == pytest.approx(13.9, abs=0.1)


def test_a_run_after_a_long_time_sweeps_everything() -> None:
    sweep = Sweep.between(NOON, later(60 * 24 * 40), days=30)
    assert all(sweep.includes(device(number, 0)) for number in range(100))


@pytest.mark.parametrize(
    ("last", "now", "days"), [(None, NOON, 30), (NOON, later(60), 0), (later(60), NOON, 30)]
)
def test_nothing_is_swept_in_a_first_run_or_where_it_is_switched_off_or_time_runs_back(
    last: Timestamp | None, now: Timestamp, days: int
) -> None:
    sweep = Sweep.between(last, now, days)
    assert not any(sweep.includes(device(number, 0)) for number in range(1_000))


def test_what_was_read_within_the_look_back_is_remembered_and_nothing_else() -> None:
    before, within, after = device(1, -61), device(2, -59), device(3, 1)
    read = ReadChanges(HOUR)
    for one in (before, within, after):
        read.add(one.uid, one.last_audit)
    assert marks_in(read.text(NOON)) == {mark(within)}


def test_without_a_bookmark_nothing_is_remembered_as_all_is_read_again() -> None:
    read = ReadChanges(HOUR, pairs(device(1, 0)))
    assert read.text(None) == ""


def test_the_memory_is_small_however_many_audits_the_look_back_holds() -> None:
    read = ReadChanges(HOUR, pairs(*(device(number, -number / 100) for number in range(5_000))))
    text = read.text(NOON)
    assert len(text) == MOST_MARKS * MARK_LENGTH < 2_000
    assert mark(device(0, 0)) in marks_in(text)  # the newest are kept


def test_a_second_audit_of_a_device_is_another_one() -> None:
    assert mark(device(1, 0)) != mark(device(1, 1))
