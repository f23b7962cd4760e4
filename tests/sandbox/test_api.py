"""Tokens, pages, filters and errors as the facts tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox.interfaces import mac_address

from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client


# Tokens


def test_a_token_is_given_for_key_and_secret(shared: Client) -> None:
    answer = shared.log_in()
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 359_999


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "sandbox-secret\n"},
        {"auth": ("public-client", "private")},
        {"auth": None},
        {"data": {"grant_type": "client_credentials", "username": "sandbox-key"}},
        {"data": ""},
    ],
)
def test_no_token_for_wrong_credentials(shared: Client, wrong: dict[str, Any]) -> None:
    assert shared.log_in(**wrong).status_code == 401


def test_the_token_path_is_outside_api(shared: Client) -> None:
    answer = shared.session.post(f"{shared.sandbox.url}/api/auth/oauth/token", timeout=5)
    assert answer.status_code == 404


def test_several_tokens_are_good_at_once_until_they_are_revoked(
    client: Callable[..., Client],
) -> None:
    one = client()
    first = one.log_in().json()["access_token"]
    second = one.log_in().json()["access_token"]
    assert first != second
    for one.token in (first, second):
        assert one.get("/v2/account").status_code == 200
    assert one.control("POST", "/revoke-tokens") == {"revoked": 2}
    for one.token in (first, second, "invented"):
        assert one.get("/v2/account").status_code == 401


def test_a_token_ends_with_its_time(client: Callable[..., Client]) -> None:
    one = client(token_seconds=0.05)
    assert one.get("/v2/account").status_code == 200
    one.sandbox.state.tokens.clock = lambda: float("inf")
    assert one.get("/v2/account").status_code == 401


def test_without_a_token_only_status_and_document_are_shown(shared: Client) -> None:
    for path, status in (
        ("/v2/account", 401),
        ("/v2/api-docs", 401),
        ("/swagger.json", 401),
        ("/v2/system/status", 200),
        ("/v3/api-docs/swagger-config", 200),
        ("/v3/api-docs/Datto-RMM-v2", 200),
        ("/v3/api-docs/Datto-RMM", 500),
    ):
        answer = shared.session.get(f"{shared.sandbox.url}/api{path}", timeout=5)
        assert answer.status_code == status, path


# Pages


def test_pages_count_from_zero_and_hold_at_most_250(shared: Client) -> None:
    pages = shared.pages("/v2/account/devices", "devices")
    assert [len(page) for page in pages] == [250, 250, 100]
    assert len({row["uid"] for page in pages for row in page}) == 600


def test_page_details_are_the_vendors(shared: Client) -> None:
    details = shared.get("/v2/account/devices", max=200, page=1).json()["pageDetails"]
    url = f"{shared.sandbox.url}/api/v2/account/devices?max=200&page="
    assert details == {
        "count": 200,
        "totalCount": 600,
        "prevPageUrl": f"{url}0",
        "nextPageUrl": f"{url}2",
    }


def test_past_the_end_a_page_is_empty(shared: Client) -> None:
    answer = shared.get("/v2/account/sites", page=9)
    assert answer.status_code == 200
    assert answer.json()["sites"] == []
    assert answer.json()["pageDetails"]["totalCount"] == len(shared.sandbox.account.sites)
    assert answer.json()["pageDetails"]["nextPageUrl"] is None


def test_a_page_number_that_is_none_is_refused(shared: Client) -> None:
    assert shared.get("/v2/account/sites", page="two").status_code == 400
    assert shared.get("/v2/account/sites", page=-1).status_code == 400


def test_software_lists_are_longer_than_a_page_here_and_there(shared: Client) -> None:
    account = shared.sandbox.account
    long = [d for d in account.devices if d.system.is_windows and d.serial % 41 == 7]
    device = next(d for d in long if d.audited)
    pages = shared.pages(f"/v2/audit/device/{device.uid}/software", "software")
    assert len(pages) > 1


# Filters


def test_device_filters_look_for_parts_of_texts(shared: Client) -> None:
    wanted_texts: dict[str, tuple[str, Callable[[Any], str]]] = {
        "hostname": ("lt0", lambda row: row["hostname"]),
        "deviceType": ("print", lambda row: row["deviceType"]["category"]),
        "operatingSystem": ("SERVER 2022", lambda row: row["operatingSystem"]),
        "siteName": ("a", lambda row: row["siteName"]),
    }
    for name, (wanted, text_of) in wanted_texts.items():
        answer = shared.get("/v2/account/devices", **{name: wanted}).json()
        assert 0 < answer["pageDetails"]["totalCount"] < 600, name
        assert all(wanted.lower() in text_of(row).lower() for row in answer["devices"]), name


def test_a_filter_id_decides_alone_and_an_unknown_one_is_not_found(shared: Client) -> None:
    filters = shared.rows("/v2/filter/default-filters", "filters")
    printers = next(row["id"] for row in filters if "Printers" in row["name"])
    answer = shared.get("/v2/account/devices", filterId=printers, hostname="nobody")
    assert {row["deviceClass"] for row in answer.json()["devices"]} == {"printer"}
    assert shared.get("/v2/account/devices", filterId=424242).status_code == 404


def test_a_site_filter_lets_some_devices_of_its_site_through(shared: Client) -> None:
    site = next(s for s in shared.sandbox.account.listed_sites() if s.serial % 3 == 2)
    wanted = shared.rows(f"/v2/site/{site.uid}/filters", "filters")[0]["id"]
    rows = shared.rows(f"/v2/site/{site.uid}/devices", "devices", filterId=wanted)
    assert {row["siteUid"] for row in rows} <= {site.uid}


def test_alerts_can_be_asked_for_muted_or_not(shared: Client) -> None:
    path = "/v2/account/alerts/resolved"
    both = shared.get(path, max=250).json()["alerts"]
    assert {row["muted"] for row in both} == {True, False}
    muted = shared.get(path, muted="true").json()["alerts"]
    assert {row["muted"] for row in muted} == {True}


def test_patches_can_be_asked_for_by_status(shared: Client) -> None:
    site = max(shared.sandbox.account.listed_sites(), key=lambda s: len(s.devices))
    path = f"/v2/site/{site.uid}/patches"
    everything = shared.rows(path, "patches")
    parts = [
        len(shared.get(path, installStatus=status).json()["patches"])
        for status in ("APPROVED_PENDING", "NOT_APPROVED")
    ]
    assert all(0 < part < len(everything) for part in parts)
    assert shared.get(path, installStatus="MAYBE").status_code == 400


def test_a_mac_address_finds_a_bare_array(shared: Client) -> None:
    device = next(d for d in shared.sandbox.account.devices if d.is_computer)
    mac = mac_address(device, 0)
    for path in ("/v2/device/macAddress/", "/v3/device/macAddress/"):
        assert [row["uid"] for row in shared.get(path + mac).json()] == [device.uid]
        assert shared.get(f"{path}FFFFFFFFFFFF").json() == []
    assert len(shared.get(f"/v2/audit/device/macAddress/{mac}").json()) == 1


# Errors


def test_an_audit_of_the_wrong_class_is_refused(shared: Client) -> None:
    account = shared.sandbox.account
    by_class = {d.system.device_class: d.uid for d in account.devices}
    for path, right in (("device", "device"), ("esxihost", "esxihost"), ("printer", "printer")):
        for name, uid in by_class.items():
            status = shared.get(f"/v2/audit/{path}/{uid}").status_code
            assert status == (200 if name == right else 400), (path, name)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/device/nobody",
        "/v2/device/id/1",
        "/v2/site/nowhere/devices",
        "/v2/audit/device/nobody",
        "/v2/job/none",
        "/v2/alert/none",
        "/v2/sites",
    ],
)
def test_what_is_not_there_is_not_found(shared: Client, path: str) -> None:
    answer = shared.get(path)
    assert answer.status_code == 404
    assert answer.json()["path"] == path


def test_an_unknown_path_says_so_in_springs_words(shared: Client) -> None:
    assert "No static resource v2/sites" in shared.get("/v2/sites").text


def test_deleted_devices_is_a_site_without_sub_resources(shared: Client) -> None:
    rows = shared.rows("/v2/account/sites", "sites")
    odd = next(row for row in rows if row["name"] == "Deleted Devices")
    assert len(odd["uid"].split("-")[0]) != 8
    for part in ("/devices", "/settings", "/patches", "/variables", "/filters"):
        assert shared.get(f"/v2/site/{odd['uid']}{part}").status_code == 404


def test_a_forbidden_path_answers_403_to_a_good_token(client: Callable[..., Client]) -> None:
    one = client(forbid=("/v2/activity-logs",))
    assert one.get("/v2/activity-logs").status_code == 403
    assert one.get("/v2/account").status_code == 200
    one.control("POST", "/forbid", {"paths": ["/v2/account$"]})
    assert one.get("/v2/account").status_code == 403


# The activity log


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_without_a_beginning_the_log_goes_back_a_quarter_of_an_hour(shared: Client) -> None:
    rows = shared.rows("/v2/activity-logs", "activities")
    everything = [a for a in shared.sandbox.account.activities if a.at >= NOW - 15 * 60_000]
    assert 0 < len(rows) == len(everything) < len(shared.sandbox.account.activities)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [7, 250, 1_000])
def test_the_log_is_read_whole_by_its_cursor(shared: Client, order: str, size: int) -> None:
    window = {"from": "2026-11-10T00:00:00Z", "until": stamp(NOW + 1_000)}
    pages = shared.pages("/v2/activity-logs", "activities", order=order, size=size, **window)
    assert max(len(page) for page in pages) == min(size, 250)
    ids = [row["id"] for page in pages for row in page]
    since = datetime(2026, 11, 10, tzinfo=UTC).timestamp() * 1000
    wanted = [a.uid for a in shared.sandbox.account.activities if a.at >= since]
    assert ids == (wanted if order == "asc" else wanted[::-1])


def test_the_log_leads_back_too(shared: Client) -> None:
    first = shared.get("/v2/activity-logs", size=5, order="asc", **{"from": "2026-11-01T00:00:00Z"})
    second = shared.get(first.json()["pageDetails"]["nextPageUrl"])
    back = shared.get(second.json()["pageDetails"]["prevPageUrl"])
    assert back.json()["activities"] == first.json()["activities"]
    assert first.json()["pageDetails"]["prevPageUrl"] is None
    assert "totalCount" not in first.json()["pageDetails"] or (
        first.json()["pageDetails"]["totalCount"] is None
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2026-11-10T00:00:00.000Z"},
        {"until": "yesterday"},
        {"order": "up"},
        {"page": "2"},
        {"searchAfter": "soon"},
        {"entities": "site"},
        {"size": "many"},
    ],
)
def test_the_log_refuses_what_it_cannot_read(shared: Client, wrong: dict[str, str]) -> None:
    assert shared.get("/v2/activity-logs", **wrong).status_code == 400


def test_the_log_is_filtered(shared: Client) -> None:
    since = {"from": "2026-10-01T00:00:00Z"}
    rows = shared.rows("/v2/activity-logs", "activities", categories="job", size=250, **since)
    assert rows
    users = shared.get("/v2/activity-logs", entities="user", **since).json()["activities"]
    assert {row["entity"] for row in users} == {"USER"}


def test_most_details_are_json_text_and_a_few_are_not(shared: Client) -> None:
    rows = [line["row"] for line in shared.expected("activity_logs")]
    broken = [row for row in rows if not row["details"].endswith("}")]
    assert 0 < len(broken) < len(rows) / 10
    assert {type(row["date"]) for row in rows} <= {float, int}
