"""Whether streams can be made from a document, and whether the exceptions still apply to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Schema, Spec
from tap_datto_rmm.spec_tools.document import some
from tap_datto_rmm.spec_tools.needs import NEEDS
from tap_datto_rmm.spec_tools.readside import facts
from tap_datto_rmm.spec_tools.tables import table
from tap_datto_rmm.spec_tools.words import undescribed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_datto_rmm.spec_tools.document import Document
    from tap_datto_rmm.spec_tools.needs import Needs

CHOICES: Final = frozenset({"oneOf", "anyOf", "allOf", "$ref"})
"""Keywords that targets do not agree on; no Singer schema has them."""
COMPARED: Final = ("type", "format")


@dataclass(slots=True)
class Findings:
    """What a check found.

    Attributes:
        source: the document.
        version: the build that it describes.
        problems: what keeps a stream from working.
        notes: what somebody should know.
    """

    source: str
    version: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(document: Document, exceptions: list[Schema]) -> Findings:
    """Prove a document.

    Args:
        document: the document.
        exceptions: the exceptions of the wire.
    """
    spec = Spec(document.content, exceptions, document.source)
    found = Findings(document.source, document.version)
    for stream in NEEDS:
        found.problems += [f"{stream.name}: {problem}" for problem in _problems(spec, stream)]
    found.notes += _stale(document, exceptions)
    found.notes += _differences(spec, Spec.load())
    if missing := document.origin.missing:
        found.notes.append(f"not all of the description was there: {some(missing)}")
    without = list(undescribed(document))
    if without:
        found.notes.append(f"{len(without)} without a description: {some(without)}")
    return found


def _problems(spec: Spec, stream: Needs) -> Iterator[str]:
    for template in stream.paths:
        if not spec.paths_of(template):
            yield f"no GET {template}; the stream is left out"
            return
    if stream.component not in spec:
        yield f"no component {stream.component}; the stream is left out"
        return
    try:
        schema = stream.schema(spec)
        Draft202012Validator.check_schema(schema)
    except (SpecError, SchemaError) as error:
        yield getattr(error, "message", str(error))
        return
    if missing := [key for key in stream.primary_keys if key not in schema["properties"]]:
        yield f"the primary key {', '.join(missing)} is not among the properties"
    if choices := sorted(CHOICES & set(_keywords(schema))):
        yield f"the schema has {', '.join(choices)}"


def _keywords(schema: Schema) -> Iterator[str]:
    yield from schema
    for prop in schema.get("properties", {}).values():
        yield from _keywords(prop)
    if isinstance(schema.get("items"), dict):
        yield from _keywords(schema["items"])


def _stale(document: Document, exceptions: list[Schema]) -> Iterator[str]:
    """Name the exceptions that change nothing."""
    for entry in exceptions:
        where = f"{entry['schema']}.{entry['property']}"
        schema = document.schemas.get(entry["schema"])
        given = (schema or {}).get("properties", {}).get(entry["property"])
        if schema is None:
            why = f"there is no schema {entry['schema']}"
        elif entry.get("drop") and given is None:
            why = "there is no such property to drop"
        elif given is not None and "is" in entry and _says_the_same(document, entry, given):
            why = "the document says the same"
        else:
            continue
        yield f"exception {where} matches nothing: {why}"


def _says_the_same(document: Document, entry: Schema, given: Schema) -> bool:
    alone = Spec(document.content, [entry], document.source)
    wanted = alone.component(entry["schema"])["properties"][entry["property"]]
    rows = [table(facts(schema), document.schemas) for schema in (wanted, given)]
    return rows[0] == rows[1]


def _differences(spec: Spec, packaged: Spec) -> Iterator[str]:
    """Say, per stream, how its schema differs from the one made from the packaged document."""
    for stream in NEEDS:
        if not spec.describes(stream.paths[0], stream.component):
            continue
        try:
            tables = [table(stream.schema(one)) for one in (spec, packaged)]
        except SpecError:
            continue
        here, there = (
            {path: {key: row.get(key) for key in COMPARED} for path, row in rows.items()}
            for rows in tables
        )
        parts: dict[str, list[Any]] = {
            "more": sorted(here.keys() - there.keys()),
            "fewer": sorted(there.keys() - here.keys()),
            "other": sorted(
                path for path in here.keys() & there.keys() if here[path] != there[path]
            ),
        }
        told = [f"{what}: {some(paths)}" for what, paths in parts.items() if paths]
        if told:
            yield f"{stream.name} differs from the packaged schema: {'; '.join(told)}"
