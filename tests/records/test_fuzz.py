"""Fuzzing: no page, whatever is in it, is a crash or a record that breaks its SCHEMA.

Pages are made from each stream's schema, then damaged: values replaced at any depth, rows that are
none, keys unknown or twice, bytes flipped or cut. `make fuzz` makes a hundred times as many.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk.singerlib import RecordMessage

from tap_datto_rmm.api.pages import Listing, page_number, page_of
from tap_datto_rmm.errors import ApiError, PaginationError
from tap_datto_rmm.http.decoding import NOT_JSON, decode, decode_answer
from tap_datto_rmm.singer.output import MessageWriter
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.tap import TapDattoRMM

if TYPE_CHECKING:
    from tap_datto_rmm.records.converter import RecordConverter
    from tap_datto_rmm.streams.base import DattoStream

HOST = "https://merlot-api.centrastage.net"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
"""Pages of each stream; 26 streams make 5,200."""
SEED = int(os.environ.get("FUZZ_SEED", "0"))

CHECKER = FormatChecker(formats=())


@CHECKER.checks("date-time")
def is_a_canonical_timestamp(value: object) -> bool:
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
    return not isinstance(value, str) or bool(re.fullmatch(form, value))


@CHECKER.checks("date")
def is_a_plain_date(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


class Bare(str):
    """Text that stands in the page as it is, without quotes: no JSON value, or an odd one."""

    __slots__ = ()


NUMBERS = st.sampled_from(
    [0, 1, -1, 1e11, -999_999_999_999_999, 253_402_300_800_000, 2**63, -(2**64), 1e308, 0.1, 1e-9]
)
TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud83d",
        "0000-00-00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30",
        "2026-11-22T10:00:00Z",
        "1785542402118",
        "9" * 400,
        "true",
        "NaN",
        "x" * 70_000,
        "https://[",
        f"{HOST}:99999999/api/v2/rows",
        f"{HOST}/api/v2/rows?page={'9' * 5000}",
        "\u202e\ufeff",
    ]
)
DEEP = ["[" * n + "]" * n for n in (200, 500, 1000)]
BARE = st.sampled_from([Bare(text) for text in ("NaN", "-Infinity", "1e999", "7" * 5000, *DEEP)])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NUMBERS | TEXTS | BARE
VALUES = st.recursive(
    SCALARS,
    lambda value: st.lists(value, max_size=3) | st.dictionaries(TEXTS, value, max_size=3),
    max_leaves=6,
)
"""Any value at all."""


class Change(NamedTuple):
    """A value put somewhere into a row."""

    steps: list[int]
    """Which property or item to go into, at each depth; counted round."""
    value: Any
    name: str | None
    """An unknown property is added under this name; None: the value replaces what is there."""


CHANGES = st.builds(
    Change, st.lists(st.integers(0, 400), min_size=1, max_size=4), VALUES, st.none() | TEXTS
)


class Damage(NamedTuple):
    """What becomes of a page."""

    rows: list[list[Change]]
    strangers: list[Any]
    """Items that are no rows."""
    details: Any
    """In the place of `pageDetails`; Ellipsis: as it should be."""
    flipped: list[tuple[int, int]]
    """Bytes of the body that are others."""
    kept: float
    """Share of the body that arrives."""


def seldom(usual: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw the usual value five times out of six."""
    return st.integers(0, 5).flatmap(lambda n: strategy if n == 5 else st.just(usual))


DAMAGES = st.builds(
    Damage,
    st.lists(st.lists(CHANGES, max_size=4), max_size=3),
    st.lists(VALUES, max_size=2),
    st.just(...)
    | st.fixed_dictionaries({}, optional={"nextPageUrl": VALUES, "totalCount": VALUES}),
    seldom([], st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=3)),
    seldom(1.0, st.floats(0, 1)),
)


@cache
def stream_of(name: str) -> DattoStream:
    config = {"api_key": "k", "api_secret": "s", "platform": "merlot"}
    tap = TapDattoRMM(config={**config, "keep_unknown_properties": True})
    stream: Any = tap.streams[name]
    stream.metadata.root.selected = True  # also what is not by default
    return stream  # type: ignore[no-any-return]


@cache
def validator_of(name: str) -> Draft202012Validator:
    return Draft202012Validator(stream_of(name).schema, format_checker=CHECKER)


@cache
def converter_of(name: str) -> RecordConverter:
    return stream_of(name).new_converter()


