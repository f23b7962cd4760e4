"""What an answer is can be told without what it says."""

from __future__ import annotations

from typing import Any

import pytest

from tap_datto_rmm.spec_tools.shapes import Shape, form_of_date, in_runs, words
from tap_datto_rmm.spec_tools.tables import table

KNOWN = table(
    {
        "type": "object",
        "properties": {
            "uid": {"type": "string"},
            "number": {"type": "number"},
            "seen": {"type": "string", "format": "date-time"},
            "open": {"type": "object"},
            "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "at": {"type": "string", "format": "date-time"},
                        "inner": {"type": "object", "properties": {"x": {"type": "string"}}},
                    },
                },
            },
        },
    }
)


def shape_of(*answers: Any) -> Shape:
    shape = Shape(KNOWN)
    for answer in answers:
        shape.take(answer)
    return shape


GUID = "b6b0a7de-8f0b-4a33-9a8e-6d2f8f5f8c01"


def test_an_answer_as_described_has_nothing_to_tell() -> None:
    shape = shape_of(
        {
            "uid": GUID,
            "number": 7,
            "seen": None,
            "open": {"ACME-DC01": {"any": 1}},
            "limits": {"alert-resolve": 100},
            "rows": [{"at": None, "inner": {"x": None}}],
        }
    )
    assert [*shape.unknown, *shape.other_types, *shape.dates, *shape.orders] == []
    assert (shape.absent, shape.no_guids) == ([], set())


def test_keys_types_and_absences_are_told_with_their_place() -> None:
    shape = shape_of({"uid": 7, "number": "7", "extra": None, "rows": [{"inner": {}, "more": [1]}]})
    assert words(shape.unknown) == {
        "extra": "null",
        "rows[].more": "array",
        "rows[].more[]": "integer",
    }
    assert words(shape.other_types) == {"uid": "integer", "number": "string"}
    assert shape.absent == ["seen", "open", "limits", "rows[].at", "rows[].inner.x"]


def test_what_is_absent_in_one_answer_and_there_in_another_is_not_absent() -> None:
    assert "seen" not in shape_of({"uid": GUID}, {"seen": None}).absent
    assert shape_of([]).absent == []


def test_keys_that_may_be_data_are_not_told() -> None:
    names = ("ACME-DC01", "C:\\", "Two words", "10.0.0.1", "a.b", "ünknown", "x" * 60, "ACME")
    shape = shape_of({**dict.fromkeys(names, 1), "new": {"ACME": 1}, "plainName2": 1})
    assert words(shape.unknown) == {"?": "integer", "new": "object", "plainName2": "integer"}


def test_an_answer_that_is_not_described_is_told_to_the_depth() -> None:
    shape = Shape({})
    shape.take({"policy": {"rules": [{"name": "x", "ACME": 1}]}})
    assert words(shape.unknown) == {
        "": "object",
        "policy": "object",
        "policy.rules[]": "object",
        "policy.rules": "array",
        "policy.rules[].name": "string",
        "policy.rules[].?": "integer",
    }


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1785540031000, "epoch milliseconds"),
        (1785540031.5, "epoch seconds with a fraction"),
        (1785540031, "epoch seconds"),
        (-62135596800000, ".NET minimum date"),
        (0, "0"),
        ("2026-08-01", "text 9999-99-99"),
        ("2026-08-01T10:00:00Z", "text 9999-99-99T99:99:99Z"),
        ("2026-08-01T10:00:00.123+0200", "text 9999-99-99T99:99:99.999+9999"),
        ("1 August, at Tara's", "other text"),
        ("", "other text"),
        (True, "boolean"),
        ({"year": 2026}, "object"),
    ],
)
def test_a_date_is_told_by_its_form(value: object, form: str) -> None:
    assert form_of_date(value) == form
    assert words(shape_of({"seen": value}).dates) == {"seen": form}


def test_the_order_of_rows_is_told_where_enough_of_them_show_it() -> None:
    def orders(*dates: object) -> dict[str, str]:
        return shape_of({"rows": [{"at": date} for date in dates]}).orders

    assert orders(1, 2, 2, 3, 4, 5) == {"rows[].at": "oldest first"}
    assert orders(5, 4, 3, None, 2, 1) == {"rows[].at": "newest first"}
    assert orders(1, 2, 3, 4) == orders(1, 3, 2, 4, 5) == orders(1, 2, 3, 4, "5") == {}


def test_a_uid_that_is_no_guid_is_told() -> None:
    assert shape_of({"uid": "cst-acme-01"}).no_guids == {"uid"}
    assert shape_of({"uid": GUID.upper()}).no_guids == set()


def test_paths_that_differ_in_a_number_are_one_line() -> None:
    assert list(in_runs(["a", "b1", "b2", "c7"])) == ["a", "b1 to b2", "c7"]
