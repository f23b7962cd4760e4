"""Every stream of the table, through the command line, against the sandbox's own truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests import truth
from tests.commands import Run, TapCommand
from tests.conftest import fast
from tests.e2e.warehouse import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox


@dataclass(frozen=True)
class Synced:
    """An account, and one run over all of its streams."""

    run: Run
    wire: dict[str, list[bytes]]
    """Each stream's rows as the sandbox sends them, as JSON lines."""


@pytest.fixture(scope="module")
def synced(sandboxes: Callable[..., Sandbox], tmp_path_factory: pytest.TempPathFactory) -> Synced:
    sandbox = sandboxes(devices=150)
    tap = TapCommand(tmp_path_factory.mktemp("synced"))
    run = tap.sync(fast(sandbox, page_size=60), *truth.STREAMS)
    wire = {stream: lines_of(sandbox, stream) for stream in truth.STREAMS}
    return Synced(run, wire)


def differences(
    got: dict[tuple[Any, ...], dict[str, Any]], wanted: dict[tuple[Any, ...], dict[str, Any]]
) -> list[tuple[Any, ...]]:
    """Name the first few keys, properties and values in which records differ."""
    found: list[tuple[Any, ...]] = []
    for key in got.keys() | wanted.keys():
        one, other = got.get(key, {}), wanted.get(key, {})
        found += [
            (key, name, one.get(name, "not there"), other.get(name, "not there"))
            for name in one.keys() | other.keys()
            if one.get(name, "not there") != other.get(name, "not there")
        ]
    return found[:5]


def test_a_run_over_all_streams_succeeds_and_leaves_nothing_out(synced: Synced) -> None:
    assert synced.run.code == 0
    assert "left out:" not in synced.run.err
    assert "became null" not in synced.run.err
    number = len(truth.STREAMS)
    assert f"{number} of {number} streams complete" in synced.run.err


def test_there_are_the_streams_of_the_table_and_no_others(synced: Synced) -> None:
    assert synced.run.schemas.keys() == truth.STREAMS.keys()
    assert synced.run.records.keys() == truth.STREAMS.keys()


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_every_row_of_the_wire_is_one_record_with_the_same_values(
    synced: Synced, stream: str
) -> None:
    wanted = truth.records_of(stream, synced.wire[stream])
    assert wanted
    keys = Counter(truth.key_of(stream, record) for record in synced.run.records[stream])
    assert [key for key, count in keys.items() if count > 1] == []
    assert sorted(map(str, keys)) == sorted(map(str, wanted))
    got = {truth.key_of(stream, record): record for record in synced.run.records[stream]}
    assert differences(got, wanted) == []


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_every_record_is_valid_by_the_schema_that_its_target_was_given(
    synced: Synced, stream: str
) -> None:
    checker = Draft202012Validator.FORMAT_CHECKER
    assert {"date-time", "date"} <= checker.checkers.keys()
    schema = synced.run.schemas[stream]["schema"]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=checker)
    for record in synced.run.records[stream]:
        assert list(record) == list(schema["properties"])
        problems = [f"{list(e.path)}: {e.message}"[:200] for e in validator.iter_errors(record)]
        assert problems == []


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_a_target_is_told_schema_and_keys_once_before_the_first_record(
    synced: Synced, stream: str
) -> None:
    kinds = [m["type"] for m in synced.run.messages if m.get("stream") == stream]
    assert kinds[0] == "SCHEMA"
    assert Counter(kinds) == {"SCHEMA": 1, "RECORD": len(synced.run.records[stream])}
    message = synced.run.schemas[stream]
    keys = truth.STREAMS[stream].keys
    assert tuple(message["key_properties"]) == keys
    properties = message["schema"]["properties"]
    assert tuple(properties)[: len(keys)] == keys
    nullable = {name for name, schema in properties.items() if "null" in schema["type"]}
    assert properties.keys() - nullable == set(keys)


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_a_stream_has_a_bookmark_only_where_a_date_decides_what_is_read(
    synced: Synced, stream: str
) -> None:
    bookmark = synced.run.state["bookmarks"].get(stream, {})
    dates = {"lastAuditDate": "devices", "resolvedOn": "alerts", "date": "activity_logs"}
    by = truth.STREAMS[stream].incremental_by
    if by is None:
        assert bookmark.keys() <= {"account_uid", "account_name"}
        return
    assert bookmark["replication_key"] == by
    newest = max(record[by] or "" for record in synced.run.records[dates[by]])
    assert "2026-01-01" < bookmark["replication_key_value"] <= newest


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        ("devices", "-62135596800000"),
        ("devices", '"lastAuditDate":null'),
        ("sites", "Deleted Devices"),
        ("sites", '"proxySettings":{'),
        ("site_settings", '"password":"proxy-password-'),
    ],
)
def test_the_account_holds_what_makes_these_tests_hard(
    synced: Synced, stream: str, text: str
) -> None:
    assert text.encode() in b"\n".join(synced.wire[stream])


def test_the_account_holds_text_of_all_scripts(synced: Synced) -> None:
    names = "".join(user["lastName"] or "" for user in synced.run.records["users"])
    assert max(names) > "\N{GREEK SMALL LETTER OMEGA}"


def test_the_account_holds_the_same_software_twice(synced: Synced) -> None:
    rows = synced.wire["device_software"]
    assert len(rows) > len(set(rows)) == len(synced.run.records["device_software"])


def test_the_account_holds_a_jobs_uid_in_several_activities(synced: Synced) -> None:
    jobs = len(synced.wire["jobs"])
    assert sum(b"job.uid" in line for line in synced.wire["activity_logs"]) > jobs > 1


def test_no_proxy_password_leaves_the_tap(synced: Synced) -> None:
    assert any(b"proxy-password-" in line for line in synced.wire["site_settings"])
    assert "proxy-password-" not in synced.run.out + synced.run.err
    for stream in ("sites", "site_settings"):
        proxy = synced.run.schemas[stream]["schema"]["properties"]["proxySettings"]["properties"]
        assert "username" in proxy
        assert "password" not in proxy


def test_an_alert_repeats_its_class_beside_its_open_context(synced: Synced) -> None:
    alerts = synced.run.records["alerts"]
    classes = Counter(alert["alertContextClass"] for alert in alerts)
    assert len(classes) > 10
    assert classes == Counter(alert["alertContext"]["@class"] for alert in alerts)
    context = synced.run.schemas["alerts"]["schema"]["properties"]["alertContext"]
    assert context["additionalProperties"] is True
    assert "properties" not in context


def test_an_audit_carries_the_date_that_the_device_list_gives(synced: Synced) -> None:
    audited = {device["uid"]: device["lastAuditDate"] for device in synced.run.records["devices"]}
    for stream in ("device_audits", "device_software", "esxi_host_audits", "printer_audits"):
        for record in synced.run.records[stream]:
            assert record["lastAuditDate"] == audited[record["deviceUid"]]
