"""Every read operation answers in the shape that the OpenAPI document tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox.expected import STREAMS
from datto_rmm_sandbox.interfaces import mac_address
from datto_rmm_sandbox.routes import ROUTES

from tap_datto_rmm.records.openapi import DOCUMENT_NAME, packaged
from tests import truth

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client

SPEC: dict[str, Any] = json.loads(packaged(DOCUMENT_NAME).read_text(encoding="utf-8"))
GETS = sorted(path for path, item in SPEC["paths"].items() if "get" in item)
UNLIKE_THE_SPEC = {"Device.udf"}
"""What the wire has and the document lacks."""

DATES = {"date-time"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def resolved(schema: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1].replace("%20", " ")
        schema = SPEC["components"]["schemas"][name]
    return schema, name


def differences(value: object, schema: dict[str, Any], name: str, seen: set[str]) -> list[str]:
    """What of an answer the document does not allow; dates may be numbers, anything null."""
    schema, name = resolved(schema, name)
    if value is None or name == "AlertContext":
        return []
    kind = schema.get("type", "object" if "properties" in schema else None)
    if kind == "string" and schema.get("format") in DATES:
        return [] if isinstance(value, (int, str)) else [f"{name}: {value!r}"]
    if kind and not isinstance(value, TYPES[kind]):
        return [f"{name}: {value!r} is no {kind}"]
    if isinstance(value, list):
        return [d for item in value for d in differences(item, schema["items"], name, seen)]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = []
    for key, inner in value.items():
        seen.add(f"{name}.{key}")
        if key in schema["properties"]:
            found += differences(inner, schema["properties"][key], f"{name}.{key}", seen)
        elif f"{name}.{key}" not in UNLIKE_THE_SPEC:
            found.append(f"{name}.{key} is unknown")
    return found


def address(client: Client, path: str) -> str:
    account = client.sandbox.account
    wanted = next((name for name in ("esxihost", "printer") if f"/{name}/" in path), "device")
    device = next(d for d in account.devices if d.system.device_class == wanted and d.serial > 40)
    job = next(j for j in account.jobs.values() if j.devices[0] in account.devices)
    if "/job/" in path:
        device = job.devices[0]
    return path.format(
        siteUid=device.site.uid,
        deviceUid=device.uid,
        deviceId=device.id,
        macAddress=mac_address(device, 0),
        alertUid=account.open_alerts[0].uid,
        jobUid=job.uid,
    )


@pytest.mark.parametrize("path", GETS)
def test_each_read_operation_answers_as_the_document_says(shared: Client, path: str) -> None:
    answer = shared.get(address(shared, path))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    content = SPEC["paths"][path]["get"]["responses"]["200"]["content"]
    schema = next(iter(content.values()))["schema"]
    assert differences(answer.json(), schema, "answer", set()) == []
    assert answer.json() or path.endswith(("/stdout", "/stderr"))


def test_the_routes_are_the_documents_and_no_others() -> None:
    def words(path: str) -> tuple[str, ...]:
        return tuple("{}" if part.startswith("{") else part for part in path.split("/"))

    docs = {("", "v3", "api-docs"), ("", "v3", "api-docs", "{}")}
    assert {words(path) for path in ROUTES} - docs == {words(path) for path in GETS}


NEVER_SENT = {"UdfItem.typeMisMatch"}


def test_every_stream_has_its_truth() -> None:
    assert truth.STREAMS.keys() == STREAMS.keys()


@pytest.mark.parametrize("stream", sorted(truth.STREAMS))
def test_every_property_of_the_document_occurs_in_some_row(shared: Client, stream: str) -> None:
    component = truth.STREAMS[stream].component.replace(" ", "%20")
    schema = {"$ref": f"#/components/schemas/{component}"}
    seen: set[str] = set()
    rows = [line["row"] for line in shared.expected(stream)]
    assert rows
    for row in rows[:3_000]:
        assert differences(row, schema, "", seen) == []
    names = {name.split(".")[0] for name in seen}
    known = {
        f"{name}.{key}"
        for name in names & set(SPEC["components"]["schemas"])
        for key in SPEC["components"]["schemas"][name].get("properties", {})
    }
    assert known - seen <= NEVER_SENT
