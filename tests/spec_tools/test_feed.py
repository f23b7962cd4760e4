"""Whoever subscribes learns of each change of the API, with what it means for each stream."""

from __future__ import annotations

import copy
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import orjson

from tap_datto_rmm.spec_tools.report import as_json
from tests.spec_tools.documents import build_1_22, build_201, difference, packaged, udf
from tools import spec_feed

if TYPE_CHECKING:
    import pytest

    from tests.spec_tools.documents import Content

ROOT = Path(__file__).parents[2]
ENTRIES: list[dict[str, Any]] = orjson.loads(spec_feed.FACTS.read_bytes())
FEED = spec_feed.FEED.read_text(encoding="utf-8")


def named(content: Content, build: str) -> Content:
    content["info"]["version"] = f"2.0.0 (Build {build}_0)"
    return content


def build_118() -> Content:
    """Build 201 without what came with it."""
    content = build_201()
    get = content["paths"]["/v2/activity-logs"]["get"]
    get["parameters"] = [one for one in get["parameters"] if one["name"] != "searchQuery"]
    return named(content, "118")


def build_1_24() -> Content:
    """Build 118 with as few user-defined fields as before."""
    content = build_118()
    content["components"]["schemas"]["Udf"] = udf(30)
    return named(content, "1.24.0-591")


HISTORY = [build_1_22(), build_1_24(), build_118(), build_201(), packaged()]


def found(old: Content, new: Content) -> dict[str, Any]:
    """What `diff --format json` says."""
    told: dict[str, Any] = orjson.loads(as_json(difference(old, new)))
    return told


def changed(**properties: Any) -> Content:
    """The packaged document as a newer build in which a site has more properties."""
    content = named(packaged(), "240")
    content["components"]["schemas"]["Site"]["properties"] |= properties
    content["x-origin"] = {
        "date": "2026-12-24",
        "urls": ["https://concord-api.centrastage.net/api/v3/api-docs/Datto-RMM-v2"],
    }
    return content


def test_the_known_builds_are_in_it_and_what_changed_is_what_diff_says() -> None:
    sheet = (ROOT / "docs" / "datto-rmm-api.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## §10 .*?\n(\|.*?)\n\n", sheet, re.DOTALL | re.MULTILINE)
    known = re.findall(r"^\| (\d[\w.-]*)", table, re.MULTILINE)
    assert [entry["build"] for entry in reversed(ENTRIES)][: len(known)] == known
    entries: list[dict[str, Any]] = []
    for old, new in pairwise(HISTORY):
        entries = spec_feed.added(entries, found(old, new))
    committed = ENTRIES[-len(HISTORY) : -1]
    told = ("build", "before", "paths", "schemas", "verdict", "changes")
    assert [[one[key] for key in told] for one in entries] == [
        [one[key] for key in told] for one in committed
    ]


def test_page_and_feed_say_what_the_facts_say() -> None:
    assert spec_feed.PAGE.read_text(encoding="utf-8") == spec_feed.page(ENTRIES), "make spec-feed"
    assert spec_feed.feed(ENTRIES) == FEED, "make spec-feed"


def test_a_reader_of_feeds_understands_the_feed() -> None:
    parsed = feedparser.parse(FEED)
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    assert parsed.feed.title == "Datto RMM API changes"
    assert parsed.feed.updated_parsed[:3] == tuple(map(int, ENTRIES[0]["date"].split("-")))
    assert {link.rel for link in parsed.feed.links} == {"self", "alternate"}
    assert parsed.feed.author_detail.name
    assert [entry.title for entry in parsed.entries] == [
        f"Build {one['build']}: {one['verdict'] or 'the oldest one known'}" for one in ENTRIES
    ]
    for entry, one in zip(parsed.entries, ENTRIES, strict=True):
        assert entry.updated_parsed[:3] == tuple(map(int, one["date"].split("-")))
        assert entry.summary
        assert entry.content[0].type == "text/html"
    assert len({entry.id for entry in parsed.entries}) == len(ENTRIES)


def test_an_entry_names_date_build_platform_and_the_verdict_of_each_stream() -> None:
    entries = spec_feed.added(ENTRIES, found(packaged(), changed(tide={"type": "string"})))
    assert [entries[0][key] for key in ("date", "build", "before", "platform", "verdict")] == [
        *("2026-12-24", "240", "235", "concord", "compatible")
    ]
    page = spec_feed.page(entries)
    assert (
        "| 2026-12-24 | [240](#2026-12-24-build-240) | concord | compatible "
        "| compatible for `sites` |"
    ) in page
    assert "\n## 2026-12-24: build 240\n" in page
    first = feedparser.parse(spec_feed.feed(entries)).entries[0]
    assert first.link.endswith("/docs/api-changes.md#2026-12-24-build-240")
    assert {tag.term for tag in first.tags} == {"compatible", "sites"}
    assert "property new: tide (string)" in first.content[0].value


def test_nothing_is_added_twice_nor_for_other_words() -> None:
    told = found(packaged(), changed(tide={"type": "string"}))
    entries = spec_feed.added(ENTRIES, told)
    told["new"]["origin"]["date"] = "2026-12-25"
    assert spec_feed.added(entries, told) == entries
    other = copy.deepcopy(packaged())
    other["components"]["schemas"]["Site"]["description"] = "In other words."
    assert spec_feed.added(ENTRIES, found(packaged(), named(other, "241"))) == ENTRIES


def test_what_the_vendor_names_cannot_break_out_of_page_and_feed() -> None:
    name = "a`|\n</ul><script>\x1b]]>&"
    entries = spec_feed.added(ENTRIES, found(packaged(), changed(**{name: {"type": "string"}})))
    (row,) = [line for line in spec_feed.page(entries).splitlines() if "<script>" in line]
    assert row == (
        "| compatible | property new: `a'/?</ul><script>?]]>& (string)` "
        "| a new column, nullable as all are |"
    )
    parsed = feedparser.parse(spec_feed.feed(entries))
    assert not parsed.bozo
    assert "<script>" not in parsed.entries[0].content[0].value


def test_the_command_adds_what_a_file_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FACTS", "PAGE", "FEED"):
        file: Path = getattr(spec_feed, name)
        monkeypatch.setattr(spec_feed, name, tmp_path / file.name)
    spec_feed.FACTS.write_bytes(orjson.dumps(ENTRIES))
    told = tmp_path / "diff.json"
    told.write_bytes(orjson.dumps(found(packaged(), changed(tide={"type": "string"}))))
    assert spec_feed.main(["add", str(told)]) == 0
    assert len(orjson.loads(spec_feed.FACTS.read_bytes())) == len(ENTRIES) + 1
    assert "build 240" in spec_feed.PAGE.read_text(encoding="utf-8")
    assert "build-240" in spec_feed.FEED.read_text(encoding="utf-8")
    assert spec_feed.main(["remove"]) == 2
    assert "usage:" in capsys.readouterr().err