def example(schema: dict[str, Any], number: int) -> Any:
    """Make a value that a schema describes."""
    kind = [one for one in [schema["type"]] if isinstance(one, str)] or schema["type"]
    match kind[0]:
        case "object":
            properties = list(schema.get("properties", {}).items())[:40]
            return {name: example(one, number) for name, one in properties if name != "_unknown"}
        case "array":
            return [example(schema["items"], number)]
        case "integer":
            return number
        case "number":
            return number + 0.5
        case "boolean":
            return True
    return 1_785_542_402_118 if schema.get("format") == "date-time" else f"text {number}"


def put(value: Any, change: Change, depth: int = 0) -> Any:
    """Put a change into a value, or in its place."""
    here = change.steps[depth : depth + 1]
    if not here or not value or not isinstance(value, dict | list):
        return change.value
    if isinstance(value, list):
        place = here[0] % len(value)
        return [put(one, change, depth + 1) if n == place else one for n, one in enumerate(value)]
    if change.name is not None and depth + 1 == len(change.steps):
        return {**value, change.name: change.value}
    name = list(value)[here[0] % len(value)]
    return {**value, name: put(value[name], change, depth + 1)}


def written(value: Any) -> str:
    """Write JSON, with what is bare in it as it is."""
    if isinstance(value, Bare):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def page_with(damage: Damage, schema: dict[str, Any]) -> bytes:
    """Make a page of three rows, and damage it."""
    rows = [example(schema, number) for number in range(1, 4)]
    for number, changes in enumerate(damage.rows):
        for change in changes:
            rows[number] = put(rows[number], change)
    details: Any = {"count": 3, "totalCount": 3, "nextPageUrl": f"{HOST}/api/v2/rows?page=1"}
    page = {
        "pageDetails": details if damage.details is ... else damage.details,
        "rows": [*rows, *damage.strangers],
    }
    body = bytearray(written(page).encode("utf-8", "surrogatepass"))
    for place, value in damage.flipped:
        body[place % len(body)] = value
    return bytes(body[: round(len(body) * damage.kept)])


AREAS = sorted({stream.__module__.rpartition(".")[2] for stream in STREAMS})
WRITER = MessageWriter()


@pytest.mark.parametrize("area", AREAS)
def test_no_page_is_a_crash_or_a_record_that_breaks_its_schema(area: str) -> None:
    names = [stream.name for stream in STREAMS if stream.__module__.endswith(f".{area}")]

    @seed(SEED + crc32(area.encode()))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(DAMAGES)
    def read(damage: Damage) -> None:
        for name in names:
            note(name)
            check(name, page_with(damage, stream_of(name).schema), damage)

    read()
    for name in names:
        assert sum(stream_of(name).issues.left_out.values()) > 0
        assert sum(stream_of(name).issues.unknown.values()) > 0


def depth_of(value: object) -> int:
    """Count how deep a value is nested."""
    depth, level = 0, [value]
    while level:
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        inside = [one for one in inside if not isinstance(one, str)]
        level = [inner for one in inside if isinstance(one, Iterable) for inner in one]
        depth += 1
    return depth


def check(name: str, body: bytes, damage: Damage) -> None:
    stream = stream_of(name)
    answer = decode_answer(body, "pageDetails")
    if answer is NOT_JSON:
        assert decode(body) is NOT_JSON
        return
    try:
        key = "rows" if damage.details is ... else None
        page = page_of(answer, Listing("/v2/rows", {}, key, paged=False), {}, HOST)
        page_number(page.next_query)
    except (ApiError, PaginationError):
        return
    parent = dict.fromkeys(stream.parent_columns, "2026-11-22T10:00:00.000000+00:00")
    if decode(body) is NOT_JSON:  # then it is an item of the page that is none, or all but too deep
        assert any(row is NOT_JSON or depth_of(row) > 900 for row in page.rows)
    to_record = converter_of(name)
    before = stream.issues.left_out.total()
    records = [record for row in page.rows if (record := to_record(row, parent)) is not None]
    left_out = stream.issues.left_out.total() - before
    assert len(records) + left_out == len(page.rows)
    for record in records:
        line = bytes(WRITER.serialize_message(RecordMessage(stream=name, record=record)))
        assert b"\\u0000" not in line
        validator_of(name).validate(json.loads(line)["record"])
        assert list(record) == list(stream.schema["properties"])
        assert all(record[key] is not None for key in stream.primary_keys)
        assert record[stream.primary_keys[0]] != ""
        assert None not in (record.get("udf") or {}).values()
