"""Whether a document can be worked with, told before a sync of data is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tap_datto_rmm.records.openapi import wire_exceptions
from tap_datto_rmm.spec_tools.check import Findings, check
from tap_datto_rmm.spec_tools.cli import main
from tap_datto_rmm.spec_tools.document import Document
from tests.spec_tools.documents import (
    BUILDS,
    REFERENCE,
    as_bytes,
    build_201,
    packaged,
    written_out,
)

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.spec_tools.documents import Content

LEFT_OUT = [
    "devices_v3: no GET /v3/account/devices; the stream is left out",
    "site_patches: no GET /v2/site/{siteUid}/patches; the stream is left out",
    "device_patches: no GET /v2/device/{deviceUid}/patches; the stream is left out",
]


def findings(content: Content, exceptions: list[Any] | None = None) -> Findings:
    table = wire_exceptions() if exceptions is None else exceptions
    return check(Document(content, "document"), table)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_the_packaged_document_is_sound_described_and_needs_every_exception() -> None:
    result = run()
    assert result.exit_code == 0
    assert result.output.endswith("Problems: 0, notes: 0.\n")
    assert "Build 235" in result.output


def test_a_document_as_the_vendor_writes_it_is_as_good() -> None:
    assert findings(written_out()).problems == []


def test_an_older_build_lacks_streams_and_makes_exceptions_needless(tmp_path: Path) -> None:
    file = tmp_path / "201.json"
    file.write_bytes(as_bytes(build_201()))
    result = run(str(file))
    assert result.exit_code == 1
    for line in LEFT_OUT:
        assert f"  PROBLEM: {line}\n" in result.output
    assert "exception Device.udf matches nothing: the document says the same" in result.output
    assert "exception DeviceV3.warrantyDate matches nothing: there is no schema" in result.output


@pytest.mark.vendor_builds
@pytest.mark.parametrize(
    ("name", "problems"), [*zip(BUILDS, (LEFT_OUT, LEFT_OUT, []), strict=True)]
)
def test_the_vendors_own_builds_are_judged_alike(name: str, problems: list[str]) -> None:
    document = Document.parse((REFERENCE / f"build-{name}.json").read_bytes(), name)
    assert check(document, wire_exceptions()).problems == problems


def test_an_exception_that_drops_what_is_gone_is_reported() -> None:
    content = packaged()
    del content["components"]["schemas"]["ProxySettings"]["properties"]["password"]
    (note,) = findings(content).notes
    assert note == (
        "exception ProxySettings.password matches nothing: there is no such property to drop"
    )


def test_a_component_or_key_that_a_stream_needs_is_missed() -> None:
    content = packaged()
    schemas = content["components"]["schemas"]
    schemas["Person"] = schemas.pop("AuthUser")
    schemas["UsersPage"]["properties"]["users"]["items"]["$ref"] = "#/components/schemas/Person"
    del schemas["Filter"]["properties"]["id"]
    key = "the primary key id is not among the properties"
    assert findings(content).problems == [
        "users: no component AuthUser; the stream is left out",
        f"default_filters: {key}",
        f"custom_filters: {key}",
        f"site_filters: {key}",
    ]


def test_both_lists_of_alerts_are_needed() -> None:
    content = packaged()
    del content["paths"]["/v2/account/alerts/resolved"]
    assert findings(content).problems == [
        "alerts: no GET /v2/account/alerts/resolved; the stream is left out"
    ]


def test_a_schema_that_differs_from_the_packaged_one_is_told_for_its_stream() -> None:
    content = packaged()
    properties = content["components"]["schemas"]["Software"]["properties"]
    properties["publisher"] = {"type": "string", "description": "Who made it."}
    properties["version"]["type"] = "integer"
    assert findings(content).notes == [
        "device_software differs from the packaged schema: more: publisher; other: version"
    ]


def test_a_document_that_was_not_whole_says_so() -> None:
    content = packaged()
    content["x-origin"] = {"missing": ["Datto-RMM-v4"]}
    assert findings(content).notes == ["not all of the description was there: Datto-RMM-v4"]


def test_what_has_no_description_is_named() -> None:
    content = packaged()
    del content["components"]["schemas"]["Site"]["properties"]["name"]["description"]
    del content["paths"]["/v2/account"]["get"]["summary"]
    (note,) = findings(content).notes
    assert note == "2 without a description: GET /v2/account, Site.name"
