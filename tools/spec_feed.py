"""The public record of what changed in the vendor's API: a page and a feed, from one file of facts.

`make spec-feed` writes docs/api-changes.md and docs/api-changes.xml from docs/api-changes.json;
`python -m tools.spec_feed add DIFF.json` adds what `tap-datto-rmm-spec diff --format json` found.

The feed is written with the standard library. feedgen had its last release in December 2023, and
feedgenerator (2.2.1, August 2025) writes one long line, in which git shows no difference.
"""

from __future__ import annotations

import html
import re
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.spec_tools.changes import NO_STREAM, Change
from tap_datto_rmm.spec_tools.discovery import platform_of
from tap_datto_rmm.spec_tools.report import KEPT, NOT_READ, code, plain
from tap_datto_rmm.spec_tools.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
FACTS, PAGE, FEED = (DOCS / f"api-changes.{kind}" for kind in ("json", "md", "xml"))

HOME: Final = "https://github.com/tap-datto-rmm/tap-datto-rmm"
PAGE_URL: Final = f"{HOME}/blob/main/docs/api-changes.md"
FEED_URL: Final = (
    "https://raw.githubusercontent.com/tap-datto-rmm/tap-datto-rmm/main/docs/api-changes.xml"
)
TITLE: Final = "Datto RMM API changes"
SUBTITLE: Final = "What changed in the read side of the Datto RMM API, build by build."

INTRO: Final = f"""\
# {TITLE}

What changed in the read side of the [Datto RMM API](datto-rmm-api.md), build by build, newest
first. The vendor publishes a description of the API and no list of changes; this page compares the
descriptions. There is an entry for each description that states other facts than the one before,
with a verdict for the streams of this tap ([what the verdicts mean](api-description.md#verdicts)).
Writes and wording do not count.

Subscribe: [{FEED.name}]({FEED_URL})
(Atom). For programs: [{FACTS.name}]({FACTS.name}).

| first seen | build | platform | verdict | streams |
|---|---|---|---|---|
"""

NOTHING: Final = "none"
"""Stands for the verdict on the oldest build, which is compared with nothing."""

