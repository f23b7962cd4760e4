"""The record converter: every conversion, every odd input, and the SDK's conformance beside it."""

from __future__ import annotations

import json
import logging
import math
import re
from copy import deepcopy
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers._typing import conform_record_data_types
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import SelectionMask

from tap_datto_rmm.records.converter import RecordConverter
from tap_datto_rmm.records.data_issues import DataIssues
from tap_datto_rmm.records.schemas import finished, types_of
from tap_datto_rmm.records.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]
Record = dict[str, Any]


def schema_of(**properties: Schema) -> Schema:
    found: Schema = finished({"properties": properties}, ())
    return found


def with_unknown(**properties: Schema) -> Schema:
    found: Schema = finished({"properties": properties}, (), keep_unknown=True)
    return found


class Converter:
    """A record converter with what it counted and logged; without a key it sees to one."""

    def __init__(
        self,
        schema: Schema,
        keys: tuple[str, ...] = (),
        *,
        selected: Callable[[tuple[str, ...]], bool] = lambda _: True,
        known: Schema | None = None,
        copies: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.logged: list[str] = []
        self.issues = DataIssues(self.logged.append)
        self.keys = keys
        schema = {**schema, "properties": {"key": {"type": "string"}, **schema["properties"]}}
        self.convert = RecordConverter(
            schema, keys or ("key",), self.issues, selected=selected, known=known, copies=copies
        )

    def __call__(self, item: object, parent_columns: Record | None = None) -> Record | None:
        if self.keys:
            return self.convert(item, parent_columns)
        assert isinstance(item, dict)
        record = self.convert({"key": "1", **item}, parent_columns)
        assert record is not None
        assert record.pop("key") == "1"
        return record


KINDS: dict[str, Schema] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "moment": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "object": {"type": "object", "properties": {"inner": {"type": "integer"}}},
    "open": {"type": "object"},
    "list": {"type": "array", "items": {"type": "integer"}},
    "objects": {"type": "array", "items": {"properties": {"inner": {"type": "string"}}}},
}

