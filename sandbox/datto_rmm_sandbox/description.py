"""The API's description that the sandbox publishes, as the vendor does now and as it did before.

Since September 2026 the vendor splits it by version of the API, and `swagger-config` lists the
parts (docs/datto-rmm-api.md §12); the list has springdoc's form. None of it needs a token.
"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from datto_rmm_sandbox.answers import Answer, ApiError, json_answer
from datto_rmm_sandbox.damage import OTHER_HOST

if TYPE_CHECKING:
    from starlette.requests import Request

    from datto_rmm_sandbox.records import Row
    from datto_rmm_sandbox.state import State

NAME = "datto-rmm-openapi.json"
FOLDER = "/api/v3/api-docs"
V2, V3, OTHER = "Datto-RMM-v2", "Datto-RMM-v3", "Operations"
"""Names of parts: one for each version of the API, and one of another kind."""

LISTED: dict[str, tuple[str, ...]] = {
    "groups": (V2, V3),
    "absolute": (V2, V3),
    "elsewhere": (V2, V3),
    "contradicting": (V2, V3),
    "with-others": (V2, V3, OTHER),
    "v2-only": (V2,),
    "one-document": ("",),
    "old-address": (),
    "bare-address": (),
    "nowhere": (),
}
"""Ways to publish it (the switch `description`), and what `swagger-config` lists then."""

WHOLE_AT = {"one-document": "", "old-address": "Datto-RMM", "bare-address": ""}
"""Where there is one document for everything, by its name below the folder."""


def publish(state: State, request: Request) -> Answer:
    """GET /v3/api-docs and what lies below it.

    Raises:
        ApiError: nothing is published there.
    """
    way = state.quirks.description
    name = request.path_params.get("name", "")
    if WHOLE_AT.get(way) == name:
        return json_answer(_document())
    if name == "swagger-config" and LISTED[way]:
        return json_answer(_config(way, str(request.base_url).rstrip("/")))
    if name and name in LISTED[way]:
        return json_answer(_part(name, contradicting=way == "contradicting"))
    # What the vendor's older address has answered since; so does everything where all is broken.
    raise ApiError(500 if name == "Datto-RMM" or way == "nowhere" else 404)


def _config(way: str, base: str) -> Row:
    if way == "one-document":
        return {"configUrl": f"{FOLDER}/swagger-config", "url": FOLDER, "validatorUrl": ""}
    urls = [{"url": f"{FOLDER}/{name}", "name": name} for name in LISTED[way]]
    if way == "absolute":
        urls = [{**one, "url": base + one["url"]} for one in urls]
    if way == "elsewhere":
        urls[-1]["url"] = f"https://{OTHER_HOST}{urls[-1]['url']}"
    return {"configUrl": f"{FOLDER}/swagger-config", "urls": urls, "validatorUrl": ""}


def _part(name: str, *, contradicting: bool) -> Row:
    """One part: the paths of a version, and the schemas that these lead to."""
    if name == OTHER:
        answer = {"description": "OK"}
        return {
            "openapi": "3.1.0",
            "info": {"title": name, "version": "1"},
            "paths": {"/actuator/health": {"get": {"responses": {"200": answer}}}},
        }
    whole = _document()
    version = f"/{name.rpartition('-')[2]}/"
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(version)}
    schemas = _reached(paths, whole["components"]["schemas"])
    if contradicting and name == V3:  # another idea of something that its own paths do not use
        schemas["Site"] = {"type": "object", "properties": {"uid": {"type": "integer"}}}
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _reached(paths: Row, schemas: Row) -> Row:
    found: Row = {}
    waiting: list[Any] = [paths]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = str(part.get("$ref", "")).rpartition("/")[2].replace("%20", " ")
            if name in schemas and name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return found


def _document() -> Row:
    return copy.deepcopy(_read())


@cache
def _read() -> Row:
    """The project's document: inside the installed package, in a checkout under specs/."""
    package = Path(__file__).parent
    inside = package / "specs" / NAME
    document = inside if inside.exists() else package.parents[1] / "specs" / NAME
    content: Row = orjson.loads(document.read_bytes())
    return content
