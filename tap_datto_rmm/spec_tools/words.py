"""The project's own words for the vendor's facts.

The packaged document is worded by the project. Whatever still exists keeps its description; what is
new has none until somebody writes it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.settings import PLATFORMS, host_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.spec_tools.document import Document

PROSE: Final = ("summary", "description", "title")
OURS: Final = ("externalDocs", "security", "servers", "tags")
"""Parts of a document that are the project's own."""


def worded(side: Schema, *bases: Mapping[str, Any]) -> Schema:
    """Put words to the facts of a read side.

    Args:
        side: the facts.
        bases: documents whose words are kept wherever what they describe still exists; the first
            that has any wins. The first also gives the parts that are the project's own.
    """
    out = side
    for base in bases:
        out = _with_words(out, base)
    first = bases[0] if bases else {}
    for path, item in out["paths"].items():
        get = item["get"]
        known = (base["paths"][path].get("get", {}) for base in bases if path in base["paths"])
        before: Schema = next(known, {})
        get.update({key: before[key] for key in OURS if key in before})
        if not get["parameters"]:
            del get["parameters"]
        for status, response in get["responses"].items():
            response.setdefault("description", _phrase(status))
    info = {"title": "Datto RMM API, read side", **first.get("info", {}), **side["info"]}
    servers = [{"url": host_url({"platform": name}) + "/api"} for name in PLATFORMS]
    kept = {key: first[key] for key in OURS if key in first}
    components = {**first.get("components", {}), **out["components"]}
    return {"servers": servers, **kept, **out, "info": info, "components": components}


def undescribed(document: Document) -> Iterator[str]:
    """Name what a document's read side leaves without a description."""
    for path, item in document.content["paths"].items():
        get = item.get("get")
        if get is None:
            continue
        if not (get.get("summary") and get.get("description")):
            yield f"GET {path}"
        for parameter in get.get("parameters", ()):
            if not parameter.get("description"):
                yield f"GET {path} parameter {parameter.get('name')}"
    for name, schema in document.schemas.items():
        if not schema.get("description"):
            yield name
        yield from _undescribed_properties(schema, name)


def _undescribed_properties(schema: Schema, where: str) -> Iterator[str]:
    for name, prop in schema.get("properties", {}).items():
        if not prop.get("description"):
            yield f"{where}.{name}"
        yield from _undescribed_properties(prop, f"{where}.{name}")
    for member in (schema.get("items"), *schema.get("allOf", ())):
        if isinstance(member, dict):
            yield from _undescribed_properties(member, where)


def _with_words(part: Any, base: Any) -> Any:
    if isinstance(part, list):
        before = {_name_of(one): one for one in base} if isinstance(base, list) else {}
        return [_with_words(one, before.get(_name_of(one))) for one in part]
    if not isinstance(part, dict):
        return part
    base = base if isinstance(base, dict) else {}
    out = {key: _with_words(value, base.get(key)) for key, value in part.items()}
    # Properties may be called `description` too; what describes them is no text.
    words = {key: base[key] for key in PROSE if isinstance(base.get(key), str)}
    return {**words, **out}


def _name_of(member: Any) -> str:
    if not isinstance(member, dict):
        return str(member)
    if "in" in member:
        return f"{member['in']} {member['name']}"
    return str(member.get("$ref", ""))


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase if status.isdigit() else "Any other answer"
