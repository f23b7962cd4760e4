"""From a component of the OpenAPI document to the Singer schema of a stream.

Every property but the primary key is nullable at every depth, enums are open, nothing is required:
of 113 schemas of the vendor only 4 say what is required, and the wire sends null anywhere
(docs/datto-rmm-api.md §5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.records.openapi import Schema, Spec, component_name
from tap_datto_rmm.records.secrets import SECRET_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN_COLUMN: Final = "_unknown"
KEPT: Final = ("format", "description", "x-sql-datatype", "x-sql-datatype-properties")
"""What restricts nothing; the last two tell targets of Meltano's SDK which type a column has."""
OPEN_OBJECT: Final = {"type": ["object", "null"], "additionalProperties": True}


def stream_schema(
    spec: Spec,
    component: str,
    primary_keys: Sequence[str],
    added: Mapping[str, Schema] | None = None,
    *,
    keep_unknown: bool = False,
) -> Schema:
    """Work out a stream's schema from a component.

    Args:
        spec: where the component is.
        component: its name.
        primary_keys: not nullable, and first.
        added: columns that the tap adds, by name.
        keep_unknown: whether the column for what the spec does not know is added too.

    Raises:
        SpecError: no such component, or none that is an object.
    """
    resolved = _resolved(spec, {"$ref": f"#/components/schemas/{component}"}, ())
    return finished(resolved, primary_keys, added, keep_unknown=keep_unknown)


def finished(
    schema: Schema,
    primary_keys: Sequence[str],
    added: Mapping[str, Schema] | None = None,
    *,
    keep_unknown: bool = False,
) -> Schema:
    """Make a resolved schema that of a stream: keys first, then added columns, all else nullable.

    An added column wins over a property of the same name, as its value does in a record.
    """
    given = {**(added or {}), **schema.get("properties", {}), **(added or {})}
    keys = [key for key in primary_keys if key in given]
    columns = {name: nullable(given[name], (name,)) for name in (*keys, *given)}
    columns |= {key: required(columns[key]) for key in keys}
    if keep_unknown:
        columns[UNKNOWN_COLUMN] = {
            **OPEN_OBJECT,
            "description": "What the API sent and the OpenAPI document does not know, by path.",
        }
    return {"type": "object", "properties": columns}


def nullable(schema: Schema, path: tuple[str, ...]) -> Schema:
    """Keep what a target needs to make a column; allow null at every depth.

    Args:
        schema: of a property, references resolved. Of a choice the first type that is one counts.
        path: of the property; what never leaves the tap is left out.
    """
    schema = _first_choice(schema)
    kind = types_of(schema)
    out: Schema = {"type": [*kind, "null"]}
    if "object" in kind:
        if schema.get("properties"):
            out["properties"] = {
                name: nullable(prop, (*path, name))
                for name, prop in schema["properties"].items()
                if (path[-1], name) not in SECRET_PROPERTIES
            }
        else:
            out["additionalProperties"] = True
    if "array" in kind:
        out["items"] = nullable(schema.get("items") or {}, path)
    out.update({key: schema[key] for key in KEPT if key in schema})
    values = [str(value) for value in schema.get("enum") or () if value is not None]
    told = out.get("description", "")
    if any(value not in told for value in values):
        out["description"] = f"{told} Known values: {', '.join(values)}.".strip()
    return out


def required(schema: Schema) -> Schema:
    """Make a nullable schema that of a key."""
    (kind, *more) = types_of(schema)
    return {**schema, "type": [kind, *more] if more else kind}


def types_of(schema: Schema) -> list[str]:
    """JSON types that a schema allows, null aside; text where it names none.

    >>> types_of({"type": ["integer", "null"]})
    ['integer']
    """
    given: Any = schema.get("type") or ()
    kinds = [kind for kind in ([given] if isinstance(given, str) else given) if kind != "null"]
    if kinds:
        return kinds
    return ["object" if "properties" in schema else "array" if "items" in schema else "string"]


def _resolved(spec: Spec, schema: Schema, above: tuple[str, ...]) -> Schema:
    """Follow references; what stands beside a reference wins over its target."""
    if "$ref" in schema:
        name = component_name(schema["$ref"])
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if name in above:
            return {"type": "object", "additionalProperties": True, **beside}
        return {**_resolved(spec, spec.component(name), (*above, name)), **beside}
    if len(members := schema.get("allOf") or ()) > 0:
        merged: Schema = {"type": "object", "properties": {}}
        for member in (*members, {k: v for k, v in schema.items() if k != "allOf"}):
            part = _resolved(spec, member, above)
            merged["properties"].update(part.get("properties", {}))
            merged.update({k: v for k, v in part.items() if k != "properties"})
        return merged
    if "oneOf" in schema or "anyOf" in schema:
        return {"type": "object", "additionalProperties": True, **_prose(schema)}
    out = dict(schema)
    if "properties" in schema:
        out["type"] = "object"
        out["properties"] = {
            name: _resolved(spec, prop, above) for name, prop in schema["properties"].items()
        }
    if isinstance(schema.get("items"), dict):
        out["items"] = _resolved(spec, schema["items"], above)
    return out


def _prose(schema: Schema) -> Schema:
    return {key: schema[key] for key in KEPT if key in schema}


def _first_choice(schema: Schema) -> Schema:
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    return {**schema, **next((one for one in choices if one.get("type", "null") != "null"), {})}
