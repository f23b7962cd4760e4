"""A schema as a flat table: path of each property to the facts about it, references followed.

Two schemas that say the same give the same table, however they are put together, so that comparing
them is comparing keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_datto_rmm.records.openapi import Schema, component_name
from tap_datto_rmm.records.schemas import types_of
from tap_datto_rmm.spec_tools.readside import FACTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Table = dict[str, dict[str, Any]]


def table(
    schema: Schema, schemas: Mapping[str, Schema] | None = None, stop: Collection[str] = ()
) -> Table:
    """Lay a schema out flat.

    Args:
        schema: facts, of a read side or of a stream.
        schemas: where its references lead.
        stop: components that are named and not looked into.
    """
    found: Table = {}
    for path, told in _rows(schema, "", schemas or {}, frozenset(stop)):
        row = found.setdefault(path, {})
        row.update(told)
    return found


def joined(path: str, name: str) -> str:
    """Path of a property of what stands at a path.

    >>> joined("nics[]", "ipv4")
    'nics[].ipv4'
    """
    return f"{path}.{name}" if path else name


def parents(path: str) -> Iterator[str]:
    """Paths that a path lies under, nearest first, the root last.

    >>> list(parents("a[].b"))
    ['a[]', 'a', '']
    """
    for end in range(len(path) - 1, 0, -1):
        if path[end] in ".[<":
            yield path[:end]
    yield ""


def _rows(
    schema: Schema, path: str, schemas: Mapping[str, Schema], stop: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        name = component_name(schema["$ref"])
        if name in stop:
            yield path, {"type": name}
        else:
            # What leads back to itself is named where it would begin again.
            yield from _rows(schemas[name], path, schemas, stop | {name})
        return
    yield path, _facts(schema)
    for name, prop in schema.get("properties", {}).items():
        yield from _rows(prop, joined(path, name), schemas, stop)
    if isinstance(schema.get("items"), dict):
        yield from _rows(schema["items"], f"{path}[]", schemas, stop)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _rows(schema["additionalProperties"], joined(path, "*"), schemas, stop)
    for member in schema.get("allOf", ()):
        yield from _rows(member, path, schemas, stop)
    for number, member in enumerate((*schema.get("oneOf", ()), *schema.get("anyOf", ()))):
        name = component_name(member["$ref"]) if "$ref" in member else str(number)
        yield from _rows(member, f"{path}<{name}>", schemas, stop)


def _facts(schema: Schema) -> dict[str, Any]:
    out = {
        key: sorted(map(str, value)) if isinstance(value, list) else value
        for key, value in schema.items()
        if key in FACTS and key not in {"type", "required"}
    }
    if {"oneOf", "anyOf", "allOf"} & schema.keys() and "type" not in schema:
        return {**out, "type": "object"}
    return {**out, "type": " or ".join(sorted(types_of(schema)))}
