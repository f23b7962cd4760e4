"""The read side of an OpenAPI document in one form, whoever wrote it: facts only, no prose.

That is GET operations, their parameters and answers, and the schemas that these reach.

References are followed by `referencing`, the kept library that jsonschema itself stands on (0.37.0,
October 2025); the OpenAPI-specific walkers on PyPI either keep inline and referenced schemas apart
or bring a framework, and the comparison itself (`diff`) is set arithmetic on flat tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Schema, Spec, component_name
from tap_datto_rmm.spec_tools.needs import NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


class Document:
    """An OpenAPI document that has been seen to be one.

    Args:
        content: the decoded document.
        source: where it came from, for errors.

    Raises:
        SpecError: it is no OpenAPI 3 document, a reference leads nowhere, or it is not of this API.
    """

    def __init__(self, content: Any, source: str) -> None:  # noqa: ANN401 - of any kind
        """Check it."""
        self.source = source
        self.content: Schema = content
        self._check_shape()
        resource = DRAFT202012.create_resource(content)
        self._resolver = Registry().with_resource("", resource).resolver()
        for reference in set(_references(content)):
            self.follow(reference)

    @classmethod
    def parse(cls, text: bytes, source: str) -> Document:
        """Decode and check a document.

        Raises:
            SpecError: as the class; or it is no JSON.
        """
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise SpecError(f"{source} is not valid JSON ({error}).") from None
        return cls(content, source)

    @property
    def version(self) -> str:
        """The vendor's version text, such as `2.0.0 (Build 235_...)`."""
        return str(self.content["info"].get("version", "unknown"))

    @property
    def schemas(self) -> dict[str, Schema]:
        """The component schemas."""
        schemas: dict[str, Schema] = self.content["components"]["schemas"]
        return schemas

    def follow(self, reference: str) -> Any:  # noqa: ANN401 - what stands there
        """Give what a reference points at.

        Raises:
            SpecError: nothing is there.
        """
        try:
            return self._resolver.lookup(reference).contents
        except (Unresolvable, ValueError, TypeError, LookupError):
            raise SpecError(f"{self.source}: the reference {reference!r} leads nowhere.") from None

    def _check_shape(self) -> None:
        content: Any = self.content
        if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3."):
            raise SpecError(f"{self.source} is no OpenAPI 3 document.")
        wanted = {
            "info": content.get("info"),
            "paths": content.get("paths"),
            "components.schemas": _mapping(content.get("components")).get("schemas"),
        }
        for name, part in wanted.items():
            if not isinstance(part, dict) or not part:
                raise SpecError(f"{self.source} has no `{name}`.")
        for path, item in content["paths"].items():
            if not _is_path_item(item):
                raise SpecError(f"{self.source}: the path {path!r} is damaged.")
        spec = Spec(content, [], self.source)  # sees to the schemas
        if not any(spec.paths_of(path) for stream in NEEDS for path in stream.paths):
            raise SpecError(f"{self.source} describes another API: no stream's path is in it.")


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
    waiting = [*_references(paths)]
    while waiting:
        name = component_name(waiting.pop())
        if name not in schemas:
            schemas[name] = facts(document.schemas[name])
            waiting += _references(schemas[name])
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
            name: facts(_mapping(prop)) for name, prop in schema["properties"].items()
        }
    for key in PARTS:
        if isinstance(schema.get(key), dict):
            out[key] = facts(schema[key])
        elif isinstance(schema.get(key), bool):
            out[key] = schema[key]
    for key in LISTS:
        if isinstance(schema.get(key), list):
            out[key] = [facts(_mapping(member)) for member in schema[key]]
    return out


def canonical(schema: Any) -> bytes:  # noqa: ANN401 - any part of a document
    """Give text that two parts share exactly where they say the same facts."""
    return orjson.dumps(_ordered(schema), option=orjson.OPT_SORT_KEYS)


def answer(operation: Mapping[str, Any]) -> Schema:
    """Give the schema of an operation's success answer, of a read side; empty without one."""
    found: Schema = operation["responses"].get("200", {}).get("content", {}).get(JSON, {})
    return _mapping(found.get("schema"))


def same_facts(one: Schema, other: Schema) -> bool:
    """Whether two read sides state the same: order and the names of operations do not count."""
    return canonical(_comparable(one)) == canonical(_comparable(other))


def _comparable(side: Schema) -> Schema:
    return {
        "version": side["info"]["version"],
        "schemas": side["components"]["schemas"],
        "paths": {
            path: {
                "parameters": {
                    f"{parameter['in']} {parameter['name']}": parameter
                    for parameter in item["get"]["parameters"]
                },
                "responses": item["get"]["responses"],
                "deprecated": item["get"].get("deprecated", False),
            }
            for path, item in side["paths"].items()
        },
    }


def _ordered(part: Any) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(part, list):
        return sorted(map(_ordered, part), key=lambda one: orjson.dumps(one, default=str))
    if not isinstance(part, dict):
        return part
    out = {key: _ordered(value) for key, value in sorted(part.items())}
    if isinstance(part.get("properties"), dict):
        out.setdefault("type", "object")
    return out


def _is_path_item(item: Any) -> bool:  # noqa: ANN401 - decoded JSON of any kind
    if not isinstance(item, dict) or not isinstance(item.get("get", {}), dict):
        return False
    get = item.get("get", {})
    parameters = [item.get("parameters", []), get.get("parameters", [])]
    responses = get.get("responses", {})
    return (
        all(isinstance(part, list) and all(map(_is_parameter, part)) for part in parameters)
        and isinstance(responses, dict)
        and all(isinstance(response, dict) for response in responses.values())
    )


def _is_parameter(part: Any) -> bool:  # noqa: ANN401 - decoded JSON of any kind
    return isinstance(part, dict) and ("$ref" in part or {"in", "name"} <= part.keys())


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
        "schema": facts(_mapping(parameter.get("schema"))),
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
    for content in _mapping(response.get("content")).values():
        if schema := _mapping(_mapping(content).get("schema")):
            return facts(schema)
    return {}


def _named(schema: Schema, names: Mapping[bytes, str]) -> Schema:
    """Say by name what is written out."""
    if isinstance(schema.get("items"), dict):
        return {**schema, "items": _named(schema["items"], names)}
    name = names.get(canonical(schema)) if "properties" in schema else None
    return {"$ref": REFERENCE + quote(name)} if name else schema


def _references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a document
    if isinstance(part, list):
        for member in part:
            yield from _references(member)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for member in part.values():
            yield from _references(member)


def _mapping(part: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a document
    return part if isinstance(part, dict) else {}
