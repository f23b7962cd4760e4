"""Lists that are broken, short or moving: every row comes, or the run says that one is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox import oddities

from tests.e2e.scene import DAY, HOUR, Scene, last_lines, told
from tests.e2e.warehouse import Key, assert_equal, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.account import Account

    from tests.commands import Run

MARKS: dict[str, Any] = {"emit_activate_version_messages": True, "deletion_guard_percent": 100}

LISTS = {
    "sites": ("/v2/account/sites", "uid"),
    "users": ("/v2/account/users", "username"),
    "components": ("/v2/account/components", "uid"),
    "account_variables": ("/v2/account/variables", "id"),
    "default_filters": ("/v2/filter/default-filters", "id"),
    "custom_filters": ("/v2/filter/custom-filters", "id"),
    "dnet_site_mappings": ("/v2/account/dnet-site-mappings", "uid"),
    "devices_v3": ("/v3/account/devices", "uid"),
    "alerts": ("/v2/account/alerts/resolved", "alertUid"),
}
DEVICE_LISTS = "/devices([?]|$)"
"""The account's list, and the sites' own ones."""
OF_SITES = "/v2/site/[^/]+/devices([?]|$)"


def bad_row(at: Scene, stream: str) -> tuple[Key, str]:
    """Choose a row of a list; give its key and a text that its pages hold and no others."""
    _, name = LISTS[stream]
    keys = sorted(
        key for key, row in true_rows(at.account, stream).items() if row.get("resolved", True)
    )
    key = keys[len(keys) // 2]
    value = f'"{key[0]}"' if isinstance(key[0], str) else f"{key[0]},"
    return key, f'"{name}":{value}'


def activated(run: Run) -> set[str]:
    return {m["stream"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}


def written(run: Run, at: Scene, stream: str) -> set[Key]:
    names = at.warehouse.keys[stream]
    return {tuple(record[name] for name in names) for record in run.records[stream]}


# One bad row


@pytest.mark.parametrize("stream", LISTS)
def test_one_bad_row_costs_one_row_of_its_list(scene: Callable[..., Scene], stream: str) -> None:
    at = scene(devices=60)
    key, text = bad_row(at, stream)
    at.inject(f"status=500:path={LISTS[stream][0]}:holds={text}")
    run = at.run(stream, "printer_audits")
    assert run.code == 1
    assert at.missing(stream) == {key}
    assert not at.missing("printer_audits")
    assert stream in last_lines(run)
    at.heal(stream, "printer_audits")


@pytest.mark.parametrize("fault", ["cut-json", "cut", "html", "reset", "status=503"])
def test_one_bad_row_costs_one_row_whatever_its_pages_answer(
    scene: Callable[..., Scene], fault: str
) -> None:
    at = scene(devices=60)
    key, text = bad_row(at, "components")
    at.inject(f"{fault}:path={LISTS['components'][0]}:holds={text}")
    assert at.run("components", page_size=20).code == 1
    assert at.missing("components") == {key}
    at.heal("components")


@pytest.mark.parametrize("stream", ["users", "components", "sites", "devices_v3"])
def test_a_bad_row_is_not_marked_as_deleted(scene: Callable[..., Scene], stream: str) -> None:
    at = scene(devices=60)
    at.heal(stream, **MARKS)
    _, text = bad_row(at, stream)
    at.inject(f"status=500:path={LISTS[stream][0]}:holds={text}")
    run = at.run(stream, **MARKS)
    assert run.code == 1
    assert activated(run) == set()
    assert_equal(at.warehouse, at.account, stream)
    assert activated(at.heal(stream, **MARKS)) == {stream}


def test_a_page_that_is_too_large_for_the_server_is_read_in_smaller_ones(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=600)
    at.inject("status=500:path=/v2/account/devices(?=.*max=250)(?=.*page=1(&|$))")
    run = at.run("devices", "device_audits")
    assert run.code == 0, run.err
    assert_equal(at.warehouse, at.account, "devices", "device_audits")


def test_a_bad_row_of_the_device_list_comes_from_its_sites_own_list(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=120)
    bad = [device for device in at.devices() if device.site.listed][40]
    at.inject(f'status=500:path=/v2/account/devices:holds="uid":"{bad.uid}"')
    run = at.run("devices", "device_audits")
    assert run.code == 0, run.err
    assert_equal(at.warehouse, at.account, "devices", "device_audits")


def test_a_device_that_no_list_gives_is_found_when_one_does(scene: Callable[..., Scene]) -> None:
    at = scene(devices=120)
    bad = at.devices()[40]
    at.inject(f'status=500:path={DEVICE_LISTS}:holds="uid":"{bad.uid}"')
    run = at.run("devices", "device_audits", "device_software")
    assert run.code == 1
    assert at.missing("devices") == at.missing("device_audits") == {(bad.uid,)}
    assert at.position("device_audits") > "2026"
    sweep = {"audit_sweep_days": 1}
    at.rests(25 * HOUR)
    at.heal("devices", "device_audits", "device_software", **sweep)


def test_a_bad_row_of_the_site_list_makes_what_follows_incomplete_too(
    scene: Callable[..., Scene],
) -> None:
    streams = ("site_settings", "site_variables", "site_network_interfaces")
    at = scene(devices=100)
    bad = sorted(site.uid for site in at.account.account.listed_sites() if site.devices)[2]
    at.inject(f'status=500:path=/v2/account/sites:holds="uid":"{bad}"')
    run = at.run(*streams)
    assert run.code == 1
    assert at.missing("site_settings") == {(bad,)}
    for stream in streams:
        assert at.missing(stream) <= at.parents(stream)[bad,]
        assert told(run, stream, "incomplete")
    at.heal(*streams)


# Pages that are cut or short


@pytest.mark.parametrize("fault", ["cut", "cut=chunked", "cut-json", "short-page=2", "status=500"])
def test_a_page_of_software_that_is_bad_in_one_run_is_made_good_in_the_next(
    scene: Callable[..., Scene], fault: str
) -> None:
    at = scene(devices=60)
    account, quirks = at.account.account, at.account.state.quirks
    bad = max(at.devices(), key=lambda device: len(oddities.software(account, device, quirks)))
    row = oddities.software(account, bad, quirks)[30]  # on the second page
    text = f'"name":"{row["name"]}","version":"{row["version"]}"'
    at.inject(f"{fault}:path=/v2/audit/device/{bad.uid}/software:holds={text}")
    run = at.run("device_software", "device_audits", page_size=20)
    assert run.code == 1
    assert (bad.uid, row["name"], row["version"]) in at.missing("device_software")
    assert at.missing("device_software") <= at.parents("device_software")[bad.uid,]
    assert not at.missing("device_audits")
    assert at.names(bad.uid)
    at.heal("device_software", "device_audits")


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("users", "/v2/account/users"),
        ("devices_v3", "/v3/account/devices"),
        ("alerts", "/v2/account/alerts/open"),
        ("alerts", "/v2/account/alerts/resolved"),
        ("site_network_interfaces", "network-interface"),
    ],
)
def test_a_page_with_fewer_rows_than_it_counts_is_damaged_and_not_the_last(
    scene: Callable[..., Scene], stream: str, path: str
) -> None:
    at = scene(devices=60)
    at.inject(f"short-page=1:path={path}:times=1")
    assert at.run(stream, **MARKS).code == 0
    assert_equal(at.warehouse, at.account, stream)
    at.warehouse.tables.clear()
    at.warehouse.state.clear()
    at.inject(f"short-page=1:path={path}")
    run = at.run(stream, **MARKS)
    assert run.code == 1
    assert activated(run) == set()
    at.heal(stream, **MARKS)


def test_a_log_whose_second_page_fails_goes_on_there(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    at.inject("status=500:path=/v2/activity-logs:after=1")
    assert at.run("activity_logs", "jobs", page_size=40).code == 1
    assert at.position("activity_logs") < max(
        row["date"] for row in true_rows(at.account, "activity_logs").values()
    )
    at.heal("activity_logs", "jobs")


def test_a_short_device_list_and_a_site_that_fails_leave_nothing_behind(
    scene: Callable[..., Scene],
) -> None:
    """The account's list lacks a third of the devices, and the list of one site does not answer."""
    at = scene(devices=60, device_list="subset")
    site = max(at.account.account.listed_sites(), key=lambda site: len(site.devices))
    orphans = {(d.uid,) for d in at.account.account.devices if not d.site.listed}
    streams = ("devices", "device_audits", "printer_audits")
    at.inject(f"status=500:path=/v2/site/{site.uid}/devices([?]|$)")
    run = at.run(*streams)
    assert run.code == 1
    assert at.missing("devices") - orphans
    at.inject()
    run = at.run(*streams, excepted=orphans)
    assert run.code == 0, run.err
    for stream in streams:
        assert at.missing(stream) <= orphans