Entry = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Add a difference, where one is given; write the page and the feed."""
    entries: list[Entry] = orjson.loads(FACTS.read_bytes())
    match arguments:
        case []:
            pass
        case ["add", file]:
            entries = added(entries, orjson.loads(Path(file).read_bytes()))
        case _:
            print("usage: python -m tools.spec_feed [add DIFF.json]", file=sys.stderr)
            return 2
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    FACTS.write_bytes(orjson.dumps(entries, option=options))
    PAGE.write_text(page(entries), encoding="utf-8")
    FEED.write_text(feed(entries), encoding="utf-8")
    return 0


def added(entries: list[Entry], difference: dict[str, Any]) -> list[Entry]:
    """Put a difference before the entries that are there.

    Args:
        entries: newest first.
        difference: as `diff --format json` tells it.

    Returns:
        The entries; as they were where nothing changed, or where the first one says so already.
    """
    new, origin = difference["new"], difference["new"]["origin"]
    entry = {
        "date": origin.get("date") or datetime.now(UTC).date().isoformat(),
        "platform": next(filter(None, map(platform_of, origin.get("urls", ()))), ""),
        "build": build_of(new["version"]),
        "before": build_of(difference["old"]["version"]),
        "paths": new["paths"],
        "schemas": new["schemas"],
        "verdict": difference["verdict"],
        "changes": [
            {key: change[key] for key in change if key not in {"verdict", "why"}}
            for change in difference["changes"]
        ],
    }
    is_known = any(
        all(one[key] == entry[key] for key in ("build", "before", "changes")) for one in entries
    )
    return entries if is_known or not entry["changes"] else [entry, *entries]


def build_of(version: str) -> str:
    """The build's name in a version text.

    >>> build_of("2.0.0 (Build 1.24.0-591_051ee924)")
    '1.24.0-591'
    """
    match = re.search(r"Build ([\w.-]+?)(?:_\w*)?\)", version)
    return match[1] if match else plain(version)


def page(entries: Sequence[Entry]) -> str:
    """The page for people."""
    rows = [
        f"| {one['date']} | [{one['build']}](#{_anchor(one)}) | {one['platform'] or 'unknown'} "
        f"| {one['verdict'] or NOTHING} | {_streams(one, code) if one['changes'] else NOTHING} |"
        for one in entries
    ]
    return INTRO + "\n".join(rows) + "\n" + "".join(map(_section, entries))


def _section(entry: Entry) -> str:
    lines = ["", f"## {_heading(entry)}", "", _lead(entry)]
    for stream, changes in _by_stream(entry):
        heading = NOT_READ if stream == NO_STREAM else code(stream)
        lines += ["", f"### {heading}", "", "| verdict | change | why |", "|---|---|---|"]
        for change in changes:
            kind, _, rest = change.text.partition(": ")
            lines.append(f"| {change.rule.verdict} | {kind}: {code(rest)} | {_why(change)} |")
    return "\n".join(lines) + "\n"


def feed(entries: Sequence[Entry]) -> str:
    """The Atom feed (RFC 4287)."""
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    _texts(root, title=TITLE, subtitle=SUBTITLE, id=PAGE_URL, updated=_moment(entries[0]))
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": PAGE_URL})
    ET.SubElement(root, "link", {"rel": "self", "href": FEED_URL})
    _texts(ET.SubElement(root, "author"), name="tap-datto-rmm", uri=HOME)
    for one in entries:
        entry, url = ET.SubElement(root, "entry"), f"{PAGE_URL}#{_anchor(one)}"
        _texts(entry, title=_title(one), id=url, updated=_moment(one), published=_moment(one))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": url})
        for term in [one["verdict"], *_verdicts(one)]:
            if term:
                ET.SubElement(entry, "category", {"term": term})
        ET.SubElement(entry, "summary").text = _lead(one)
        ET.SubElement(entry, "content", {"type": "html"}).text = _as_html(one)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text


def _as_html(entry: Entry) -> str:
    parts = [f"<p>{html.escape(_lead(entry))}</p>"]
    for stream, changes in _by_stream(entry):
        items = "".join(
            f"<li>{html.escape(f'{one.rule.verdict}: {plain(one.text)} ({_why(one)})')}</li>"
            for one in changes
        )
        parts.append(f"<h3>{html.escape(plain(stream or NOT_READ))}</h3><ul>{items}</ul>")
    return "".join(parts)


def _title(entry: Entry) -> str:
    return f"Build {entry['build']}: {entry['verdict'] or 'the oldest one known'}"


def _heading(entry: Entry) -> str:
    return f"{entry['date']}: build {entry['build']}"


def _anchor(entry: Entry) -> str:
    """The name by which GitHub lets one link to the entry's heading."""
    return re.sub(r"[^\w -]", "", _heading(entry)).lower().replace(" ", "-")


def _lead(entry: Entry) -> str:
    """The entry in a sentence or two."""
    where = f"on {entry['platform']}" if entry["platform"] else "on an unknown platform"
    sizes = f"{entry['paths']} paths to read, {entry['schemas']} schemas"
    if not entry["changes"]:
        return f"First seen {where}: {sizes}. The oldest build that is known."
    streams = _streams(entry, str)
    return (
        f"First seen {where}, after build {entry['before']}: {sizes}. "
        f"{streams[0].upper()}{streams[1:]}."
    )


def _streams(entry: Entry, mark: Callable[[str], str]) -> str:
    """Say which verdict each stream has, the worst verdict first."""
    verdicts = _verdicts(entry)
    told = []
    for verdict in Verdict:
        names = [mark(plain(name)) for name, one in verdicts.items() if one is verdict]
        if names:
            told.append(f"{verdict} for {', '.join(names)}")
    return "; ".join(told) or "no stream reads what changed"


def _verdicts(entry: Entry) -> dict[str, Verdict]:
    """The worst verdict of each stream."""
    order = list(Verdict)
    return {
        stream: min((change.rule.verdict for change in changes), key=order.index)
        for stream, changes in _by_stream(entry)
        if stream != NO_STREAM
    }


def _by_stream(entry: Entry) -> Iterator[tuple[str, list[Change]]]:
    changes = [_change(one) for one in entry["changes"]]
    for stream, group in groupby(changes, key=lambda change: change.stream):
        yield stream, list(group)


def _change(told: dict[str, Any]) -> Change:
    return Change(
        stream=told["stream"] or NO_STREAM,
        kind=told["kind"],
        where=told["where"],
        before=told["before"] or "",
        after=told["after"] or "",
        kept=told["kept_by_exceptions"],
        count=told["count"],
    )


def _why(change: Change) -> str:
    return change.rule.why + (f"; here {KEPT}" if change.kept else "")


def _moment(entry: Entry) -> str:
    return f"{entry['date']}T00:00:00Z"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