NULL = "becomes null and is counted"
EPOCH = "1970-01-01T00:00:00.000000+00:00"
CONVERSIONS: list[tuple[str, object, object]] = [
    ("text", "a", "a"),
    ("text", "", ""),
    ("text", 7, "7"),
    ("text", 7.5, "7.5"),
    ("text", True, "true"),
    ("text", [1, "ü"], '[1,"ü"]'),
    ("text", {"a": None}, '{"a":null}'),
    ("text", "x" * 10_000_000, "x" * 10_000_000),
    ("integer", 7, 7),
    ("integer", 2**63 - 1, 2**63 - 1),
    ("integer", "7", 7),
    ("integer", " -7 ", -7),
    ("integer", 7.0, 7),
    ("integer", 7.5, NULL),
    ("integer", "7.5", NULL),
    ("integer", "seven", NULL),
    ("integer", "", NULL),
    ("integer", True, NULL),
    ("integer", "9" * 30, NULL),
    ("integer", 1e300, NULL),
    ("integer", math.inf, NULL),
    ("integer", [7], NULL),
    ("integer", {"a": 7}, NULL),
    ("number", 7.5, 7.5),
    ("number", 7, 7),
    ("number", "7.5", 7.5),
    ("number", "1e3", 1000.0),
    ("number", "nan", NULL),
    ("number", "1e999", NULL),
    ("number", "much", NULL),
    ("number", True, NULL),
    ("number", [7.5], NULL),
    ("boolean", True, True),
    ("boolean", "true", True),
    ("boolean", "FALSE", False),
    ("boolean", 1, True),
    ("boolean", 0, False),
    ("boolean", 2, NULL),
    ("boolean", "yes", NULL),
    ("boolean", "", NULL),
    ("boolean", [], NULL),
    ("boolean", {}, NULL),
    ("moment", 1785542402118, "2026-08-01T00:00:02.118000+00:00"),
    ("moment", 1785542402118.5, "2026-08-01T00:00:02.118500+00:00"),
    ("moment", 1785542402, "2026-08-01T00:00:02.000000+00:00"),
    ("moment", 1785542402.118, "2026-08-01T00:00:02.118000+00:00"),
    ("moment", "1785542402118", "2026-08-01T00:00:02.118000+00:00"),
    ("moment", "2026-08-01T00:00:02.118Z", "2026-08-01T00:00:02.118000+00:00"),
    ("moment", "2026-08-01T02:00:02.118+02:00", "2026-08-01T00:00:02.118000+00:00"),
    ("moment", "2026-08-01T00:00:02.1184567Z", "2026-08-01T00:00:02.118456+00:00"),
    ("moment", "2026-08-01T00:00:02", "2026-08-01T00:00:02.000000+00:00"),
    ("moment", " 2026-08-01 00:00 ", "2026-08-01T00:00:00.000000+00:00"),
    ("moment", "2026-08-01", "2026-08-01T00:00:00.000000+00:00"),
    ("moment", -1000, "1969-12-31T23:43:20.000000+00:00"),
    ("moment", 253402300799999, "9999-12-31T23:59:59.999000+00:00"),
    ("moment", 0, None),
    ("moment", 0.0, None),
    ("moment", "", None),
    ("moment", -62135596800000, None),
    ("moment", "-62135596800000", None),
    ("moment", "0001-01-01T00:00:00", None),
    ("moment", 253402300800000, NULL),
    ("moment", 10**30, NULL),
    ("moment", math.nan, NULL),
    ("moment", math.inf, NULL),
    ("moment", "+10000-01-01T00:00:00Z", NULL),
    ("moment", "yesterday", NULL),
    ("moment", "2026-02-30T00:00:00Z", NULL),
    ("moment", True, NULL),
    ("moment", [1785542402118], NULL),
    ("day", "2026-11-22", "2026-11-22"),
    ("day", "2026-11-22T00:00:00Z", "2026-11-22"),
    ("day", 1785542400000, "2026-08-01"),
    ("day", "", None),
    ("day", "2027-03-01T13:45:00Z", "2027-03-01"),
    ("day", "2027-03-01T23:45:00-05:00", "2027-03-01"),
    ("day", "2027-03-01 00:15", "2027-03-01"),
    ("day", 1785542402118, "2026-08-01"),
    ("day", "1785542402118", "2026-08-01"),
    ("day", 1785542402, "2026-08-01"),
    ("day", 0, None),
    ("day", -62135596800000, None),
    ("day", "0001-01-01T00:00:00", None),
    ("day", "22/11/2026", NULL),
    ("day", "2026-02-30", NULL),
    ("day", True, NULL),
    ("object", {"inner": 7}, {"inner": 7}),
    ("object", {"inner": None}, {"inner": None}),
    ("object", {}, {}),
    ("object", [{"inner": 7}], NULL),
    ("object", "text", NULL),
    ("object", 7, NULL),
    ("open", {"@class": "x", "a": [1, {"b": None}]}, {"@class": "x", "a": [1, {"b": None}]}),
    ("open", [], NULL),
    ("list", [1, "2", None, 3.0], [1, 2, None, 3]),
    ("list", [], []),
    ("list", "1", NULL),
    ("list", {"0": 1}, NULL),
    ("objects", [{"inner": 7}, None], [{"inner": "7"}, None]),
]


@pytest.mark.parametrize(
    ("kind", "value", "wanted"), CONVERSIONS, ids=lambda value: repr(value)[:30]
)
def test_a_value_is_kept_converted_where_nothing_is_lost_or_becomes_null(
    kind: str, value: object, wanted: object
) -> None:
    schema = schema_of(**{kind: KINDS[kind]})
    convert = Converter(schema)
    record = convert({kind: value})
    assert record is not None
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        record
    )
    if wanted == NULL:
        assert record == {kind: None}
        assert convert.issues.nulled == {kind: 1}
        assert len(convert.logged) == 1
        assert f"`{kind}` should be " in convert.logged[0]
    else:
        assert record == {kind: wanted}
        assert type(record[kind]) is type(wanted)
        assert convert.logged == []


@pytest.mark.parametrize("kind", KINDS)
def test_null_stays_null_and_what_is_missing_stays_missing(kind: str) -> None:
    convert = Converter(schema_of(id={"type": "string"}, **{kind: KINDS[kind]}), ("id",))
    assert convert({"id": "1", kind: None}) == {"id": "1", kind: None}
    assert convert({"id": "2"}) == {"id": "2"}
    assert convert.logged == []


