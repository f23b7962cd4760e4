"""From a component to the schema of a stream: nullable, open, and fit for a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Spec
from tap_datto_rmm.records.schemas import finished, stream_schema, types_of
from tests import truth
from tests.records.test_openapi import spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]


def properties(schema: Schema, *keys: str, **components: Schema) -> Schema:
    found: Schema = stream_schema(spec_of({"Thing": schema, **components}), "Thing", keys)
    return found["properties"]  # type: ignore[no-any-return]


def every(schema: Schema) -> Iterator[Schema]:
    """Give the schema of each property and each item, at any depth."""
    for one in [*schema.get("properties", {}).values(), schema.get("items")]:
        if one is not None:
            yield one
            yield from every(one)


def test_every_property_but_the_key_is_nullable_and_the_key_comes_first() -> None:
    thing = {"properties": {"a": {"type": "string"}, "id": {"type": "integer"}}}
    found = properties(thing, "id")
    assert list(found) == ["id", "a"]
    assert found == {"id": {"type": "integer"}, "a": {"type": ["string", "null"]}}


def test_references_are_followed_and_what_stands_beside_them_wins() -> None:
    beside = {"$ref": "#/components/schemas/Part%20One", "description": "Mine."}
    part = {"description": "Theirs.", "properties": {"n": {"type": "number"}}}
    assert properties({"properties": {"p": beside}}, **{"Part One": part}) == {
        "p": {
            "type": ["object", "null"],
            "properties": {"n": {"type": ["number", "null"]}},
            "description": "Mine.",
        }
    }


def test_a_component_that_holds_itself_ends_in_an_open_object() -> None:
    itself = {"properties": {"child": {"$ref": "#/components/schemas/Thing"}, "n": {}}}
    child = properties(itself)["child"]
    assert child == {"type": ["object", "null"], "additionalProperties": True}


def test_all_of_is_one_object() -> None:
    base = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    thing = {
        "allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"b": {"type": "number"}}}],
        "properties": {"c": {"type": "boolean"}},
    }
    assert properties(thing, Base=base) == {
        "a": {"type": ["string", "null"]},
        "b": {"type": ["number", "null"]},
        "c": {"type": ["boolean", "null"]},
    }


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
def test_a_choice_is_an_open_object(word: str) -> None:
    choice = {word: [{"$ref": "#/components/schemas/A"}], "description": "One of many."}
    assert properties({"properties": {"context": choice}})["context"] == {
        "type": ["object", "null"],
        "additionalProperties": True,
        "description": "One of many.",
    }


def test_an_enum_stays_open_and_tells_its_known_values() -> None:
    status = {"type": "string", "enum": ["Up", "Down", None], "description": "State of it."}
    assert properties({"properties": {"status": status}})["status"] == {
        "type": ["string", "null"],
        "description": "State of it. Known values: Up, Down.",
    }


def test_an_enum_whose_values_are_told_already_is_not_told_twice() -> None:
    status = {"type": "string", "enum": ["Up", "Down"], "description": "Up or Down."}
    assert properties({"properties": {"s": status}})["s"]["description"] == "Up or Down."


def test_an_object_without_properties_is_open_and_one_without_a_type_is_text() -> None:
    thing = {"properties": {"open": {"type": "object"}, "plain": {}, "list": {"type": "array"}}}
    assert properties(thing) == {
        "open": {"type": ["object", "null"], "additionalProperties": True},
        "plain": {"type": ["string", "null"]},
        "list": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
    }


def test_what_a_target_cannot_use_is_left_out() -> None:
    text = {"type": "string", "format": "date-time", "minLength": 1, "readOnly": True, "title": "T"}
    thing = {"required": ["a"], "properties": {"a": text}, "additionalProperties": False}
    schema = stream_schema(spec_of({"Thing": thing}), "Thing", ())
    assert schema == {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"], "format": "date-time"}},
    }


def test_proxy_passwords_are_in_no_schema_at_any_depth() -> None:
    proxy = {"properties": {"host": {"type": "string"}, "password": {"type": "string"}}}
    site = {"properties": {"proxySettings": proxy, "password": {"type": "string"}}}
    found = properties({"properties": {"sites": {"type": "array", "items": site}}})
    inside = found["sites"]["items"]["properties"]
    assert inside["proxySettings"]["properties"].keys() == {"host"}
    assert "password" in inside  # of something else


def test_added_columns_win_as_their_values_do() -> None:
    added = {"siteUid": {"type": "string", "description": "Added."}, "seen": {"type": "string"}}
    thing = {"properties": {"id": {"type": "integer"}, "siteUid": {"type": "integer"}}}
    schema = finished(thing, ("siteUid", "id"), added)
    assert schema["properties"] == {
        "siteUid": {"type": "string", "description": "Added."},
        "id": {"type": "integer"},
        "seen": {"type": ["string", "null"]},
    }


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_a_column_for_the_account_can_be_the_first_part_of_every_key(stream: str) -> None:
    component, keys, *_ = truth.STREAMS[stream]
    parents = {name: {"type": "string"} for name in truth.STREAMS[stream].adds}
    account = {"accountUid": {"type": "string", "description": "Uid of the account."}}
    without = stream_schema(Spec.load(), component, keys, parents)["properties"]
    schema = stream_schema(Spec.load(), component, ("accountUid", *keys), account | parents)
    found = list(schema["properties"])
    assert found == ["accountUid", *(name for name in without if name != "accountUid")]
    assert schema["properties"]["accountUid"] == account["accountUid"]
    required = [n for n, prop in schema["properties"].items() if "null" not in prop["type"]]
    assert required == ["accountUid", *keys]


def test_the_column_for_what_is_unknown_is_a_nullable_open_object() -> None:
    schema = finished({"properties": {"id": {"type": "integer"}}}, ("id",), keep_unknown=True)
    column = schema["properties"]["_unknown"]
    assert column["type"] == ["object", "null"]
    assert column["additionalProperties"] is True


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "string"}, ["string"]),
        ({"type": ["null", "integer", "string"]}, ["integer", "string"]),
        ({"type": "null"}, ["string"]),
        ({"properties": {}}, ["object"]),
        ({"items": {}}, ["array"]),
        ({}, ["string"]),
    ],
    ids=str,
)
def test_types_are_read_off_a_schema(schema: Schema, types: list[str]) -> None:
    assert types_of(schema) == types


def test_an_unknown_component_is_an_error() -> None:
    with pytest.raises(SpecError, match="Nonsense"):
        stream_schema(spec_of({}), "Nonsense", ())


@pytest.mark.parametrize("stream", truth.STREAMS)
def test_every_column_of_the_streams_has_a_type_that_a_target_can_make(
    stream: str,
) -> None:
    declared = truth.STREAMS[stream]
    schema = stream_schema(Spec.load(), declared.component, declared.keys)
    found = list(every(schema))
    assert found
    for one in found:
        kinds = [kind for kind in one["type"] if kind != "null"]
        kinds = kinds if isinstance(one["type"], list) else [one["type"]]
        assert len(kinds) == 1
        assert one.keys() <= {
            "type",
            "properties",
            "items",
            "format",
            "description",
            "additionalProperties",
        }
