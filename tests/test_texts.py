"""Texts that people write."""

from __future__ import annotations

import codecs

import pytest

from tap_datto_rmm.texts import bare, decoded, did_you_mean, nearest, read_json

TEXT = '{"name": "Ünïcode 中文"}'


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
    ],
)
def test_a_text_is_read_by_its_byte_order_mark_or_its_zeros(content: bytes) -> None:
    assert decoded(content) == TEXT


def test_nothing_is_an_empty_text() -> None:
    assert decoded(b"") == ""


@pytest.mark.parametrize("content", [b"M\xfcller", b"\xff\xfe{", b"\xef\xbb\xbf\xfc"])
def test_what_is_in_no_unicode_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="codec can't decode"):
        decoded(content)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "{", ""])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("key", "key"),
        ("\t key\r\n", "key"),
        ("\ufeff \u200bkey\u00a0\u200b \u2060", "key"),
        ("two words", "two words"),
        (" \u200b ", ""),
    ],
)
def test_what_cannot_be_seen_around_a_text_is_taken_away(text: str, wanted: str) -> None:
    assert bare(text) == wanted


def test_the_nearest_name_is_found_or_none() -> None:
    names = ["sites", "site_settings", "devices"]
    assert nearest("site_setting", names) == "site_settings"
    assert nearest("divices", names, likeness=0.9) is None
    assert nearest("siteuid", ["siteUid", "siteName"]) == "siteUid"
    assert nearest("SITES", names) == "sites"
    assert did_you_mean("divices", names) == " Did you mean `devices`?"
    assert did_you_mean("xyz", names) == ""
