"""The account lives, and only as it is told to."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from datto_rmm_sandbox import audits
from datto_rmm_sandbox.disks import disks
from datto_rmm_sandbox.expected import STREAMS, lines
from datto_rmm_sandbox.life import advance
from datto_rmm_sandbox.options import Options
from datto_rmm_sandbox.records import DAY
from datto_rmm_sandbox.state import State

from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.records import Row

    from tests.sandbox.conftest import Client


def state() -> State:
    return State(Options(devices=200, now=NOW))


def truth(one: State, stream: str) -> dict[str, Row]:
    return {
        row["row"].get("uid") or row["row"].get("alertUid") or row["parent"]["deviceUid"]: row
        for row in map(json.loads, lines(one, stream))
    }


def software(one: State) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in map(json.loads, lines(one, "device_software")):
        entry = (line["row"]["name"], line["row"]["version"])
        found.setdefault(line["parent"]["deviceUid"], []).append(entry)
    return found


def test_the_same_life_leads_to_the_same_account() -> None:
    one, other = state(), state()
    for minutes in (60, 5, 1_440):
        assert advance(one.account, minutes) == advance(other.account, minutes)
    for stream in STREAMS:
        assert list(lines(one, stream)) == list(lines(other, stream)), stream


def test_time_passes_and_online_devices_are_seen() -> None:
    one = state()
    happened = advance(one.account, 60)
    assert happened.now == NOW + 3_600_000
    seen = [d for d in one.account.devices if d.seen > NOW]
    assert len(seen) == happened.seen > 100
    assert all(d.seen <= happened.now for d in one.account.devices)


def test_the_share_that_is_asked_for_is_audited_and_nothing_else_changes() -> None:
    one = state()
    before, installed = truth(one, "device_audits"), software(one)
    happened = advance(one.account, 60, audited_percent=10, added=0, removed=0)
    assert len(happened.audited) == 20
    after, now_installed = truth(one, "device_audits"), software(one)
    dates = {uid: row["parent"]["lastAuditDate"] for uid, row in after.items()}
    moved = {uid for uid in after if before[uid]["parent"]["lastAuditDate"] != dates[uid]}
    assert moved == set(happened.audited) & set(after)
    for uid in set(after) - moved:
        assert after[uid]["row"] == before[uid]["row"]
        assert now_installed.get(uid) == installed.get(uid)
    assert any(now_installed.get(uid) != installed.get(uid) for uid in moved)


def test_software_is_installed_updated_and_removed_by_audits() -> None:
    one = state()
    came = went = changed = 0
    for device in [d for d in one.account.devices if d.system.is_windows and d.audited][:5]:
        lists = [audits.software(one.account, device)]
        for _ in range(12):
            one.account.audit(device, one.account.now)
            lists.append(audits.software(one.account, device))
        for earlier, later in pairwise(lists):
            before, after = ({row["name"] for row in found} for found in (earlier, later))
            came, went = came + len(after - before), went + len(before - after)
            changed += earlier != later
    assert came
    assert went
    assert changed > 40


def test_alerts_open_and_resolve() -> None:
    one = state()
    before = truth(one, "alerts")
    happened = advance(one.account, 60, opened=7, resolved=5, removed=0)
    after = truth(one, "alerts")
    assert set(after) - set(before) == set(happened.opened)
    for uid in happened.opened:
        assert NOW < after[uid]["row"]["timestamp"] <= happened.now
    for uid in happened.resolved:
        assert not before[uid]["row"]["resolved"]
        assert NOW <= after[uid]["row"]["resolvedOn"] <= happened.now
    assert len(happened.opened) == 7
    assert len(happened.resolved) == 5


def test_devices_come_and_go() -> None:
    one = state()
    before = truth(one, "devices")
    happened = advance(one.account, 60, added=3, removed=4)
    after = truth(one, "devices")
    assert set(after) - set(before) == set(happened.added)
    assert set(before) - set(after) == set(happened.removed)
    told = json.loads(next(lines(one, "account")))["row"]["devicesStatus"]["numberOfDevices"]
    assert told == len(after) == 199
    gone = set(happened.removed)
    alerts = truth(one, "alerts").values()
    left = [row["row"] for row in alerts if row["row"]["alertSourceInfo"]["deviceUid"] in gone]
    assert left
    assert all(row["resolved"] for row in left)


def test_patches_move_only_with_an_audit() -> None:
    one = state()
    before = truth(one, "devices")
    happened = advance(one.account, 60, audited_percent=50, added=0, removed=0)
    changed = {
        uid
        for uid, line in truth(one, "devices").items()
        if line["row"]["patchManagement"] != before[uid]["row"]["patchManagement"]
    }
    assert changed
    assert changed <= set(happened.audited)


def test_activities_and_jobs_are_logged() -> None:
    one = state()
    before = len(one.account.activities)
    happened = advance(one.account, 1_440)
    assert len(one.account.activities) > before + happened.activities > before
    assert all(a.at <= happened.now for a in one.account.activities)
    assert one.account.activities == sorted(one.account.activities, key=lambda a: (a.at, a.uid))


def test_nothing_negative_is_lived() -> None:
    with pytest.raises(ValueError, match="negative"):
        advance(state().account, -1)


def test_an_empty_account_lives_too() -> None:
    empty = State(Options(devices=0, now=NOW))
    assert advance(empty.account, 1_440, added=1).added
    assert advance(empty.account, 1_440, removed=5).removed == []


def test_it_advances_on_request(client: Callable[..., Client]) -> None:
    one = client()
    answer = one.control("POST", "/advance", {"minutes": 60, "audited_percent": 10})
    assert len(answer["audited"]) == 6
    assert one.control("GET", "/health")["now"] == NOW + 3_600_000
    assert one.sandbox.advance(5).now == NOW + 3_900_000
    wrong = one.session.post(f"{one.sandbox.url}/_sandbox/advance", json={"hours": 1}, timeout=5)
    assert wrong.status_code == 400


def test_it_lives_by_itself(client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datto_rmm_sandbox.app.HEARTBEAT", 0.01)
    one = client(live=3_600)
    deadline = time.monotonic() + 5
    while one.control("GET", "/health")["now"] <= NOW and time.monotonic() < deadline:
        time.sleep(0.02)
    assert one.control("GET", "/health")["now"] > NOW


def patches_of(one: State) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for line in map(json.loads, lines(one, "device_patches")):
        found.setdefault(line["parent"]["deviceUid"], {})[line["row"]["title"]] = line["row"]
    return found


def test_patches_come_out_supersede_one_another_and_are_installed() -> None:
    one = state()
    came = superseded = installed = 0
    after = patches_of(one)
    for _ in range(5):
        before = after
        advance(one.account, 2 * 1_440, added=0, removed=0)
        after = patches_of(one)
        for uid, now in after.items():
            came += len(now.keys() - before[uid].keys())
            gone = before[uid].keys() - now.keys()
            assert all(before[uid][title]["installStatus"] != "INSTALLED" for title in gone)
            superseded += len(gone)
            installed += sum(
                row["installStatus"] == "INSTALLED" != before[uid][title]["installStatus"]
                for title, row in now.items()
                if title in before[uid]
            )
    assert came > 100
    assert superseded > 10
    assert installed > 100


def test_release_dates_follow_the_accounts_clock() -> None:
    for now in (NOW, NOW - 400 * DAY):
        one = State(Options(devices=200, now=now))
        advance(one.account, 10 * 1_440)
        today = datetime.fromtimestamp(one.account.now / 1000, UTC).date()
        days = [row["releaseDate"] for held in patches_of(one).values() for row in held.values()]
        ages = [(today - date.fromisoformat(day)).days for day in days if day]
        assert min(ages) in range(10)
        assert max(ages) > 365
        assert None in days


def test_some_computers_fail_to_install_for_good() -> None:
    one = state()
    failing: list[set[str]] = []
    for _ in range(2):
        advance(one.account, 6 * 1_440, added=0, removed=0)
        told = {uid: line["row"]["patchManagement"] for uid, line in truth(one, "devices").items()}
        failing.append({uid for uid, m in told.items() if m and m["patchStatus"] == "InstallError"})
    assert failing[0]
    assert failing[0] <= failing[1]


def test_on_demand_sites_have_no_patch_data() -> None:
    one = State(Options(devices=600, now=NOW))
    held = patches_of(one)
    devices = [d for s in one.account.sites if s.on_demand for d in s.devices.values()]
    assert [device for device in devices if device.system.is_windows]
    assert not [device for device in devices if device.uid in held]


def test_devices_go_silent_for_weeks_and_come_back() -> None:
    one = state()
    silent: set[str] = set()
    back = 0
    for _ in range(40):
        advance(one.account, 1_440, added=0, removed=0)
        now = {d.uid for d in one.account.devices if one.account.now - d.seen > 14 * DAY}
        back += len(silent - now)
        silent |= now
    assert len(silent) > 5
    assert back > 0


def test_a_disk_that_fills_does_so_at_a_steady_pace() -> None:
    one = state()
    measured: dict[tuple[str, str], list[tuple[int, int, int | None]]] = {}
    for _ in range(20):
        advance(one.account, 1_440, added=0, removed=0)
        for device in one.account.devices:
            if device.system.device_class == "device" and device.audited:
                for disk in disks(one.account, device):
                    reading = (device.measured, disk.free, disk.full_at)
                    measured.setdefault((device.uid, disk.name), []).append(reading)
    filling = [readings for readings in measured.values() if readings[0][2]]
    assert filling
    for readings in filling:
        (first, had, full_at), (last, has, _) = readings[0], readings[-1]
        assert full_at
        if last - first > 10 * DAY and full_at > last + 5 * DAY:
            pace = (had - has) / (last - first)
            assert has / pace == pytest.approx(full_at - last, rel=0.1)
