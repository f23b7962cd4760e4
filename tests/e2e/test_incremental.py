"""Incremental syncs: what changed is asked for, nothing else, and nothing is lost."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tap_datto_rmm.http.clock import ServerClock
from tap_datto_rmm.streams.fan_out_reading import PARENTS_AHEAD
from tests.conftest import NOW, calls, taken
from tests.e2e.warehouse import Warehouse, assert_equal, selection, true_rows
from tests.truth import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox
    from datto_rmm_sandbox.records import Device

HOUR = 3_600_000
DAY = 24 * HOUR
AUDITS = ("device_audits", "device_software", "esxi_host_audits", "printer_audits")


def asked(sandbox: Sandbox, kind: str = "device") -> list[str]:
    """The devices whose audit was asked for since the last look, in order."""
    path = re.compile(rf"/api/v2/audit/{kind}/([^/]+)$")
    return [match[1] for entry in taken(sandbox) if (match := path.fullmatch(entry.path))]


def computers(sandbox: Sandbox) -> list[Device]:
    return [device for device in sandbox.account.devices if device.is_computer]


def never_audited(sandbox: Sandbox) -> set[str]:
    return {device.uid for device in computers(sandbox) if device.audited is None}


def audit(sandbox: Sandbox, device: Device, at: int | None = None) -> None:
    """A device is audited, a second from now on the account's clock where no time is given."""

    def happens() -> None:
        sandbox.account.later(1000)
        sandbox.account.audit(device, sandbox.account.now if at is None else at)

    sandbox.call(happens)


def queries(sandbox: Sandbox, path: str) -> list[dict[str, str]]:
    """The queries that were sent to a path since the last look."""
    return [
        {name: values[0] for name, values in parse_qs(entry.query).items()}
        for entry in taken(sandbox)
        if entry.path.endswith(path)
    ]


# Audits


def test_a_second_sync_asks_only_for_what_was_audited_since(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=90), Warehouse()
    warehouse.sync(account, *AUDITS)
    assert_equal(warehouse, account, *AUDITS)
    asked(account)
    changed = computers(account)[10:14]
    for device in changed:
        audit(account, device)
    warehouse.sync(account, *AUDITS)
    expected = {device.uid for device in changed} | never_audited(account)
    assert set(asked(account)) == expected
    assert_equal(warehouse, account, *AUDITS)


def test_a_quiet_account_costs_the_lists_and_the_devices_that_were_never_audited(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=200), Warehouse()
    warehouse.sync(account, "device_audits")
    calls(account)
    warehouse.sync(account, "device_audits")
    made = calls(account)
    assert made["/v2/audit/device/{device_uid}"] == len(never_audited(account))
    assert made["/v2/account/devices"] == 1


def test_audits_come_oldest_first_and_those_never_made_after_all_others(
    sandbox: Callable[..., Sandbox],
) -> None:
    account = sandbox(devices=120)
    found = Warehouse().sync(account, "device_audits").records("device_audits")
    dates = [record["lastAuditDate"] or "never" for record in found]
    assert dates == sorted(dates)
    assert dates[-1] == "never"
    assert len(dates) == len(computers(account))


def test_of_devices_with_the_bookmarks_date_only_a_new_one_is_asked_for(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=40), Warehouse()
    one, other = computers(account)[:2]
    at = NOW - 1000
    audit(account, one, at)
    warehouse.sync(account, "device_audits")
    assert warehouse.state["bookmarks"]["device_audits"]["replication_key_value"] == timestamp(at)
    asked(account)
    audit(account, other, at)
    warehouse.sync(account, "device_audits")
    assert set(asked(account)) - never_audited(account) == {other.uid}
    assert_equal(warehouse, account, "device_audits")