def test_a_value_in_a_list_that_cannot_be_converted_becomes_null_alone() -> None:
    convert = Converter(schema_of(list=KINDS["list"], objects=KINDS["objects"]))
    item = {"list": [1, "x", 3], "objects": [{"inner": "a"}, "text"]}
    assert convert(item) == {"list": [1, None, 3], "objects": [{"inner": "a"}, None]}
    assert convert.issues.nulled == {"list": 1, "objects": 1}


def test_a_wrong_type_is_logged_once_and_counted_each_time() -> None:
    convert = Converter(schema_of(object=KINDS["object"]))
    for _ in range(5):
        convert({"object": {"inner": "x"}})
    assert convert.issues.nulled == {"object.inner": 5}
    assert convert.logged == [
        "`object.inner` should be a whole number but is str or out of range; it becomes null"
    ]


def test_no_value_is_ever_logged() -> None:
    convert = Converter(schema_of(**KINDS))
    convert(dict.fromkeys(KINDS, "a-recovery-key") | {"new": "a-recovery-key"})
    assert convert.logged
    assert "a-recovery-key" not in " ".join(convert.logged)


@pytest.mark.parametrize("item", [None, "text", 7, 7.5, True, [], [{"id": "1"}]], ids=str)
def test_an_item_that_is_no_object_is_left_out_and_counted(item: object) -> None:
    convert = Converter(schema_of(id={"type": "string"}), ("id",))
    assert convert(item) is None
    assert convert.issues.left_out == {"is no object": 1}


@pytest.mark.parametrize("item", [{}, {"id": None}, {"id": ""}, {"id": "seven"}], ids=str)
def test_an_item_without_a_usable_key_is_left_out_and_counted(item: Record) -> None:
    convert = Converter(schema_of(id={"type": "integer"}), ("id",))
    assert convert(item) is None
    assert convert.issues.left_out == {"has no usable primary key": 1}


def test_one_part_of_a_key_may_be_empty_text_but_not_null() -> None:
    text = {"type": "string"}
    convert = Converter(schema_of(name=text, version=text), ("name", "version"))
    assert convert({"name": "Tool", "version": ""}) == {"name": "Tool", "version": ""}
    assert convert({"name": "", "version": ""}) is None
    assert convert({"name": "Tool", "version": None}) is None


def test_what_the_schema_does_not_know_is_left_out_counted_and_logged_once() -> None:
    convert = Converter(schema_of(text=KINDS["text"], object=KINDS["object"]))
    for _ in range(3):
        record = convert({"text": "a", "new": 1, "object": {"inner": 1, "newer": {"x": 1}}})
        assert record == {"text": "a", "object": {"inner": 1}}
    assert convert.issues.unknown == {"new": 3, "object.newer": 3}
    assert len(convert.logged) == 2


def test_what_the_schema_does_not_know_can_be_kept_in_one_column() -> None:
    convert = Converter(with_unknown(object=KINDS["object"]))
    assert convert({"new": [1], "object": {"newer": None}}) == {
        "object": {},
        "_unknown": {"new": [1], "object.newer": None},
    }
    assert convert({"object": None}) == {"object": None, "_unknown": None}


@pytest.mark.parametrize(
    "name", ["password", "adminPassword", "clientSecret", "accessToken", "apiKey", "apikey"]
)
def test_what_is_called_a_secret_is_not_kept_with_the_unknown(name: str) -> None:
    convert = Converter(with_unknown(text=KINDS["text"]))
    assert convert({"text": "a", name: "x", "new": 1}) == {"text": "a", "_unknown": {"new": 1}}


def test_proxy_passwords_are_taken_out_of_whatever_no_schema_describes() -> None:
    proxy = {"host": "h", "password": "p", "deeper": {"password": "kept"}}
    convert = Converter(with_unknown(open=KINDS["open"], text=KINDS["text"]))
    shown = {"host": "h", "deeper": {"password": "kept"}}
    bare: dict[str, Any] = {"host": "h", "deeper": {}}
    assert convert(
        {
            "open": {"list": [{"proxySettings": proxy}]},
            "text": {"proxySettings": proxy},
            "new": {"proxySettings": proxy},
            "proxySettings": proxy,
        }
    ) == {
        "open": {"list": [{"proxySettings": shown}]},
        "text": json.dumps({"proxySettings": shown}, separators=(",", ":")),
        # there, no name that speaks of a secret stays at any depth
        "_unknown": {"new": {"proxySettings": bare}, "proxySettings": bare},
    }
    assert proxy["password"] == "p"


