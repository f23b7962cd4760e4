"""The settings: what a user may set, what each may be, and what is wrong with those given."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from singer_sdk import typing as th
from typing_extensions import override

from tap_datto_rmm.records.schemas import types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PLATFORMS = ("pinotage", "merlot", "concord", "vidal", "zinfandel", "syrah")
"""The vendor's six platforms; a key belongs to one (help page "APIv2", section "Access")."""

MAX_PAGE_SIZE = 250
"""Default and maximum rows per page (`GET /v2/system/pagination`)."""

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""The only hosts that plain `http://` is allowed for: the sandbox runs there."""

STREAM_NAME = r"^[a-z][a-z0-9_]*$"

_CUSTOM_STREAM = th.ObjectType(
    th.Property("name", th.StringType(pattern=STREAM_NAME), required=True, nullable=False),
    th.Property("path", th.StringType(pattern=r"^/\S+$"), required=True, nullable=False),
    th.Property(
        "primary_keys",
        th.ArrayType(th.StringType(nullable=False)),
        required=True,
        nullable=False,
    ),
    th.Property("records_key", th.StringType, description="Array of a page that holds the rows."),
    th.Property("component", th.StringType, description="Schema of the spec."),
    th.Property("schema", th.ObjectType(), description="JSON Schema given in place."),
    th.Property("parent", th.StringType(allowed_values=["sites", "devices"])),
    additional_properties=False,
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API key",
        description="API key of a Datto RMM user (Setup > Users > Generate API Keys).",
    ),
    th.Property(
        "api_secret",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API secret",
        description="API secret key that was shown with the API key.",
    ),
    th.Property(
        "platform",
        th.StringType(allowed_values=PLATFORMS),
        title="Platform",
        description="Platform of the account. Required unless `api_url` is given.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description=(
            "Overrides the URL that follows from `platform`; `https://host` and "
            "`https://host/api` both work."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Nothing older is read by activity logs and resolved alerts.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_PAGE_SIZE),
        default=MAX_PAGE_SIZE,
        title="Page size",
        description="Rows per page.",
    ),
    th.Property(
        "max_requests_per_minute",
        th.IntegerType(minimum=1),
        default=540,
        title="Requests per minute",
        description=(
            "The tap's own budget in any rolling 60 seconds. At 540 of the account's 600 the "
            "vendor starts to slow answers down."
        ),
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(minimum=1),
        default=8,
        title="Parallel requests",
        description="Requests under way at once.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=3600),
        default=60,
        title="Request time-out",
        description="Seconds that one request may take.",
    ),
    th.Property(
        "lookback_minutes",
        th.IntegerType(minimum=0, maximum=525_600),
        default=60,
        title="Look-back",
        description=(
            "Overlap, in minutes, that activity logs, jobs and resolved alerts read again; audits "
            "need none, as the API dates them itself."
        ),
    ),
    th.Property(
        "resolved_alerts_newest_first",
        th.BooleanType,
        default=False,
        title="Resolved alerts come newest first",
        description=(
            "Set it once you have seen that your account lists resolved alerts newest first: "
            "reading then stops early."
        ),
    ),
    th.Property(
        "full_sweep_days",
        th.IntegerType(minimum=1, maximum=3650),
        default=7,
        title="Full sweep",
        description=(
            "With `resolved_alerts_newest_first`: days after which all resolved alerts are read "
            "all the same."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION",
        description=(
            "Lets targets mark or remove rows that a complete full-table read no longer has."
        ),
    ),
    th.Property(
        "deletion_guard_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=20,
        title="Deletion guard",
        description=(
            "With `emit_activate_version_messages`: no such message when more than this share "
            "of the last complete read would vanish."
        ),
    ),
    th.Property(
        "keep_unknown_properties",
        th.BooleanType,
        default=False,
        title="Keep unknown properties",
        description=(
            "Adds an object column `_unknown` with what the API sent and the spec does not know."
        ),
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header. Default: tap-datto-rmm/VERSION.",
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(_CUSTOM_STREAM),
        default=[],
        title="Custom streams",
        description="Endpoints of the spec, or outside it, as extra streams (GET only).",
    ),
    th.Property(
        "spec_path",
        th.StringType,
        title="OpenAPI document",
        description="Another OpenAPI document than the packaged one, e.g. a freshly synced one.",
    ),
).to_dict()

EXPECTED = {
    "api_key": "the API key of a Datto RMM user, as text",
    "api_secret": "the API secret key that belongs to `api_key`, as text",
    "platform": f"one of {', '.join(PLATFORMS)}",
    "api_url": "a URL such as https://merlot-api.centrastage.net (https, except on this machine)",
    "start_date": "a date-time such as 2026-01-01T00:00:00Z",
    "page_size": f"a whole number from 1 to {MAX_PAGE_SIZE}",
    "max_requests_per_minute": "a whole number, 1 or more",
    "max_parallel_requests": "a whole number, 1 or more",
    "request_timeout": "seconds, more than 0 and at most 3600",
    "lookback_minutes": "a whole number of minutes, 0 or more, at most 525600 (a year)",
    "resolved_alerts_newest_first": "true or false",
    "full_sweep_days": "a whole number of days, 1 or more, at most 3650",
    "emit_activate_version_messages": "true or false",
    "deletion_guard_percent": "a whole number from 0 to 100",
    "keep_unknown_properties": "true or false",
    "user_agent": "text without line breaks",
    "custom_streams": (
        "a list of {name, path, primary_keys, records_key?, component?, schema?, parent?}; name in "
        "small letters, path with a leading /, parent `sites` or `devices`"
    ),
    "spec_path": "the path of an OpenAPI document in JSON",
}
"""What each setting may be, in words: the second half of every error about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in use, checked and with defaults filled in. Names as in the README."""

    api_key: str
    api_secret: str
    host_url: str
    """`scheme://host[:port]` of the API, without `/api`."""
    start_date: datetime | None
    page_size: int
    max_requests_per_minute: int
    max_parallel_requests: int
    request_timeout: float
    lookback_minutes: int
    resolved_alerts_newest_first: bool
    full_sweep_days: int
    deletion_guard_percent: int
    user_agent: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a config that `problems` found nothing wrong with.

        Args:
            config: the tap's config, defaults filled in.
        """
        start = config.get("start_date")
        return cls(
            api_key=config["api_key"],
            api_secret=config["api_secret"],
            host_url=host_url(config),
            start_date=as_utc(start) if start else None,
            user_agent=config.get("user_agent") or f"tap-datto-rmm/{package_version()}",
            **{name: _value(config, name) for name in cls.__slots__ if name in _PLAIN},
        )

    @override
    def __repr__(self) -> str:
        """Name the host only: a repr may end in a log."""
        return f"Settings(host_url={self.host_url!r})"


