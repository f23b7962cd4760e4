"""The record converter: every conversion, every odd input, and the SDK's conformance beside it."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tap_datto_rmm.records.converter import RecordConverter
from tap_datto_rmm.records.data_issues import DataIssues
from tap_datto_rmm.records.schemas import finished
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
        drop_nulls: tuple[str, ...] = (),
    ) -> None:
        self.logged: list[str] = []
        self.issues = DataIssues(self.logged.append)
        self.keys = keys
        own_key = {} if keys else {"key": {"type": "string"}}
        schema = {**schema, "properties": {**own_key, **schema["properties"]}}
        self.convert = RecordConverter(
            schema,
            keys or ("key",),
            self.issues,
            selected=selected,
            known=known,
            copies=copies,
            drop_nulls=drop_nulls,
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
    ("integer", 2**63, NULL),
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
def test_null_stays_null_and_what_is_missing_becomes_null(kind: str) -> None:
    convert = Converter(schema_of(id={"type": "string"}, **{kind: KINDS[kind]}), ("id",))
    assert convert({"id": "1", kind: None}) == {"id": "1", kind: None}
    assert convert({"id": "2"}) == {"id": "2", kind: None}
    assert convert.logged == []


def test_every_record_has_every_selected_column_in_the_order_of_its_schema() -> None:
    convert = Converter(
        with_unknown(b=KINDS["text"], a=KINDS["object"], c=KINDS["integer"], d=KINDS["text"]),
        ("c",),
        selected=lambda path: path != ("d",),
        copies={"d": ("a", "inner")},
    )
    columns = ["b", "a", "c", "_unknown"]
    for item in ({"c": 1}, {"c": 2, "a": {"inner": 3}, "d": "x"}, {"new": 1, "c": 3, "b": "own"}):
        record = convert(item, {"b": "of the parent"})
        assert record is not None
        assert list(record) == columns


def test_what_an_object_inside_lacks_is_not_filled_in() -> None:
    convert = Converter(schema_of(object=KINDS["object"], objects=KINDS["objects"]))
    item: Record = {"object": {}, "objects": [{}, {"inner": None}]}
    assert convert(item) == item


def test_an_item_is_left_as_it_came() -> None:
    item = {"object": {"inner": "7"}, "udf": {"a": None}, "new": 1}
    before = deepcopy(item)
    schema = with_unknown(object=KINDS["object"], udf={"properties": {"a": {"type": "string"}}})
    assert Converter(schema, drop_nulls=("udf",))(item) is not None
    assert item == before


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


@pytest.mark.parametrize("item", [{}, {"version": None}, {"version": ""}], ids=str)
def test_a_text_part_of_the_key_but_the_first_may_be_missing_and_becomes_empty_text(
    item: Record,
) -> None:
    text = {"type": "string"}
    convert = Converter(schema_of(name=text, version=text), ("name", "version"))
    assert convert({"name": "Tool", **item}) == {"name": "Tool", "version": ""}
    for name in (None, ""):
        assert convert({"name": name, "version": "1"}) is None
    assert convert({"version": "1"}) is None
    assert convert.issues.left_out == {"has no usable primary key": 3}


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "moment", "day"])
def test_a_part_of_the_key_that_is_no_text_must_be_there(kind: str) -> None:
    convert = Converter(schema_of(name={"type": "string"}, part=KINDS[kind]), ("name", "part"))
    assert convert({"name": "a", "part": None}) is None
    assert convert({"name": "a"}) is None
    assert convert.issues.left_out == {"has no usable primary key": 2}


def test_an_item_with_nothing_in_it_is_left_out_though_its_parent_gives_the_first_part() -> None:
    text = {"type": "string"}
    schema = schema_of(deviceUid=text, name=text, version=text, size={"type": "integer"})
    convert = Converter(schema, ("deviceUid", "name", "version"))
    device = {"deviceUid": "d"}
    for item in ({}, {"name": None}, {"new": 1}):
        assert convert(item, device) is None
    assert convert.issues.left_out == {"has no usable primary key": 3}
    record = convert({"size": 0}, device)
    assert record == {"deviceUid": "d", "name": "", "version": "", "size": 0}


def test_a_column_before_the_key_does_not_make_up_for_it() -> None:
    text = {"type": "string"}
    convert = Converter(schema_of(accountUid=text, uid=text), ("uid",))
    account = {"accountUid": "a"}
    assert convert({"uid": "1"}, account) == {"accountUid": "a", "uid": "1"}
    assert convert({"uid": None}, account) is None


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


def test_no_schema_lets_a_proxy_password_through() -> None:
    proxy = {"type": "object", "properties": {"host": {}, "password": {"type": "string"}}}
    convert = Converter(with_unknown(proxySettings=proxy))
    assert convert({"proxySettings": {"host": "h", "password": "p"}}) == {
        "proxySettings": {"host": "h"},
        "_unknown": None,
    }


def test_what_is_unknown_inside_an_array_is_kept_for_each_item() -> None:
    nics = {"type": "array", "items": {"type": "object", "properties": {"ip": {"type": "string"}}}}
    convert = Converter(with_unknown(nics=nics))
    record = convert({"nics": [{"ip": "1", "speed": 1}, {"speed": 2}, {"ip": "3"}]})
    assert record == {"nics": [{"ip": "1"}, {}, {"ip": "3"}], "_unknown": {"nics.speed": [1, 2]}}


def test_the_columns_of_the_parent_win_over_the_items_own() -> None:
    text = {"type": "string"}
    convert = Converter(schema_of(siteUid=text, name=text), ("siteUid",))
    context = {"siteUid": "s", "other": "not a column"}
    assert convert({"name": "n"}, context) == {"siteUid": "s", "name": "n"}
    for item in ({"siteUid": "own"}, {"siteUid": None}, {}):
        assert convert(item, context) == {"siteUid": "s", "name": None}
    assert convert({"name": "n"}, {"siteUid": "other"}) == {"siteUid": "other", "name": "n"}
    assert convert({"name": "n"}) is None


@pytest.mark.parametrize(
    ("context", "wanted"),
    [({"@class": "a_ctx"}, "a_ctx"), ({"@class": 7}, "7"), ({}, None), (None, None), ("x", None)],
    ids=str,
)
def test_a_nested_value_can_be_repeated_in_a_column(context: object, wanted: str | None) -> None:
    schema = schema_of(alertContext={"type": "object"}, alertContextClass={"type": "string"})
    convert = Converter(schema, copies={"alertContextClass": ("alertContext", "@class")})
    record = convert({"alertContext": context})
    assert record is not None
    assert record["alertContextClass"] == wanted


def test_the_nulls_of_an_object_are_left_out_where_the_wire_is_said_to_be_full_of_them() -> None:
    udf = {"type": "object", "properties": {f"udf{n}": {"type": "string"} for n in range(1, 4)}}
    convert = Converter(schema_of(udf=udf, other=udf), drop_nulls=("udf",))
    given = {"udf1": "a", "udf2": None, "udf3": ""}
    assert convert({"udf": given, "other": given}) == {
        "udf": {"udf1": "a", "udf3": ""},
        "other": given,
    }
    for udf_of_item, wanted in (({"udf1": None}, {}), ({}, {}), (None, None), ("none", None)):
        assert convert({"udf": udf_of_item}) == {"udf": wanted, "other": None}
    assert convert({"udf": {"udf1": 7, "udf301": "x", "udf302": None}, "other": None}) == {
        "udf": {"udf1": "7"},
        "other": None,
    }
    assert convert.issues.unknown == {"udf.udf301": 1}


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
