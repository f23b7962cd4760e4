"""Several documents of the vendor's as one: the paths and schemas of all.

Two documents may define a schema of one name in two ways. A document holds what its own paths use,
and perhaps more; so the definition counts whose document's paths use it, and the choice is told.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Schema, Spec, component_name
from tap_datto_rmm.spec_tools.document import (
    AnotherApiError,
    Document,
    Group,
    mapping,
    references,
)
from tap_datto_rmm.spec_tools.needs import NEEDS
from tap_datto_rmm.spec_tools.readside import canonical, facts, path_facts, read_side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Merged(NamedTuple):
    """The documents as one.

    Attributes:
        document: the one.
        notes: where the documents contradict each other, and whose word was taken.
    """

    document: Document
    notes: list[str]


def merge(groups: Sequence[Group]) -> Merged:
    """Merge documents.

    Args:
        groups: at least one.

    Raises:
        SpecError: the parts do not fit together.
    """
    if len(groups) == 1:
        return Merged(groups[0].document, [])
    # The document that most streams are read from speaks first.
    parts = sorted(map(_Part, groups), key=lambda part: -len(part.stream_paths))
    notes: list[str] = []
    content = {
        **parts[0].content,
        "paths": _paths(parts, notes),
        "components": {**_other_components(parts), "schemas": _schemas(parts, notes)},
    }
    if len({part.document.version for part in parts}) > 1:
        builds = ", ".join(f"{part.name} {part.document.version}" for part in parts)
        notes.append(f"The documents are of different builds: {builds}.")
    source = ", ".join(part.document.source for part in parts)
    return Merged(Document(content, source), notes)


def merged(files: Sequence[Path], source: str) -> Merged:
    """Read files as one document; those of another API are left out.

    Args:
        files: the vendor's documents.
        source: what they are called together, for errors.

    Raises:
        SpecError: none of them is of this API, or one is damaged.
    """
    groups = []
    for file in files:
        with suppress(AnotherApiError):
            groups.append(Group(file.stem, Document.parse(file.read_bytes(), str(file))))
    if not groups:
        raise SpecError(f"{source} holds no document (*.json) of this API.")
    return merge(groups)


class _Part:
    """One of the documents, and what its paths use."""

    def __init__(self, group: Group) -> None:
        self.name, self.document = group
        self.content = self.document.content
        self.side = read_side(self.document)
        spec = Spec(self.content, [], self.document.source)
        self.stream_paths = {
            path for stream in NEEDS for one in stream.paths for path in spec.paths_of(one)
        }
        self._reached = {path: self._schemas_of(item) for path, item in self.side["paths"].items()}

    def uses(self, schema: str) -> tuple[int, int]:
        """How many paths use a schema: of those that streams read, and of all."""
        paths = [path for path, reached in self._reached.items() if schema in reached]
        return len(self.stream_paths.intersection(paths)), len(paths)

    def _schemas_of(self, item: Schema) -> set[str]:
        schemas: dict[str, Schema] = self.side["components"]["schemas"]
        reached: set[str] = set()
        waiting = [*references(item)]
        while waiting:
            name = component_name(waiting.pop())
            if name not in reached:
                reached.add(name)
                waiting += references(schemas[name])
        return reached


def _schemas(parts: Sequence[_Part], notes: list[str]) -> dict[str, Schema]:
    merged: dict[str, Schema] = {}
    for name in dict.fromkeys(name for part in parts for name in part.document.schemas):
        holders = [part for part in parts if name in part.document.schemas]
        schemas = [part.document.schemas[name] for part in holders]
        taken = 0
        if len({canonical(facts(schema)) for schema in schemas}) > 1:
            uses = [part.uses(name) for part in holders]
            taken = uses.index(max(uses))
            if uses[taken][1]:  # what only writes use is nobody's business here
                notes.append(_told(name, [part.name for part in holders], uses, taken))
        merged[name] = schemas[taken]
    return merged


def _told(schema: str, names: Sequence[str], uses: Sequence[tuple[int, int]], taken: int) -> str:
    counts = ", ".join(
        f"{used} paths of {name}" for name, (_, used) in zip(names, uses, strict=True) if used
    )
    others = sum(1 for _, used in uses if used) > 1
    loss = " Where the others use it, their facts are lost." if others else ""
    return (
        f"Schema {schema} differs between {' and '.join(names)}: that of {names[taken]} is taken "
        f"(used by {counts}).{loss}"
    )


def _paths(parts: Sequence[_Part], notes: list[str]) -> dict[str, Schema]:
    merged: dict[str, Schema] = {}
    for path in dict.fromkeys(path for part in parts for path in part.content["paths"]):
        holders = [part for part in parts if path in part.content["paths"]]
        reads = {
            canonical(path_facts(part.side["paths"][path])): part
            for part in holders
            if path in part.side["paths"]
        }
        merged[path] = {}
        for part in reversed(holders):
            merged[path] |= part.content["paths"][path]
        if len(reads) > 1:
            names = " and ".join(part.name for part in reads.values())
            notes.append(f"GET {path} differs between {names}: that of {holders[0].name} is taken.")
    return merged


def _other_components(parts: Sequence[_Part]) -> dict[str, Any]:
    """Parameters, answers and the like; the document that speaks first has the last word."""
    merged: dict[str, Any] = {}
    for part in reversed(parts):
        for kind, members in mapping(part.content.get("components")).items():
            merged[kind] = {**merged.get(kind, {}), **mapping(members)}
    return merged
