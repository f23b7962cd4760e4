"""What a catalog may change of a stream's schema: columns, their types, their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_datto_rmm.records.schemas import nullable, required, types_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_datto_rmm.records.openapi import Schema


def unknown_columns(catalog_schema: Schema, own_schema: Schema) -> list[str]:
    """List the columns that a catalog has and the stream has not.

    Each record has them all the same, as null unless the API sends them after all.
    """
    own = own_schema["properties"]
    return [name for name in catalog_schema.get("properties") or {} if name not in own]


def usable_schema(catalog_schema: Schema, own_schema: Schema, keys: Collection[str]) -> Schema:
    """Make a catalog's schema one that the records of the API fit, whatever it asks for.

    Its columns, types, date formats and order stay. Where it says no type, the stream's own counts;
    without `properties` its whole schema does. Columns of keys that it lacks are the stream's own,
    and come first; a key keeps its type, or is text. Every column but the keys may be null at every
    depth. Of a choice (`anyOf`, `oneOf`) the first type that is not null counts; other restrictions
    (`enum`, lengths, `required`) are left out, for the API keeps to none.

    Args:
        catalog_schema: as the catalog has it.
        own_schema: of the stream.
        keys: names of the columns that are told as the key to targets.
    """
    own = own_schema["properties"]
    given = catalog_schema.get("properties") or own
    missing = {key: own[key] for key in keys if key in own and key not in given}
    properties = {
        name: nullable(_told(schema, own.get(name, {})), (name,))
        for name, schema in {**missing, **given}.items()
    }
    properties |= {key: _of_key(properties[key], own[key]) for key in keys if key in own}
    return {"type": "object", "properties": properties}


def _told(given: Schema, own: Schema) -> Schema:
    """Fill in what a catalog leaves open (`{}`, `$ref`, `allOf`, a type of null alone)."""
    choices = [given, *given.get("anyOf", ()), *given.get("oneOf", ())]
    if not any(_says_type(one) for one in choices):
        return {**own, **_prose(given)}
    out = dict(given)
    if "properties" in given:
        inside = own.get("properties", {})
        out["properties"] = {
            name: _told(one, inside.get(name, {})) for name, one in given["properties"].items()
        }
    if "array" in types_of(given):
        out["items"] = _told(given.get("items", {}), own.get("items", {}))
    return out


def _says_type(schema: Schema) -> bool:
    kinds = schema.get("type", "null")
    return kinds not in ("null", [], ["null"]) or "properties" in schema or "items" in schema


def _of_key(given: Schema, own: Schema) -> Schema:
    """Keep the type of a key, for what it cannot be is no key; as text it may be written."""
    if types_of(given) == ["string"] != types_of(own):
        return required({name: value for name, value in given.items() if name != "format"})
    return required({**nullable(own, ("",)), **_prose(given)})


def _prose(schema: Schema) -> Schema:
    return {name: schema[name] for name in ("description",) if name in schema}
