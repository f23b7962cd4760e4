"""What a maintainer learns of a new build of the vendor's document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.spec_tools.report import as_json, as_markdown, as_text
from tap_datto_rmm.spec_tools.verdicts import Verdict
from tap_datto_rmm.streams import STREAMS
from tests.spec_tools.documents import (
    BUILDS,
    build,
    build_1_22,
    build_201,
    difference,
    packaged,
    split,
    told,
    written_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.spec_tools.documents import Content

TO_201 = [
    ("devices", "compatible", "property new: udf.udf31 to udf.udf300 (270 of them; string)"),
    ("activity_logs", "compatible", "parameter new: searchQuery"),
    ("", "compatible", "component new: OperationRateStatus"),
    ("", "compatible", "property new: RateStatusResponse.accountWriteCount (integer, int64)"),
    ("", "compatible", "property new: RateStatusResponse.accountWriteRateLimit (integer, int32)"),
    ("", "compatible", "property new: RateStatusResponse.operationWriteStatus (object)"),
]
TO_235 = [
    ("devices", "breaking", "property gone: udf (object, 300 properties)"),
    ("devices_v3", "compatible", "endpoint new: GET /v3/account/devices"),
    ("site_patches", "compatible", "endpoint new: GET /v2/site/{siteUid}/patches"),
    ("device_patches", "compatible", "endpoint new: GET /v2/device/{deviceUid}/patches"),
    ("", "compatible", "endpoint new: GET /v3/device/id/{deviceId}"),
    ("", "compatible", "endpoint new: GET /v3/device/macAddress/{macAddress}"),
    ("", "compatible", "endpoint new: GET /v3/device/{deviceUid}"),
    ("", "compatible", "endpoint new: GET /v3/site/{siteUid}/devices"),
]
"""The history that docs/datto-rmm-api.md §10 knows."""


@pytest.mark.parametrize(
    ("old", "new", "history"),
    [
        (build_1_22, build_201, TO_201),
        (build_201, written_out, TO_235),
        (build_201, packaged, TO_235),
        (written_out, packaged, []),
        (packaged, written_out, []),
    ],
)
def test_the_known_history_comes_out_and_nothing_else(
    old: Callable[[], Content], new: Callable[[], Content], history: list[Any]
) -> None:
    assert told(old(), new()) == history


@pytest.mark.vendor_builds
@pytest.mark.parametrize(("old", "new", "history"), [(0, 1, TO_201), (1, 2, TO_235)])
def test_the_vendors_own_builds_tell_the_known_history_and_nothing_else(
    old: int, new: int, history: list[Any]
) -> None:
    assert told(build(BUILDS[old]), build(BUILDS[new])) == history


@pytest.mark.vendor_builds
@pytest.mark.parametrize(("made", "name"), [(build_1_22, "1.22.1-576"), (build_201, "201")])
def test_the_documents_of_the_tests_are_those_of_the_vendor(
    made: Callable[[], Content], name: str
) -> None:
    assert told(made(), build(name)) == []


def test_a_change_that_the_exceptions_make_up_for_is_marked_as_such() -> None:
    (change,) = (one for one in difference(build_201(), packaged()).changes if one.kept)
    assert (change.stream, change.where, change.rule.verdict) == ("devices", "udf", "breaking")


def change_in_site(name: str, old: Content | None, new: Content | None) -> list[Any]:
    """What is told where one property of a site changes."""
    documents = []
    for schema in (old, new):
        content = packaged()
        properties = content["components"]["schemas"]["Site"]["properties"]
        properties.pop(name, None)
        if schema is not None:
            properties[name] = schema
        documents.append(content)
    return [one for one in told(*documents) if one[0] == "sites"]


TEXT: Content = {"type": "string"}
WHEN: Content = {"type": "string", "format": "date-time"}
KINDS: Content = {"type": "string", "enum": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new", "verdict", "text"),
    [
        (TEXT, None, "breaking", "property gone: x (string)"),
        (None, TEXT, "compatible", "property new: x (string)"),
        (TEXT, {"type": "integer"}, "breaking", "type changed: x (string → integer)"),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": {"type": "integer"}},
            "breaking",
            "type changed: x[] (string → integer)",
        ),
        (TEXT, WHEN, "breaking", "date format changed: x (none → date-time)"),
        (
            {"type": "integer", "format": "int32"},
            {"type": "integer", "format": "int64"},
            "risky",
            "format changed: x (int32 → int64)",
        ),
        (KINDS, {"type": "string", "enum": ["b", "a", "c"]}, "compatible", "enum value new: x (c)"),
        (KINDS, {"type": "string", "enum": ["b"]}, "risky", "enum value gone: x (a)"),
        (KINDS, TEXT, "compatible", "constraint changed: x (enum)"),
        (TEXT, {"type": "string", "deprecated": True}, "risky", "deprecated: x"),
        (
            TEXT,
            {"type": "string", "maxLength": 9},
            "compatible",
            "constraint changed: x (maxLength)",
        ),
    ],
)
def test_a_change_of_a_property_has_its_verdict(
    old: Content | None, new: Content | None, verdict: str, text: str
) -> None:
    assert change_in_site("x", old, new) == [("sites", verdict, text)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, {"type": "string", "description": "Other words.", "example": "x", "title": "X"}),
        (TEXT, {"type": ["string", "null"]}),
        (KINDS, {"type": "string", "enum": ["b", "a"]}),
        (
            {"$ref": "#/components/schemas/GeneralSettings"},
            packaged()["components"]["schemas"]["GeneralSettings"],
        ),
        ({"$ref": "#/components/schemas/GeneralSettings"},) * 2,
        (
            {"$ref": "#/components/schemas/GeneralSettings"},
            {"allOf": [{"$ref": "#/components/schemas/GeneralSettings"}]},
        ),
        (TEXT, {"type": "string", "pattern": "words, not a pattern"}),
    ],
)
def test_what_says_the_same_otherwise_is_no_change(old: Content, new: Content) -> None:
    assert change_in_site("x", old, new) == []


def test_a_parameter_that_goes_or_must_be_given_is_told() -> None:
    new = packaged()
    parameters = new["paths"]["/v2/account/sites"]["get"]["parameters"]
    new["paths"]["/v2/account/sites"]["get"]["parameters"] = [
        {**one, "required": one["name"] == "max"} for one in parameters if one["name"] != "siteName"
    ]
    assert told(packaged(), new) == [
        ("sites", "breaking", "parameter required: max"),
        ("sites", "risky", "parameter gone: siteName"),
    ]


def test_an_endpoint_that_goes_breaks_its_stream_and_only_risks_what_no_stream_reads() -> None:
    new = packaged()
    del new["paths"]["/v2/account/users"], new["paths"]["/v2/system/pagination"]
    assert told(packaged(), new) == [
        ("users", "breaking", "endpoint gone: GET /v2/account/users"),
        ("", "risky", "endpoint gone: GET /v2/system/pagination"),
        ("", "risky", "component gone: PaginationConfiguration"),
    ]


def test_an_endpoint_whose_parameter_has_another_name_is_the_same() -> None:
    new = packaged()
    item = new["paths"].pop("/v2/site/{siteUid}/settings")
    item["get"]["parameters"][0]["name"] = "uid"
    new["paths"]["/v2/site/{uid}/settings"] = item
    assert told(packaged(), new) == []


def test_rows_that_move_in_their_page_are_told_for_each_stream_that_reads_them() -> None:
    new = packaged()
    properties = new["components"]["schemas"]["FiltersPage"]["properties"]
    properties["deviceFilters"] = properties.pop("filters")
    streams = {stream for stream, verdict, _ in told(packaged(), new) if verdict == "breaking"}
    assert streams == {"default_filters", "custom_filters", "site_filters"}


def test_a_component_that_goes_is_told_where_its_stream_is() -> None:
    new = packaged()
    schemas = new["components"]["schemas"]
    schemas["Person"] = schemas.pop("AuthUser")
    items = schemas["UsersPage"]["properties"]["users"]["items"]
    items["$ref"] = "#/components/schemas/Person"
    assert ("users", "breaking", "component gone: AuthUser") in told(packaged(), new)


def test_a_new_kind_of_alert_is_compatible_as_its_context_is_open() -> None:
    new = packaged()
    schemas = new["components"]["schemas"]
    schemas["TideContext"] = {"allOf": [{"$ref": "#/components/schemas/AlertContext"}]}
    variants = schemas["Alert"]["properties"]["alertContext"]["oneOf"]
    variants.append({"$ref": "#/components/schemas/TideContext"})
    found = told(packaged(), new)
    change = "variant new: alertContext<TideContext> (object, 1 property)"
    assert found == [
        (stream.name, "compatible", change) for stream in STREAMS if stream.component == "Alert"
    ]


def test_writing_is_not_looked_at() -> None:
    new = packaged()
    new["paths"]["/v2/site/{siteUid}"]["post"] = {"responses": {"200": {"description": "Done."}}}
    new["paths"]["/v2/device/{deviceUid}/job"] = {"put": {"responses": {}}}
    assert told(packaged(), new) == []


NOT_SEEN = [
    ("devices_v3", "not seen", "endpoint not seen: GET /v3/account/devices"),
    ("", "not seen", "endpoint not seen: GET /v3/device/id/{deviceId}"),
    ("", "not seen", "endpoint not seen: GET /v3/device/macAddress/{macAddress}"),
    ("", "not seen", "endpoint not seen: GET /v3/device/{deviceUid}"),
    ("", "not seen", "endpoint not seen: GET /v3/site/{siteUid}/devices"),
]


@pytest.mark.parametrize("whole", [packaged, written_out])
def test_a_part_that_is_not_there_was_not_seen(whole: Callable[[], Content]) -> None:
    found = difference(whole(), split(whole())["Datto-RMM-v2"])
    assert found.verdict is Verdict.NOT_SEEN
    assert [(one.stream, one.rule.verdict, one.text) for one in found.changes] == NOT_SEEN
    assert "0 breaking, 5 not seen, 0 risky, 0 compatible" in as_text(found)


def test_what_is_known_to_be_missing_is_neither_gone_nor_new() -> None:
    partial = packaged()
    partial["x-origin"] = {"missing": ["Datto-RMM-v2-patches"]}
    schemas = partial["components"]["schemas"]
    del partial["paths"]["/v2/site/{siteUid}/patches"]
    del schemas["SitePatchesPage"], schemas["SitePatch"]
    not_seen = [("site_patches", "not seen", "endpoint not seen: GET /v2/site/{siteUid}/patches")]
    assert told(packaged(), partial) == not_seen
    assert told(partial, packaged()) == not_seen
    del partial["x-origin"]
    assert told(packaged(), partial)[0][1] == "breaking"


def test_the_report_says_it_in_text_markdown_and_json() -> None:
    found = difference(build_201(), packaged())
    assert found.verdict is Verdict.BREAKING
    text, markdown, data = as_text(found), as_markdown(found), as_json(found)
    assert "  breaking    property gone: udf (object, 300 properties)" in text
    assert "1 breaking (1 made up for by wire-exceptions.json), 0 risky, 7 compatible" in text
    assert "| breaking | property gone: `udf (object, 300 properties)` |" in markdown
    assert '"kept_by_exceptions": true' in data


def test_what_the_vendor_names_cannot_break_out_of_the_report() -> None:
    new = packaged()
    name = "a`|\n\x1b[31m@everyone"
    new["components"]["schemas"]["Site"]["properties"][name] = {"type": "string"}
    found = difference(packaged(), new)
    (line,) = (line for line in as_markdown(found).splitlines() if "@everyone" in line)
    assert line.startswith("| compatible | property new: `a'/??[31m@everyone (string)` |")
    assert "\x1b" not in as_text(found)
