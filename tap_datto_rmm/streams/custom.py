"""Custom streams: endpoints of the spec, or outside it, declared in the settings."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qs, parse_qsl

from jsonschema import Draft202012Validator, SchemaError
from typing_extensions import override

from tap_datto_rmm.api.fan_out import DEVICES, SITES
from tap_datto_rmm.errors import RequestError, TapError
from tap_datto_rmm.records.schemas import finished
from tap_datto_rmm.streams.base import COLUMNS, DattoStream
from tap_datto_rmm.streams.fan_out_stream import FanOutStream
from tap_datto_rmm.streams.list_stream import ListStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_datto_rmm.api.pages import Listing
    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.streams.sync import RunningTap

FAN_OUTS: Final = {None: None, "sites": SITES, "devices": DEVICES}
"""What the `parent` of a declaration may be."""


NO_SUCH_PATH: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.GONE,
    }
)
"""What the API answers where a path is wrong, or is one to send something to."""


class CustomStreamError(TapError):
    """A custom stream cannot work as it is declared."""


def custom_streams(tap: RunningTap, taken: set[str]) -> Iterator[DattoStream]:
    """Make the streams that the setting `custom_streams` declares.

    Args:
        tap: whose they are.
        taken: names that built-in streams have.

    Raises:
        CustomStreamError: a name is taken, a component unknown, or a path and parent do not match.
    """
    for number, declared in enumerate(tap.settings.custom_streams):
        if why := _refusal(tap, declared, taken):
            name = declared.get("name")
            raise CustomStreamError(f"Setting `custom_streams[{number}]` ({name}): {why}.")
        taken.add(declared["name"])
        yield _stream_class(declared, f"custom_streams[{number}]")(tap)


def _refusal(tap: RunningTap, declared: Mapping[str, Any], taken: set[str]) -> str | None:
    """Say what is wrong with a declaration; None where nothing is."""
    component, schema = declared.get("component"), declared.get("schema")
    if declared["name"] in taken:
        return "this name is taken; choose another `name`"
    if bool(component) == bool(schema):
        return "give either `component` or `schema`"
    if component and component not in tap.spec:
        return f"`component` {component!r} is not in the spec; its names are case-sensitive"
    if schema and (why := _schema_problem(schema)):
        return f"`schema` {why}"
    properties = (tap.spec.component(component) if component else schema or {}).get("properties")
    return _path_problem(declared) or _key_problem(declared, properties or {})


def _schema_problem(schema: Mapping[str, Any]) -> str | None:
    """Say why no column can be made of a JSON Schema; None where one can."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(map(str, error.path)) or "it"
        return f"is no valid JSON Schema: {where} is not as the standard says"
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return "must be a JSON Schema of an object with `properties`"
    return next((why for each in properties.values() if (why := _column_problem(each))), None)


def _column_problem(schema: object) -> str | None:
    """Look at a property, and at what is inside."""
    if not isinstance(schema, dict):
        return "must describe each property by an object with a `type`"
    if met := [word for word in ("$ref", "allOf", "anyOf", "oneOf") if word in schema]:
        return f"may not hold `{met[0]}`: write the types out"
    inside = [
        *schema.get("properties", {}).values(),
        *([schema["items"]] if "items" in schema else ()),
    ]
    return next((why for each in inside if (why := _column_problem(each))), None)


def _path_problem(declared: Mapping[str, Any]) -> str | None:
    needed = _column_of(declared)
    path, _, query = declared["path"].partition("?")
    if re.findall(r"[{}]", query):
        return "the query of `path` may hold no placeholder"
    if "page" in parse_qs(query, keep_blank_values=True):
        return "the query of `path` may hold no `page`: paging is the tap's"
    if re.findall(r"\{(\w*)\}", path) == ([needed] if needed else []):
        return None
    wanted = f"`{{{needed}}}` once" if needed else "no placeholder, or `parent` must be set"
    return f"`path` must hold {wanted}"


def _key_problem(declared: Mapping[str, Any], properties: Mapping[str, Any]) -> str | None:
    known = {*properties, _column_of(declared)}
    missing = [key for key in declared["primary_keys"] if key not in known]
    if not declared["primary_keys"]:
        return "`primary_keys` must name at least one property"
    return f"`primary_keys` {', '.join(missing)} not among the properties" if missing else None


def _column_of(declared: Mapping[str, Any]) -> str | None:
    fan_out = FAN_OUTS[declared.get("parent")]
    return fan_out.keys[0] if fan_out else None


def _stream_class(declared: Mapping[str, Any], setting: str) -> type[DattoStream]:
    fan_out, column = FAN_OUTS[declared.get("parent")], _column_of(declared)
    path, _, query = declared["path"].partition("?")
    return type(
        "CustomStream",
        (_CustomStream, FanOutStream if fan_out else ListStream),
        {
            "name": declared["name"],
            "path": path,
            "declared_query": dict(parse_qsl(query, keep_blank_values=True)),
            "component": declared.get("component"),
            "primary_keys": tuple(declared["primary_keys"]),
            "records_key": declared.get("records_key"),
            "fan_out": fan_out,
            "parent_columns": (column,) if column else (),
            "declared_schema": declared.get("schema"),
            "setting": setting,
        },
    )


class _CustomStream(DattoStream):
    """A stream that the settings declare."""

    declared_query: ClassVar[dict[str, str]] = {}
    declared_schema: Schema | None = None
    setting: ClassVar[str]
    """Part of the settings that declares it, such as `custom_streams[0]`."""

    @property
    @override
    def query(self) -> dict[str, Any]:
        return {**super().query, **self.declared_query}

    @override
    def build_schema(self, tap: RunningTap) -> Schema:
        if self.declared_schema is None:
            return super().build_schema(tap)
        return finished(
            self.declared_schema,
            self.declared_keys,
            {name: COLUMNS[name] for name in self.declared_columns},
            keep_unknown=tap.settings.keep_unknown_properties,
        )

    @override
    def listing(self, columns: Mapping[str, Any] | None = None) -> Listing:
        return replace(super().listing(columns), setting=self.setting)

    @override
    def refuse(self, error: TapError) -> None:
        """Fail alone; where the API knows no such path, the setting may be wrong."""
        status = error.status if isinstance(error, RequestError) else None
        if status in NO_SUCH_PATH:
            error.args = (f"{error} Check `{self.setting}.path`.",)
        super().refuse(error)

    @override
    def _count(self) -> None:
        super()._count()
        if self.issues.left_out and not self.report.records:
            self.tell(f"no row came. Check `{self.setting}.path`.")
