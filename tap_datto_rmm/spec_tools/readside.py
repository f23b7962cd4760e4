"""The read side of an OpenAPI document in one form, whoever wrote it: facts only, no prose.

That is GET operations, their parameters and answers, and the schemas that these reach. The OpenAPI
walkers on PyPI either keep inline and referenced schemas apart or bring a framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from tap_datto_rmm.records.openapi import Schema, component_name
from tap_datto_rmm.spec_tools.document import mapping, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_datto_rmm.spec_tools.document import Document

FACTS: Final = frozenset(
    {
        *("type", "format", "enum", "const", "default", "required", "deprecated", "nullable"),
        *("readOnly", "writeOnly", "discriminator", "uniqueItems", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    }
)
"""Keywords that state a fact. `pattern` is none: the vendor writes prose into it."""

PARTS: Final = ("items", "additionalProperties", "not")
LISTS: Final = ("allOf", "oneOf", "anyOf")
REFERENCE: Final = "#/components/schemas/"
JSON: Final = "application/json"


def read_side(document: Document) -> Schema:
    """Give the read side of a document: facts, in the form of the packaged document.

    Builds up to 201 hang the success schema under error codes, later ones write some answers out
    where a component says the same; here the success schema stands under 200, by name where one
    component is what the answer says.
    """
    names = {canonical(facts(schema)): name for name, schema in sorted(document.schemas.items())}
    paths = {
        path: {"get": _operation(document, item, names)}
        for path, item in document.content["paths"].items()
        if isinstance(item.get("get"), dict)
    }
    schemas: dict[str, Schema] = {}
    waiting = [*references(paths)]
    while waiting:
        name = component_name(waiting.pop())
        if name not in schemas:
            schemas[name] = facts(document.schemas[name])
            waiting += references(schemas[name])
    return {
        "openapi": document.content["openapi"],
        "info": {"version": document.version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def facts(schema: Schema) -> Schema:
    """Copy a schema without its prose."""
    if "$ref" in schema:
        return {"$ref": REFERENCE + quote(component_name(schema["$ref"]))}
    out = {key: schema[key] for key in schema if key in FACTS}
    if isinstance(schema.get("properties"), dict):
        out["properties"] = {
            name: facts(mapping(prop)) for name, prop in schema["properties"].items()
        }
    for key in PARTS:
        if isinstance(schema.get(key), dict):
            out[key] = facts(schema[key])
        elif isinstance(schema.get(key), bool):
            out[key] = schema[key]
    for key in LISTS:
        if isinstance(schema.get(key), list):
            out[key] = [facts(mapping(member)) for member in schema[key]]
    return out


def canonical(schema: Any) -> bytes:
    """Give text that two parts share exactly where they say the same facts."""
    return orjson.dumps(_ordered(schema), option=orjson.OPT_SORT_KEYS)


def answer(operation: Mapping[str, Any]) -> Schema:
    """Give the schema of an operation's success answer, of a read side; empty without one."""
    found: Schema = operation["responses"].get("200", {}).get("content", {}).get(JSON, {})
    return mapping(found.get("schema"))


def path_facts(item: Schema) -> Schema:
    """What a path of a read side states: order and the names of operations do not count."""
    get = item["get"]
    return {
        "parameters": {f"{one['in']} {one['name']}": one for one in get["parameters"]},
        "responses": get["responses"],
        "deprecated": get.get("deprecated", False),
    }


def same_facts(one: Schema, other: Schema) -> bool:
    """Whether two read sides state the same."""
    return canonical(_comparable(one)) == canonical(_comparable(other))


def _comparable(side: Schema) -> Schema:
    return {
        "version": side["info"]["version"],
        "schemas": side["components"]["schemas"],
        "paths": {path: path_facts(item) for path, item in side["paths"].items()},
    }


def _ordered(part: Any) -> Any:
    if isinstance(part, list):
        return sorted(map(_ordered, part), key=lambda one: orjson.dumps(one, default=str))
    if not isinstance(part, dict):
        return part
    out = {key: _ordered(value) for key, value in sorted(part.items())}
    if isinstance(part.get("properties"), dict):
        out.setdefault("type", "object")
    return out


def _operation(document: Document, item: Schema, names: Mapping[bytes, str]) -> Schema:
    get = item["get"]
    given = [*item.get("parameters", ()), *get.get("parameters", ())]
    out = {
        "parameters": [_parameter(document, parameter) for parameter in given],
        "responses": _responses(document, get.get("responses", {}), names),
    }
    return {**{key: get[key] for key in ("operationId", "deprecated") if key in get}, **out}


def _parameter(document: Document, parameter: Schema) -> Schema:
    if "$ref" in parameter:
        parameter = document.follow(parameter["$ref"])
    return {
        "in": parameter["in"],
        "name": parameter["name"],
        "required": bool(parameter.get("required", False)),
        "schema": facts(mapping(parameter.get("schema"))),
    }


def _responses(document: Document, given: Schema, names: Mapping[bytes, str]) -> Schema:
    schemas = {
        str(status): _named(_body(document, response), names) for status, response in given.items()
    }
    # From 200 to 5xx, then `default`: what a success looks like, or else what it must look like.
    order = sorted(schemas, key=lambda status: (not status.startswith("2"), status))
    success = next((schemas[status] for status in order if schemas[status]), {})
    succeeds = any(schemas[status] for status in order if status.startswith("2"))
    out = {}
    for status in ("200", *(status for status in order if not status.startswith("2"))):
        schema = success if status == "200" else schemas[status]
        shown = schema and (status == "200" or succeeds)
        out[status] = {"content": {JSON: {"schema": schema}}} if shown else {}
    return out


def _body(document: Document, response: Schema) -> Schema:
    if "$ref" in response:
        response = document.follow(response["$ref"])
    for content in mapping(response.get("content")).values():
        if schema := mapping(mapping(content).get("schema")):
            return facts(schema)
    return {}


def _named(schema: Schema, names: Mapping[bytes, str]) -> Schema:
    """Say by name what is written out."""
    if isinstance(schema.get("items"), dict):
        return {**schema, "items": _named(schema["items"], names)}
    name = names.get(canonical(schema)) if "properties" in schema else None
    return {"$ref": REFERENCE + quote(name)} if name else schema
