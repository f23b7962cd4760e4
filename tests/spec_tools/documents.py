"""OpenAPI documents for tests: the packaged one, changed as the vendor's builds differ from it."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.records.openapi import Spec, component_name, wire_exceptions
from tap_datto_rmm.spec_tools.diff import compare
from tap_datto_rmm.spec_tools.document import Document, references
from tap_datto_rmm.spec_tools.readside import read_side

if TYPE_CHECKING:
    from tap_datto_rmm.spec_tools.changes import Difference

REFERENCE: Final = Path(os.environ.get("VENDOR_BUILDS", "-"))
"""A folder with the vendor's own builds, which the repository may not hold: build-235.json.

The tests that take it are marked `vendor_builds`; `make vendor-builds` runs them.
"""

BUILDS: Final = ("1.22.1-576", "201", "235")

Content = dict[str, Any]


def packaged() -> Content:
    """A copy of the packaged document: build 235."""
    return copy.deepcopy(Spec.load().document)


def build(name: str) -> Content:
    """One of the vendor's own."""
    content: Content = orjson.loads((REFERENCE / f"build-{name}.json").read_bytes())
    return content


def written_out() -> Content:
    """The packaged document as the vendor writes build 235: answers inline, other prose, writes."""
    content = packaged()
    schemas = content["components"]["schemas"]
    for path, item in content["paths"].items():
        answer = item["get"]["responses"]["200"]["content"]["application/json"]
        name = component_name(answer["schema"].get("$ref", "/"))
        if name:
            inline = copy.deepcopy(schemas[name])
            inline.pop("type", None)
            answer["schema"] = inline
        if path == "/v2/alert/{alertUid}":
            reference = {"$ref": "#/components/schemas/AlertContext"}
            answer["schema"]["properties"]["alertContext"] = reference
        item["get"]["summary"] = "In other words."
        item["put"] = {"responses": {"200": {"description": "Written."}}}
    schemas["Udf"] = udf(300)  # of the writes
    schemas["Site"]["properties"]["name"]["description"] = "In other words."
    content["info"]["description"] = "In other words."
    content["servers"] = [{"url": "https://syrah-api.centrastage.net/api"}]
    return content


def build_201() -> Content:
    """The packaged document as build 201: no patches, no v3, `udf` in the device, no 200s."""
    content = packaged()
    content["info"]["version"] = "2.0.0 (Build 201_aadf6556)"
    schemas = content["components"]["schemas"]
    for path in list(content["paths"]):
        if path.startswith("/v3/") or path.endswith("/patches"):
            del content["paths"][path]
    for name in ("DeviceV3", "DevicesPageV3", "Patch", "PatchesPage", "SitePatch", "UdfItem"):
        del schemas[name]
    del schemas["SitePatchesPage"], schemas["ErrorResponse"]
    for item in content["paths"].values():
        responses = item["get"]["responses"]
        answer = responses.pop("200")
        for response in responses.values():
            response["content"] = answer["content"]
    schemas["Udf"] = udf(300)
    schemas["Device"]["properties"]["udf"] = {"$ref": "#/components/schemas/Udf"}
    return content


def build_1_22() -> Content:
    """The packaged document as build 1.22: 30 fields, the old rate status, no `searchQuery`."""
    content = build_201()
    content["info"]["version"] = "2.0.0 (Build 1.22.1-576_667cfe9f)"
    schemas = content["components"]["schemas"]
    schemas["Udf"] = udf(30)
    del schemas["OperationRateStatus"]
    for name in ("accountWriteRateLimit", "accountWriteCount", "operationWriteStatus"):
        del schemas["RateStatusResponse"]["properties"][name]
    get = content["paths"]["/v2/activity-logs"]["get"]
    get["parameters"] = [one for one in get["parameters"] if one["name"] != "searchQuery"]
    return content


def split(content: Content) -> dict[str, Content]:
    """The document in parts, as the vendor publishes it: one for each version of the API.

    A build that has one version only is split in the middle of its paths. What no path leads to is
    in the first part.
    """
    paths = sorted(content["paths"])
    versions = sorted({path.split("/")[1] for path in paths})
    of_part = {
        f"Datto-RMM-{one}": [path for path in paths if path.startswith(f"/{one}/")]
        for one in versions
    }
    if len(of_part) == 1:
        middle = len(paths) // 2
        of_part = {"Datto-RMM-a": paths[:middle], "Datto-RMM-b": paths[middle:]}
    needed = {name: schemas_of(content, members) for name, members in of_part.items()}
    needed[min(needed)] |= content["components"]["schemas"].keys() - set().union(*needed.values())
    return {name: part(content, members, needed[name]) for name, members in of_part.items()}


def schemas_of(content: Content, paths: list[str]) -> set[str]:
    """Names of the schemas that some paths lead to, also where an answer is written out."""
    named = read_side(Document(content, "whole"))["paths"]
    waiting = [*references([content["paths"][path] for path in paths])]
    waiting += references([named[path] for path in paths if path in named])
    found: set[str] = set()
    while waiting:
        name = component_name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += references(content["components"]["schemas"][name])
    return found


def part(content: Content, paths: list[str], schemas: set[str]) -> Content:
    """Some paths of a document, with some of its schemas."""
    taken = {name: content["components"]["schemas"][name] for name in sorted(schemas)}
    rest = {key: value for key, value in content.items() if key != "x-origin"}
    chosen = {path: content["paths"][path] for path in paths}
    return copy.deepcopy({**rest, "paths": chosen, "components": {"schemas": taken}})


def udf(fields: int) -> Content:
    """The schema of user-defined fields."""
    names = [f"udf{number}" for number in range(1, fields + 1)]
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def as_bytes(content: Content) -> bytes:
    """The document as a server sends it."""
    return orjson.dumps(content)


def difference(old: Content, new: Content) -> Difference:
    """What changed, by the packaged exceptions."""
    return compare(Document(old, "old"), Document(new, "new"), wire_exceptions())


def told(old: Content, new: Content) -> list[tuple[str, str, str]]:
    """What changed, in short: stream, verdict, text."""
    changes = difference(old, new).changes
    return [(change.stream, change.rule.verdict.value, change.text) for change in changes]
