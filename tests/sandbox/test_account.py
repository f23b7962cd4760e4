"""The seeded account: repeatable, believable, consistent in itself."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from datto_rmm_sandbox.account import Account
from datto_rmm_sandbox.alerts import CONTEXTS
from datto_rmm_sandbox.expected import STREAMS, lines
from datto_rmm_sandbox.options import Options
from datto_rmm_sandbox.state import State

from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.records import Row


@pytest.fixture(scope="module")
def state() -> State:
    return State(Options(devices=600, now=NOW))


def rows(state: State, stream: str) -> list[Row]:
    return [json.loads(line)["row"] for line in lines(state, stream)]


def pairs(state: State, stream: str) -> Iterator[tuple[Row, Row]]:
    for line in lines(state, stream):
        data = json.loads(line)
        yield data["parent"], data["row"]


@pytest.mark.parametrize("size", [0, 1, 20, 75])
def test_the_same_seed_gives_the_same_account(size: int) -> None:
    one, other, third = (State(Options(devices=size, seed=seed, now=NOW)) for seed in (3, 3, 4))
    for stream in STREAMS:
        assert list(lines(one, stream)) == list(lines(other, stream)), stream
    assert list(lines(one, "account")) != list(lines(third, "account"))


def test_the_clock_starts_in_the_past_and_stops_at_the_present() -> None:
    account = Account(5)
    before = account.now
    assert account.later(3_600_000) == 3_600_000
    assert account.now == before + 3_600_000
    account.later(10 * 365 * 86_400_000)
    assert account.now < Account(0).now + 2 * 86_400_000


def test_the_classes_are_mixed_as_in_real_accounts(state: State) -> None:
    found = Counter(row["deviceClass"] for row in rows(state, "devices"))
    assert found == {
        "device": 516,
        "printer": 30,
        "rmmnetworkdevice": 30,
        "esxihost": 18,
        "unknown": 6,
    }
    small = Counter(d.system.device_class for d in Account(10, now=NOW).devices)
    assert set(small) == set(found)


def test_what_is_no_computer_has_many_nulls(state: State) -> None:
    for row in rows(state, "devices"):
        if row["deviceClass"] != "device":
            for name in ("antivirus", "patchManagement", "operatingSystem", "a64Bit", "lastReboot"):
                assert row[name] is None


def test_devices_have_300_udfs_of_which_most_are_null(state: State) -> None:
    found = rows(state, "devices")
    for row in found:
        assert list(row["udf"]) == [f"udf{n}" for n in range(1, 301)]
        assert sum(value is not None for value in row["udf"].values()) < 12
    assert any(row["udf"]["udf300"] for row in found)


def test_v2_and_v3_tell_the_same_of_a_udf(state: State) -> None:
    for old, new in zip(rows(state, "devices"), rows(state, "devices_v3"), strict=True):
        filled = {int(key[3:]) for key, value in old["udf"].items() if value is not None}
        assert {item["ordinal"] for item in new["udfs"]} == filled
        assert old["uid"] == new["uid"]


def test_the_counts_of_sites_and_account_match_the_devices(state: State) -> None:
    devices = rows(state, "devices")
    of_site = Counter(row["siteUid"] for row in devices)
    online = Counter(row["siteUid"] for row in devices if row["online"])
    for row in rows(state, "sites"):
        counts = row["devicesStatus"]
        assert counts["numberOfDevices"] == of_site[row["uid"]]
        assert counts["numberOfOnlineDevices"] == online[row["uid"]]
    counts = rows(state, "account")[0]["devicesStatus"]
    assert counts["numberOfDevices"] == len(devices)
    assert counts["numberOfOnlineDevices"] == online.total()
    assert counts["numberOfOfflineDevices"] == len(devices) - online.total()


def test_some_devices_point_at_a_site_that_is_not_listed(state: State) -> None:
    listed = {row["uid"] for row in rows(state, "sites")}
    orphans = [row for row in rows(state, "devices") if row["siteUid"] not in listed]
    assert 0 < len(orphans) < 6


def test_uids_are_guids_but_for_one_site(state: State) -> None:
    for row in rows(state, "devices"):
        uuid.UUID(row["uid"])
    odd = [row for row in rows(state, "sites") if "_" in row["uid"]]
    assert [row["name"] for row in odd] == ["Deleted Devices"]


@pytest.mark.parametrize(
    ("stream", "keys"),
    [
        ("sites", ("uid",)),
        ("devices", ("uid",)),
        ("alerts", ("alertUid",)),
        ("users", ("username",)),
        ("account_variables", ("id",)),
        ("components", ("uid",)),
        ("activity_logs", ("id",)),
        ("site_variables", ("id",)),
        ("site_patches", ("siteUid", "patchId", "installStatus")),
        ("device_patches", ("deviceUid", "patchId")),
        ("job_results", ("jobUid", "deviceUid")),
        ("job_components", ("jobUid", "uid")),
        ("job_outputs", ("jobUid", "deviceUid", "componentUid", "channel")),
    ],
)
def test_keys_are_unique_and_never_null(state: State, stream: str, keys: tuple[str, ...]) -> None:
    found = [tuple({**row, **parent}[key] for key in keys) for parent, row in pairs(state, stream)]
    assert len(set(found)) == len(found) > 0
    assert None not in {part for key in found for part in key}


def test_host_names_are_unique_and_some_are_not_ascii(state: State) -> None:
    names = [row["hostname"] for row in rows(state, "devices")]
    assert len(set(names)) == len(names)
    assert not all(name.isascii() for name in names)


def test_software_is_long_here_and_there_and_has_exact_duplicates(state: State) -> None:
    lists: dict[str, list[tuple[str, str]]] = {}
    for parent, row in pairs(state, "device_software"):
        lists.setdefault(parent["deviceUid"], []).append((row["name"], row["version"]))
    sizes = [len(found) for found in lists.values()]
    assert min(sizes) >= 15
    assert max(sizes) > 250
    assert any(len(set(found)) < len(found) for found in lists.values())


def test_patch_counts_of_a_device_match_its_patches(state: State) -> None:
    found: dict[str, Counter[str]] = {}
    for parent, row in pairs(state, "device_patches"):
        found.setdefault(parent["deviceUid"], Counter())[row["installStatus"]] += 1
    for row in rows(state, "devices"):
        if row["patchManagement"]:
            counts, told = found.get(row["uid"], Counter()), row["patchManagement"]
            assert counts["INSTALLED"] == told["patchesInstalled"]
            assert counts["APPROVED_PENDING"] == told["patchesApprovedPending"]
            assert counts["NOT_APPROVED"] == told["patchesNotApproved"]


def test_a_site_names_a_patch_up_to_three_times(state: State) -> None:
    found = Counter((p["siteUid"], row["patchId"]) for p, row in pairs(state, "site_patches"))
    assert set(found.values()) == {1, 2, 3}


def test_alerts_have_contexts_of_every_observed_class(state: State) -> None:
    found = rows(state, "alerts")
    assert {row["alertContext"]["@class"] for row in found} == set(CONTEXTS)
    by_uid = {row["uid"]: row for row in rows(state, "devices")}
    for row in found:
        source = row["alertSourceInfo"]
        device = by_uid[source["deviceUid"]]
        assert (source["deviceName"], source["siteUid"]) == (device["hostname"], device["siteUid"])
        assert row["resolved"] == (row["resolvedOn"] is not None)
        assert row["timestamp"] <= (row["resolvedOn"] or NOW) <= NOW


def test_a_proxy_password_a_masked_value_a_null_address_and_odd_dates_occur(
    state: State,
) -> None:
    assert any((row["proxySettings"] or {}).get("password") for row in rows(state, "sites"))
    assert any((row["proxySettings"] or {}).get("password") for row in rows(state, "site_settings"))
    masked = [row for row in rows(state, "account_variables") if row["masked"]]
    assert {row["value"] for row in masked} == {"********"}
    users = rows(state, "users")
    assert any(row["email"] is None for row in users)
    assert any(row["lastAccess"] is None for row in users)
    assert any(row["lastAccess"] == -62135596800000 for row in users)
    devices = rows(state, "devices")
    assert any(row["lastReboot"] == -62135596800000 for row in devices)
    assert any(row["lastAuditDate"] is None for row in devices)


def test_jobs_are_known_by_readable_details_alone(state: State) -> None:
    named = set()
    for row in rows(state, "activity_logs"):
        if row["details"].endswith("}"):
            details = json.loads(row["details"])
            if "job.uid" in details:
                named.add((details["job.uid"], details["device.uid"]))
    assert {(row["jobUid"], row["deviceUid"]) for row in rows(state, "job_results")} == named
    assert {row["uid"] for row in rows(state, "jobs")} == {job for job, _ in named}
    parents = {row["jobUid"]: row for row, _ in pairs(state, "job_components")}
    assert set(parents) == {job for job, _ in named}


def test_disks_tell_bytes_and_a_few_are_nearly_full(state: State) -> None:
    disks = [
        disk for row in rows(state, "device_audits") for disk in row["logicalDisks"] if disk["size"]
    ]
    full = [disk for disk in disks if disk["freespace"] < disk["size"] * 0.1]
    assert 0.02 < len(full) / len(disks) < 0.2
    assert min(disk["size"] for disk in disks) > 100 * 2**30


def test_windows_versions_are_real_ones(state: State) -> None:
    builds = {
        row["operatingSystem"].rsplit(".", 1)[1]
        for row in rows(state, "devices")
        if (row["operatingSystem"] or "").startswith("Microsoft Windows")
    }
    assert builds >= {"19045", "22631", "26100", "26200", "14393", "17763", "20348"}
