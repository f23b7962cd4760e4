"""Each open question about the API can be answered either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from datto_rmm_sandbox.quirks import CHOICES, HELP, Quirks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client


def test_every_switch_is_explained() -> None:
    assert set(HELP) == set(Quirks.__slots__)
    assert set(CHOICES) < set(HELP)


@pytest.mark.parametrize(
    "wrong",
    [
        {"udf": "12"},
        {"retry_after": "soon"},
        {"page_max": 0},
        {"count_above": -1},
        {"drift_path": "("},
        {"colour": "red"},
    ],
)
def test_a_switch_takes_only_what_it_knows(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Quirks().changed(wrong)


def test_a_page_too_large_is_clamped_or_refused(client: Callable[..., Client]) -> None:
    one = client(devices=300)
    assert len(one.get("/v2/account/devices", max=500).json()["devices"]) == 250
    one.control("POST", "/quirks", {"over-max": "refuse"})
    answer = one.get("/v2/account/devices", max=500)
    assert answer.status_code == 400
    assert "exceeds the defined limit of 250" in answer.text
    one.control("POST", "/quirks", {"over_max": "clamp", "page_max": 100})
    assert len(one.get("/v2/account/devices", max=250).json()["devices"]) == 100
    assert one.get("/v2/system/pagination").json() == {"max": 100}


def test_device_dates_are_numbers_or_iso_text(client: Callable[..., Client]) -> None:
    one = client(device_dates="iso")
    rows = one.rows("/v2/account/devices", "devices")
    assert {type(row["lastSeen"]) for row in rows} == {str}
    assert all(row["lastSeen"].endswith("Z") for row in rows)
    audits = [line["parent"]["lastAuditDate"] for line in one.expected("device_audits")]
    assert {type(audited) for audited in audits} == {str, type(None)}
    assert any(row["lastReboot"] == "0001-01-01T00:00:00.000Z" for row in rows)


def test_total_counts_are_there_or_not(client: Callable[..., Client]) -> None:
    one = client()
    assert "totalCount" in one.get("/v2/account/sites").json()["pageDetails"]
    for value, wanted in (("absent", "-"), ("null", None), ("number", 6)):
        one.control("POST", "/quirks", {"alert_total_count": value})
        details = one.get("/v2/account/alerts/open").json()["pageDetails"]
        assert details.get("totalCount", "-") == wanted
    one.control("POST", "/quirks", {"list_total_count": "absent"})
    assert "totalCount" not in one.get("/v2/account/sites").json()["pageDetails"]


def test_errors_have_the_body_that_is_asked_for(client: Callable[..., Client]) -> None:
    one = client()
    found = {}
    for shape in CHOICES["error_body"]:
        one.control("POST", "/quirks", {"error_body": shape})
        answer = one.get("/v2/device/nobody")
        assert answer.status_code == 404
        found[shape] = answer.text
    assert set(one.sandbox.state.quirks.error_body) <= set("empty")
    assert '"status":404' in found["error-response"]
    assert found["error-message"] == '{"errorMessage":"Not Found"}'
    assert found["html"].startswith("<!DOCTYPE html>")
    assert found["empty"] == ""


def test_a_wrong_secret_is_401_or_invalid_grant(client: Callable[..., Client]) -> None:
    one = client(token_failure="400")
    answer = one.log_in(secret="wrong")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_the_next_page_loses_or_keeps_the_filters(client: Callable[..., Client]) -> None:
    one = client()
    query = {"max": 2, "siteName": "a", "colour": "red"}
    lost = one.get("/v2/account/devices", **query).json()["pageDetails"]["nextPageUrl"]
    assert lost.endswith("?max=2&page=1")
    one.control("POST", "/quirks", {"next_page_url": "keep-params"})
    kept = one.get("/v2/account/devices", **query).json()["pageDetails"]["nextPageUrl"]
    assert kept.endswith("?max=2&page=1&siteName=a&colour=red")


def test_retry_after_is_sent_or_not(client: Callable[..., Client]) -> None:
    one = client(rate_limit=1, retry_after="7", slow_down_seconds=0)
    one.get("/v2/account")
    assert one.get("/v2/account").headers["retry-after"] == "7"


def test_the_rate_status_has_the_older_shape(client: Callable[..., Client]) -> None:
    one = client(rate_status="legacy")
    assert len(one.get("/v2/system/request_rate").json()) == 5


@pytest.mark.parametrize(("udf", "count"), [("300", 300), ("30", 30)])
def test_udfs_are_300_or_30(client: Callable[..., Client], udf: str, count: int) -> None:
    row = client(udf=udf).rows("/v2/account/devices", "devices")[0]
    assert list(row["udf"]) == [f"udf{n}" for n in range(1, count + 1)]


def test_udfs_are_absent(client: Callable[..., Client]) -> None:
    assert "udf" not in client(udf="absent").rows("/v2/account/devices", "devices")[0]


def test_there_is_no_v3(client: Callable[..., Client]) -> None:
    one = client(v3="off")
    for path in ("/v3/account/devices", "/v3/device/id/900001", "/v3/device/macAddress/A"):
        answer = one.get(path)
        assert answer.status_code == 404
        assert f"No static resource {path[1:]}" in answer.text
    assert one.get("/v3/api-docs/swagger-config").status_code == 200


def test_there_is_no_deleted_devices_site(client: Callable[..., Client]) -> None:
    one = client(deleted_devices_site="off")
    names = {row["name"] for row in one.rows("/v2/account/sites", "sites")}
    assert "Deleted Devices" not in names


def test_alerts_come_newest_first_oldest_first_or_in_no_order(
    client: Callable[..., Client],
) -> None:
    one = client()
    found = {}
    for order in CHOICES["alert_order"]:
        one.control("POST", "/quirks", {"alert_order": order})
        rows = one.rows("/v2/account/alerts/resolved", "alerts")
        found[order] = [row["resolvedOn"] for row in rows]
    assert found["newest"] == sorted(found["oldest"], reverse=True)
    assert found["oldest"] == sorted(found["oldest"])
    assert sorted(found["unordered"]) == found["oldest"]
    assert found["unordered"] not in (found["oldest"], found["newest"])


def test_the_account_wide_list_lacks_devices_that_sites_have(
    client: Callable[..., Client],
) -> None:
    one = client(device_list="subset")
    listed = {row["uid"] for row in one.rows("/v2/account/devices", "devices")}
    of_sites = {
        row["uid"]
        for site in one.sandbox.account.listed_sites()
        for row in one.rows(f"/v2/site/{site.uid}/devices", "devices")
    }
    everything = {line["row"]["uid"] for line in one.expected("devices")}
    assert 0.5 < len(listed) / len(everything) < 0.85
    assert len(everything - of_sites) < 3
    status = one.get("/v2/account").json()["devicesStatus"]
    assert status["numberOfDevices"] == len(everything)


@pytest.mark.parametrize(
    ("drift", "sizes", "distinct"),
    [("remove", [20, 20, 18], 58), ("add", [20, 20, 20, 3], 60), ("swap", [20, 20, 20], 60)],
)
def test_rows_move_between_pages(
    client: Callable[..., Client], drift: str, sizes: list[int], distinct: int
) -> None:
    one = client(drift=drift)
    before = {line["row"]["uid"] for line in one.expected("devices")}
    pages = one.pages("/v2/account/devices", "devices", max=20)
    after = {line["row"]["uid"] for line in one.expected("devices")}
    assert [len(page) for page in pages] == sizes
    seen = {row["uid"] for page in pages for row in page}
    assert len(seen) == distinct
    assert before != after
    missed = (before & after) - seen
    assert len(missed) == (0 if drift == "add" else 2)


def test_only_those_lists_move_that_shall(client: Callable[..., Client]) -> None:
    for drift in ("remove", "reorder"):
        one = client(drift=drift, drift_path="/v2/account/alerts")
        everything = [line["row"]["uid"] for line in one.expected("devices")]
        rows = one.rows("/v2/account/devices", "devices", max=20)
        assert [row["uid"] for row in rows] == everything
        before = {line["row"]["alertUid"] for line in one.expected("alerts")}
        seen = [row["alertUid"] for row in one.rows("/v2/account/alerts/resolved", "alerts", max=9)]
        seen += [row["alertUid"] for row in one.rows("/v2/account/alerts/open", "alerts", max=2)]
        assert set(seen) < before


def test_open_alerts_move_between_pages(client: Callable[..., Client]) -> None:
    one = client(drift="remove")
    before = len(one.sandbox.account.resolved_alerts)
    one.pages("/v2/account/alerts/open", "alerts", max=2)
    assert len(one.sandbox.account.resolved_alerts) > before
    one.control("POST", "/quirks", {"drift": "swap"})
    one.pages("/v2/account/alerts/open", "alerts", max=2)
