"""A difference as text, Markdown or JSON."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.records.openapi import wire_exceptions
from tap_datto_rmm.spec_tools.changes import NO_STREAM
from tap_datto_rmm.spec_tools.diff import compare
from tap_datto_rmm.spec_tools.document import some
from tap_datto_rmm.spec_tools.side import Side
from tap_datto_rmm.spec_tools.verdicts import Verdict
from tap_datto_rmm.spec_tools.words import undescribed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_datto_rmm.spec_tools.changes import Change, Difference
    from tap_datto_rmm.spec_tools.document import Document
    from tap_datto_rmm.spec_tools.sync import Outcome

NOT_READ: Final = "Read by no stream"
KEPT: Final = "the stream stays as it is, thanks to wire-exceptions.json"


def as_text(difference: Difference) -> str:
    """Lines for a terminal, a block a stream."""
    lines = [f"{plain(difference.old.version)} → {plain(difference.new.version)}"]
    for stream, changes in _by_stream(difference):
        lines += ["", plain(stream)]
        for change in changes:
            kept = f" - {KEPT}" if change.kept else ""
            lines.append(f"  {change.rule.verdict:<12}{plain(change.text)}{kept}")
    return "\n".join([*lines, "", summary(difference), ""])


def as_markdown(difference: Difference) -> str:
    """Text for a pull request: what, how bad, and why."""
    lines = [
        "| | old | new |",
        "|---|---|---|",
        *_rows(difference.old, difference.new),
        "",
        f"**{summary(difference)}**",
    ]
    for stream, changes in _by_stream(difference):
        heading = stream if stream == NOT_READ else code(stream)
        lines += ["", f"### {heading}", "", "| verdict | change | why |", "|---|---|---|"]
        for change in changes:
            why = change.rule.why + (f"; here {KEPT}" if change.kept else "")
            lines.append(f"| {change.rule.verdict} | {_marked(change)} | {why} |")
    return "\n".join([*lines, ""])


def as_json(difference: Difference) -> str:
    """All of it, for programs."""
    content = {
        "old": _side(difference.old),
        "new": _side(difference.new),
        "verdict": difference.verdict,
        "counts": {verdict.value: difference.counts[verdict] for verdict in Verdict},
        "changes": [
            {
                "stream": change.stream or None,
                "verdict": change.rule.verdict,
                "kind": change.kind,
                "where": change.where,
                "before": change.before or None,
                "after": change.after or None,
                "count": change.count,
                "kept_by_exceptions": change.kept,
                "why": change.rule.why,
            }
            for change in difference.changes
        ],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


FORMATS: Final[dict[str, Callable[[Difference], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}


def summary(difference: Difference) -> str:
    """Sum up in one line."""
    if not difference.changes:
        return "Nothing changed for the streams."
    told = [one for one in Verdict if one is not Verdict.NOT_SEEN or difference.counts[one]]
    parts = [f"{difference.counts[verdict]} {verdict}" for verdict in told]
    kept = sum(
        change.kept and change.rule.verdict is Verdict.BREAKING for change in difference.changes
    )
    if kept:
        parts[0] += f" ({kept} made up for by wire-exceptions.json)"
    streams = {change.stream for change in difference.changes} - {NO_STREAM}
    return f"{', '.join(parts)}; streams concerned: {', '.join(sorted(streams)) or 'none'}."


def told(done: Outcome) -> Iterator[str]:
    """Tell what a sync came to, in lines."""
    old, new = (_counts(document) for document in (done.old, done.new))
    for name, after in new.items():
        before = old.get(name, "none")
        yield f"  {name:<8} {before} → {after}" if before != after else f"  {name:<8} {after}"
    for note in done.notes:
        yield f"  note: {note}"
    for name in done.missing:
        yield f"  not seen: {name}"
    if done.kept:
        yield f"  not seen, kept as it was: {some(done.kept)}"
    if not done.written:
        yield f"Nothing changed; {done.new.source} is as it was."
        return
    if done.old:
        yield f"  {summary(compare(done.old, done.new, wire_exceptions()))}"
    if without := list(undescribed(done.new)):
        yield f"  {len(without)} without a description yet: {some(without)}"
    yield f"Wrote {done.new.source}."


def plain(text: str) -> str:
    """Text of another's making, without what a terminal would act on."""
    return "".join(char if char.isprintable() else "?" for char in text)


def code(text: str) -> str:
    """Text of another's making as Markdown code, which cannot end itself, its row or its line."""
    return "`" + plain(text).replace("`", "'").replace("|", "/") + "`"


def _by_stream(difference: Difference) -> Iterator[tuple[str, list[Change]]]:
    for stream, changes in groupby(difference.changes, key=lambda change: change.stream):
        order = list(Verdict)
        ordered = sorted(changes, key=lambda change: order.index(change.rule.verdict))
        yield stream or NOT_READ, ordered


def _marked(change: Change) -> str:
    kind, _, rest = change.text.partition(": ")
    return f"{kind}: {code(rest)}"


def sizes(side: Side) -> dict[str, str | int]:
    """What a side is, in a few words."""
    return {"version": side.version, "paths": len(side.gets), "schemas": len(side.schemas)}


def _counts(document: Document | None) -> dict[str, str | int]:
    return sizes(Side(document, [])) if document else {}


def _side(side: Side) -> dict[str, Any]:
    return {**sizes(side), "origin": side.document.origin.note()}


def _rows(old: Side, new: Side) -> Iterator[str]:
    for name, before in sizes(old).items():
        after = sizes(new)[name]
        yield f"| {name} | {code(str(before))} | {code(str(after))} |"
