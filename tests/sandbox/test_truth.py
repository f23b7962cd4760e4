"""What `expected` tells is what the API sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client

LISTS = {
    "sites": ("/v2/account/sites", "sites"),
    "devices": ("/v2/account/devices", "devices"),
    "users": ("/v2/account/users", "users"),
    "account_variables": ("/v2/account/variables", "variables"),
    "components": ("/v2/account/components", "components"),
    "default_filters": ("/v2/filter/default-filters", "filters"),
    "custom_filters": ("/v2/filter/custom-filters", "filters"),
    "dnet_site_mappings": ("/v2/account/dnet-site-mappings", "dnetSiteMappings"),
    "devices_v3": ("/v3/account/devices", "devices"),
}
PARENTS = {
    "device_software": ("/v2/audit/device/{deviceUid}/software", "software"),
    "site_variables": ("/v2/site/{siteUid}/variables", "variables"),
    "site_filters": ("/v2/site/{siteUid}/filters", "filters"),
    "site_patches": ("/v2/site/{siteUid}/patches", "patches"),
    "device_patches": ("/v2/device/{deviceUid}/patches", "patches"),
    "job_components": ("/v2/job/{jobUid}/components", "jobComponents"),
}
SINGLE = {
    "device_audits": "/v2/audit/device/{deviceUid}",
    "esxi_host_audits": "/v2/audit/esxihost/{deviceUid}",
    "printer_audits": "/v2/audit/printer/{deviceUid}",
    "site_settings": "/v2/site/{siteUid}/settings",
    "jobs": "/v2/job/{uid}",
    "job_results": "/v2/job/{jobUid}/results/{deviceUid}",
}
SAMPLE = 12


@pytest.mark.parametrize("stream", LISTS)
def test_lists_hold_the_truth(shared: Client, stream: str) -> None:
    truth = [line["row"] for line in shared.expected(stream)]
    assert shared.rows(*LISTS[stream]) == truth


def test_open_and_resolved_alerts_hold_the_truth(shared: Client) -> None:
    truth = {line["row"]["alertUid"]: line["row"] for line in shared.expected("alerts")}
    rows = [
        row
        for kind in ("open", "resolved")
        for row in shared.rows(f"/v2/account/alerts/{kind}", "alerts")
    ]
    assert len(rows) == len(truth)
    assert {row["alertUid"]: row for row in rows} == truth


@pytest.mark.parametrize("stream", PARENTS)
def test_lists_below_a_parent_hold_the_truth(shared: Client, stream: str) -> None:
    path, key = PARENTS[stream]
    truth: dict[tuple[str, ...], list[Any]] = {}
    parents: dict[tuple[str, ...], dict[str, str]] = {}
    for line in shared.expected(stream):
        place = tuple(line["parent"].values())
        parents[place] = line["parent"]
        truth.setdefault(place, []).append(line["row"])
    for place in list(truth)[:SAMPLE]:
        assert shared.rows(path.format(**parents[place]), key) == truth[place]


@pytest.mark.parametrize("stream", SINGLE)
def test_single_objects_hold_the_truth(shared: Client, stream: str) -> None:
    for line in shared.expected(stream)[:SAMPLE]:
        path = SINGLE[stream].format(**{**line["row"], **line["parent"]})
        assert shared.get(path).json() == line["row"]


def test_job_outputs_hold_the_truth(shared: Client) -> None:
    truth: dict[str, list[Any]] = {}
    for line in shared.expected("job_outputs"):
        path = "/v2/job/{jobUid}/results/{deviceUid}/{channel}".format(**line["parent"])
        truth.setdefault(path, []).append(line["row"])
    for path in list(truth)[:SAMPLE]:
        assert shared.get(path).json() == truth[path]


def test_site_lists_together_hold_every_device_that_has_a_listed_site(shared: Client) -> None:
    found = [
        row["uid"]
        for site in shared.sandbox.account.listed_sites()
        for row in shared.rows(f"/v2/site/{site.uid}/devices/network-interface", "devices")
    ]
    truth = [line["row"]["uid"] for line in shared.expected("site_network_interfaces")]
    assert found == truth


def test_the_alerts_of_sites_and_devices_are_the_accounts(shared: Client) -> None:
    alert = shared.sandbox.account.open_alerts[0]
    for path in (f"/v2/site/{alert.device.site.uid}", f"/v2/device/{alert.device.uid}"):
        rows = shared.rows(f"{path}/alerts/open", "alerts")
        assert alert.uid in {row["alertUid"] for row in rows}


def test_an_unknown_stream_is_not_found(shared: Client) -> None:
    url = f"{shared.sandbox.url}/_sandbox/expected/nothing"
    answer = shared.session.get(url, timeout=5)
    assert answer.status_code == 404
    assert "device_audits" in answer.json()["error"]
