"""What changed between two OpenAPI documents, stream by stream, with a verdict for each change.

Only the read side counts, and only facts. The tables compared are flat, so that the comparison is
set arithmetic: deepdiff 9.1 and dictdiffer 0.10 would compare the trees, in which the vendor's
builds differ where they say the same; the rules (`verdicts`) are ours.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.spec_tools.changes import NO_STREAM, Change, Difference
from tap_datto_rmm.spec_tools.needs import NEEDS
from tap_datto_rmm.spec_tools.readside import answer, canonical
from tap_datto_rmm.spec_tools.side import Side
from tap_datto_rmm.spec_tools.tables import Table, parents, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.spec_tools.document import Document
    from tap_datto_rmm.spec_tools.needs import Needs
    from tap_datto_rmm.spec_tools.side import Endpoint

DATES: Final = frozenset({"date", "date-time", "time"})
RUN: Final = 3
"""So many properties that differ in their number only are told as one change."""

_CHECKED = {"type", "format", "enum", "deprecated"}


def compare(old: Document, new: Document, exceptions: list[Schema]) -> Difference:
    """Find what changed from one document to another.

    Args:
        old: the one.
        new: the other.
        exceptions: the exceptions of the wire, which tell what a change means for a stream.
    """
    before, after = Side(old, exceptions), Side(new, exceptions)
    changes = [change for stream in NEEDS for change in _of_stream(before, after, stream)]
    changes += _of_no_stream(before, after)
    return Difference(before, after, list(_in_runs(changes)))


def _of_stream(old: Side, new: Side, stream: Needs) -> Iterator[Change]:
    name, component = stream.name, stream.component
    had, has = old.endpoints(stream), new.endpoints(stream)
    yield from _endpoints(name, had, has, old, new)
    if not had or not has:
        return
    around: list[Change] = []
    for shape in sorted(had.keys() & has.keys()):
        before, after = had[shape].operation, has[shape].operation
        around += _parameters(name, before, after)
        around += _answer(name, component, (old, before), (new, after))
    yield from dict.fromkeys(around)  # what two paths of a stream share is told once
    yield from _component(old, new, stream)


def _component(old: Side, new: Side, stream: Needs) -> Iterator[Change]:
    name, component = stream.name, stream.component
    if component not in old.spec or component not in new.spec:
        if component in old.spec:
            yield Change(stream=name, kind="component gone", where=component)
        if component in new.spec:
            yield Change(stream=name, kind="component new", where=component)
        return
    columns = old.columns(stream), new.columns(stream)
    before, after = (table(side.components[component], side.components) for side in (old, new))
    for change in _properties(name, before, after):
        yield replace(change, kept=_is_kept(change, *columns))


def _of_no_stream(old: Side, new: Side) -> Iterator[Change]:
    read_paths = {shape for side in (old, new) for one in NEEDS for shape in side.endpoints(one)}
    had, has = (
        {shape: endpoint for shape, endpoint in side.gets.items() if shape not in read_paths}
        for side in (old, new)
    )
    yield from _endpoints(NO_STREAM, had, has, old, new)
    for shape in sorted(had.keys() & has.keys()):
        path, before, after = has[shape].path, had[shape].operation, has[shape].operation
        yield from _parameters(NO_STREAM, before, after, f"{path}: ")
        was, now = old.answers(before), new.answers(after)
        if was != now:
            yield Change(stream=NO_STREAM, kind="answer changed", where=path, before=was, after=now)
    told = (old.readable | new.readable) - old.read_by_streams - new.read_by_streams
    told -= new.out_of_sight(old) - new.readable
    if old.document.origin.missing:
        told -= old.out_of_sight(new) - old.readable
    for name in sorted(told):
        if name not in old.readable or name not in new.readable:
            kind = "component new" if name in new.readable else "component gone"
            yield Change(stream=NO_STREAM, kind=kind, where=name)
            continue
        tables = (table(side.schemas[name], side.schemas, side.schemas) for side in (old, new))
        for change in _properties(NO_STREAM, *tables):
            yield replace(change, where=f"{name}.{change.where}" if change.where else name)


def _endpoints(
    stream: str, had: Mapping[str, Endpoint], has: Mapping[str, Endpoint], old: Side, new: Side
) -> Iterator[Change]:
    for shape in sorted(had.keys() - has.keys()):
        kind = "endpoint not seen" if new.is_blind_to(had[shape]) else "endpoint gone"
        yield Change(stream=stream, kind=kind, where=f"GET {had[shape].path}")
    for shape in sorted(has.keys() - had.keys()):
        # Nor can it be told whether it is new, where the older document is known to lack a part.
        kind = "endpoint not seen" if old.document.origin.missing else "endpoint new"
        yield Change(stream=stream, kind=kind, where=f"GET {has[shape].path}")


def _parameters(stream: str, old: Schema, new: Schema, prefix: str = "") -> Iterator[Change]:
    had, has = (
        {one["name"]: one for one in operation["parameters"] if one["in"] != "path"}
        for operation in (old, new)
    )
    for name in sorted(had.keys() | has.keys()):
        change = Change(stream=stream, kind="", where=prefix + name)
        required = name in has and has[name]["required"]
        if required and not (name in had and had[name]["required"]):
            yield replace(change, kind="parameter required")
        elif name not in had:
            yield replace(change, kind="parameter new")
        elif name not in has:
            yield replace(change, kind="parameter gone")
        elif canonical(had[name]["schema"]) != canonical(has[name]["schema"]):
            before, after = (table(one["schema"])[""] for one in (had[name], has[name]))
            yield replace(
                change, kind="parameter changed", before=_words(before), after=_words(after)
            )
    if new.get("deprecated") and not old.get("deprecated"):
        yield Change(stream=stream, kind="deprecated", where=f"{prefix}the endpoint")


def _answer(
    stream: str, component: str, old: tuple[Side, Schema], new: tuple[Side, Schema]
) -> Iterator[Change]:
    """Compare what surrounds the rows."""
    before, after = (
        table(answer(operation), side.schemas, {component}) for side, operation in (old, new)
    )
    for change in _properties(stream, before, after):
        if change.kind in {"property gone", "type changed"}:
            where, now = change.where or "all of it", change.after or "gone"
            yield replace(change, kind="answer changed", where=where, after=now)
        elif change.kind == "property new":
            yield replace(change, kind="answer grew")


def _properties(stream: str, old: Table, new: Table) -> Iterator[Change]:
    """Compare two tables; what lies under something that came, went or turned is not told."""
    settled: set[str] = set()
    for path in sorted(old.keys() | new.keys(), key=_natural):
        if any(above in settled for above in parents(path)):
            continue
        before, after = old.get(path), new.get(path)
        change = Change(stream=stream, kind="", where=path)
        what = "variant" if path.endswith(">") else "property"
        if before is None or after is None:
            settled.add(path)
            if before is None:
                yield replace(change, kind=f"{what} new", after=_words(new[path], path, new))
            else:
                yield replace(change, kind=f"{what} gone", before=_words(before, path, old))
        elif before["type"] != after["type"]:
            settled.add(path)
            was, now = _words(before, path, old), _words(after, path, new)
            yield replace(change, kind="type changed", before=was, after=now)
        else:
            yield from _facts(change, before, after)


def _facts(change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = old.get("format", ""), new.get("format", "")
    if before != after:
        kind = "date format changed" if {before, after} & DATES else "format changed"
        yield replace(change, kind=kind, before=before or "none", after=after or "none")
    had, has = old.get("enum"), new.get("enum")
    if had and has:
        for value in sorted(set(has) - set(had)):
            yield replace(change, kind="enum value new", after=value)
        for value in sorted(set(had) - set(has)):
            yield replace(change, kind="enum value gone", before=value)
    elif had or has:
        yield replace(change, kind="constraint changed", after="enum")
    if new.get("deprecated") and not old.get("deprecated"):
        yield replace(change, kind="deprecated")
    for key in sorted((old.keys() | new.keys()) - _CHECKED):
        if old.get(key) != new.get(key):
            yield replace(change, kind="constraint changed", after=key)


def _words(row: Mapping[str, Any], path: str = "", of: Table | None = None) -> str:
    """Say what a property is.

    >>> _words({"type": "string", "format": "date-time"})
    'string, date-time'
    """
    below = [other for other in of or () if other != path and path in parents(other)]
    names = [other for other in below if next(parents(other)) == path and other[-1] not in ">*"]
    words = [row["type"], row.get("format", "")]
    if row["type"] == "object" and names:
        words.append(f"{len(names)} {'property' if len(names) == 1 else 'properties'}")
    return ", ".join(word for word in words if word)


def _is_kept(change: Change, old: Table, new: Table) -> bool:
    """Whether the final schemas agree on a property and on all below it."""
    if change.kind not in {"property gone", "property new", "type changed", "date format changed"}:
        return False
    path = change.where
    had, has = (
        {
            name: (row["type"], row.get("format"))
            for name, row in columns.items()
            if name == path or path in parents(name)
        }
        for columns in (old, new)
    )
    return had == has


def _natural(path: str) -> list[str | int]:
    """Order udf2 before udf10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _in_runs(changes: Iterable[Change]) -> Iterator[Change]:
    """Tell properties that differ in a running number as one."""

    def pattern(numbered: tuple[int, Change]) -> tuple[object, ...]:
        place, change = numbered
        stem, number = _stem(change.where)
        run = None if number is None else number - place
        before, after = (text.replace(str(number), "#") for text in (change.before, change.after))
        return change.stream, change.kind, stem, run, before, after, change.kept

    for _, group in groupby(enumerate(changes), pattern):
        run = [change for _, change in group]
        if len(run) < RUN:
            yield from run
        else:
            where = f"{run[0].where} to {run[-1].where}"
            yield replace(run[0], where=where, count=len(run))


def _stem(where: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(.*?)(\d+)", where)
    return (match[1], int(match[2])) if match else (where, None)
