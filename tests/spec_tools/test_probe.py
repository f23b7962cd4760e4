"""A user with an account can send us facts about the API, and nothing of the account."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from datto_rmm_sandbox.expected import lines

from tap_datto_rmm.records.openapi import Spec
from tap_datto_rmm.settings.sources import Layer
from tap_datto_rmm.spec_tools import findings
from tap_datto_rmm.spec_tools import probe as probing
from tap_datto_rmm.spec_tools.cli import main
from tap_datto_rmm.tap import TapDattoRMM
from tests.commands import SECRETS
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run

PATCH_POLICY = "/v2/device/{deviceUid}/site/patch-management"
GETS = Spec.load().get_paths


@pytest.fixture(scope="module")
def probe(quickly: Callable[[str], QuickTapCommand]) -> Callable[..., Run]:
    """The command, with a config in a file."""
    return replace(quickly("probe"), module="tap_datto_rmm.spec_tools", subcommand=("probe",))


def told_of(account: Sandbox) -> dict[str, dict[str, Any]]:
    """What is told of each path, for programs."""
    tap = TapDattoRMM(config=[Layer("a test", account.settings)])
    return {one.path: findings.as_content(one) for one in probing.probe(tap)}


def texts(content: object) -> Iterator[str]:
    """Every text in what the API sent."""
    if isinstance(content, dict):
        content = [*content.values()]
    if isinstance(content, list):
        for member in content:
            yield from texts(member)
    elif isinstance(content, str):
        yield content


def test_each_path_is_asked_once_of_the_smallest_parents(
    sandbox: Callable[..., Sandbox], probe: Callable[..., Run]
) -> None:
    account = sandbox(devices=200)
    run = probe(account.settings)
    assert run.code == 0, run.err
    told = {line for line in run.out.splitlines() if line.startswith("GET ")}
    answered = {f"GET {path}: 200 OK" for path in GETS}
    assert told == answered | {f"GET {PATCH_POLICY} (rumoured): 404 Not Found"}
    asked = Counter(entry.path for entry in account.requests if not entry.path.startswith("/auth/"))
    del asked["/api/v2/system/request_rate"]  # the tap's own rate limit looks there too
    assert set(asked.values()) == {1}
    assert len(asked) == len(told) - 1
    smallest = min(account.account.listed_sites(), key=lambda site: len(site.devices) or 10**6)
    assert f"/api/v2/site/{smallest.uid}/settings" in asked


def test_no_value_of_the_account_is_printed(
    sandbox: Callable[..., Sandbox], probe: Callable[..., Run]
) -> None:
    account = sandbox(devices=200, faults=("unknown-keys",))
    output = probe(account.settings).out + probe(account.settings, "--format", "json").out
    for secret in (*SECRETS, "Bearer", account.url):
        assert secret not in output
    described = json.dumps(Spec.load().document)
    sent = {
        text
        for stream in ("devices", "sites", "users", "alerts", "activity_logs", "device_audits")
        for line in expected(account, stream)
        for text in texts(line)
        if len(text) > 5 and text not in described
    }
    assert len(sent) > 1000
    assert [text for text in sent if text in output] == []
    assert str(NOW)[:6] not in output


def expected(account: Sandbox, stream: str) -> list[Any]:
    """All that the account has in a stream."""
    return [json.loads(line) for line in account.call(lambda: list(lines(account.state, stream)))]


DEVICES = "/v2/account/devices"
LISTS = [path for path in GETS if path.endswith(("/alerts/open", "/alerts/resolved"))]
WITH_UDF = {
    DEVICES: "devices[]",
    "/v2/site/{siteUid}/devices": "devices[]",
    "/v2/device/{deviceUid}": "",
    "/v2/device/id/{deviceId}": "",
    "/v2/device/macAddress/{macAddress}": "[]",
}
NEWEST_FIRST = {
    "/v2/account/alerts/open": "timestamp",
    "/v2/account/alerts/resolved": "resolvedOn",
    "/v2/site/{siteUid}/alerts/resolved": "resolvedOn",
}
OF_WRITES = ("accountWriteCount", "accountWriteRateLimit", "operationWriteStatus")
TOTAL = "pageDetails.totalCount"
QUIRKS = {
    "udf=absent": {(path, "absent", f"{row}.udf".lstrip(".")) for path, row in WITH_UDF.items()},
    "rate_status=legacy": {("/v2/system/request_rate", "absent", name) for name in OF_WRITES},
    "deleted_devices_site=off": {("/v2/account/sites", "-no_guids", "sites[].uid")},
    "alert_total_count=number": {(path, "-absent", TOTAL) for path in LISTS},
    "alert_order=unordered": {
        (path, "-orders", f"alerts[].{date}") for path, date in NEWEST_FIRST.items()
    },
    "v3=off": {(path, "status", "404") for path in GETS if path.startswith("/v3/")},
}
"""A switch of the sandbox, and the findings that come with it, or (with a -) go."""


@pytest.fixture(scope="module")
def usual(sandboxes: Callable[..., Sandbox]) -> dict[str, dict[str, Any]]:
    """What is told of an account without any quirk."""
    return told_of(sandboxes(devices=200))


def flat(told: dict[str, dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Findings one by one, forms of dates aside."""
    found = set()
    for path, one in told.items():
        if one["status"] != 200:
            found.add((path, "status", str(one["status"])))
            continue
        for name in ("unknown", "other_types", "absent", "orders", "no_guids"):
            found |= {(path, name, str(key)) for key in one.get(name, ())}
    return found


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_named_and_nothing_else(
    usual: dict[str, dict[str, Any]], sandbox: Callable[..., Sandbox], quirk: str
) -> None:
    name, _, value = quirk.partition("=")
    odd = sandbox(devices=200, **{name: value})
    before = flat(usual)
    after = flat(told_of(odd))
    answered = {path for path, what, _ in after if what == "status"}
    gone = {(path, f"-{what}", key) for path, what, key in before - after if path not in answered}
    assert (after - before) | gone == QUIRKS[quirk]


