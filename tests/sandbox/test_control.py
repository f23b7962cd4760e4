"""The control plane changes and shows what tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client


def test_requests_are_counted_by_endpoint(client: Callable[..., Client]) -> None:
    one = client()
    one.rows("/v2/account/devices", "devices", max=25)
    device = one.sandbox.account.devices[0]
    one.get(f"/v2/device/{device.uid}")
    one.get("/v2/nothing")
    counted = one.control("GET", "/requests?last=2")
    assert counted["by_endpoint"] == {
        "/auth/oauth/token": 1,
        "/v2/account/devices": 3,
        "/v2/device/{device_uid}": 1,
        "(no such path)": 1,
    }
    assert counted["tokens_issued"] == 1
    assert counted["total"] == 6
    assert counted["per_minute"] == [6]
    assert counted["peak_concurrency"] >= 1
    assert [entry["status"] for entry in counted["log"]] == [200, 404]
    assert [entry.query for entry in one.sandbox.requests][1] == "max=25"
    one.control("DELETE", "/requests")
    assert one.control("GET", "/requests")["total"] == 0


def test_a_device_is_removed(client: Callable[..., Client]) -> None:
    one = client()
    device = one.sandbox.account.devices[7]
    one.control("DELETE", f"/devices/{device.uid}")
    assert one.get(f"/v2/device/{device.uid}").status_code == 404
    assert one.get(f"/v2/audit/device/{device.uid}").status_code == 404
    assert len(one.expected("devices")) == 59
    answer = one.session.delete(f"{one.sandbox.url}/_sandbox/devices/{device.uid}", timeout=5)
    assert answer.status_code == 404


def test_devices_are_added_at_either_end(client: Callable[..., Client]) -> None:
    one = client()
    last = one.control("POST", "/devices", {"count": 2})
    first = one.control("POST", "/devices", {"front": True})
    uids = [row["uid"] for row in one.rows("/v2/account/devices", "devices")]
    assert uids[-2:] == [row["uid"] for row in last]
    assert uids[0] == first[0]["uid"]
    site = one.sandbox.account.devices[0].site
    listed = one.rows(f"/v2/site/{site.uid}/devices", "devices")
    assert listed[0]["uid"] == uids[0]


def test_a_device_is_audited_at_any_time(client: Callable[..., Client]) -> None:
    one = client()
    device = next(d for d in one.sandbox.account.devices if d.is_computer)
    for body, wanted in (({}, NOW), ({"at": NOW + 10**12}, NOW + 10**12), ({"at": None}, None)):
        row = one.control("POST", f"/audit/{device.uid}", body)
        assert row["lastAuditDate"] == wanted
    assert one.get(f"/v2/device/{device.uid}").json()["lastAuditDate"] is None
    assert device.generation == 3


def test_alerts_are_opened_and_resolved(client: Callable[..., Client]) -> None:
    one = client()
    device = one.sandbox.account.devices[3]
    body = {"deviceUid": device.uid, "priority": "Critical", "at": NOW - 5}
    opened = one.control("POST", "/alerts", body)
    assert (opened["priority"], opened["timestamp"]) == ("Critical", NOW - 5)
    assert one.get(f"/v2/alert/{opened['alertUid']}").json() == opened
    resolved = one.control("POST", f"/alerts/{opened['alertUid']}/resolve", {"at": NOW + 5})
    assert resolved["resolvedOn"] == NOW + 5
    url = f"{one.sandbox.url}/_sandbox/alerts/{opened['alertUid']}/resolve"
    assert one.session.post(url, timeout=5).status_code == 404


def test_wrong_bodies_are_refused(client: Callable[..., Client]) -> None:
    one = client()
    for path, body in (
        ("/quirks", {"udf": "7"}),
        ("/quirks", [1]),
        ("/limits", {"speed": 1}),
        ("/forbid", {"paths": ["["]}),
        ("/quirks", {"page_max": "many"}),
        ("/faults", {"faults": ["status=x"]}),
    ):
        answer = one.session.post(f"{one.sandbox.url}/_sandbox{path}", json=body, timeout=5)
        assert answer.status_code == 400, path
        assert answer.json()["error"]


def test_the_sandbox_can_be_changed_from_python(client: Callable[..., Client]) -> None:
    one = client()
    account = one.sandbox.account
    one.sandbox.call(lambda: account.remove_device(account.devices[0]))
    assert one.get("/v2/account").json()["devicesStatus"]["numberOfDevices"] == 59
