"""Every stream's schema as it is told to targets: reviewed snapshots, and what holds for all.

`make snapshots` writes tests/schemas anew; a difference there is what users' tables will feel.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tap_datto_rmm.records.openapi import Spec, component_name
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.tap import TapDattoRMM

if TYPE_CHECKING:
    from collections.abc import Iterator


SNAPSHOTS: Final = Path(__file__).parent / "schemas"
CONFIG: Final = {"platform": "merlot", "api_key": "key", "api_secret": "secret"}
STREAMS_MADE: Final = TapDattoRMM(config=CONFIG).streams


@pytest.fixture(scope="session")
def writes_snapshots(request: pytest.FixtureRequest) -> bool:
    """Whether pytest runs with syrupy's `--snapshot-update`, as `make snapshots` does."""
    return bool(request.config.getoption("update_snapshots"))


def parts(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Give every schema inside a schema, itself included, with the way to it."""
    yield path, schema
    for name, prop in schema.get("properties", {}).items():
        yield from parts(prop, (*path, name))
    if "items" in schema:
        yield from parts(schema["items"], (*path, "[]"))


def test_every_declared_stream_is_made() -> None:
    assert len(STREAMS_MADE) == len(STREAMS)


@pytest.mark.parametrize("name", STREAMS_MADE)
def test_a_schema_is_the_one_that_was_reviewed(name: str, *, writes_snapshots: bool) -> None:
    stream = STREAMS_MADE[name]
    told = {"key_properties": list(stream.primary_keys), "schema": stream.schema}
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    file = SNAPSHOTS / f"{name}.json"
    if writes_snapshots:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "make snapshots writes it anew; then read it"


def test_every_reviewed_schema_is_that_of_a_stream(*, writes_snapshots: bool) -> None:
    stale = [file for file in SNAPSHOTS.glob("*.json") if file.stem not in STREAMS_MADE]
    if writes_snapshots:
        for file in stale:
            file.unlink()
    else:
        assert not stale


@pytest.mark.parametrize("name", STREAMS_MADE)
def test_a_schema_is_one_and_leaves_targets_no_choice(name: str) -> None:
    schema = STREAMS_MADE[name].schema
    Draft202012Validator.check_schema(schema)
    for path, part in parts(schema):
        assert not {"oneOf", "anyOf", "allOf", "$ref", "enum", "required"} & part.keys(), path
        kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
        assert len([kind for kind in kinds if kind != "null"]) == 1, path
        assert ("properties" in part) != ("additionalProperties" in part) or "object" not in kinds


@pytest.mark.parametrize("name", STREAMS_MADE)
def test_keys_are_never_null_and_all_else_may_be_at_every_depth(name: str) -> None:
    stream = STREAMS_MADE[name]
    for path, part in parts(stream.schema):
        if path and path[0] in stream.primary_keys:
            assert "null" not in part["type"], path
        elif path:
            assert "null" in part["type"], path
    assert set(stream.primary_keys) <= stream.schema["properties"].keys()


@pytest.mark.parametrize("name", STREAMS_MADE)
def test_every_column_says_what_it_is(name: str) -> None:
    for path, part in parts(STREAMS_MADE[name].schema):
        if path and path[-1] != "[]":
            assert part.get("description", "").strip(), path


def test_a_device_has_three_hundred_user_defined_fields() -> None:
    udf = STREAMS_MADE["devices"].schema["properties"]["udf"]["properties"]
    assert list(udf) == [f"udf{number}" for number in range(1, 301)]
    assert {tuple(prop["type"]) for prop in udf.values()} == {("string", "null")}


def test_an_alert_context_may_hold_anything() -> None:
    properties = STREAMS_MADE["alerts"].schema["properties"]
    assert properties["alertContext"]["type"] == ["object", "null"]
    assert properties["alertContext"]["additionalProperties"] is True
    assert properties["alertContextClass"]["type"] == ["string", "null"]


def test_no_schema_has_a_column_for_a_proxy_password() -> None:
    paths = [path for stream in STREAMS_MADE.values() for path, _ in parts(stream.schema)]
    assert any(path[-2:] == ("proxySettings", "username") for path in paths)
    assert not any(path[-2:] == ("proxySettings", "password") for path in paths)


def test_the_packaged_document_is_valid_openapi_but_for_two_names_of_the_vendor() -> None:
    # OpenAPI allows no spaces in the names of components. The vendor has them in two, and names
    # are facts that custom streams may use: validated is a copy that calls the two otherwise.
    document = copy.deepcopy(Spec.load().document)
    schemas = document["components"]["schemas"]
    spaced = [name for name in schemas if " " in name]
    assert spaced == ["Account Descriptor", "Device Network Interface"]
    for name in spaced:
        schemas[name.replace(" ", "")] = schemas.pop(name)
    rename(document)
    OpenAPIV31SpecValidator(document).validate()


def rename(part: Any) -> None:
    if isinstance(part, list):
        for member in part:
            rename(member)
    elif isinstance(part, dict):
        if "$ref" in part:
            name = component_name(part["$ref"]).replace(" ", "")
            part["$ref"] = f"#/components/schemas/{name}"
        for member in part.values():
            rename(member)