_PLAIN = frozenset(
    name for name, prop in CONFIG_SCHEMA["properties"].items() if "default" in prop
) - {"custom_streams"}


def _value(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - a setting of any type
    value = config.get(name)
    if value is None:
        return CONFIG_SCHEMA["properties"][name]["default"]
    return float(value) if isinstance(value, Decimal) else value  # the SDK reads 2.5 as Decimal


@cache
def package_version() -> str:
    """Version of the installed package."""
    try:
        return version("tap-datto-rmm")
    except PackageNotFoundError:
        return "0+unknown"


def host_url(config: Mapping[str, Any]) -> str:
    """Scheme and host of the API, from `api_url` or else `platform`.

    >>> host_url({"platform": "merlot"})
    'https://merlot-api.centrastage.net'
    >>> host_url({"api_url": "https://example.net/api/"})
    'https://example.net'
    """
    if url := config.get("api_url"):
        return re.sub(r"(?<![:/])/+(api/*)?$", "", str(url).strip())
    return f"https://{config['platform']}-api.centrastage.net"


def as_utc(text: str) -> datetime:
    """Read ISO 8601 text; text without an offset is UTC.

    Raises:
        ValueError: no such date-time.
    """
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def from_texts(texts: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Read settings that were given as text, by environment variables.

    A text that makes no sense for its setting stays a text, for `problems` to name; an empty one
    counts as not given.

    Args:
        texts: by name of the setting.
        known: JSON Schema of all settings.

    >>> from_texts({"page_size": "50", "platform": ""}, CONFIG_SCHEMA)
    {'page_size': 50}
    """
    given = {name: text for name, text in texts.items() if text.strip()}
    return {name: _from_text(text, known["properties"][name]) for name, text in given.items()}


def _from_text(text: str, setting: dict[str, Any]) -> Any:  # noqa: ANN401 - a setting of any type
    kinds = types_of(setting)
    if kinds == ["string"]:
        return text
    if kinds == ["boolean"]:
        return _SWITCH.get(text.strip().lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


_SWITCH = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def problems(config: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the settings, one line each, never repeating a value.

    Args:
        config: settings as given, defaults filled in.
        known: JSON Schema of all settings, the SDK's own included.
    """
    wrong = set()
    for error in Draft202012Validator(known).iter_errors(config):
        if error.validator == "required" and not error.path:
            wrong |= {name for name in error.validator_value if name not in config}
        else:
            wrong.add(str(error.path[0]) if error.path else "config")
    wrong |= {name for name in ("api_key", "api_secret") if not str(config.get(name, "x")).strip()}
    wrong |= {name for name, check in _CHECKS.items() if config.get(name) and not check(config)}
    for name in sorted(wrong):
        yield f"Setting `{name}` {_missing_or_wrong(config, name)}: {EXPECTED.get(name, '?')}."
    if not config.get("platform") and not config.get("api_url"):
        yield f"Setting `platform` is missing: {EXPECTED['platform']} (or give `api_url`)."
    for name in sorted(config.keys() - known["properties"].keys()):
        if close := difflib.get_close_matches(name, known["properties"], n=1, cutoff=0.75):
            yield f"Setting `{name}` is not known. Did you mean `{close[0]}`?"


def _missing_or_wrong(config: Mapping[str, Any], name: str) -> str:
    given = config.get(name)
    return "is missing; it must be" if given is None or given == "" else "must be"


def _api_url_is_fine(config: Mapping[str, Any]) -> bool:
    try:
        parts = urlsplit(host_url(config))
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)


def _start_date_is_fine(config: Mapping[str, Any]) -> bool:
    try:
        as_utc(config["start_date"])
    except (ValueError, AttributeError, OverflowError):
        return False
    return True


_CHECKS: Final[dict[str, Callable[[Mapping[str, Any]], bool]]] = {
    "api_url": _api_url_is_fine,
    "start_date": _start_date_is_fine,
    "user_agent": lambda config: str(config["user_agent"]).isprintable(),
}
