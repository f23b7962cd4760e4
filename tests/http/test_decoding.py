"""Bodies: what is JSON is read whatever is in it, what is not is told apart."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.http.decoding import NOT_JSON, decode, decode_answer, one_line


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (rb'{"a":"x\u0000y","\u0000b":["\u0000"]}', {"a": "xy", "b": [""]}),
        (rb'{"path":"C:\\u0000\\x"}', {"path": r"C:\u0000\x"}),
        (rb'["\ud800","\udc00x","\ud83d\ude00"]', ["\ufffd", "\ufffdx", "😀"]),
        (b'["a\xff\xfeb"]', ["a\ufffd\ufffdb"]),
        (b"[NaN, Infinity, -Infinity, 1e999]", [None] * 4),
        (b"[" + b"7" * 5000 + b"]", [None]),
        (b"[NaN, 9223372036854775807, 99999999999999999999]", [None, 2**63 - 1, 1e20]),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'["a\x00b\tc"]', ["ab\tc"]),
        (b'{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_an_odd_value_does_not_cost_the_page(body: bytes, wanted: object) -> None:
    assert decode(body) == wanted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b'{"a":[1,2',
        b"<!DOCTYPE html><html></html>",
        b'{"a":1}{"b":2}',
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 1000 + rb'"\u0000"' + b"]" * 1000,
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_json_is_told_apart(body: bytes) -> None:
    assert decode(body) is NOT_JSON


INTEGERS = st.integers(-(2**63), 2**63 - 1)


@given(st.recursive(st.none() | st.text() | INTEGERS, st.lists))
def test_whatever_json_says_is_read_as_it_is_but_for_nul(value: object) -> None:
    assert decode(json.dumps(value).encode()) == without_nul(value)


def without_nul(value: object) -> object:
    if isinstance(value, list):
        return [without_nul(one) for one in value]
    return value.replace("\0", "") if isinstance(value, str) else value


@given(st.binary())
def test_no_bytes_are_a_crash(body: bytes) -> None:
    decode(body)
    decode_answer(body, "pageDetails")


def test_an_item_that_is_no_json_costs_itself_and_not_its_page() -> None:
    page = decode_answer(b'{"pageDetails":{},"rows":[{"a":1},{"\xff":2},{"a":NaN}]}', "pageDetails")
    assert list(page["rows"]) == [{"a": 1}, {"\ufffd": 2}, {"a": None}]


@pytest.mark.parametrize("key", [b"\x80", rb"\ud800", rb"\u0000"])
def test_an_odd_name_does_not_cost_the_page(key: bytes) -> None:
    page = decode_answer(
        b'{"%s":1,"pageDetails":{"count":1},"rows":[{"a":1}]}' % key, "pageDetails"
    )
    assert page["pageDetails"] == {"count": 1}
    assert list(page["rows"]) == [{"a": 1}]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("No static\nresource\t v2/x.", "No static resource v2/x."),
        ("see https://u:pass@host/x?token=1 now", "see … now"),
        ("token 3q2-7wAAbbCCddEEffGGhhIIjjKKllMMnnOOppQQ is bad", "token … is bad"),
        ("eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl", "…"),
        (
            "java.sql.SQLTransientConnectionException",
            "java.sql.SQLTransientConnectionException",
        ),
        ("a\x1b[31mred\u202e", "a[31mred"),
        pytest.param("x" * 10_000_000, "x" * 200, id="10 MB"),
    ],
)
def test_a_message_is_one_short_line_without_secrets(said: str, shown: str) -> None:
    assert one_line(said) == shown
