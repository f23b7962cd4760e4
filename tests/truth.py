"""What a record must be, said a second time and as simply as possible.

From a row as it is on the wire, the packaged OpenAPI document and the README's rules; nothing
here comes from the tap's own record converter. The fleet's tests, which have packages of their own,
read it too: it needs the standard library alone.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = dict[str, Any]

ROOT = Path(__file__).parent.parent
COMPONENTS: dict[str, Row] = json.loads(
    (ROOT / "specs" / "datto-rmm-openapi.json").read_text(encoding="utf-8")
)["components"]["schemas"]

NEVER = {0, -62_135_596_800_000}
"""Numbers that the vendor sends for a date that is not there: 0, and .NET's minimum date."""


class Stream(NamedTuple):
    """A line of the README's table of streams."""

    component: str
    keys: tuple[str, ...]
    adds: tuple[str, ...] = ()
    incremental_by: str | None = None
    """The date that the bookmark holds; None: each run reads everything."""
    by_default: bool = True


AUDITED = ("deviceUid", "lastAuditDate")
BY_AUDIT = "lastAuditDate"
BY_ACTIVITY = "date"

STREAMS: dict[str, Stream] = {
    "account": Stream("Account", ("uid",)),
    "sites": Stream("Site", ("uid",)),
    "devices": Stream("Device", ("uid",)),
    "alerts": Stream("Alert", ("alertUid",), ("alertContextClass",), "resolvedOn"),
    "device_audits": Stream("DeviceAudit", ("deviceUid",), AUDITED, BY_AUDIT),
    "device_software": Stream("Software", ("deviceUid", "name", "version"), AUDITED, BY_AUDIT),
    "esxi_host_audits": Stream("ESXiHostAudit", ("deviceUid",), AUDITED, BY_AUDIT),
    "printer_audits": Stream("PrinterAudit", ("deviceUid",), AUDITED, BY_AUDIT),
    "activity_logs": Stream("ActivityLog", ("id",), (), BY_ACTIVITY),
    "users": Stream("AuthUser", ("username",)),
    "account_variables": Stream("Variable", ("id",)),
    "components": Stream("Component", ("uid",)),
    "default_filters": Stream("Filter", ("id",)),
    "custom_filters": Stream("Filter", ("id",)),
    "dnet_site_mappings": Stream("DnetSiteMappingsDto", ("uid",)),
    "site_settings": Stream("SiteSettings", ("siteUid",), ("siteUid",)),
    "site_variables": Stream("Variable", ("siteUid", "id"), ("siteUid",)),
    "site_filters": Stream("Filter", ("siteUid", "id"), ("siteUid",)),
    "site_network_interfaces": Stream("Device Network Interface", ("uid",)),
    "site_patches": Stream(
        "SitePatch", ("siteUid", "patchId", "installStatus"), ("siteUid",), by_default=False
    ),
    "device_patches": Stream(
        "Patch", ("deviceUid", "patchId"), AUDITED, BY_AUDIT, by_default=False
    ),
    "jobs": Stream("Job", ("uid",), (), BY_ACTIVITY),
    "job_components": Stream(
        "JobComponent", ("jobUid", "uid"), ("jobUid",), BY_ACTIVITY, by_default=False
    ),
    "job_results": Stream("JobResults", ("jobUid", "deviceUid"), (), BY_ACTIVITY, by_default=False),
    "job_outputs": Stream(
        "JobStdData",
        ("jobUid", "deviceUid", "componentUid", "channel"),
        ("jobUid", "deviceUid", "channel"),
        BY_ACTIVITY,
        by_default=False,
    ),
    "devices_v3": Stream("DeviceV3", ("uid",), by_default=False),
}
"""The table of streams."""

SETTINGS: dict[str, object] = {
    "api_key": None,
    "api_secret": None,
    "platform": None,
    "api_url": None,
    "start_date": None,
    "page_size": 250,
    "max_requests_per_minute": 540,
    "max_parallel_requests": 8,
    "request_timeout": 60,
    "lookback_minutes": 60,
    "full_sweep_days": 7,
    "audit_sweep_days": 30,
    "refresh_hours": {},
    "emit_activate_version_messages": False,
    "deletion_guard_percent": 20,
    "keep_unknown_properties": False,
    "account_uid": None,
    "account_column": False,
    "report_path": None,
    "user_agent": None,
    "custom_streams": [],
    "spec_path": None,
}
"""The settings and their defaults."""

