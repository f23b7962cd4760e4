"""The OpenAPI document, and what the wire does differently: the two sources of every schema."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.texts import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT_NAME: Final = "datto-rmm-openapi.json"
EXCEPTIONS_NAME: Final = "wire-exceptions.json"

Schema = dict[str, Any]


def packaged(name: str) -> Path:
    """Path of a file of `specs/`: in the wheel inside the package, in a checkout beside it."""
    package = Path(__file__).parents[1]
    inside = package / "specs" / name
    return inside if inside.exists() else package.parent / "specs" / name


class Spec:
    """An OpenAPI document with the exceptions of the wire applied.

    Args:
        document: the decoded OpenAPI document.
        exceptions: the decoded exceptions table.
        source: where the document came from, for errors.
    """

    def __init__(self, document: Schema, exceptions: list[Schema], source: str) -> None:
        """Check that the document is one."""
        components = document.get("components") if _is_openapi(document) else None
        schemas = components.get("schemas") if isinstance(components, dict) else None
        if not isinstance(schemas, dict) or not isinstance(document.get("paths"), dict):
            raise SpecError(
                f"{source} is no OpenAPI 3 document with paths and schemas. {_RECOVERY}"
            )
        if unsound := [name for name, schema in schemas.items() if not _is_schema(schema)]:
            raise SpecError(f"{source}: the schema `{unsound[0]}` is damaged. {_RECOVERY}")
        self.source = source
        self.document = document
        self.exceptions = exceptions
        self._schemas: dict[str, Schema] = schemas

    @classmethod
    def load(cls, path: str | Path | None = None) -> Spec:
        """Read a document from a file; the packaged one without a path.

        Raises:
            SpecError: the file is missing, no JSON, or no OpenAPI document.
        """
        file = Path(path).expanduser() if path else packaged(DOCUMENT_NAME)
        return cls(_read(file), wire_exceptions(), str(file))

    @property
    def version(self) -> str:
        """The vendor's version text, such as `2.0.0 (Build 235_…)`."""
        info = self.document.get("info")
        return str(info.get("version", "unknown")) if isinstance(info, dict) else "unknown"

    @cached_property
    def get_paths(self) -> frozenset[str]:
        """Paths that can be read."""
        return frozenset(
            path
            for path, item in self.document["paths"].items()
            if isinstance(item, dict) and isinstance(item.get("get"), dict)
        )

    def paths_of(self, template: str) -> list[str]:
        """Paths of the document that a stream's path stands for; none where they are missing.

        What a parameter is called does not matter. A placeholder that is no parameter stands for
        fixed words: `/v2/job/{jobUid}/results/{deviceUid}/{channel}` for its `stdout` and `stderr`.
        """
        return _matching(template, self.get_paths)

    def describes(self, path: str, component: str) -> bool:
        """Whether a stream can be made from the document."""
        return component in self and bool(self.paths_of(path))

    def is_list(self, path: str) -> bool | None:
        """Whether a path takes `max`, the rows per page; None: the document does not know it."""
        if path not in self.get_paths:
            return None
        parameters = self.document["paths"][path]["get"].get("parameters", [])
        return any(parameter.get("name") == "max" for parameter in parameters)

    def __contains__(self, component: object) -> bool:
        """Whether there is a schema of that name."""
        return component in self._schemas

    def component(self, name: str) -> Schema:
        """Give one schema by name, references unresolved, the wire's exceptions applied.

        Raises:
            SpecError: there is none of that name.
        """
        if name not in self._schemas:
            raise SpecError(f"{self.source} has no schema `{name}`. {_RECOVERY}")
        schema = self._schemas[name]
        changes = [entry for entry in self.exceptions if entry["schema"] == name]
        if not changes:
            return schema
        properties = dict(schema.get("properties", {}))
        for entry in changes:
            properties.pop(entry["property"], None)
            if "is" in entry:
                properties[entry["property"]] = _numbered(entry)
        return {**schema, "properties": properties}

    def copies(self, name: str) -> dict[str, list[str]]:
        """Properties of a schema that repeat a nested one: name to path."""
        return {
            entry["property"]: entry["copies"]
            for entry in self.exceptions
            if entry["schema"] == name and "copies" in entry
        }

    def drop_nulls(self, name: str) -> list[str]:
        """Properties of a schema whose own properties are left out where they are null."""
        return [
            entry["property"]
            for entry in self.exceptions
            if entry["schema"] == name and entry.get("drop_nulls")
        ]


_RECOVERY = (
    "Remove `spec_path` to use the packaged document, restore the file (`git checkout -- FILE`), "
    "or fetch a fresh one with `tap-datto-rmm-spec sync`."
)


def wire_exceptions() -> list[Schema]:
    """Read the table of what the wire does differently.

    Raises:
        SpecError: the packaged file is missing or damaged.
    """
    exceptions: list[Schema] = _read(packaged(EXCEPTIONS_NAME))["exceptions"]
    return exceptions


def component_name(reference: str) -> str:
    """Name of the schema that a `$ref` points at.

    >>> component_name("#/components/schemas/Account%20Descriptor")
    'Account Descriptor'
    """
    return unquote(reference.rsplit("/", 1)[-1]).replace("~1", "/").replace("~0", "~")


def _read(file: Path) -> Any:
    try:
        return orjson.loads(decoded(file.read_bytes()))
    except OSError as error:
        raise SpecError(f"Cannot read {file}: {error.strerror}. {_RECOVERY}") from None
    except ValueError as error:
        raise SpecError(f"{file} is not valid JSON ({error}). {_RECOVERY}") from None


def _matching(template: str, paths: Iterable[str]) -> list[str]:
    pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(template)))
    found = {path: match.groups() for path in paths if (match := pattern.fullmatch(path))}
    exact = [path for path, parts in found.items() if all(part[0] == "{" for part in parts)]
    return sorted(exact or found)


def _is_openapi(document: object) -> bool:
    return isinstance(document, dict) and str(document.get("openapi", "")).startswith("3")


def _is_schema(part: object) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("properties", {}), dict):
        return False
    if not isinstance(part.get("type", ""), str | list):
        return False
    below = [*part.get("properties", {}).values(), *([part["items"]] if "items" in part else ())]
    return all(map(_is_schema, below))


def _numbered(entry: Schema) -> Schema:
    """Write out a property whose own properties are numbered."""
    schema: Schema = entry["is"]
    if "from" not in entry:
        return schema
    ((name, pattern),) = schema["properties"].items()
    numbered = {
        name.replace("{n}", str(n)): {
            key: value.replace("{n}", str(n)) if isinstance(value, str) else value
            for key, value in pattern.items()
        }
        for n in range(entry["from"], entry["to"] + 1)
    }
    return {**schema, "properties": numbered}