# Counts that do not agree


def test_a_count_above_the_lists_costs_a_look_at_the_sites_once(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=120, count_above=3)
    sites = len(list(at.account.account.listed_sites()))
    looks = []
    for above in (3, 3, 3, 4, 4):
        at.turn(count_above=above)
        at.heal("devices", "device_audits")
        looks.append(at.calls(OF_SITES))
    assert [look >= sites for look in looks] == [True, False, False, True, False]
    assert looks[1:3] + looks[4:] == [0, 0, 0]


@pytest.mark.parametrize("difference", ["+3", "-2"])
def test_a_total_that_is_wrong_in_the_same_way_each_time_does_not_halt(
    scene: Callable[..., Scene], difference: str
) -> None:
    at = scene(devices=400)
    at.inject(f"total-count={difference}:path=/v2/account/users")
    run = at.run("users", page_size=5, **MARKS)
    assert run.code == 0, run.err
    assert_equal(at.warehouse, at.account, "users")
    assert told(run, "users", "totalCount")
    pages = -(-len(true_rows(at.account, "users")) // 5)
    assert at.calls("/v2/account/users") <= 2 * (pages + 1)


@pytest.mark.parametrize("stream", ["users", "components", "devices_v3", "site_network_interfaces"])
def test_rows_that_are_missing_now_and_then_are_found_by_further_passes(
    scene: Callable[..., Scene], stream: str
) -> None:
    """Other ones each time: a list that lacks the same row twice is one whose total is wrong."""
    at = scene(devices=120)
    site = max(at.account.account.listed_sites(), key=lambda site: len(site.devices))
    path = LISTS.get(stream, (f"{site.uid}/devices/network-interface", ""))[0]
    at.heal(stream, **MARKS)
    at.inject(f"lose-rows=1:path={path}:every=2")
    run = at.run(stream, page_size=10, max_parallel_requests=1, **MARKS)
    assert_equal(at.warehouse, at.account, stream)
    assert run.code == 0 or activated(run) == set()
    at.heal(stream, **MARKS)


def test_a_list_that_never_comes_whole_is_incomplete_and_marks_nothing(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=200)
    at.heal("devices_v3", "sites", **MARKS)
    at.inject("lose-rows=9:path=/v3/account/devices")
    run = at.run("devices_v3", "sites", page_size=10, **MARKS)
    assert run.code == 1
    assert activated(run) == {"sites"}
    assert_equal(at.warehouse, at.account, "devices_v3", "sites")
    assert "devices_v3" in last_lines(run)
    at.heal("devices_v3", "sites", **MARKS)


# Rows that move


@pytest.mark.parametrize("total", ["number", "absent"])
@pytest.mark.parametrize(
    "stream",
    ["devices", "devices_v3", "users", "components", "sites", "site_network_interfaces"],
)
def test_rows_that_change_places_between_pages_are_neither_lost_nor_marked(
    scene: Callable[..., Scene], stream: str, total: str
) -> None:
    at = scene(devices=300, list_total_count=total)
    at.heal(stream, **MARKS)
    at.turn(drift="reorder")
    run = at.run(stream, page_size=10, **MARKS)
    assert_equal(at.warehouse, at.account, stream)
    if run.code == 0:
        assert written(run, at, stream) == true_rows(at.account, stream).keys()
    else:
        assert activated(run) == set()
    at.turn(drift="none")
    at.heal(stream, **MARKS)


@pytest.mark.parametrize("total", ["number", "absent"])
@pytest.mark.parametrize(
    ("stream", "path"),
    [("devices", "/v2/account/devices"), ("devices_v3", "/v3/account/devices")],
)
def test_a_row_that_leaves_a_list_takes_no_other_with_it(
    scene: Callable[..., Scene], stream: str, path: str, total: str
) -> None:
    at = scene(devices=90, list_total_count=total)
    at.heal(stream, **MARKS)
    before = true_rows(at.account, stream).keys()
    at.happens_behind(path, 3, lambda account: account.remove_device(account.devices[0]))
    run = at.run(stream, page_size=10, max_parallel_requests=1, **MARKS)
    after = true_rows(at.account, stream).keys()
    assert len(before - after) == 1
    assert not at.missing(stream)
    if run.code == 0:
        assert before & after <= written(run, at, stream)
    at.heal(stream, **MARKS)


def test_a_device_that_leaves_its_site_takes_no_interfaces_of_others_with_it(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=120, list_total_count="absent")
    site = max(at.account.account.listed_sites(), key=lambda site: len(site.devices))
    assert len(site.devices) > 15

    def leaves(account: Account) -> None:
        account.remove_device(next(iter(site.devices.values())))

    at.heal("site_network_interfaces", **MARKS)
    at.happens_behind(f"{site.uid}/devices/network-interface", 2, leaves)
    at.run("site_network_interfaces", page_size=5, max_parallel_requests=1, **MARKS)
    assert not at.missing("site_network_interfaces")
    at.heal("site_network_interfaces", **MARKS)


@pytest.mark.parametrize("order", ["newest", "oldest", "unordered"])
def test_a_resolved_alert_that_a_moving_list_hid_comes_with_the_next_full_sweep(
    scene: Callable[..., Scene], order: str
) -> None:
    at = scene(devices=120, alert_order=order)
    at.heal("alerts")

    def resolved(account: Account) -> None:
        for alert in account.open_alerts[:11]:
            account.resolve(alert, account.now)

    at.happens(resolved, after=2 * HOUR)
    at.turn(drift="remove", drift_path="alerts/resolved")
    at.run("alerts", page_size=5, max_parallel_requests=1)
    at.turn(drift="none")
    at.rests(3 * HOUR)
    assert at.run("alerts").code == 0
    at.rests(8 * DAY)
    run = at.run("alerts")
    assert run.code == 0, run.err
    written = at.warehouse.tables["alerts"]
    wrong = [key for key, row in true_rows(at.account, "alerts").items() if written[key] != row]
    assert wrong == []


# Keys that are short, or come twice


def test_a_null_in_a_key_loses_no_row_and_stops_no_mark(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60, null_keys="on")
    streams = ("device_software", "site_patches")
    at.heal(*streams, **MARKS)
    assert [r for r in at.warehouse.tables["device_software"].values() if r["version"] == ""]
    assert [r for r in at.warehouse.tables["site_patches"].values() if r["installStatus"] == ""]
    assert activated(at.heal(*streams, **MARKS)) == {"site_patches"}


@pytest.mark.parametrize("stream", ["job_components", "job_outputs"])
def test_two_rows_of_one_key_that_differ_are_counted_and_the_first_is_told(
    scene: Callable[..., Scene], stream: str
) -> None:
    at = scene(devices=60, repeat_components="on")
    parents = at.parents(stream)
    twice = len(parents)
    if stream == "job_outputs":  # twice in each channel
        twice = len({(job, device, to) for job, device, _, to in true_rows(at.account, stream)})
    run = at.heal(stream)
    lines = [line for line in run.err.splitlines() if stream in line]
    assert any(re.search(rf"\b{twice}\b", line) for line in lines), run.err
    assert any(parent[0] in line for line in lines for parent in parents), run.err
