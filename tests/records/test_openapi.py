"""The OpenAPI document: what is refused, and what the wire's exceptions change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Spec, component_name

if TYPE_CHECKING:
    from pathlib import Path


def spec_of(
    schemas: dict[str, Any], *exceptions: dict[str, Any], paths: dict[str, Any] | None = None
) -> Spec:
    document = {"openapi": "3.1.0", "paths": paths or {}, "components": {"schemas": schemas}}
    return Spec(document, list(exceptions), "a test")


@pytest.fixture(scope="module")
def packaged() -> Spec:
    return Spec.load()


def test_the_packaged_document_is_the_newest_build(packaged: Spec) -> None:
    assert "Build 235" in packaged.version
    assert "DeviceV3" in packaged
    assert "Nonsense" not in packaged


def test_the_device_of_the_wire_has_300_user_defined_fields(packaged: Spec) -> None:
    udf = packaged.component("Device")["properties"]["udf"]
    assert list(udf["properties"]) == [f"udf{n}" for n in range(1, 301)]
    assert udf["properties"]["udf117"]["type"] == "string"
    assert "117" in udf["properties"]["udf117"]["description"]
    assert "udf" not in packaged.component("DeviceV3")["properties"]
    assert packaged.drop_nulls("Device") == ["udf"]
    assert packaged.drop_nulls("DeviceV3") == []


def test_the_context_of_an_alert_is_open_and_its_class_is_repeated(packaged: Spec) -> None:
    properties = packaged.component("Alert")["properties"]
    assert properties["alertContext"]["type"] == "object"
    assert "oneOf" not in properties["alertContext"]
    assert packaged.copies("Alert") == {"alertContextClass": ["alertContext", "@class"]}
    assert packaged.copies("Device") == {}


def test_an_activity_happens_at_a_date_and_not_at_a_number(packaged: Spec) -> None:
    date = packaged.component("ActivityLog")["properties"]["date"]
    assert (date["type"], date["format"]) == ("string", "date-time")


def test_no_proxy_password_is_a_property(packaged: Spec) -> None:
    assert "password" not in packaged.component("ProxySettings")["properties"]


def test_an_exception_adds_replaces_or_drops_and_leaves_the_document_alone() -> None:
    thing: dict[str, Any] = {"properties": {"a": {"type": "number"}, "b": {}, "c": {}}}
    spec = spec_of(
        {"Thing": thing, "Other": thing},
        {"schema": "Thing", "property": "a", "is": {"type": "string"}},
        {"schema": "Thing", "property": "b", "drop": True},
        {"schema": "Thing", "property": "n", "is": {"type": "integer"}},
        {
            "schema": "Thing",
            "property": "many",
            "is": {"type": "object", "properties": {"m{n}": {"type": "string", "title": "{n}"}}},
            "from": 2,
            "to": 3,
        },
    )
    assert spec.component("Thing")["properties"] == {
        "a": {"type": "string"},
        "c": {},
        "n": {"type": "integer"},
        "many": {
            "type": "object",
            "properties": {
                "m2": {"type": "string", "title": "2"},
                "m3": {"type": "string", "title": "3"},
            },
        },
    }
    assert spec.component("Other") == thing
    assert thing["properties"]["a"] == {"type": "number"}


def test_an_unknown_component_is_an_error_that_names_it_and_the_document() -> None:
    with pytest.raises(SpecError, match="a test has no schema `Nonsense`"):
        spec_of({}).component("Nonsense")


def test_paths_that_can_only_be_written_cannot_be_read() -> None:
    spec = spec_of({}, paths={"/v2/a": {"get": {}}, "/v2/b": {"post": {}}, "/v2/c": {}})
    assert spec.get_paths == {"/v2/a"}


def test_a_list_is_what_takes_max_and_an_unknown_path_may() -> None:
    lists = {"get": {"parameters": [{"name": "page"}, {"name": "max"}]}}
    spec = spec_of({}, paths={"/v2/many": lists, "/v2/one": {"get": {"parameters": []}}})
    assert spec.is_list("/v2/many")
    assert spec.is_list("/v2/one") is False
    assert spec.is_list("/v9/new") is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        "text",
        {"openapi": "3.1.0"},
        {"openapi": "3.1.0", "paths": {}, "components": {}},
        {"openapi": "3.1.0", "paths": [], "components": {"schemas": {}}},
        {"openapi": "2.0", "paths": {}, "components": {"schemas": {}}},
        {"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"A": {"properties": 1}}}},
        {"openapi": "3.1.0", "paths": {}, "components": []},
    ],
    ids=str,
)
def test_what_is_no_openapi_document_is_refused(tmp_path: Path, document: object) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SpecError, match=r"Remove `spec_path`.*tap-datto-rmm-spec sync"):
        Spec.load(file)


def test_a_document_may_lie_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"openapi": "3.0.1", "paths": {}, "components": {"schemas": {"Thing": {}}}}
    (tmp_path / "spec.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "Thing" in Spec.load("~/spec.json")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("#/components/schemas/Site", "Site"),
        ("#/components/schemas/Device%20Network%20Interface", "Device Network Interface"),
        ("#/components/schemas/a~1b~0c", "a/b~c"),
    ],
)
def test_a_reference_names_a_component(reference: str, name: str) -> None:
    assert component_name(reference) == name