def test_a_value_without_secrets_stays_what_it_is() -> None:
    value = {"a": [1, None, {"password": "of something else"}], "proxySettings": None}
    assert without_secrets(value) == value


def test_what_is_deselected_is_left_out_silently_at_any_depth() -> None:
    convert = Converter(
        with_unknown(text=KINDS["text"], object=KINDS["object"]),
        selected=lambda path: path not in {("text",), ("object", "inner")},
    )
    assert convert({"text": "a", "object": {"inner": 1}}) == {"object": {}, "_unknown": None}
    assert convert.logged == []


def test_what_only_the_whole_schema_knows_is_left_out_silently() -> None:
    whole = schema_of(text=KINDS["text"], object=KINDS["object"])
    convert = Converter(schema_of(object={"type": "object", "properties": {"a": {}}}), known=whole)
    assert convert({"text": "a", "object": {"inner": 1, "a": "b"}}) == {"object": {"a": "b"}}
    assert convert.logged == []


def test_what_is_unknown_inside_an_array_is_kept_for_each_item() -> None:
    nics = {"type": "array", "items": {"type": "object", "properties": {"ip": {"type": "string"}}}}
    convert = Converter(with_unknown(nics=nics))
    record = convert({"nics": [{"ip": "1", "speed": 1}, {"speed": 2}, {"ip": "3"}]})
    assert record == {"nics": [{"ip": "1"}, {}, {"ip": "3"}], "_unknown": {"nics.speed": [1, 2]}}


def test_the_columns_of_the_parent_win_over_the_items_own() -> None:
    text = {"type": "string"}
    convert = Converter(schema_of(siteUid=text, name=text), ("siteUid",))
    context = {"siteUid": "s", "other": "not a column"}
    assert convert({"name": "n"}, context) == {"name": "n", "siteUid": "s"}
    assert convert({"siteUid": "own"}, context) == {"siteUid": "s"}
    assert convert({"siteUid": None}, context) == {"siteUid": "s"}


@pytest.mark.parametrize(
    ("context", "wanted"),
    [({"@class": "a_ctx"}, "a_ctx"), ({"@class": 7}, None), ({}, None), (None, None), ("x", None)],
    ids=str,
)
def test_a_nested_value_can_be_repeated_in_a_column(context: object, wanted: str | None) -> None:
    schema = schema_of(alertContext={"type": "object"}, alertContextClass={"type": "string"})
    convert = Converter(schema, copies={"alertContextClass": ("alertContext", "@class")})
    record = convert({"alertContext": context})
    assert record is not None
    assert record["alertContextClass"] == wanted


def test_an_object_of_texts_is_converted_where_it_is_not_of_texts() -> None:
    udf = {"type": "object", "properties": {f"udf{n}": {"type": "string"} for n in range(1, 4)}}
    convert = Converter(schema_of(udf=udf))
    assert convert({"udf": {"udf1": "a", "udf2": None}}) == {"udf": {"udf1": "a", "udf2": None}}
    assert convert({"udf": {"udf1": 7, "udf301": "x"}}) == {"udf": {"udf1": "7"}}
    assert convert.issues.unknown == {"udf.udf301": 1}
    assert convert({"udf": "none"}) == {"udf": None}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("8 GB", "8 GB"), (8, 8), (8.5, "8.5"), (True, "true"), ([8], "[8]"), (None, None)],
    ids=str,
)
@pytest.mark.parametrize("types", [["string", "integer"], ["integer", "null", "string"]], ids=str)
def test_a_property_of_two_types_takes_both(
    types: list[str], value: object, wanted: object
) -> None:
    convert = Converter(schema_of(size={"type": types}))
    assert convert({"size": value}) == {"size": wanted}


def test_nesting_a_hundred_deep_is_no_matter() -> None:
    schema: Schema = {"type": "string"}
    value: object = 7
    wanted: object = "7"
    for _ in range(100):
        schema = {"type": "object", "properties": {"a": schema}}
        value, wanted = {"a": value}, {"a": wanted}
    assert Converter(schema_of(a=schema))({"a": value}) == {"a": wanted}


# Beside the SDK

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
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside),
    max_leaves=8,
)
sound = {
    "text": st.text(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
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
    assert ours.keys() == theirs.keys()
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


def sound_value(schema: Schema) -> Any:  # noqa: ANN401 - any JSON value
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


def slot_of(place: Record | list[Any], step: int) -> Any:  # noqa: ANN401 - a name or a number
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
