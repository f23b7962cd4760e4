"""What is odd about an account where a switch says so, and what happens behind a list's back."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox import Sandbox
from datto_rmm_sandbox.records import DAY, HOUR

from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client


def listed_audit(one: Client, uid: str) -> Any:
    rows = {row["uid"]: row for row in one.rows("/v2/account/devices", "devices")}
    return rows[uid]["lastAuditDate"]


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ("empty", 200, b""),
        ("null", 200, b"null"),
        ("204", 204, b""),
        ("403", 403, None),
        ("410", 410, None),
        ("422", 422, None),
        ("500", 500, None),
    ],
)
def test_a_device_that_was_never_audited_has_no_audit(
    client: Callable[..., Client], answer: str, status: int, body: bytes | None
) -> None:
    one = client(never_audited=answer)
    computers = [device for device in one.sandbox.account.devices if device.is_computer]
    never = next(device for device in computers if device.audited is None)
    for path in ("", "/software"):
        got = one.get(f"/v2/audit/device/{never.uid}{path}")
        assert got.status_code == status
        assert body is None or got.content == body
    once = next(device for device in computers if device.audited)
    assert one.get(f"/v2/audit/device/{once.uid}").json()["systemInfo"]
    audited = {line["parent"]["deviceUid"] for line in one.expected("device_audits")}
    assert audited == {device.uid for device in computers if device.audited}


def test_keys_may_be_null(client: Callable[..., Client]) -> None:
    one = client(null_keys="on")
    for stream, key in (("device_software", "version"), ("site_patches", "installStatus")):
        values = [line["row"][key] for line in one.expected(stream)]
        assert 0.1 < values.count(None) / len(values) < 0.3
    line = next(line for line in one.expected("device_software") if not line["row"]["version"])
    uid = line["parent"]["deviceUid"]
    assert line["row"] in one.rows(f"/v2/audit/device/{uid}/software", "software")
    line = next(line for line in one.expected("site_patches") if not line["row"]["installStatus"])
    uid = line["parent"]["siteUid"]
    assert line["row"] in one.rows(f"/v2/site/{uid}/patches", "patches")


def test_a_job_may_run_one_component_twice(client: Callable[..., Client]) -> None:
    one = client(repeat_components="on")
    first = one.expected("job_components")[0]["parent"]["jobUid"]
    rows = one.rows(f"/v2/job/{first}/components", "jobComponents")
    assert rows[0]["uid"] == rows[-1]["uid"]
    assert rows[0] != rows[-1]
    line = one.expected("job_outputs")[0]
    outputs = one.get("/v2/job/{jobUid}/results/{deviceUid}/{channel}".format(**line["parent"]))
    assert outputs.json()[0]["componentUid"] == outputs.json()[-1]["componentUid"]
    assert outputs.json()[0]["stdData"] != outputs.json()[-1]["stdData"]


def test_the_accounts_own_count_is_above_its_lists(client: Callable[..., Client]) -> None:
    one = client(count_above=3)
    assert one.get("/v2/account").json()["devicesStatus"]["numberOfDevices"] == 63
    assert one.expected("account")[0]["row"] == one.get("/v2/account").json()
    assert len(one.rows("/v2/account/devices", "devices")) == 60


def test_the_date_header_is_ahead_as_long_as_it_shall_be(client: Callable[..., Client]) -> None:
    one = client(date_ahead=2)
    for hours in (2, -48.5, 0):
        one.control("POST", "/quirks", {"date_ahead": hours})
        date = parsedate_to_datetime(one.get("/v2/account").headers["date"])
        assert date.timestamp() * 1000 == NOW + hours * HOUR


def test_software_lists_can_be_long(client: Callable[..., Client]) -> None:
    one = client(software_rows=700)
    audited = next(d for d in one.sandbox.account.devices if d.is_computer and d.audited)
    rows = one.rows(f"/v2/audit/device/{audited.uid}/software", "software")
    assert len(rows) == 700
    assert len({(row["name"], row["version"]) for row in rows}) > 690
    assert rows == [
        line["row"]
        for line in one.expected("device_software")
        if line["parent"]["deviceUid"] == audited.uid
    ]


def test_a_list_shows_an_audits_date_later(client: Callable[..., Client]) -> None:
    one = client()
    device = next(d for d in one.sandbox.account.devices if d.is_computer and d.audited)
    before = listed_audit(one, device.uid)
    one.control("POST", f"/audit/{device.uid}", {"at": NOW - 5, "late": 60_000})
    assert listed_audit(one, device.uid) == before
    line = next(x for x in one.expected("device_audits") if x["parent"]["deviceUid"] == device.uid)
    assert line["parent"]["lastAuditDate"] == before
    assert device.generation == 1
    one.control("POST", "/advance", {"minutes": 1, "audited_percent": 0})
    assert listed_audit(one, device.uid) == NOW - 5


def test_all_dates_can_come_late_to_the_lists(client: Callable[..., Client]) -> None:
    one = client(audit_lag=90)
    device = next(d for d in one.sandbox.account.devices if d.is_computer and d.audited)
    before = listed_audit(one, device.uid)
    for minutes, wanted in ((1, before), (1, NOW)):
        one.control("POST", f"/audit/{device.uid}", {"at": NOW}) if wanted == before else None
        one.control("POST", "/advance", {"minutes": minutes, "audited_percent": 0})
        assert listed_audit(one, device.uid) == wanted


def test_a_removed_device_comes_back_with_its_old_audit(client: Callable[..., Client]) -> None:
    one = client()
    device = next(d for d in one.sandbox.account.devices if d.is_computer and d.audited)
    before = one.get(f"/v2/audit/device/{device.uid}").json()
    one.control("DELETE", f"/devices/{device.uid}")
    one.control("POST", "/advance", {"minutes": 3 * 24 * 60})
    row = one.control("POST", f"/devices/{device.uid}/restore")
    assert row["lastAuditDate"] == device.audited
    assert device.audited
    assert device.audited < NOW
    assert one.get(f"/v2/audit/device/{device.uid}").json() == before
    site = one.rows(f"/v2/site/{device.site.uid}/devices", "devices")
    assert device.uid in {found["uid"] for found in site}
    url = f"{one.sandbox.url}/_sandbox/devices/{device.uid}/restore"
    assert one.session.post(url, timeout=5).status_code == 404


def test_a_job_ends_and_its_results_with_it_and_the_log_does_not_tell(
    client: Callable[..., Client],
) -> None:
    one = client()
    uids = [device.uid for device in one.sandbox.account.devices if device.is_computer]
    job = one.control("POST", "/jobs", {"deviceUids": uids})
    assert job["status"] == "active"
    log = one.expected("activity_logs")

    def results() -> set[str]:
        paths = (f"/v2/job/{job['uid']}/results/{uid}" for uid in uids)
        return {one.get(path).json()["jobDeploymentStatus"] for path in paths}

    assert {"Pending", "Running"} <= results()
    assert one.control("POST", f"/jobs/{job['uid']}/finish")["status"] == "completed"
    assert one.get(f"/v2/job/{job['uid']}").json()["status"] == "completed"
    assert not {"Pending", "Running"} & results()
    assert one.expected("activity_logs") == log
    url = f"{one.sandbox.url}/_sandbox/jobs/nobody/finish"
    assert one.session.post(url, timeout=5).status_code == 404


def test_a_job_ends_by_itself_after_a_day(client: Callable[..., Client]) -> None:
    one = client()
    job = one.control("POST", "/jobs", {"at": NOW - DAY})
    assert job["status"] == "active"
    one.control("POST", "/advance", {"minutes": 1})
    assert one.get(f"/v2/job/{job['uid']}").json()["status"] == "completed"


def test_rows_change_places_between_pages_once(client: Callable[..., Client]) -> None:
    one = client(drift="reorder", devices=90)
    everything = {line["row"]["uid"] for line in one.expected("devices")}

    def read() -> tuple[set[str], set[int]]:
        pages = one.pages("/v2/account/devices", "devices", max=20)
        total = one.get("/v2/account/devices", max=1, page=0).json()["pageDetails"]["totalCount"]
        return {row["uid"] for page in pages for row in page}, {total}

    first, total = read()
    assert total == {90}
    assert first < everything
    assert 90 - len(first) == 4 * 5
    second, _ = read()
    assert second == everything
    one.control("POST", "/quirks", {"drift": "reorder"})
    assert read()[0] < everything


def test_rows_of_lists_of_any_kind_change_places(client: Callable[..., Client]) -> None:
    one = client(drift="reorder", devices=300)
    for path, key in (("/v2/account/users", "users"), ("/v2/account/components", "components")):
        stream = key
        seen = [str(row) for row in one.rows(path, key, max=6)]
        assert set(seen) < {str(line["row"]) for line in one.expected(stream)}


@pytest.mark.parametrize("order", ["newest", "oldest", "unordered"])
def test_a_resolved_alert_is_missed_where_another_leaves_the_list(
    client: Callable[..., Client], order: str
) -> None:
    one = client(drift="remove", alert_order=order)
    seen = {row["alertUid"] for row in one.rows("/v2/account/alerts/resolved", "alerts", max=50)}
    one.control("POST", "/quirks", {"drift": "none"})
    left = {row["alertUid"] for row in one.rows("/v2/account/alerts/resolved", "alerts")}
    assert len(left - seen) == 3


@pytest.mark.parametrize("drift", ["add", "swap"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_resolved_alerts_come_while_they_are_read(
    client: Callable[..., Client], drift: str, order: str
) -> None:
    one = client(drift=drift, alert_order=order)
    before = {line["row"]["alertUid"] for line in one.expected("alerts")}
    one.rows("/v2/account/alerts/resolved", "alerts", max=50)
    after = {line["row"]["alertUid"] for line in one.expected("alerts")}
    assert len(after - before) == 3
    rows = one.rows("/v2/account/alerts/resolved", "alerts", max=250)
    dates = [row["resolvedOn"] for row in rows]
    assert dates == sorted(dates, reverse=order == "newest")


@pytest.mark.parametrize("path", ["/devices", "/devices/network-interface"])
def test_the_list_of_a_site_drifts_too(client: Callable[..., Client], path: str) -> None:
    one = client(drift="remove")
    site = max(one.sandbox.account.listed_sites(), key=lambda site: len(site.devices))
    before = len(site.devices)
    one.rows(f"/v2/site/{site.uid}{path}", "devices", max=2)
    assert len(site.devices) < before
    one.control("POST", "/quirks", {"drift": "add"})
    before = len(site.devices)
    one.get(f"/v2/site/{site.uid}{path}", max=1)
    assert len(site.devices) == before + 1


def test_accounts_have_names_and_uids_of_their_own() -> None:
    seeds = {Sandbox(devices=1, seed=seed).account.uid for seed in range(12)}
    assert len(seeds) == 12
    names = {Sandbox(devices=1, seed=seed).account.name for seed in range(12)}
    assert len(names) > 3
    given = Sandbox(devices=1, account_name="Anders & Co", account_uid="cst-anders").account
    assert (given.name, given.uid) == ("Anders & Co", "cst-anders")


def test_an_account_can_have_any_number_of_resolved_alerts(client: Callable[..., Client]) -> None:
    one = client(devices=4, resolved_alerts=1_234)
    rows = one.rows("/v2/account/alerts/resolved", "alerts")
    assert len({row["alertUid"] for row in rows}) == 1_234
