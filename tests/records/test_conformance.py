"""The record converter beside the SDK's own selection and conformance, whatever comes."""

from __future__ import annotations

import json
import logging
import re
from copy import deepcopy
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers._typing import conform_record_data_types
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import SelectionMask

from tap_datto_rmm.records.schemas import finished, types_of
from tests.records.test_converter import KINDS, Converter, Record, Schema

WHOLE = finished({"properties": {**KINDS, "uid": {"type": "string"}}, "type": "object"}, ("uid",))
VALIDATOR = Draft202012Validator(WHOLE, format_checker=Draft202012Validator.FORMAT_CHECKER)

CANONICAL = FormatChecker(formats=())
"""Dates as the record converter writes them: the SDK leaves other forms as they are."""


@CANONICAL.checks("date-time")
def is_a_moment(value: object) -> bool:
    form = r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
    return not isinstance(value, str) or bool(re.fullmatch(form, value))


@CANONICAL.checks("date")
def is_a_day(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"(?!0001)\d{4}-\d\d-\d\d", value))


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside),
    max_leaves=8,
)
sound = {
    "text": st.text(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": NUMBERS | st.integers(-1000, 1000),
    "boolean": st.booleans(),
    "moment": st.datetimes(datetime(2, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda moment: moment.isoformat(timespec="microseconds")
    ),
    "day": st.dates(date(2, 1, 1)).map(str),
    "object": st.fixed_dictionaries({}, optional={"inner": st.integers(-9, 9) | st.none()}),
    "open": st.dictionaries(st.text(max_size=3), anything, max_size=3),
    "list": st.lists(st.integers(-9, 9) | st.none(), max_size=4),
    "objects": st.lists(
        st.fixed_dictionaries({}, optional={"inner": st.text()}) | st.none(), max_size=3
    ),
}
records = st.fixed_dictionaries(
    {"uid": st.text(min_size=1)},
    optional={
        **{name: strategy | st.none() | anything for name, strategy in sound.items()},
        "unknown": anything,
    },
)


@settings(max_examples=500)
@given(records)
def test_what_the_sdk_and_the_converter_both_accept_is_the_same(item: Record) -> None:
    ours = Converter(WHOLE, ("uid",))(item)
    assert ours is not None
    assert_valid(ours)
    assert_as_by_the_sdk(ours, item, WHOLE, validators_of(WHOLE), SelectionMask())


STREAMS = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).parents[1] / "schemas").glob("*.json"))
}
changes = st.lists(
    st.tuples(st.lists(st.integers(0, 400), min_size=1, max_size=4), anything), max_size=3
)
"""Where to go at each depth of a row, counted round, and what to put there."""


@pytest.mark.parametrize("name", STREAMS)
def test_of_every_stream_the_sdk_and_the_converter_keep_the_same_whatever_is_selected(
    name: str,
) -> None:
    schema, keys = STREAMS[name]["schema"], STREAMS[name]["key_properties"]
    validators, whole = validators_of(schema), sound_value(schema)
    paths = [path for path in paths_of(schema) if path[1] not in keys]
    assert all(validators[name].is_valid(value) for name, value in whole.items())
    masks = st.dictionaries(st.sampled_from(paths), st.booleans(), max_size=8).map(SelectionMask)

    @settings(max_examples=50)
    @given(changes, masks)
    @example([], SelectionMask())
    def keep_the_same(made: list[tuple[list[int], Any]], mask: SelectionMask) -> None:
        item = deepcopy(whole)
        for steps, value in made:
            put(item, steps, value)
        item |= {key: whole[key] for key in keys}

        def selected(path: tuple[str, ...]) -> bool:
            return mask[tuple(chain.from_iterable(("properties", name) for name in path))]

        ours = Converter(schema, keys, selected=selected)(item)
        assert ours is not None
        assert_as_by_the_sdk(ours, item, schema, validators, mask)

    keep_the_same()


def assert_as_by_the_sdk(
    ours: Record,
    item: Record,
    schema: Schema,
    validators: dict[str, Draft202012Validator],
    mask: SelectionMask,
) -> None:
    """Compare with what the SDK makes of an item, where the item is as its schema says."""
    theirs = deepcopy(item)
    pop_deselected_record_properties(theirs, schema, mask)
    is_sound = {
        name: validators[name].is_valid(theirs[name]) for name in theirs.keys() & validators
    }
    theirs = conform_record_data_types(
        "stream", theirs, schema, TypeConformanceLevel.RECURSIVE, logging.getLogger("silent")
    )
    assert list(ours) == [name for name in schema["properties"] if mask["properties", name]]
    assert ours.keys() >= theirs.keys()
    assert all(ours[name] is None for name in ours.keys() - theirs.keys())
    for name in theirs:
        if is_sound[name]:
            assert ours[name] == theirs[name]


def validators_of(schema: Schema) -> dict[str, Draft202012Validator]:
    """Tell sound values of each property; a whole number is one of 64 bits."""
    return {
        name: Draft202012Validator(narrowed(prop), format_checker=CANONICAL)
        for name, prop in schema["properties"].items()
    }


def narrowed(schema: Schema) -> Schema:
    found = dict(schema)
    if "integer" in schema["type"]:
        found |= {"minimum": -(2**63), "maximum": 2**63 - 1}
    if "properties" in schema:
        found["properties"] = {name: narrowed(one) for name, one in schema["properties"].items()}
    if "items" in schema:
        found["items"] = narrowed(schema["items"])
    return found


SOUND = {
    "string": "text",
    "integer": 7,
    "number": 7.5,
    "boolean": True,
    "date-time": "2026-08-01T00:00:02.118000+00:00",
    "date": "2026-11-22",
}


def sound_value(schema: Schema) -> Any:
    """Make a value that a schema describes, with everything in it."""
    kind = types_of(schema)[0]
    if kind == "object":
        properties = schema.get("properties", {"any": {"type": "boolean"}})
        return {name: sound_value(one) for name, one in properties.items()}
    if kind == "array":
        return [sound_value(schema["items"]), None]
    return SOUND.get(schema.get("format", ""), SOUND[kind])


def paths_of(schema: Schema, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the breadcrumbs of all properties that a catalog can select."""
    found = []
    for name, prop in schema.get("properties", {}).items():
        path = (*above, "properties", name)
        found += [path, *paths_of(prop, path)]
    return found


def put(row: Record, steps: list[int], value: object) -> None:
    """Put a value somewhere into a row, in the place of what is there."""
    place: Any = row
    *way, last = steps
    for step in way:
        inside = place[slot_of(place, step)]
        if not isinstance(inside, dict | list) or not inside:
            break
        place = inside
    place[slot_of(place, last)] = value


def slot_of(place: Record | list[Any], step: int) -> Any:
    slots = list(place) if isinstance(place, dict) else range(len(place))
    return slots[step % len(slots)]


@given(records.filter(lambda item: "open" not in item and "unknown" not in item))
def test_whatever_comes_a_record_never_breaks_its_schema(item: Record) -> None:
    convert = Converter(WHOLE, ("uid",))
    record = convert(item)
    assert record is not None
    assert_valid(record)
    json.dumps(record, allow_nan=False)


def assert_valid(record: Record) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(record)] == []
