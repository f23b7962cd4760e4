"""What changed between two OpenAPI documents, stream by stream, with a verdict for each change.

Only the read side counts, and only facts. The tables compared are flat, so that the comparison is
set arithmetic: deepdiff 9.1 and dictdiffer 0.10 would compare the trees, in which the vendor's
builds differ where they say the same; the rules (`verdicts`) are ours.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.records.openapi import Schema, Spec, component_name
from tap_datto_rmm.spec_tools.needs import NEEDS
from tap_datto_rmm.spec_tools.readside import answer, canonical, read_side
from tap_datto_rmm.spec_tools.tables import Table, parents, table
from tap_datto_rmm.spec_tools.verdicts import Rule, Verdict, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_datto_rmm.spec_tools.needs import Needs
    from tap_datto_rmm.spec_tools.readside import Document

NO_STREAM: Final = ""
"""Stands for the stream of what no stream reads."""

DATES: Final = frozenset({"date", "date-time", "time"})
RUN: Final = 3
"""So many properties that differ in their number only are told as one change."""

_CHECKED = {"type", "format", "enum", "deprecated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed.

    Attributes:
        stream: whose it is; `NO_STREAM` for what no stream reads.
        kind: a key of `RULES`.
        where: what changed: a property's path, a parameter, an endpoint, a component.
        before: what it was, in words; empty where that is not told.
        after: what it is.
        kept: whether the stream's schema stays as it was, thanks to the exceptions of the wire.
        count: how many properties it stands for.
    """

    stream: str
    kind: str
    where: str
    before: str = ""
    after: str = ""
    kept: bool = False
    count: int = 1

    @property
    def text(self) -> str:
        """The change in words."""
        detail = " → ".join(filter(None, (self.before, self.after)))
        some = f"{self.count} of them" if self.count > 1 else ""
        note = "; ".join(filter(None, (some, detail)))
        return f"{self.kind}: {self.where}" + (f" ({note})" if note else "")

    @property
    def rule(self) -> Rule:
        """How much it matters, and why."""
        return rule(self.kind, of_a_stream=self.stream != NO_STREAM)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed from one document to another.

    Attributes:
        old: the one.
        new: the other.
        changes: what changed, in the order of the streams, what no stream reads last.
    """

    old: Side
    new: Side
    changes: list[Change]

    @property
    def counts(self) -> Counter[Verdict]:
        """How many changes there are of each verdict."""
        return Counter(change.rule.verdict for change in self.changes)

    @property
    def verdict(self) -> Verdict:
        """The worst one; compatible where nothing changed."""
        return next((one for one in Verdict if self.counts[one]), Verdict.COMPATIBLE)


class Endpoint(NamedTuple):
    """A GET operation and its path."""

    path: str
    operation: Schema


class Side:
    """One of the two documents.

    Args:
        document: the document.
        exceptions: the exceptions of the wire.
    """

    def __init__(self, document: Document, exceptions: list[Schema]) -> None:
        """Take its read side."""
        self.version = document.version
        self.facts = read_side(document)
        self.schemas: dict[str, Schema] = self.facts["components"]["schemas"]
        self.gets = {
            _shape(path): Endpoint(path, item["get"]) for path, item in self.facts["paths"].items()
        }
        # A component that no GET answers with any more is still there to make a schema from.
        self.components = {**document.schemas, **self.schemas}
        self.spec = Spec(document.content, exceptions, document.source)

    def endpoints(self, stream: Needs) -> dict[str, Endpoint]:
        """What a stream reads, by path without the names of parameters."""
        paths = {path for template in stream.paths for path in self.spec.paths_of(template)}
        return {_shape(path): self.gets[_shape(path)] for path in sorted(paths)}

    def columns(self, stream: Needs) -> Table:
        """A stream's final schema; empty where it cannot be made."""
        if stream.component not in self.spec:
            return {}
        return table(stream.schema(self.spec))

    @cached_property
    def read_by_streams(self) -> frozenset[str]:
        """Components that streams read."""
        roots = [
            answer(endpoint.operation)
            for stream in NEEDS
            for endpoint in self.endpoints(stream).values()
        ]
        return frozenset(self._reached(roots))

    @cached_property
    def readable(self) -> frozenset[str]:
        """Components that success answers hold."""
        return frozenset(
            self._reached(answer(endpoint.operation) for endpoint in self.gets.values())
        )

    def answers(self, operation: Schema) -> str:
        """Say what an operation answers: a component, or else the schema's facts.

        Build 235 writes `GET /v2/alert/{alertUid}` out with a base in place of its variants: what
        has a component's properties counts as that component.
        """
        schema = answer(operation)
        if "$ref" in schema:
            return component_name(schema["$ref"])
        properties = set(schema.get("properties", {}))
        alike = [
            name
            for name, one in sorted(self.components.items())
            if properties and set(one.get("properties", {})) == properties
        ]
        return alike[0] if alike else canonical(schema).decode()

    def _reached(self, roots: Iterable[Schema]) -> Iterator[str]:
        seen: set[str] = set()
        waiting: list[Any] = list(roots)
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting += part
            elif isinstance(part, dict):
                waiting += part.values()
                if isinstance(part.get("$ref"), str):
                    name = component_name(part["$ref"])
                    if name not in seen:
                        seen.add(name)
                        yield name
                        waiting.append(self.schemas[name])


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
    yield from _endpoints(name, had, has)
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
    yield from _endpoints(NO_STREAM, had, has)
    for shape in sorted(had.keys() & has.keys()):
        path, before, after = has[shape].path, had[shape].operation, has[shape].operation
        yield from _parameters(NO_STREAM, before, after, f"{path}: ")
        was, now = old.answers(before), new.answers(after)
        if was != now:
            yield Change(stream=NO_STREAM, kind="answer changed", where=path, before=was, after=now)
    for name in sorted((old.readable | new.readable) - old.read_by_streams - new.read_by_streams):
        if name not in old.readable or name not in new.readable:
            kind = "component new" if name in new.readable else "component gone"
            yield Change(stream=NO_STREAM, kind=kind, where=name)
            continue
        tables = (table(side.schemas[name], side.schemas, side.schemas) for side in (old, new))
        for change in _properties(NO_STREAM, *tables):
            yield replace(change, where=f"{name}.{change.where}" if change.where else name)


def _shape(path: str) -> str:
    """Leave the names of parameters out of a path.

    >>> _shape("/v2/site/{siteUid}")
    '/v2/site/{}'
    """
    return re.sub(r"\{\w*\}", "{}", path)


def _endpoints(
    stream: str, had: Mapping[str, Endpoint], has: Mapping[str, Endpoint]
) -> Iterator[Change]:
    for shape in sorted(had.keys() - has.keys()):
        yield Change(stream=stream, kind="endpoint gone", where=f"GET {had[shape].path}")
    for shape in sorted(has.keys() - had.keys()):
        yield Change(stream=stream, kind="endpoint new", where=f"GET {has[shape].path}")


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