@pytest.mark.parametrize("most", [8, 20, 31, 40])
def test_a_run_that_dies_among_devices_with_one_date_loses_none_of_them(
    sandbox: Callable[..., Sandbox], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_datto_rmm.streams.sync.RECORDS_PER_STATE", 1)
    account, warehouse = sandbox(devices=50), Warehouse()
    for device in computers(account):
        audit(account, device, NOW - 1000)
    assert warehouse.sync(account, "device_audits", most=most).failure == "killed"
    assert warehouse.sync(account, "device_audits").failure is None
    assert_equal(warehouse, account, "device_audits")


def test_a_device_audited_again_while_the_run_goes_on_is_asked_for_again_in_the_next(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    device = max(computers(account), key=lambda d: d.audited or 0)
    early = min(computers(account), key=lambda d: d.audited or NOW)

    def change(number: int) -> None:
        if number == 5:
            audit(account, device)
            audit(account, early)

    warehouse.sync(account, *AUDITS, after_line=change, max_parallel_requests=1)
    asked(account)
    warehouse.sync(account, *AUDITS)
    assert {device.uid, early.uid} <= set(asked(account))
    assert_equal(warehouse, account, *AUDITS)


def test_an_audit_made_after_its_page_was_read_is_not_hidden_by_a_later_one_on_a_later_page(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    first, last = computers(account)[0], computers(account)[-1]

    def change(number: int) -> None:
        if number == 15:  # a row of the second page; the last one has not been read
            audit(account, first)
            audit(account, last)

    streams = ("devices", "device_audits")
    warehouse.sync(account, *streams, after_line=change, page_size=10, max_parallel_requests=1)
    assert warehouse.tables["devices"][last.uid,]["lastAuditDate"] == timestamp(last.audited)
    warehouse.sync(account, *streams)
    assert_equal(warehouse, account, *streams)


def test_a_device_that_leaves_between_the_list_and_its_audit_is_left_out_and_the_rest_goes_on(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    gone = sorted(computers(account), key=lambda d: (d.audited or 0, d.uid))[20]

    def change(number: int) -> None:
        if number == 5:
            account.call(lambda: account.account.remove_device(gone))

    sync = warehouse.sync(account, "device_audits", after_line=change, max_parallel_requests=1)
    assert sync.failure is None
    assert len(sync.records("device_audits")) == len(computers(account))
    assert "device_audits: 1 left out: has nothing to give (HTTP 404)" in caplog.text
    assert_equal(warehouse, account, "device_audits")


def test_a_device_with_a_clock_in_the_future_is_read_and_hides_nobody_else(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    wrong, right = computers(account)[:2]
    audit(account, wrong, NOW + 3650 * DAY)
    warehouse.sync(account, "device_audits")
    assert warehouse.state["bookmarks"]["device_audits"]["replication_key_value"] <= timestamp(NOW)
    assert_equal(warehouse, account, "device_audits")
    audit(account, right)
    warehouse.sync(account, "device_audits")
    assert_equal(warehouse, account, "device_audits")


def test_the_clock_that_counts_is_the_apis_and_not_the_one_of_this_machine(
    sandbox: Callable[..., Sandbox],
) -> None:
    assert datetime.now(UTC).timestamp() * 1000 > NOW + DAY, "this machine's clock is ahead"
    account, warehouse = sandbox(devices=60), Warehouse()
    audit(account, computers(account)[0], NOW + DAY)
    warehouse.sync(account, "device_audits", "alerts", "activity_logs")
    for stream in ("device_audits", "alerts", "activity_logs"):
        bookmark = warehouse.state["bookmarks"][stream]["replication_key_value"]
        assert bookmark <= timestamp(account.account.now)


def test_a_stream_that_failed_goes_on_where_it_failed(sandbox: Callable[..., Sandbox]) -> None:
    account, warehouse = sandbox(devices=120), Warehouse()
    inner = sorted(computers(account), key=lambda d: (d.audited or 0, d.uid))[60]
    account.call(
        lambda: account.state.faults.replace([f"status=405:path=audit/device/{inner.uid}"])
    )
    assert warehouse.sync(account, "device_audits").failure
    account.call(lambda: account.state.faults.replace([]))
    before = set(asked(account))
    warehouse.sync(account, "device_audits")
    again = before & set(asked(account))
    ahead = 8 * PARENTS_AHEAD
    assert len(again - never_audited(account)) <= ahead + 3  # and those of the same date
    assert_equal(warehouse, account, "device_audits")


def test_a_catalog_that_forces_full_table_reads_everything_again(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    warehouse.sync(account, "device_audits")
    catalog = selection("device_audits")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    asked(account)
    sync = warehouse.sync(account, catalog=catalog, emit_activate_version_messages=True)
    assert len(asked(account)) == len(computers(account))
    assert sync.activated() == []


def test_patches_of_a_device_are_asked_for_after_its_audit_only(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    warehouse.sync(account, "device_patches")
    calls(account)
    device = computers(account)[5]
    audit(account, device)
    sync = warehouse.sync(account, "device_patches")
    made = calls(account)["/v2/device/{device_uid}/patches"]
    assert made <= 1 + len(never_audited(account)) + 3
    assert {row["patchId"] for row in true_rows(account, "device_patches").values()}
    got = {r["patchId"] for r in sync.records("device_patches") if r["deviceUid"] == device.uid}
    wanted = {k[1] for k in true_rows(account, "device_patches") if k[0] == device.uid}
    assert got == wanted


# Alerts


@pytest.mark.parametrize("order", ["newest", "oldest", "unordered"])
def test_an_alert_resolved_between_two_runs_turns_resolved_in_the_target(
    sandbox: Callable[..., Sandbox], order: str
) -> None:
    account, warehouse = sandbox(alert_order=order), Warehouse()
    warehouse.sync(account, "alerts")
    assert_equal(warehouse, account, "alerts")
    happened = account.advance(60, opened=3, resolved=2)
    assert happened.resolved
    warehouse.sync(account, "alerts")
    assert_equal(warehouse, account, "alerts")


def test_of_the_resolved_alerts_only_those_since_the_bookmark_less_the_lookback_come_again(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=200), Warehouse()
    warehouse.sync(account, "alerts")
    since = warehouse.state["bookmarks"]["alerts"]["replication_key_value"]
    account.advance(300, opened=0, resolved=3)
    sync = warehouse.sync(account, "alerts", lookback_minutes=30)
    resolved = [r for r in sync.records("alerts") if r["resolved"]]
    earliest = datetime.fromisoformat(since).timestamp() * 1000 - HOUR / 2
    wanted = [a for a in account.account.resolved_alerts if (a.resolved or 0) >= earliest]
    assert len(resolved) == len(wanted)
    assert_equal(warehouse, account, "alerts")


@pytest.mark.parametrize("told", [True, False], ids=["Date told", "Date dropped"])
def test_an_alert_resolved_between_the_two_reads_of_a_run_is_not_lost(
    sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    """Not even where a proxy drops the Date header and this machine's clock is days ahead."""
    if not told:
        monkeypatch.setattr(ServerClock, "hear", lambda *_: None)
    account, warehouse = sandbox(), Warehouse()
    alert = account.account.open_alerts[0]

    def happens() -> None:
        account.account.later(1000)
        account.account.resolve(alert)
        account.account.later(1000)
        account.account.resolve(account.account.open(account.account.devices[0], NOW))

    def change(number: int) -> None:
        if number == 2:  # after the SCHEMA and one open alert
            account.call(happens)

    first = warehouse.sync(account, "alerts", after_line=change, lookback_minutes=0)
    assert alert.uid in {record["alertUid"] for record in first.records("alerts")}
    warehouse.sync(account, "alerts", lookback_minutes=0)
    assert warehouse.tables["alerts"][alert.uid,]["resolved"] is True
    assert_equal(warehouse, account, "alerts")


def test_an_alert_that_opens_and_is_resolved_while_the_open_ones_are_read_is_not_lost(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()

    def change(number: int) -> None:
        def happens() -> None:
            account.account.later(1000)
            alert = account.account.open(account.account.devices[0], account.account.now)
            account.account.resolve(alert)

        if number == 3:
            account.call(happens)

    warehouse.sync(account, "alerts", after_line=change, lookback_minutes=0)
    warehouse.sync(account, "alerts", lookback_minutes=0)
    assert_equal(warehouse, account, "alerts")


def test_resolved_alerts_that_come_newest_first_are_read_no_further_than_needed(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=400), Warehouse()
    settings: dict[str, Any] = {"page_size": 50}
    warehouse.sync(account, "alerts", max_parallel_requests=1, **settings)
    assert calls(account)["/v2/account/alerts/resolved"] == 24
    account.advance(60, opened=4, resolved=4)
    sync = warehouse.sync(account, "alerts", **settings)
    resolved = sum(record["resolved"] for record in sync.records("alerts"))
    assert calls(account)["/v2/account/alerts/resolved"] == math.ceil(resolved / 50) + 1 < 6
    assert_equal(warehouse, account, "alerts")


def miss_some(account: Sandbox, warehouse: Warehouse) -> None:
    """Let the order change after it was seen: alerts are missed, the bookmark passes them."""
    warehouse.sync(account, "alerts", page_size=10, lookback_minutes=0)
    assert warehouse.state["bookmarks"]["alerts"]["newest_first"]
    turned = account.state.quirks.changed({"alert_order": "unordered"})
    account.call(lambda: setattr(account.state, "quirks", turned))
    for _ in range(3):
        account.advance(12 * 60, opened=8, resolved=8)
        warehouse.sync(account, "alerts", page_size=10, lookback_minutes=0)
    got = warehouse.tables["alerts"]
    missed = [row for key, row in true_rows(account, "alerts").items() if got.get(key) != row]
    bookmark = warehouse.state["bookmarks"]["alerts"]["replication_key_value"]
    assert all(row["resolvedOn"] < bookmark for row in missed if row["resolvedOn"])


def test_the_next_full_sweep_brings_what_an_early_stop_missed(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=100, seed=11, alert_order="newest"), Warehouse()
    miss_some(account, warehouse)
    account.advance(6 * 24 * 60, opened=0, resolved=0)
    warehouse.sync(account, "alerts", lookback_minutes=0)
    assert_equal(warehouse, account, "alerts")


def test_without_a_promised_order_every_page_is_read_each_time(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=200, alert_order="unordered"), Warehouse()
    for _ in range(2):
        warehouse.sync(account, "alerts", page_size=50)
        made = calls(account)["/v2/account/alerts/resolved"]
        assert made >= math.ceil(len(account.account.resolved_alerts) / 50)
        account.advance(60, opened=2, resolved=2)


def test_a_date_of_resolution_in_the_future_hides_no_other(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    alert = account.account.open_alerts[0]
    account.call(lambda: account.account.resolve(alert, NOW + 3650 * DAY))
    warehouse.sync(account, "alerts")
    account.advance(180, opened=2, resolved=2)
    warehouse.sync(account, "alerts")
    assert_equal(warehouse, account, "alerts")


def test_nothing_resolved_or_logged_before_the_start_date_is_read(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=200), Warehouse()
    start = timestamp(NOW - 10 * DAY)
    warehouse.sync(account, "alerts", "activity_logs", start_date=start)
    alerts, logs = (list(warehouse.tables[s].values()) for s in ("alerts", "activity_logs"))
    assert min(r["resolvedOn"] for r in alerts if r["resolvedOn"]) >= start
    assert len([r for r in alerts if r["resolvedOn"] is None]) == len(account.account.open_alerts)
    assert min(r["date"] for r in logs) >= start
    wanted = [a for a in account.account.activities if a.at >= NOW - 10 * DAY]
    assert len(logs) == len(wanted)


# Activity logs


def test_the_log_is_read_from_the_bookmark_less_the_lookback_until_the_start_of_the_run(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=200), Warehouse()
    warehouse.sync(account, "activity_logs")
    queries(account, "/activity-logs")
    since = warehouse.state["bookmarks"]["activity_logs"]["replication_key_value"]
    account.advance(120, activities=600)

    def change(number: int) -> None:
        if number == 100:
            account.advance(5, activities=5)

    warehouse.sync(account, "activity_logs", lookback_minutes=90, after_line=change)
    sent = queries(account, "/activity-logs")
    assert len(sent) > 2
    assert {query["until"] for query in sent} == {"2026-11-18T13:06:40Z"}
    begin = datetime.fromisoformat(since).timestamp() - 90 * 60
    assert {query["from"] for query in sent} == {
        datetime.fromtimestamp(int(begin), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    }
    assert {query["order"] for query in sent} == {"asc"}
    warehouse.sync(account, "activity_logs")
    assert_equal(warehouse, account, "activity_logs")


def test_an_entry_that_is_logged_late_comes_within_the_lookback(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "activity_logs")
    late = account.account.now - HOUR // 2
    account.call(lambda: account.account.log(account.account.devices[0], late))
    warehouse.sync(account, "activity_logs")
    assert_equal(warehouse, account, "activity_logs")


@pytest.mark.parametrize("most", [120, 400, 600])
def test_a_first_load_of_the_log_that_dies_goes_on_where_it_died(
    sandbox: Callable[..., Sandbox], most: int
) -> None:
    account, warehouse = sandbox(devices=400), Warehouse()
    settings: dict[str, Any] = {"page_size": 50, "lookback_minutes": 1}
    assert warehouse.sync(account, "activity_logs", most=most, **settings).failure == "killed"
    first = calls(account)["/v2/activity-logs"]
    warehouse.sync(account, "activity_logs", **settings)
    second = calls(account)["/v2/activity-logs"]
    in_all = len(account.account.activities) / 50
    assert in_all <= first + second <= in_all + 4
    assert_equal(warehouse, account, "activity_logs")


def test_a_long_log_is_compared_for_repeats_without_remembering_all_of_it(
    sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_datto_rmm.streams.activity.KEYS_TO_COMPARE", 60)
    account, warehouse = sandbox(devices=200), Warehouse()
    warehouse.sync(account, "activity_logs", page_size=25)
    assert_equal(warehouse, account, "activity_logs")


def test_jobs_that_the_log_names_anew_are_asked_for_again(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    streams = ("jobs", "job_results", "job_outputs")
    warehouse.sync(account, *streams)
    calls(account)

    def happens() -> None:
        account.account.later(6 * HOUR)
        account.account.run_job(computers(account)[:2], account.account.now - 2 * HOUR)

    account.call(happens)
    sync = warehouse.sync(account, *streams)
    assert sync.failure is None
    made = calls(account)
    assert 1 <= made["/v2/job/{job_uid}"] <= 3
    assert made["/v2/activity-logs"] == 1
    for stream in streams:
        assert true_rows(account, stream).keys() <= warehouse.tables[stream].keys()


# An account that lives


def test_after_each_of_ten_syncs_the_target_equals_the_account_at_the_cost_of_what_changed(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=300, udf="absent"), Warehouse()
    audits = ("device_audits", "esxi_host_audits", "printer_audits")
    streams = ("account", "sites", "devices", "alerts", "activity_logs", *audits)
    settings: dict[str, Any] = {"emit_activate_version_messages": True}
    warehouse.sync(account, *streams, **settings)
    assert_equal(warehouse, account, *streams)
    for _ in range(10):
        calls(account)
        happened = account.advance(60, audited_percent=40, added=2, removed=2)
        warehouse.sync(account, *streams, **settings)
        assert_equal(warehouse, account, *streams)
        audited = set(happened.audited)
        changed = sum(
            device.uid in audited or device.audited is None
            for device in account.account.devices
            if device.system.device_class in {"device", "esxihost", "printer"}
        )
        made = calls(account)
        lists = sum(number for path, number in made.items() if "{" not in path)
        assert lists <= pages(account, 250)
        assert changed <= sum(made.values()) - lists <= 1.1 * changed


def pages(account: Sandbox, size: int) -> int:
    """Calls for the lists; where the end is not told, up to eight pages are asked for in vain."""
    there = account.account
    told = 1 + math.ceil(len(there.sites) / size) + math.ceil(len(there.devices) / size)
    alerts = (there.open_alerts, there.resolved_alerts)
    return told + sum(math.ceil(len(found) / size) + 8 for found in alerts) + 5
