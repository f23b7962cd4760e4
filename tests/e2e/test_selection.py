"""Selection: what is not selected costs no call and never leaves the tap."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_datto_rmm.api.fan_out import (
    COMPUTERS,
    ESXI_HOSTS,
    JOB_DEVICES,
    JOBS,
    PRINTERS,
    SITES,
    FanOut,
)
from tap_datto_rmm.streams import STREAMS
from tests import truth
from tests.commands import Run, TapCommand, select
from tests.conftest import calls, fast
from tests.e2e.warehouse import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tap_datto_rmm.streams.base import DattoStream
    from tests.commands import QuickTapCommand


class Cost(NamedTuple):
    """The calls of a stream that is alone: lists of one page, and endpoints for each parent."""

    lists: dict[str, int]
    each: tuple[str, ...] = ()
    of: str = ""
    """The stream that has one record for each of these parents."""
    besides: tuple[str, ...] = ()
    """Endpoints that tell of each job whether its output may still grow."""


SITE_LIST = {"/v2/account/sites": 1}
DEVICE_LIST = {"/v2/account/devices": 1}
LOG = {"/v2/activity-logs": 1}
RESULTS = "/v2/job/{job_uid}/results/{device_uid}"
JOB = "/v2/job/{job_uid}"

UNLIKE_OTHERS: dict[str, Cost] = {
    "account": Cost({}),
    "alerts": Cost({"/v2/account/alerts/open": 1, "/v2/account/alerts/resolved": 1}),
    "job_outputs": Cost(LOG, (f"{RESULTS}/stdout", f"{RESULTS}/stderr"), "job_results", (JOB,)),
}
PARENTS: dict[FanOut, tuple[dict[str, int], str]] = {
    SITES: (SITE_LIST, "site_settings"),
    COMPUTERS: (DEVICE_LIST, "device_audits"),
    ESXI_HOSTS: (DEVICE_LIST, "esxi_host_audits"),
    PRINTERS: (DEVICE_LIST, "printer_audits"),
    JOBS: (LOG, "jobs"),
    JOB_DEVICES: (LOG, "job_results"),
}
"""By kind of parent: the list that names them, and a stream with one record for each."""


def needs(stream: type[DattoStream]) -> Cost:
    """Say what a stream needs, by its path and whom it is asked for."""
    endpoint = re.sub(r"\{(\w+)Uid\}", r"{\1_uid}", stream.path)
    if stream.name in UNLIKE_OTHERS:
        return UNLIKE_OTHERS[stream.name]
    if stream.fan_out is None:
        return Cost({endpoint: 1})
    assert stream.fan_out in PARENTS, (
        f"{stream.name} is asked {stream.fan_out.per}: add it to PARENTS"
    )
    names_them, one_each = PARENTS[stream.fan_out]
    return Cost(names_them, (endpoint,), one_each)


NEEDS = {stream.name: needs(stream) for stream in STREAMS}

WHOSE = {"/v2/account": 1}
"""What every run asks first: whose account it is. The stream and the devices use the answer."""
ROWS_OF_A_PAGE = 250


@dataclass(frozen=True)
class Small:
    """A small account, what is in it, and the tap's catalog."""

    sandbox: Sandbox
    wire: dict[str, list[bytes]]
    tap: TapCommand
    whole_catalog: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        return fast(self.sandbox)

    def catalog(self, *streams: str) -> dict[str, Any]:
        catalog = copy.deepcopy(self.whole_catalog)
        for entry in catalog["streams"]:
            select(entry, selected=entry["stream"] in streams)
        return catalog

    def sync(self, *streams: str) -> Run:
        calls(self.sandbox)
        return self.tap(self.config, catalog=self.catalog(*streams))

    def lines(self, stream: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.wire[stream]]

    def records(self, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        return truth.records_of(stream, self.wire[stream])


@pytest.fixture(scope="module")
def small(sandboxes: Callable[..., Sandbox], quickly: Callable[[str], QuickTapCommand]) -> Small:
    sandbox = sandboxes(devices=24)
    wire = {stream: lines_of(sandbox, stream) for stream in truth.STREAMS}
    tap = quickly("small")
    return Small(sandbox, wire, tap, json.loads(tap(fast(sandbox), "--discover").out))


def cost(small: Small, stream: str) -> Counter[str]:
    """Work out the calls that a stream needs when it is the only one."""
    lists, each, of, besides = NEEDS[stream]
    needed = Counter(WHOSE | lists)
    rows = Counter(json.dumps(line["parent"]) for line in small.lines(stream))
    further_pages = sum((count - 1) // ROWS_OF_A_PAGE for count in rows.values()) if each else 0
    for endpoint in each:
        needed[endpoint] = len(small.records(of)) + further_pages
    for endpoint in besides:
        needed[endpoint] = len(small.records("jobs"))
    return needed


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_a_stream_works_alone_and_costs_only_the_calls_that_it_needs(
    small: Small, stream: str
) -> None:
    run = small.sync(stream)
    tokens = [e for e in small.sandbox.requests if e.path.startswith("/auth/")]
    made = calls(small.sandbox)
    assert run.code == 0
    assert run.schemas.keys() == {stream}
    assert run.records.keys() == {stream}
    keys = [truth.key_of(stream, record) for record in run.records[stream]]
    assert sorted(map(str, keys)) == sorted(map(str, small.records(stream)))
    assert made == cost(small, stream)
    assert len(tokens) == 1


def test_a_parent_is_read_once_for_all_streams_that_need_it(small: Small) -> None:
    children = [stream for stream, needs in NEEDS.items() if needs.each]
    assert len(children) == len([stream for stream in STREAMS if stream.fan_out])
    run = small.sync(*children)
    made = calls(small.sandbox)
    assert run.code == 0
    assert {"devices", "sites", "activity_logs"} & run.schemas.keys() == set()
    for path in ("/v2/account", "/v2/account/sites", "/v2/account/devices", "/v2/activity-logs"):
        assert made[path] == 1


def test_every_other_call_is_a_get(small: Small) -> None:
    small.sync("devices", "jobs", "site_settings")
    methods = {(e.method, e.path) for e in small.sandbox.requests if e.method != "GET"}
    assert methods == {("POST", "/auth/oauth/token")}


def test_nothing_selected_costs_nothing_and_is_no_success(small: Small) -> None:
    run = small.sync()
    assert run.code == 1
    assert run.schemas == {}
    assert small.sandbox.requests == []


def test_without_a_catalog_everything_is_read_but_what_is_costly(small: Small) -> None:
    run = small.tap(small.config)
    assert run.code == 0
    by_default = {name for name, stream in truth.STREAMS.items() if stream.by_default}
    assert run.schemas.keys() == by_default
    assert "jobs" in by_default
    made = calls(small.sandbox)
    costly = ("/patches", "/components", "/results", "/v3/")
    assert [path for path in made if any(word in path for word in costly)] == [
        "/v2/account/components"
    ]


def test_the_catalog_says_what_is_selected_by_default(small: Small) -> None:
    said = {
        entry["stream"]: metadata["metadata"]["selected-by-default"]
        for entry in small.whole_catalog["streams"]
        for metadata in entry["metadata"]
        if metadata["breadcrumb"] == []
    }
    assert said == {name: stream.by_default for name, stream in truth.STREAMS.items()}


@pytest.mark.parametrize("keep_unknown", [False, True], ids=["left-out", "kept"])
@pytest.mark.parametrize(
    "path",
    [
        ("description",),
        ("udf",),
        ("udf", "udf3"),
        ("antivirus",),
        ("patchManagement", "patchStatus"),
    ],
    ids=".".join,
)
def test_a_deselected_property_never_leaves_the_tap(
    small: Small, path: tuple[str, ...], *, keep_unknown: bool
) -> None:
    catalog = small.catalog("devices")
    entry = next(e for e in catalog["streams"] if e["stream"] == "devices")
    select(entry, *path, selected=False)
    run = small.tap(small.config | {"keep_unknown_properties": keep_unknown}, catalog=catalog)
    assert run.code == 0
    schema = run.schemas["devices"]["schema"]
    for step in path:
        schema = schema.get("properties", {}).get(step, {})
    assert schema == {}
    records = {record["uid"]: record for record in run.records["devices"]}
    assert records.keys() == {line["row"]["uid"] for line in small.lines("devices")}
    hidden = 0
    for line in small.lines("devices"):
        wanted = truth.record_of("devices", line["row"], {})
        inside = wanted
        for step in path[:-1]:
            inside = inside[step] or {}
        hidden += bool(inside.pop(path[-1], None))
        got = {k: v for k, v in records[wanted["uid"]].items() if k != "_unknown"}
        assert got == wanted
    assert hidden
    assert "not know" not in run.err


def test_a_recovery_key_in_a_user_defined_field_stays_when_the_field_is_deselected(
    small: Small,
) -> None:
    keys = [line["row"]["udf"]["udf3"] for line in small.lines("devices")]
    keys = [key for key in keys if key]
    assert keys
    catalog = small.catalog("devices")
    entry = next(e for e in catalog["streams"] if e["stream"] == "devices")
    select(entry, "udf", "udf3", selected=False)
    run = small.tap(small.config | {"keep_unknown_properties": True}, catalog=catalog)
    assert len(run.records["devices"]) == len(small.wire["devices"])
    assert [key for key in keys if key in run.out + run.err] == []


@pytest.mark.parametrize("stream", ["devices", "alerts", "device_audits", "device_software"])
def test_keys_and_bookmark_date_cannot_be_deselected(small: Small, stream: str) -> None:
    catalog = small.catalog(stream)
    entry = next(e for e in catalog["streams"] if e["stream"] == stream)
    for name in entry["schema"]["properties"]:
        select(entry, name, selected=False)
    run = small.tap(small.config, catalog=catalog)
    assert run.code == 0
    declared = truth.STREAMS[stream]
    assert run.schemas[stream]["schema"]["properties"].keys() == {
        *declared.keys,
        *([declared.incremental_by] if declared.incremental_by else []),
    }
    keys = [truth.key_of(stream, record) for record in run.records[stream]]
    assert sorted(map(str, keys)) == sorted(map(str, small.records(stream)))


def test_the_class_of_an_alert_can_be_had_without_its_context(small: Small) -> None:
    catalog = small.catalog("alerts")
    entry = next(e for e in catalog["streams"] if e["stream"] == "alerts")
    select(entry, "alertContext", selected=False)
    run = small.tap(small.config, catalog=catalog)
    wanted = Counter(r["alertContextClass"] for r in small.records("alerts").values())
    assert Counter(r["alertContextClass"] for r in run.records["alerts"]) == wanted
    assert "alertContext" not in set().union(*run.records["alerts"])


def test_jobs_are_found_although_the_details_of_the_log_are_deselected(small: Small) -> None:
    catalog = small.catalog("activity_logs", "jobs")
    entry = next(e for e in catalog["streams"] if e["stream"] == "activity_logs")
    select(entry, "details", selected=False)
    run = small.tap(small.config, catalog=catalog)
    assert len(run.records["jobs"]) == len(small.records("jobs")) > 0
    assert "details" not in set().union(*run.records["activity_logs"])


def test_a_catalog_that_was_cut_to_a_few_properties_is_respected(small: Small) -> None:
    catalog = small.catalog("devices")
    entry = next(e for e in catalog["streams"] if e["stream"] == "devices")
    kept = {"uid", "hostname", "lastSeen"}
    properties = entry["schema"]["properties"]
    entry["schema"]["properties"] = {n: s for n, s in properties.items() if n in kept}
    run = small.tap(small.config, catalog=catalog)
    assert run.code == 0
    found = Counter(name for record in run.records["devices"] for name in record)
    assert found == dict.fromkeys(kept, len(small.wire["devices"]))
    assert "not know" not in run.err
