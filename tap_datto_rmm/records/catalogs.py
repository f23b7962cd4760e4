"""What a catalog may change of a stream's schema: columns, their types, their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_datto_rmm.records.schemas import nullable, required

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

    Its columns, types, date formats and order stay. Columns of keys that it lacks are the stream's
    own, and come first. Every column but the keys may be null at every depth. Of a choice
    (`anyOf`, `oneOf`) the first type that is not null counts; other restrictions (`enum`, lengths,
    `required`) are left out, for the API keeps to none.

    Args:
        catalog_schema: as the catalog has it.
        own_schema: of the stream.
        keys: names of the columns that are told as the key to targets.
    """
    given, own = catalog_schema.get("properties") or {}, own_schema["properties"]
    missing = {key: own[key] for key in keys if key in own and key not in given}
    properties = {name: nullable(schema, (name,)) for name, schema in {**missing, **given}.items()}
    properties |= {key: required(properties[key]) for key in keys if key in properties}
    return {"type": "object", "properties": properties}
