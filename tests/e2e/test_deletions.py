"""Deletions: only a complete read tells a target to forget rows, and only after its last record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import truth
from tests.e2e.warehouse import Warehouse, assert_equal, selection, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

FULL = {name for name, stream in truth.STREAMS.items() if stream.incremental_by is None}
ON: dict[str, Any] = {"emit_activate_version_messages": True}


def remove(account: Sandbox, number: int) -> list[str]:
    """That many devices leave the account; gives their uids."""

    def happens() -> list[str]:
        account.account.later(1000)
        leaving = account.account.devices[:number]
        for device in leaving:
            account.account.remove_device(device)
        return [device.uid for device in leaving]

    return account.call(happens)


def fault(account: Sandbox, *texts: str) -> None:
    account.call(lambda: account.state.faults.replace(texts))


def test_without_the_setting_no_version_is_ever_told(sandbox: Callable[..., Sandbox]) -> None:
    sync = Warehouse().sync(sandbox(), "sites", "devices", "alerts")
    assert sync.activated() == []
    assert not [message for message in sync.messages if "version" in message]


def test_each_full_table_stream_tells_its_version_once_after_its_last_record(
    sandbox: Callable[..., Sandbox],
) -> None:
    sync = Warehouse().sync(sandbox(devices=150), *truth.STREAMS, **ON)
    assert sorted(sync.activated()) == sorted(FULL)
    for stream in truth.STREAMS:
        mine = [m for m in sync.messages if m.get("stream") == stream]
        versions = {m.get("version") for m in mine if m["type"] == "RECORD"}
        if stream in FULL:
            assert [m["type"] for m in mine[-2:]] == ["RECORD", "ACTIVATE_VERSION"]
            assert versions == {mine[-1]["version"]}
        else:
            assert versions == {None}


def test_a_guard_of_null_is_the_default(sandbox: Callable[..., Sandbox]) -> None:
    account, warehouse = sandbox(), Warehouse()
    for _ in range(2):
        sync = warehouse.sync(account, "sites", **ON, deletion_guard_percent=None)
        assert sync.activated() == ["sites"]


def test_a_device_that_left_the_account_leaves_the_target(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "devices", "sites", **ON)
    (gone,) = remove(account, 1)
    warehouse.sync(account, "devices", "sites", **ON)
    assert (gone,) not in warehouse.tables["devices"]
    assert_equal(warehouse, account, "devices", "sites")


def test_a_stream_that_failed_removes_nothing_and_the_others_do(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    warehouse.sync(account, "devices", "users", page_size=20, **ON)
    remove(account, 1)
    fault(account, "status=405:path=account/devices.*page=2")
    sync = warehouse.sync(account, "devices", "users", page_size=20, **ON)
    assert sync.failure
    assert sync.activated() == ["users"]
    assert len(warehouse.tables["devices"]) == 60


@pytest.mark.parametrize("most", [3, 40])
def test_a_run_that_dies_removes_nothing(sandbox: Callable[..., Sandbox], most: int) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    warehouse.sync(account, "devices", **ON)
    remove(account, 1)
    assert warehouse.sync(account, "devices", most=most, **ON).activated() == []
    assert len(warehouse.tables["devices"]) == 60


def test_a_stream_with_a_site_left_out_removes_nothing(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "site_variables", **ON)
    rows = len(warehouse.tables["site_variables"])
    fault(account, "status=404:path=/variables:first=2")
    sync = warehouse.sync(account, "site_variables", **ON)
    assert sync.failure is None
    assert sync.activated() == []
    assert len(warehouse.tables["site_variables"]) == rows
    assert "nothing is marked as deleted (no ACTIVATE_VERSION): 2 rows were left out" in caplog.text


def test_a_list_with_rows_that_are_no_records_removes_nothing(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "users", **ON)
    fault(account, "drop-key:path=/users")
    assert warehouse.sync(account, "users", **ON).activated() == []


def test_a_list_that_moves_in_each_of_its_reads_removes_nothing(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60, drift="add"), Warehouse()
    sync = warehouse.sync(account, "devices_v3", page_size=10, max_parallel_requests=1, **ON)
    assert sync.failure == "1 of 1 streams are not complete: devices_v3 (incomplete)"
    assert sync.activated() == []


def test_a_list_that_moves_until_a_further_read_finds_nothing_new_loses_no_device_that_stays(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=90), Warehouse()
    warehouse.sync(account, "devices_v3", page_size=10, **ON)
    drifting = account.state.quirks.changed({"drift": "remove"})
    account.call(lambda: setattr(account.state, "quirks", drifting))
    sync = warehouse.sync(account, "devices_v3", page_size=10, **ON)
    assert sync.activated() == ["devices_v3"]
    assert true_rows(account, "devices_v3").keys() <= warehouse.tables["devices_v3"].keys()


def test_a_list_that_is_found_to_lack_devices_removes_nothing_until_it_lacks_as_many_again(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60, device_list="subset"), Warehouse()
    sync = warehouse.sync(account, "account", "devices", "users", **ON)
    missing = {d.uid for d in account.account.devices} - {k[0] for k in warehouse.tables["devices"]}
    assert missing, "a device of a site that is not listed cannot be found"
    assert sync.failure is None
    assert sync.activated() == ["account", "users"]
    sync = warehouse.sync(account, "account", "devices", "users", **ON)
    assert sync.activated() == ["account", "devices", "users"]


def test_a_stream_map_that_filters_removes_nothing(sandbox: Callable[..., Sandbox]) -> None:
    account = sandbox()
    maps = {"devices": {"__filter__": "record['deviceClass'] == 'device'"}}
    sync = Warehouse().sync(account, "devices", "sites", stream_maps=maps, **ON)
    assert sync.activated() == ["sites"]


def test_an_incremental_stream_removes_nothing_whatever_the_catalog_says(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    streams = ("alerts", "activity_logs", "device_audits", "device_patches", "jobs")
    catalog = selection(*streams)
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
        entry.pop("replication_key", None)
    for _ in range(2):
        sync = warehouse.sync(account, catalog=catalog, **ON)
        assert sync.activated() == []
        assert not [message for message in sync.messages if "version" in message]


def test_no_more_rows_vanish_than_the_guard_allows_until_it_is_lifted(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(devices=60), Warehouse()
    warehouse.sync(account, "devices", **ON)
    remove(account, 12)
    assert warehouse.sync(account, "devices", **ON).activated() == ["devices"]
    remove(account, 12)
    for _ in range(2):
        assert warehouse.sync(account, "devices", **ON).activated() == []
    assert len(warehouse.tables["devices"]) == 48
    assert "about 25 % of the 48 rows of the last complete read would vanish" in caplog.text
    sync = warehouse.sync(account, "devices", deletion_guard_percent=100, **ON)
    assert sync.activated() == ["devices"]
    assert len(warehouse.tables["devices"]) == 36
    assert warehouse.sync(account, "devices", **ON).activated() == ["devices"]


def test_another_account_of_the_same_size_does_not_wipe_the_target(
    sandbox: Callable[..., Sandbox],
) -> None:
    warehouse = Warehouse()
    streams = ("account", "sites", "devices", "components")
    warehouse.sync(sandbox(seed=7), *streams, **ON)
    for whose in ("account_uid", "account_name"):  # else the run would be refused
        del warehouse.state["bookmarks"]["account"][whose]
    sync = warehouse.sync(sandbox(seed=8), *streams, **ON)
    assert sync.activated() == []
    assert len(warehouse.tables["devices"]) == 120


def test_an_empty_list_removes_nothing(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "users", **ON)
    account.call(lambda: setattr(account.account, "user_count", 0))
    assert warehouse.sync(account, "users", deletion_guard_percent=100, **ON).activated() == []
    assert warehouse.tables["users"]
    assert "no rows came" in caplog.text


def test_a_list_that_was_never_anything_but_empty_is_not_worth_a_warning(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account = sandbox()
    account.call(lambda: setattr(account.account, "user_count", 0))
    assert Warehouse().sync(account, "users", **ON).activated() == []
    assert "ACTIVATE_VERSION" not in caplog.text
