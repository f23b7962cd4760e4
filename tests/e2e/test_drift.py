"""Lists that change between two of their pages, and a list that was never complete."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.conftest import calls
from tests.e2e.warehouse import Sync, Warehouse, assert_equal, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox
    from datto_rmm_sandbox.account import Account

SIZE = 10
BOUNDARIES = range(1, 6)
"""Of 60 devices in pages of ten."""


def remove_first(account: Account) -> None:
    account.remove_device(account.devices[0])


def remove_three(account: Account) -> None:
    for device in account.devices[2:5]:
        account.remove_device(device)


def add_first(account: Account) -> None:
    account.add_device(front=True)


def swap(account: Account) -> None:
    """`totalCount` stays as it was."""
    account.remove_device(account.devices[0])
    account.add_device()


def swap_the_other_way(account: Account) -> None:
    account.add_device(front=True)
    account.remove_device(account.devices[-1])


CHANGES = (remove_first, remove_three, add_first, swap, swap_the_other_way)


def read_while(
    account: Sandbox,
    changes: dict[int, Callable[[Account], None]],
    warehouse: Warehouse | None = None,
    streams: tuple[str, ...] = ("devices",),
) -> Sync:
    """Sync while the account changes after so many pages; each change once."""
    left = dict(changes)

    def after_line(number: int) -> None:
        page, place = divmod(number - 1, SIZE)  # the first message is the SCHEMA
        if place == 0 and page in left:
            change = left.pop(page)
            account.call(lambda: (account.account.later(1000), change(account.account)))

    warehouse = warehouse or Warehouse()
    sync = warehouse.sync(
        account, *streams, after_line=after_line, page_size=SIZE, max_parallel_requests=1
    )
    assert not left
    return sync


def uids(account: Sandbox) -> set[str]:
    return account.call(lambda: {device.uid for device in account.account.devices})


def found(sync: Sync, stream: str = "devices") -> list[str]:
    return [record["uid"] for record in sync.records(stream)]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_no_staying_device_is_lost_and_none_comes_twice_at_any_page_boundary(
    sandbox: Callable[..., Sandbox], boundary: int, change: Callable[[Account], None]
) -> None:
    account = sandbox(udf="absent")
    before = uids(account)
    sync = read_while(account, {boundary: change})
    staying = before & uids(account)
    assert [uid for uid, number in Counter(found(sync)).items() if number > 1] == []
    assert staying - set(found(sync)) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [(remove_first, add_first), (add_first, remove_first), (swap, swap), (remove_three, swap)],
)
def test_changes_at_two_boundaries_that_cancel_each_other_lose_nothing(
    sandbox: Callable[..., Sandbox],
    one: Callable[[Account], None],
    other: Callable[[Account], None],
) -> None:
    for first in (1, 2, 3):
        account = sandbox(udf="absent")
        before = uids(account)
        sync = read_while(account, {first: one, first + 2: other})
        assert (before & uids(account)) - set(found(sync)) == set()


@pytest.mark.parametrize("parallel", [1, 8])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("drift", ["remove", "add", "swap"])
def test_a_list_that_changes_after_each_of_its_pages_loses_no_staying_device(
    sandbox: Callable[..., Sandbox], drift: str, seed: int, parallel: int
) -> None:
    account, warehouse = sandbox(devices=90, seed=seed, drift=drift, udf="absent"), Warehouse()
    # The one of a site that is not listed is on no second list. It takes luck once pages come in
    # another order than they are asked for.
    before = {d.uid for d in account.account.devices if d.site.listed or parallel == 1}
    sync = warehouse.sync(account, "devices", page_size=SIZE, max_parallel_requests=parallel)
    assert sync.failure is None
    assert (before & uids(account)) - set(found(sync)) == set()


@pytest.mark.parametrize("change", [remove_first, swap])
def test_a_device_whose_row_moved_is_audited_all_the_same(
    sandbox: Callable[..., Sandbox], change: Callable[[Account], None]
) -> None:
    account, warehouse = sandbox(udf="absent"), Warehouse()
    read_while(account, {2: change}, warehouse, ("devices", "device_audits"))
    there = uids(account)
    audited = {k for k, row in true_rows(account, "device_audits").items() if row["lastAuditDate"]}
    assert {key for key in audited if key[0] in there} <= warehouse.tables["device_audits"].keys()
    warehouse.sync(account, "devices", "device_audits")
    assert_equal(warehouse, account, "device_audits")


def test_a_list_that_holds_still_is_read_once(sandbox: Callable[..., Sandbox]) -> None:
    account = sandbox(udf="absent")
    Warehouse().sync(account, "account", "sites", "devices", page_size=SIZE)
    made = calls(account)
    assert made["/v2/account/devices"] == 6
    assert made["/v2/site/{site_uid}/devices"] == 0


def test_a_list_that_never_holds_still_is_read_five_times_at_most_and_is_not_called_complete(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account = sandbox(devices=60, drift="add", udf="absent")
    sync = Warehouse().sync(account, "devices_v3", page_size=SIZE, max_parallel_requests=1)
    assert sync.failure == "1 of 1 streams are not complete: devices_v3 (incomplete)"
    assert calls(account)["/v3/account/devices"] <= 5 * 10
    assert re.search(
        r"devices_v3: the list moved while it was read \(\d+ rows came, totalCount \d+ then .*\) "
        r"in each of 5 reads",
        caplog.text,
    )


def test_an_open_alert_missed_where_no_count_is_told_comes_in_the_next_run(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=400, alert_order="oldest"), Warehouse()
    drifting = account.state.quirks.changed({"drift": "remove", "drift_path": "alerts/open"})
    account.call(lambda: setattr(account.state, "quirks", drifting))
    warehouse.sync(account, "alerts", page_size=SIZE, max_parallel_requests=1)
    lost = true_rows(account, "alerts").keys() - warehouse.tables["alerts"].keys()
    assert lost, "without a count nobody can tell that a row moved"
    still = account.state.quirks.changed({"drift": "none"})
    account.call(lambda: setattr(account.state, "quirks", still))
    warehouse.sync(account, "alerts", page_size=SIZE)
    assert_equal(warehouse, account, "alerts")


# Completeness


def test_devices_that_the_account_wide_list_lacks_come_from_the_sites_lists(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(devices=120, device_list="subset", udf="30"), Warehouse()
    warehouse.sync(account, "account", "sites", "devices", "device_audits")
    of_listed_sites = {
        device.uid for site in account.account.listed_sites() for device in site.devices.values()
    }
    assert of_listed_sites <= {key[0] for key in warehouse.tables["devices"]}
    wanted = true_rows(account, "device_audits")
    got = warehouse.tables["device_audits"]
    assert {key for key in wanted if key[0] in of_listed_sites} <= got.keys()
    told = r"devices: the account-wide list has \d+ devices, 120 are expected"
    assert re.search(told, caplog.text)


@pytest.mark.parametrize("streams", [("devices",), ("device_audits",)])
def test_the_check_needs_no_other_stream(
    sandbox: Callable[..., Sandbox], streams: tuple[str, ...]
) -> None:
    account, warehouse = sandbox(devices=120, device_list="subset", udf="30"), Warehouse()
    warehouse.sync(account, *streams)
    whole = sandbox(devices=120, udf="30")
    everything = Warehouse()
    everything.sync(whole, *streams)
    orphans = {d.uid for d in account.account.devices if not d.site.listed}
    (stream,) = streams
    missing = everything.tables[stream].keys() - warehouse.tables[stream].keys()
    assert {key[0] for key in missing} <= orphans


def test_what_is_missing_even_then_is_one_warning_with_the_numbers(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account = sandbox(devices=120, device_list="subset", udf="30")
    sync = Warehouse().sync(account, "devices")
    line = re.search(
        r"devices: the account says it has (\d+) devices, all lists together have (\d+)",
        caplog.text,
    )
    assert line
    said, all_found = map(int, line.groups())
    assert said == 120 > all_found == len(found(sync))


def test_a_user_who_may_not_read_the_account_or_the_sites_still_gets_the_devices(
    sandbox: Callable[..., Sandbox],
) -> None:
    account = sandbox(forbid=("/v2/account$", "/v2/account/sites$"), device_list="subset")
    sync = Warehouse().sync(account, "devices")
    assert sync.failure is None
    assert found(sync)


def test_a_site_that_leaves_before_its_list_is_read_costs_nothing_else(
    sandbox: Callable[..., Sandbox],
) -> None:
    account = sandbox(devices=120, device_list="subset", udf="30")
    gone = next(site for site in account.account.listed_sites() if len(site.devices) > 3)
    account.call(lambda: account.state.faults.replace([f"status=404:path=site/{gone.uid}/devices"]))
    sync = Warehouse().sync(account, "devices")
    assert sync.failure is None
    others = {
        device.uid
        for site in account.account.listed_sites()
        for device in site.devices.values()
        if site is not gone
    }
    assert others <= set(found(sync))
