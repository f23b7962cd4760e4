"""Custom streams: endpoints of the spec, or outside it, by a setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from jsonschema import Draft202012Validator

from tests import truth
from tests.conftest import calls, fast
from tests.e2e.test_settings import FINE, errors
from tests.e2e.warehouse import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run

Stream = dict[str, Any]

STATUS = {"type": "object", "properties": {"version": {"type": "string"}, "status": {}}}


@pytest.fixture(scope="module")
def account(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=30)


def wire(sandbox: Sandbox, stream: str) -> Iterator[dict[str, Any]]:
    return (json.loads(line)["row"] for line in lines_of(sandbox, stream))


def read(quick: QuickTapCommand, sandbox: Sandbox, stream: Stream, **settings: object) -> Run:
    """Sync one custom stream alone; whatever it gives is valid and has its keys once."""
    config = fast(sandbox, custom_streams=[stream], **settings)
    catalog = quick.catalog(config, stream["name"])
    calls(sandbox)
    run = quick(config, catalog=catalog)
    assert run.code == 0
    assert run.schemas.keys() == {stream["name"]} == run.records.keys()
    message = run.schemas[stream["name"]]
    assert message["key_properties"] == stream["primary_keys"]
    validator = Draft202012Validator(
        message["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    keys = []
    for record in run.records[stream["name"]]:
        validator.validate(record)
        keys.append(tuple(record[name] for name in stream["primary_keys"]))
    assert len(set(keys)) == len(keys) > 0
    return run


def test_a_list_of_the_spec_by_its_component(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "open_alerts",
        "path": "/v2/account/alerts/open",
        "primary_keys": ["alertUid"],
        "component": "Alert",
    }
    run = read(quick, account, stream, page_size=1)
    wanted = {
        alert["alertUid"]: truth.record_of("alerts", alert, {})
        for alert in wire(account, "alerts")
        if not alert["resolved"]
    }
    assert {record["alertUid"]: record for record in run.records["open_alerts"]} == wanted
    assert calls(account)["/v2/account/alerts/open"] > 1


def test_a_list_of_each_site(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "devices_of_sites",
        "path": "/v2/site/{siteUid}/devices",
        "primary_keys": ["uid"],
        "component": "Device",
        "parent": "sites",
    }
    run = read(quick, account, stream, page_size=2)
    listed = {row["uid"] for row in wire(account, "site_network_interfaces")}
    wanted = {
        device["uid"]: truth.record_of("devices", device, {})
        for device in wire(account, "devices")
        if device["uid"] in listed
    }
    assert {record["uid"]: record for record in run.records["devices_of_sites"]} == wanted
    assert calls(account)["/v2/account/sites"] > 0


def test_an_object_of_each_device_with_the_parents_key_added(
    quick: QuickTapCommand, account: Sandbox
) -> None:
    stream = {
        "name": "device_details",
        "path": "/v2/device/{deviceUid}",
        "primary_keys": ["deviceUid"],
        "schema": {"properties": {"hostname": {"type": "string"}}},
        "parent": "devices",
    }
    run = read(quick, account, stream)
    got = {record["deviceUid"]: record["hostname"] for record in run.records["device_details"]}
    assert got == {device["uid"]: device["hostname"] for device in wire(account, "devices")}
    assert calls(account)["/v2/device/{device_uid}"] == 30


def test_a_bare_object_by_a_schema_given_in_place(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "status",
        "path": "/v2/system/status",
        "primary_keys": ["version"],
        "schema": STATUS,
    }
    run = read(quick, account, stream)
    answer = requests.get(f"{account.url}/api/v2/system/status", timeout=5).json()
    assert run.records["status"] == [{key: answer[key] for key in ("version", "status")}]
    assert "`started`" in run.err
    schema = run.schemas["status"]["schema"]
    assert schema["properties"]["version"]["type"] == "string"
    assert schema["properties"]["status"]["type"] == ["string", "null"]


def test_a_bare_array(quick: QuickTapCommand, account: Sandbox) -> None:
    interfaces = [row for row in wire(account, "site_network_interfaces") if row["nics"]]
    mac = next(nic["macAddress"] for row in interfaces for nic in row["nics"] if nic["macAddress"])
    stream = {
        "name": "by_mac",
        "path": f"/v2/device/macAddress/{mac.replace(':', '')}",
        "primary_keys": ["uid"],
        "component": "Device",
    }
    run = read(quick, account, stream)
    assert {record["uid"] for record in run.records["by_mac"]} <= {row["uid"] for row in interfaces}


def test_a_list_of_the_third_version_of_the_api(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "devices_of_sites_v3",
        "path": "/v3/site/{siteUid}/devices",
        "primary_keys": ["uid"],
        "component": "DeviceV3",
        "parent": "sites",
    }
    run = read(quick, account, stream)
    listed = {row["uid"] for row in wire(account, "site_network_interfaces")}
    wanted = {
        device["uid"]: truth.record_of("devices_v3", device, {})
        for device in wire(account, "devices_v3")
        if device["uid"] in listed
    }
    assert {record["uid"]: record for record in run.records["devices_of_sites_v3"]} == wanted


def test_the_rows_may_lie_in_an_array_of_an_object(
    quick: QuickTapCommand, account: Sandbox
) -> None:
    stream = {
        "name": "mail_recipients",
        "path": "/v2/site/{siteUid}/settings",
        "primary_keys": ["siteUid", "email"],
        "records_key": "mailRecipients",
        "component": "MailRecipient",
        "parent": "sites",
    }
    run = read(quick, account, stream)
    wanted = {
        (settings["generalSettings"]["uid"], mail["email"])
        for settings in wire(account, "site_settings")
        for mail in settings["mailRecipients"] or ()
    }
    got = {(mail["siteUid"], mail["email"]) for mail in run.records["mail_recipients"]}
    assert got == wanted


def test_a_query_may_stand_in_the_path(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "printers",
        "path": "/v2/account/devices?deviceType=Printer",
        "primary_keys": ["uid"],
        "component": "Device",
    }
    run = read(quick, account, stream, page_size=1)
    printers = [d["uid"] for d in wire(account, "devices") if d["deviceClass"] == "printer"]
    assert len(printers) > 1
    assert sorted(record["uid"] for record in run.records["printers"]) == sorted(printers)


def test_it_may_keep_what_its_schema_does_not_know(
    quick: QuickTapCommand, account: Sandbox
) -> None:
    stream = {
        "name": "status",
        "path": "/v2/system/status",
        "primary_keys": ["version"],
        "schema": STATUS,
    }
    run = read(quick, account, stream, keep_unknown_properties=True)
    assert run.records["status"][0]["_unknown"].keys() == {"started"}


def test_it_is_discovered_beside_the_built_in_streams(quick: QuickTapCommand) -> None:
    stream = {
        "name": "audits_by_mac",
        "path": "/v2/audit/device/macAddress/000000000000",
        "primary_keys": ["portalUrl"],
        "component": "DeviceAudit",
    }
    run = quick({"custom_streams": [stream]}, "--discover")
    assert run.code == 0
    entries = {entry["stream"]: entry for entry in json.loads(run.out)["streams"]}
    assert entries.keys() == {*truth.STREAMS, "audits_by_mac"}
    entry = entries["audits_by_mac"]
    assert entry["key_properties"] == ["portalUrl"]
    assert "logicalDisks" in entry["schema"]["properties"]
    (of_stream,) = [m["metadata"] for m in entry["metadata"] if m["breadcrumb"] == []]
    assert of_stream["selected-by-default"] is True


PRINTERS = {
    "name": "printers",
    "path": "/v2/audit/printer/{deviceUid}",
    "primary_keys": ["deviceUid"],
    "component": "PrinterAudit",
    "parent": "devices",
}


def test_a_device_that_the_endpoint_refuses_is_left_out_and_counted(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=18)
    run = read(quick, account, PRINTERS)
    printers = sum(d["deviceClass"] == "printer" for d in wire(account, "devices"))
    assert len(run.records["printers"]) == printers > 0
    assert f"printers: {18 - printers} left out: has nothing to give (HTTP 400)" in run.err


def test_an_endpoint_that_refuses_most_devices_fails_as_a_whole(
    quick: QuickTapCommand, account: Sandbox
) -> None:
    run = quick.sync(fast(account, custom_streams=[PRINTERS]), "printers")
    assert run.code == 1
    assert "20 of 30 could not be read: no matter of one by one" in run.err


SOUND = {"name": "extra", "path": "/v2/account", "primary_keys": ["uid"], "component": "Account"}

REFUSALS: list[tuple[str, dict[str, object], str]] = [
    ("name of a built-in stream", {"name": "devices"}, "name is taken"),
    ("unknown component", {"component": "Acount"}, "`component` 'Acount' is not in the spec"),
    ("component in other letters", {"component": "account"}, "case-sensitive"),
    ("neither component nor schema", {"component": None}, "either `component` or `schema`"),
    ("both", {"schema": {"properties": {"uid": {}}}}, "either `component` or `schema`"),
    (
        "schema without properties",
        {"component": None, "schema": {"type": "object"}},
        "`schema` must be a JSON Schema of an object with `properties`",
    ),
    ("key that is no property", {"primary_keys": ["uid", "guid"]}, "`primary_keys` guid not among"),
    ("no key", {"primary_keys": []}, "`primary_keys`"),
    ("placeholder without parent", {"path": "/v2/site/{siteUid}"}, "`path` must hold no placehold"),
    ("parent without placeholder", {"parent": "sites"}, "`path` must hold `{siteUid}` once"),
    (
        "placeholder of another parent",
        {"parent": "sites", "path": "/v2/device/{deviceUid}"},
        "`path` must hold `{siteUid}` once",
    ),
    (
        "a placeholder too many",
        {"parent": "devices", "path": "/v2/job/{jobUid}/results/{deviceUid}"},
        "`path` must hold `{deviceUid}` once",
    ),
    (
        "placeholder in the query",
        {"parent": "sites", "path": "/v2/account/sites?siteName={siteUid}"},
        "query of `path` may hold no placeholder",
    ),
    ("unknown parent", {"parent": "jobs"}, "`parent` must be `sites` or `devices`"),
    ("name that is no table name", {"name": "Extra Devices"}, "`name` must be small letters"),
    ("name by which others are meant", {"name": "default"}, "with a letter first; not `default`"),
    ("path without a slash", {"path": "v2/account"}, "`path` must be a path"),
    ("whole URL", {"path": "https://example.net/v2/account"}, "`path` must be a path"),
    ("no path", {"path": None}, "(extra): `path` is missing"),
    ("no name", {"name": None}, "(no name): `name` is missing"),
    ("no keys", {"primary_keys": None}, "(extra): `primary_keys` is missing"),
    ("a key alone", {"primary_keys": "uid"}, "`primary_keys` must be a list"),
    ("another method", {"method": "POST"}, "`method` is not known. A custom stream is {name, path"),
    ("a body to post", {"body": {"name": "x"}}, "`body` is not known. A custom stream is {name"),
    ("a misspelt part", {"record_key": "rows"}, "not known. Did you mean `records_key`?"),
]


@pytest.mark.parametrize("option", ["--test", "--discover"])
@pytest.mark.parametrize(("what", "change", "says"), REFUSALS, ids=lambda value: str(value)[:30])
def test_a_declaration_that_cannot_work_is_refused_before_the_first_request(
    quick: QuickTapCommand, what: str, change: dict[str, object], says: str, option: str
) -> None:
    declared = {key: value for key, value in {**SOUND, **change}.items() if value is not None}
    run = quick(FINE | {"custom_streams": [declared]}, option)
    assert run.code == 1, what
    assert run.out == ""
    (line,) = [line for line in errors(run.err) if "`" in line]
    assert "Setting `custom_streams" in line
    assert says in line
    assert "Traceback" not in run.err


SITES = {"path": "/v2/account/sites", "primary_keys": ["uid"], "component": "Site"}
MAILS = {
    "path": "/v2/site/{siteUid}/settings",
    "primary_keys": ["siteUid", "email"],
    "component": "MailRecipient",
    "parent": "sites",
}


@pytest.mark.parametrize(
    ("stream", "key", "arrays"),
    [(SITES, "site", "sites"), (MAILS, "recipients", "mailRecipients")],
    ids=["list", "of each site"],
)
def test_an_array_that_the_page_has_not_fails_the_stream_at_once_and_names_the_setting(
    quick: QuickTapCommand, account: Sandbox, stream: Stream, key: str, arrays: str
) -> None:
    wrong = {**stream, "name": "wrong", "records_key": key}
    config = fast(account, custom_streams=[SOUND, wrong])
    catalog = quick.catalog(config, "wrong", "users")
    calls(account)
    run = quick(config, catalog=catalog)
    assert run.code == 1
    assert run.records["users"]
    (line,) = [line for line in errors(run.err) if line.startswith("wrong failed: ")]
    assert f"the page has no array `{key}` of rows. Arrays that it has: {arrays}" in line
    assert "`custom_streams[1].records_key`" in line
    assert "Trying again" not in run.err
    asked = calls(account)[stream["path"].replace("siteUid", "site_uid")]
    assert 0 < asked <= 30


@pytest.mark.parametrize(
    "path",
    ["/v2/account/sitez", "/v2/user/resetApiKeys", "/v2/site/{siteUid}/setings"],
    ids=["no such path", "one to post to", "of each site"],
)
def test_a_path_that_the_api_does_not_know_names_the_setting(
    quick: QuickTapCommand, account: Sandbox, path: str
) -> None:
    wrong = {**SITES, "name": "wrong", "path": path}
    if "{" in path:
        wrong["parent"] = "sites"
    config = fast(account, custom_streams=[SOUND, wrong])
    run = quick(config, catalog=quick.catalog(config, "wrong"))
    said = [line for line in run.err.splitlines() if "`custom_streams[1].path`" in line]
    assert said, run.err
    assert all("wrong" in line for line in said)
    assert (run.code == 1) is ("{" not in path)


def test_two_declarations_of_one_name_are_refused(quick: QuickTapCommand) -> None:
    run = quick(FINE | {"custom_streams": [SOUND, SOUND]})
    assert run.code == 1
    assert errors(run.err) == [
        "Setting `custom_streams[1]` (extra): this name is taken; choose another `name`."
    ]


def test_nothing_but_get_is_ever_sent(quick: QuickTapCommand, account: Sandbox) -> None:
    stream = {
        "name": "keys",
        "path": "/v2/user/resetApiKeys",
        "primary_keys": ["version"],
        "schema": STATUS,
    }
    calls(account)
    config = fast(account, custom_streams=[stream])
    run = quick(config, catalog=quick.catalog(config, "keys"))
    assert run.code == 1
    assert "keys" in errors(run.err)[-1]
    asked = {(entry.method, entry.path) for entry in account.requests}
    assert ("GET", "/api/v2/user/resetApiKeys") in asked
    assert {path for method, path in asked if method != "GET"} == {"/auth/oauth/token"}


@pytest.mark.parametrize(
    "properties",
    [
        {"generalSettings": {"type": "object"}},
        {"proxySettings": {"type": "object"}},
        {"proxySettings": {"type": "string"}},
        {"proxySettings": {"type": ["string", "object"]}},
        {"proxySettings": {"properties": {"password": {"type": "string"}, "port": {}}}},
    ],
    ids=["unknown", "open object", "text", "either", "declared"],
)
def test_no_schema_of_ones_own_brings_out_a_proxy_password(
    quick: QuickTapCommand, account: Sandbox, properties: Stream
) -> None:
    passwords = [
        settings["proxySettings"]["password"]
        for settings in wire(account, "site_settings")
        if settings["proxySettings"]
    ]
    assert passwords
    stream = {
        "name": "settings",
        "path": "/v2/site/{siteUid}/settings",
        "primary_keys": ["siteUid"],
        "schema": {"properties": properties},
        "parent": "sites",
    }
    run = read(quick, account, stream, keep_unknown_properties=True)
    assert [word for word in passwords if word in run.out + run.err] == []
    if properties.keys() == {"proxySettings"}:
        assert "3128" in run.out