UDFS = {f"udf{n}": {"type": "string"} for n in range(1, 301)}
ON_THE_WIRE: dict[str, dict[str, Row]] = {
    "Device": {
        "udf": {"type": "object", "properties": UDFS},
        "warrantyDate": {"type": "string", "format": "date"},
    },
    "Alert": {"alertContext": {"type": "object"}, "alertContextClass": {"type": "string"}},
    "DeviceV3": {"warrantyDate": {"type": "string", "format": "date"}},
    "ActivityLog": {"date": {"type": "string", "format": "date-time"}},
}
"""Properties that the wire has and the document lacks, or has otherwise."""


def record_of(stream: str, row: Mapping[str, Any], parent: Mapping[str, Any]) -> Row:
    """Say what the record of a wire row is: every column, in order."""
    component, keys, adds, *_ = STREAMS[stream]
    given = _object(dict(row), _component(component), inside="")
    record = {name: given.get(name) for name in columns_of(stream)}
    if component == "Alert":
        context = row.get("alertContext")
        record["alertContextClass"] = context.get("@class") if context else None
    if component == "Device" and record["udf"] is not None:
        record["udf"] = {name: value for name, value in record["udf"].items() if value is not None}
    for name in adds:
        if name in parent:
            value = parent[name]
            record[name] = timestamp(value) if name == "lastAuditDate" else value
    for name in keys[1:]:  # all of them are text, but for ids, which are never null
        record[name] = "" if record[name] is None else record[name]
    return record


def columns_of(stream: str) -> list[str]:
    """Name the columns in order: keys, what the tap adds, the document's, the wire's own."""
    component, keys, adds, *_ = STREAMS[stream]
    wire = ON_THE_WIRE.get(component, {})
    document = [*adds, *COMPONENTS[component]["properties"]]
    return list(dict.fromkeys([*keys, *(name for name in document if name not in wire), *wire]))


def records_of(stream: str, lines: Iterable[bytes]) -> dict[tuple[Any, ...], Row]:
    """Say what the records of a stream are, by key: each key once, the first row of it.

    Args:
        stream: its name.
        lines: `{"parent": {...}, "row": {...}}` each, as JSON.
    """
    found: dict[tuple[Any, ...], Row] = {}
    for line in lines:
        record = _record_of_line(stream, line)
        found.setdefault(key_of(stream, record), record)
    return found


@lru_cache(maxsize=20_000)  # a test looks at the same account before and after each run
def _record_of_line(stream: str, line: bytes) -> Row:
    told = json.loads(line)
    return record_of(stream, told["row"], told["parent"])


def key_of(stream: str, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give a record's primary key."""
    return tuple(record[name] for name in STREAMS[stream].keys)


def timestamp(value: float | str | None) -> str | None:
    """Give the canonical timestamp: UTC, six digits behind the point."""
    if value is None or value in NEVER:
        return None
    if isinstance(value, str):
        moment = datetime.fromisoformat(value).astimezone(UTC)
    else:
        number = Decimal(str(value))
        microseconds = number * (1_000 if abs(number) >= Decimal(10) ** 11 else 1_000_000)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(microseconds))
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}+00:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", text)
    return text


def _component(name: str) -> Row:
    schema = COMPONENTS[name]
    return {**schema, "properties": {**schema["properties"], **ON_THE_WIRE.get(name, {})}}


def _object(value: Row, schema: Row, inside: str) -> Row:
    known = schema["properties"]
    if inside == "proxySettings":
        known = {name: known[name] for name in known if name != "password"}
    return {name: _value(value[name], known[name], name) for name in value if name in known}


def _value(value: Any, schema: Row, name: str) -> Any:
    """Say what a value becomes. Anything but the types of the tables is an error here."""
    while "$ref" in schema:
        schema = _component(unquote(schema["$ref"].rpartition("/")[2]))
    kind = "anything" if value is None or "oneOf" in schema else schema["type"]
    if kind == "object" and "properties" in schema:
        return _object(value, schema, name)
    if kind == "array":
        return [_value(item, schema["items"], name) for item in value]
    if kind == "string" and schema.get("format") == "date-time":
        return timestamp(value)
    if kind == "string" and schema.get("format") == "date":
        assert re.match(r"\d{4}-\d\d-\d\d", value)
        return value[:10]
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    assert isinstance(value, JSON_TYPES.get(kind, object)), (name, value)
    return value


JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
