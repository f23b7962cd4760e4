"""A catalog as people and tools write it, brought into the one shape that the SDK reads.

What may be missing or null is filled in, and a selection may be text. Anything else that is not as
`--discover` prints it is named by its place, before the SDK trips over it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_datto_rmm.records.openapi import Schema

Json = dict[str, Any]

TYPES: Final = ("string", "integer", "number", "boolean", "object", "array", "null")
DEEPEST: Final = 50
"""Levels that a schema may have; the API's have seven."""
SELECTIONS: Final = {"true": True, "false": False}
TEXTS: Final = ("stream", "replication_key", "replication_method")
TEXTS_OF_METADATA: Final = ("replication-key", "replication-method", "forced-replication-method")


class ShapeError(ValueError):
    """A catalog is none; says where."""


def shaped(catalog: object) -> Json:
    """Bring a catalog into the SDK's shape.

    Raises:
        ShapeError: it cannot be; the place is named.
    """
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list):
        raise ShapeError("it has no list `streams`")
    return {"streams": [_entry(one, f"streams[{number}]") for number, one in enumerate(streams)]}


def repeated_streams(catalog: Mapping[str, Any]) -> list[str]:
    """List the streams that a catalog in the SDK's shape has more than once."""
    counts = Counter(entry["tap_stream_id"] for entry in catalog["streams"])
    return [name for name, count in counts.items() if count > 1]


def _entry(given: object, where: str) -> Json:
    if not isinstance(given, dict) or not isinstance(given.get("tap_stream_id"), str):
        _refuse(where, "has no `tap_stream_id`")
    where = f"{where} ({given['tap_stream_id']})"
    _check_texts(given, TEXTS, where)
    _check_names(given, "key_properties", where)
    metadata = given.get("metadata") or []
    if not isinstance(metadata, list):
        _refuse(f"{where}.metadata", "must be a list")
    return {
        **given,
        "schema": _schema(given.get("schema") or {}, f"{where}.schema"),
        "metadata": [
            _metadata(one, f"{where}.metadata[{number}]") for number, one in enumerate(metadata)
        ],
    }


def _metadata(given: object, where: str) -> Json:
    breadcrumb = given.get("breadcrumb") if isinstance(given, dict) else None
    content = given.get("metadata") if isinstance(given, dict) else None
    if not _are_texts(breadcrumb) or not isinstance(content, dict):
        _refuse(where, 'must be {"breadcrumb": [...], "metadata": {...}}')
    out = dict(content)
    for name in ("selected", "selected-by-default"):
        selection = str(content.get(name)).lower() if content.get(name) is not None else None
        if selection not in {None, *SELECTIONS}:
            _refuse(f"{where}.metadata.{name}", "must be true or false")
        out[name] = SELECTIONS.get(selection or "")
    _check_texts(content, TEXTS_OF_METADATA, f"{where}.metadata")
    _check_names(content, "table-key-properties", f"{where}.metadata")
    # The name in Meltano's documentation and the one in Singer's: the SDK knows the second.
    method = content.get("replication-method")
    out["forced-replication-method"] = content.get("forced-replication-method") or method
    return {"breadcrumb": breadcrumb, "metadata": out}


def _schema(given: object, where: str, depth: int = 0) -> Schema:
    if isinstance(given, bool):  # a JSON Schema too: anything, or nothing
        return {}
    if not isinstance(given, dict):
        _refuse(where, "must be a JSON Schema")
    if depth > DEEPEST:
        _refuse(where, "is nested too deep")
    out = {name: value for name, value in given.items() if value is not None}
    kinds = out.get("type", [])
    if not _are_texts([kinds] if isinstance(kinds, str) else kinds, TYPES):
        _refuse(f"{where}.type", f"may be {', '.join(TYPES)}")
    if isinstance(out.get("items"), list):  # one for each place: an old form
        out["items"] = {}
    if "items" in out:
        out["items"] = _schema(out["items"], f"{where}.items", depth + 1)
    _shape_inside(out, where, depth)
    return out


def _shape_inside(schema: Schema, where: str, depth: int) -> None:
    """Bring the properties of a schema, and its choices, into shape."""
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        _refuse(f"{where}.properties", "must be an object")
    if properties:
        schema["properties"] = {
            name: _schema(one, f"{where}.properties.{name}", depth + 1)
            for name, one in properties.items()
        }
    for choice in ("anyOf", "oneOf"):
        if not isinstance(schema.get(choice, []), list):
            _refuse(f"{where}.{choice}", "must be a list")
        if choice in schema:
            schema[choice] = [_schema(o, f"{where}.{choice}", depth + 1) for o in schema[choice]]


def _check_texts(given: Json, names: Iterable[str], where: str) -> None:
    for name in names:
        if not isinstance(given.get(name, ""), str | None):
            _refuse(f"{where}.{name}", "must be text")


def _check_names(given: Json, name: str, where: str) -> None:
    if not _are_texts(given.get(name) or []):
        _refuse(f"{where}.{name}", "must be a list of names")


def _are_texts(given: object, known: Iterable[str] | None = None) -> bool:
    return isinstance(given, list) and all(
        isinstance(one, str) and (known is None or one in known) for one in given
    )


def _refuse(where: str, what: str) -> NoReturn:
    raise ShapeError(f"`{where}` {what}")
