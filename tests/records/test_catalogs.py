"""Whatever a catalog makes of a stream's schema: rows are written, and they fit it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_datto_rmm.records.catalogs import unknown_columns, usable_schema
from tap_datto_rmm.records.converter import RecordConverter
from tap_datto_rmm.records.data_issues import DataIssues
from tests.records.test_conformance import CANONICAL, records
from tests.records.test_converter import KINDS, schema_of

Schema = dict[str, Any]
Record = dict[str, Any]

ALERTS: Schema = json.loads(
    (Path(__file__).parents[1] / "schemas" / "alerts.json").read_text(encoding="utf-8")
)["schema"]
ALERT: Record = {
    "alertUid": "1",
    "priority": "High",
    "resolvedOn": 1785542402118,
    "alertContext": {"@class": "perf_disk_usage_ctx", "diskName": "C:", "free": None},
    "responseActions": [{"actionTime": 1785542402118, "actionType": "EMAIL_SENT"}],
}


def record_of(catalog: Schema, item: Record, own: Schema = ALERTS) -> Record:
    """Make a record by a catalog's schema, as the stream `alerts` does."""
    convert = RecordConverter(
        usable_schema(catalog, own, ("alertUid",)),
        ("alertUid",),
        DataIssues(lambda _: None),
        known=own,
        copies={"alertContextClass": ("alertContext", "@class")},
    )
    record = convert(item)
    assert record is not None
    return record


def test_an_object_that_a_catalog_wants_as_text_becomes_json_text() -> None:
    catalog = deepcopy(ALERTS)
    catalog["properties"]["alertContext"] = {"type": ["string", "null"]}
    catalog["properties"]["responseActions"] = {"type": "string"}
    record = record_of(catalog, ALERT)
    assert json.loads(record["alertContext"]) == ALERT["alertContext"]
    assert json.loads(record["responseActions"]) == ALERT["responseActions"]
    assert record["alertContextClass"] == "perf_disk_usage_ctx"
    Draft202012Validator(usable_schema(catalog, ALERTS, ())).validate(record)


def test_no_type_that_a_catalog_asks_for_lets_a_proxy_password_through() -> None:
    own = schema_of(alertUid=KINDS["text"], proxySettings=KINDS["object"])
    item = {"alertUid": "1", "proxySettings": {"host": "h", "password": "p"}}
    for wanted, shown in (
        ({"type": "string"}, '{"host":"h"}'),
        ({"type": "object"}, {"host": "h"}),
        ({"type": "object", "properties": {"password": {}, "host": {}}}, {"host": "h"}),
    ):
        catalog = {"properties": {"proxySettings": wanted}}
        assert record_of(catalog, item, own) == {"alertUid": "1", "proxySettings": shown}


def test_columns_that_only_a_catalog_has_are_named_and_null_in_every_record() -> None:
    catalog = deepcopy(ALERTS)
    catalog["properties"] |= {"severity": {"type": "integer"}, "team": {"type": "string"}}
    assert unknown_columns(catalog, ALERTS) == ["severity", "team"]
    assert unknown_columns(ALERTS, ALERTS) == []
    record = record_of(catalog, ALERT)
    assert (record["severity"], record["team"]) == (None, None)
    assert record_of(catalog, {**ALERT, "severity": "7"})["severity"] == 7


def test_a_record_has_the_columns_of_the_catalog_in_its_order() -> None:
    names = ["resolvedOn", "priority", "alertUid"]
    catalog = {"properties": {name: ALERTS["properties"][name] for name in names}}
    assert list(record_of(catalog, ALERT)) == names