def test_forms_of_dates_are_told(
    usual: dict[str, dict[str, Any]], sandbox: Callable[..., Sandbox]
) -> None:
    assert usual[DEVICES]["dates"]["devices[].lastSeen"] == "epoch milliseconds"
    odd = sandbox(devices=200, device_dates="iso")
    iso = told_of(odd)[DEVICES]["dates"]
    assert iso["devices[].lastSeen"] == "text 9999-99-99T99:99:99.999Z"
    assert iso["devices[].warrantyDate"] == "text 9999-99-99"


def test_new_keys_are_told_with_their_type(sandbox: Callable[..., Sandbox]) -> None:
    account = sandbox(devices=60, faults=("unknown-keys:path=account/sites",))
    told = told_of(account)
    assert told["/v2/account/sites"]["unknown"] == {
        "sites[].devicesStatus.brandNewInside": "string",
        "sites[].proxySettings.brandNewInside": "string",
        "sites[].brandNew": "integer",
        "sites[].brandNewObject": "object",
        "sites[].?": "null",
    }
    assert "unknown" not in told[DEVICES]


def test_what_an_account_lacks_or_forbids_is_told(
    sandbox: Callable[..., Sandbox], probe: Callable[..., Run]
) -> None:
    faults = ("status=500:path=users", "html:path=account/sites$|account/sites.max")
    account = sandbox(devices=1, forbid=("activity-logs",), faults=faults)
    run = probe(account.settings, "--path", "/v2/site/{siteUid}/things")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    lacking = "not asked, the account shows no"
    for line in (
        "GET /v2/activity-logs: 403 Forbidden",
        "GET /v2/account/users: 500 Internal Server Error",
        "GET /v2/account/sites: no answer, or none that can be read",
        f"GET /v2/site/{{siteUid}}/things: {lacking} siteUid",
        f"GET /v2/job/{{jobUid}}: {lacking} jobUid",
        f"GET /v2/audit/printer/{{deviceUid}}: {lacking} deviceUid of class printer",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("changed", "options", "says"),
    [
        ({"api_secret": "wrong"}, {}, "refused the credentials"),
        ({"page_size": 0}, {}, "Setting `page_size` must be"),
        ({"api_url": "http://127.0.0.1:1"}, {}, "refuses the connection"),
        ({"spec_path": "missing.json"}, {}, "Cannot read missing.json"),
        ({}, {"faults": ("status=429:path=/v2",)}, "429"),
    ],
)
def test_an_account_that_cannot_be_asked_is_one_line(
    sandbox: Callable[..., Sandbox],
    probe: Callable[..., Run],
    changed: dict[str, Any],
    options: dict[str, Any],
    says: str,
) -> None:
    run = probe({**sandbox(devices=1, **options).settings, **changed})
    assert run.code == 1
    assert says in run.err
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("tap-datto-rmm-spec: ")
    assert all(secret not in run.out + run.err for secret in SECRETS)


@pytest.mark.parametrize("path", ["things", "/v2/{a.b}", "/v2/site/{siteUid}?x=1", "https://x/v2"])
def test_another_path_is_a_path(path: str) -> None:
    result = CliRunner().invoke(main, ["probe", "--config", "ENV", "--path", path])
    assert result.exit_code == 1
    assert result.stderr == (
        f"tap-datto-rmm-spec: --path {path}: give a path such as /v2/site/{{siteUid}}/things.\n"
    )
