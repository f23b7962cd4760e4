"""The settings in use: typed, with defaults filled in. What reads a setting reads it here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pendulum
from typing_extensions import override

from tap_datto_rmm.settings.declaration import CONFIG_SCHEMA, PLATFORMS
from tap_datto_rmm.texts import bare

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""The only hosts that plain `http://` is allowed for: the sandbox runs there."""

MOST_PARALLEL: Final = 100
"""More requests at once than this are not made: at the vendor's limit of 600 a minute, ten are
under way where each takes a second. Each takes a thread and a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in use, checked. Names and meanings as in docs/settings.md."""

    api_key: str
    """Empty in discovery, which needs no credentials."""
    api_secret: str
    host_url: str
    """`scheme://host[:port]` of the API, without `/api`; empty in discovery, where not given."""
    start_date: datetime | None
    page_size: int
    max_requests_per_minute: int
    max_parallel_requests: int
    request_timeout: float
    """Seconds."""
    lookback_minutes: int
    full_sweep_days: int
    audit_sweep_days: int
    """0: never."""
    refresh_hours: Mapping[str, float]
    """By stream name or pattern; `refresh.hours_of` finds those of a stream."""
    emit_activate_version_messages: bool
    deletion_guard_percent: int
    keep_unknown_properties: bool
    account_uid: str | None
    account_column: bool
    report_path: Path | None
    user_agent: str
    custom_streams: tuple[Mapping[str, Any], ...]
    """As declared; each has a name, a path and primary keys."""
    spec_path: Path | None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read a config that `checks.problems` found nothing wrong with.

        Args:
            config: settings by name; a default counts for one that is missing or null.
        """
        found = _DEFAULTS | {name: given for name, given in config.items() if given is not None}
        start, agent = found.get("start_date"), bare(found.get("user_agent", ""))
        return cls(
            api_key=bare(found.get("api_key", "")),
            api_secret=bare(found.get("api_secret", "")),
            host_url=host_url(found),
            start_date=as_utc(start) if start else None,
            page_size=int(found["page_size"]),
            max_requests_per_minute=int(found["max_requests_per_minute"]),
            max_parallel_requests=min(int(found["max_parallel_requests"]), MOST_PARALLEL),
            request_timeout=float(found["request_timeout"]),
            lookback_minutes=int(found["lookback_minutes"]),
            full_sweep_days=int(found["full_sweep_days"]),
            audit_sweep_days=int(found["audit_sweep_days"]),
            refresh_hours={name: float(hours) for name, hours in found["refresh_hours"].items()},
            emit_activate_version_messages=found["emit_activate_version_messages"],
            deletion_guard_percent=int(found["deletion_guard_percent"]),
            keep_unknown_properties=found["keep_unknown_properties"],
            account_uid=bare(found.get("account_uid", "")) or None,
            account_column=found["account_column"],
            report_path=_path(found.get("report_path")),
            user_agent=agent or f"tap-datto-rmm/{package_version()}",
            custom_streams=tuple(found["custom_streams"]),
            spec_path=_path(found.get("spec_path")),
        )

    @override
    def __repr__(self) -> str:
        """Name the host only: a repr may end in a log."""
        return f"Settings(host_url={self.host_url!r})"


_DEFAULTS: Final[dict[str, Any]] = {
    name: setting["default"]
    for name, setting in CONFIG_SCHEMA["properties"].items()
    if "default" in setting
}


@cache
def package_version() -> str:
    """Version of the installed package."""
    try:
        return version("tap-datto-rmm")
    except PackageNotFoundError:
        return "0+unknown"


def host_url(config: Mapping[str, Any]) -> str:
    """Scheme and host of the API, from `api_url` or else `platform`; empty without both.

    >>> host_url({"platform": "merlot"})
    'https://merlot-api.centrastage.net'
    >>> host_url({"api_url": "https://example.net/api/"})
    'https://example.net'
    """
    if url := str(config.get("api_url") or "").strip():
        return re.sub(r"(?<![:/])/+(api/*)?$", "", url)
    platform = config.get("platform")
    return f"https://{platform}-api.centrastage.net" if platform else ""


def platform_of(url: str) -> str:
    """Name the platform that a URL is of; the host, where it is of none.

    >>> platform_of("https://merlot-api.centrastage.net"), platform_of("http://127.0.0.1:8080")
    ('merlot', '127.0.0.1:8080')
    """
    known = {host_url({"platform": name}): name for name in PLATFORMS}
    return known.get(url) or urlsplit(url).netloc


def is_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine, where only a sandbox can be."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def as_utc(text: str) -> datetime:
    """Read an ISO 8601 date or date-time; without an offset it is UTC.

    Returns:
        A plain `datetime`: what pendulum's own makes of a difference cannot be divided by a
        `timedelta`, which no type checker tells.

    Raises:
        ValueError: no such date-time.
        OverflowError: outside the years 1 to 9999 in UTC.
    """
    text = text.strip()
    found = pendulum.parse(text, exact=True) if text[:1].isdigit() else None  # not "now"
    if isinstance(found, pendulum.DateTime):
        return datetime.fromisoformat(found.in_timezone("UTC").isoformat())
    if isinstance(found, pendulum.Date):
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    raise ValueError("no date")  # a time, a duration or an interval


def path_of(text: str) -> Path:
    """Give the path that a text names; `~` is the home, where there is one."""
    path = Path(text.strip())
    try:
        return path.expanduser()
    except RuntimeError:  # a container's user may have none
        return path


def _path(text: str | None) -> Path | None:
    return path_of(text) if text and text.strip() else None