def test_the_column_of_a_key_that_a_catalog_lacks_comes_first_and_is_never_null() -> None:
    schema = usable_schema({"properties": {"priority": {}}}, ALERTS, ("alertUid", "unheard"))
    assert schema["properties"] == {
        "alertUid": ALERTS["properties"]["alertUid"],
        "priority": ALERTS["properties"]["priority"],
    }


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"$ref": "#/definitions/context"},
        {"allOf": [{"type": "string"}]},
        {"type": []},
        {"type": "null"},
        {"anyOf": [{"type": "null"}, {"$ref": "#/definitions/context"}]},
    ],
    ids=str,
)
def test_where_a_catalog_says_no_type_the_streams_own_counts(said: Schema) -> None:
    own = ALERTS["properties"]
    source = deepcopy(own["alertSourceInfo"])
    source["properties"] = dict.fromkeys(source["properties"], said)
    catalog = {"properties": {"alertContext": said, "alertSourceInfo": source}}
    made = usable_schema(catalog, ALERTS, ())["properties"]
    assert made == {name: own[name] for name in ("alertContext", "alertSourceInfo")}


def test_a_schema_that_names_no_column_is_the_streams_own() -> None:
    nothing: list[Schema] = [{}, {"type": "object"}, {"properties": {}}]
    for said in nothing:
        assert usable_schema(said, ALERTS, ("alertUid",)) == ALERTS


@pytest.mark.parametrize(
    ("own", "said", "made"),
    [
        ("string", {"type": "integer"}, "string"),
        ("string", {"type": ["null", "object"], "properties": {"a": {}}}, "string"),
        ("string", {"type": "string", "format": "date-time"}, "string"),
        ("integer", {"type": ["string", "null"]}, "string"),
        ("integer", {"type": "boolean"}, "integer"),
        ("integer", {"type": "string", "format": "date-time"}, "string"),
    ],
)
def test_a_key_keeps_its_type_or_becomes_text(own: str, said: Schema, made: str) -> None:
    schema = schema_of(key={"type": own}, name=KINDS["text"])
    (key, _) = usable_schema({"properties": {"key": said, "name": {}}}, schema, ("key",))[
        "properties"
    ].values()
    assert key == {"type": made}


def test_the_type_that_a_column_has_in_a_database_is_passed_on() -> None:
    column = {"type": ["string", "null"], "x-sql-datatype": "citext", "maxLength": 7}
    made = usable_schema({"properties": {"priority": column}}, ALERTS, ())["properties"]
    assert made["priority"] == {"type": ["string", "null"], "x-sql-datatype": "citext"}


def test_of_a_choice_the_first_type_counts_and_the_api_may_send_null_for_all() -> None:
    catalog = {
        "properties": {
            "resolvedOn": {"anyOf": [{"type": "null"}, {"type": "string", "format": "date-time"}]},
            "priority": {"type": "string", "enum": ["Low"], "maxLength": 3},
        },
        "required": ["priority"],
        "additionalProperties": False,
    }
    assert usable_schema(catalog, ALERTS, ()) == {
        "type": "object",
        "properties": {
            "resolvedOn": {"type": ["string", "null"], "format": "date-time"},
            "priority": {"type": ["string", "null"], "description": "Known values: Low."},
        },
    }
    assert record_of(catalog, ALERT) == {
        "alertUid": "1",
        "resolvedOn": "2026-08-01T00:00:02.118000+00:00",
        "priority": "High",
    }


OWN = schema_of(uid=KINDS["text"], **KINDS)
kinds = st.sampled_from([*KINDS.values(), {}, {"type": ["integer", "string", "null"]}])
catalogs = st.dictionaries(
    st.sampled_from([*KINDS, "unknown", "new"]),
    kinds | st.lists(kinds, min_size=1, max_size=3).map(lambda choices: {"anyOf": choices}),
    min_size=1,
)


@settings(max_examples=300)
@given(records, catalogs)
def test_whatever_types_a_catalog_asks_for_records_fit_its_schema(
    item: Record, columns: dict[str, Schema]
) -> None:
    catalog = {"properties": columns}
    schema = usable_schema(catalog, OWN, ("uid",))
    record = RecordConverter(schema, ("uid",), DataIssues(lambda _: None), known=OWN)(item)
    assert record is not None
    assert list(record) == ["uid", *columns]
    Draft202012Validator(schema, format_checker=CANONICAL).validate(record)
    json.dumps(record)
