"""What is wrong with the settings given: a line for each problem, which never repeats a value."""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import pendulum
from jsonschema import Draft202012Validator
from typing_extensions import override

from tap_datto_rmm.settings.custom import LIST, custom_stream_problems
from tap_datto_rmm.settings.declaration import (
    CONFIG_SCHEMA,
    MAX_PAGE_SIZE,
    MOST_HOURS,
    PLATFORMS,
    SHORTEST_TIMEOUT,
)
from tap_datto_rmm.settings.maps import stream_maps_problem
from tap_datto_rmm.settings.parsing import repeated_key
from tap_datto_rmm.settings.refresh import is_pattern
from tap_datto_rmm.settings.sources import PREFIX
from tap_datto_rmm.settings.values import LOOPBACK_HOSTS, as_utc, host_url, path_of
from tap_datto_rmm.texts import bare, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXPECTED: Final = {
    "api_key": "the API key of a Datto RMM user, as text",
    "api_secret": "the API secret key that belongs to `api_key`, as text",
    "platform": f"one of {', '.join(PLATFORMS)}",
    "api_url": "a URL such as https://merlot-api.centrastage.net (https, except on this machine)",
    "start_date": "a date-time such as 2026-01-01T00:00:00Z, from 1970 on",
    "page_size": f"a whole number from 1 to {MAX_PAGE_SIZE}",
    "max_requests_per_minute": "a whole number, 1 or more",
    "max_parallel_requests": "a whole number, 1 or more",
    "request_timeout": f"seconds, from {SHORTEST_TIMEOUT} to 3600",
    "lookback_minutes": "a whole number of minutes, 0 or more, at most 525600 (a year)",
    "full_sweep_days": "a whole number of days, 1 or more, at most 3650",
    "audit_sweep_days": "a whole number of days, 0 (never) or more, at most 3650",
    "refresh_hours": (
        "an object of hours by stream name or pattern, such as "
        f'{{"site_*": 24}}; hours from 0 to {MOST_HOURS} (a year)'
    ),
    "emit_activate_version_messages": "true or false",
    "deletion_guard_percent": "a whole number from 0 to 100",
    "keep_unknown_properties": "true or false",
    "account_uid": "the uid of an account, as text without spaces",
    "account_column": "true or false",
    "report_path": "the path of a file, in a folder that exists and can be written",
    "user_agent": "text without line breaks, in Latin letters",
    "custom_streams": LIST,
    "spec_path": "the path of an OpenAPI document in JSON",
}
"""What each setting may be, in words: the second half of every error about it."""

_OF_THE_SDK: Final = {
    "stream_maps": "an object of maps by stream name (sdk.meltano.com, Inline Stream Maps)",
    "stream_map_config": "an object of values that the expressions of `stream_maps` may use",
    "faker_config": "an object {seed?, locale?}; locale is a text or a list of texts",
    "flattening_enabled": "true or false",
    "flattening_max_depth": "a whole number, 1 or more; `flattening_enabled` needs it",
    "flattening_max_key_length": "a whole number of characters",
    "flattening_separator": "text",
}

_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_STREAMS: Final = re.compile("/dev/std|/dev/fd/|/proc/[^/]+/fd/")
_OLDEST: Final = pendulum.datetime(1970, 1, 1)
"""Of a start date: the API's own dates count from here."""


class Problem(NamedTuple):
    """One problem."""

    setting: str
    words: str
    place: str = ""
    """Where in the setting's value, such as `[0]`."""
    missing: bool = False
    """A setting that must be given is not; only discovery can do without."""

    @override
    def __str__(self) -> str:
        """Word it as a line."""
        return f"Setting `{self.setting}{self.place}` {self.words}"


def problems(config: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what is wrong with the settings.

    Args:
        config: settings as given.
        known: JSON Schema of all settings, the SDK's own included.
    """
    given = {name: value for name, value in config.items() if _is_given(value)}
    yield from _missing(given)
    wrong = {str(error.path[0]): error for error in _schema_errors(given, known)}
    for name in known["properties"]:
        if name in wrong and (key := repeated_key(given[name])):
            yield Problem(name, f"has the key `{key}` twice in one object.")
        elif name == "custom_streams" and name in given:
            for place, words in custom_stream_problems(given[name]):
                yield Problem(name, words, place)
        elif name in wrong:
            place = "".join(f".{step}" for step in list(wrong[name].path)[1:])
            yield Problem(name, f"must be: {expected(name)}.", place)
        elif name in given and name in _CHECKS and (why := _CHECKS[name](given[name])):
            yield Problem(name, why)
    yield from _contradictions(given)
    yield from _of_the_sdk(given)
    yield from _misspelt(config, known)


def expected(name: str) -> str:
    """Say what a setting may be, one of the SDK's too."""
    return EXPECTED.get(name) or _OF_THE_SDK.get(name) or "as the SDK's documentation says"


def _is_given(value: object) -> bool:
    return bool(bare(value)) if isinstance(value, str) else value is not None


def _missing(given: Mapping[str, Any]) -> Iterator[Problem]:
    for name in CONFIG_SCHEMA["required"]:
        if name not in given:
            yield Problem(name, f"is missing; it must be: {EXPECTED[name]}.", missing=True)
    if "platform" not in given and "api_url" not in given:
        words = f"is missing: {EXPECTED['platform']} (or give `api_url`)."
        yield Problem("platform", words, missing=True)


def _schema_errors(given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Any]:
    errors = Draft202012Validator(known).iter_errors(given)
    return (error for error in errors if error.path)  # without: one is missing


def _of_the_sdk(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what the SDK trips over, and what it acts on though the tap does not offer it."""
    if given.get("flattening_enabled") is True and given.get("flattening_max_depth", 0) < 1:
        yield Problem("flattening_max_depth", f"must be: {expected('flattening_max_depth')}.")
    if "batch_config" in given:
        words = "is not supported: every row is written as a RECORD message. Remove it."
        yield Problem("batch_config", words)


def _contradictions(given: Mapping[str, Any]) -> Iterator[Problem]:
    if given.get("account_column") is True and given.get("emit_activate_version_messages") is True:
        yield Problem(
            "account_column",
            "and `emit_activate_version_messages` exclude each other: in tables that several "
            "accounts share, ACTIVATE_VERSION would remove the other accounts' rows. Switch one "
            "of them off.",
        )


def unknown(config: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Name what was given and is like no setting; what begins with a sign, such as `_`, is a note.

    Args:
        config: settings as given.
        known: JSON Schema of all settings.
    """
    for name, meant in _unknown(config, known):
        if not meant and _is_given(config[name]) and name[:1].isalnum():
            yield name


def _misspelt(config: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Problem]:
    for name, meant in _unknown(config, known):
        if meant:
            yield Problem(name, f"is not known. Did you mean `{meant}`?")


def _unknown(
    config: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[tuple[str, str | None]]:
    """Find what is no setting, and which was meant."""
    names = known["properties"]
    for name in sorted(config.keys() - names.keys()):
        plain = name.lower().removeprefix(PREFIX.lower()).replace("-", "_")
        yield name, nearest(plain, names, likeness=0.75)


# Each says what is wrong with a value of the right type, or None.


def _credential(value: str) -> str | None:
    text = bare(value)
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        return "is in quotation marks; give it without them."
    if not text.isprintable() or re.search(r"\s", text):
        return "has white space inside; no key has. Copy it again, in one piece."
    return None


def _api_url(value: str) -> str | None:
    wrong = f"must be: {EXPECTED['api_url']}."
    try:
        parts = urlsplit(host_url({"api_url": value}))
        _ = parts.port
    except ValueError:
        return wrong
    host = parts.hostname or ""
    if not host or parts.path or parts.query or parts.fragment or parts.username:
        return wrong
    if parts.scheme != "https" and (parts.scheme != "http" or host not in LOOPBACK_HOSTS):
        return wrong
    platform = host.removesuffix(".centrastage.net").removesuffix("rmm")
    if platform in PLATFORMS:
        url = host_url({"platform": platform})
        return f"leads to the web interface. The API of this platform is at {url}."
    return None


def _start_date(value: str) -> str | None:
    try:
        start, now = as_utc(value), pendulum.now(pendulum.UTC)
    except (ValueError, OverflowError):
        return f"must be: {EXPECTED['start_date']}."
    if start > now:
        clock = now.format("YYYY-MM-DD[T]HH:mm:ss[Z]")
        return (
            f"is in the future (this machine's clock says {clock}): what comes until then would "
            f"be lost. It must be {EXPECTED['start_date']}."
        )
    return None if start >= _OLDEST else f"must be: {EXPECTED['start_date']}."


def _request_timeout(value: float) -> str | None:
    fits = value >= SHORTEST_TIMEOUT
    return None if fits else f"must be: {EXPECTED['request_timeout']}. No answer is that fast."


def _refresh_hours(value: Mapping[str, float]) -> str | None:
    return None if all(map(is_pattern, value)) else f"must be: {EXPECTED['refresh_hours']}."


def _account_uid(value: str) -> str | None:
    return f"must be: {EXPECTED['account_uid']}." if re.search(r"\s", bare(value)) else None


def _user_agent(value: str) -> str | None:
    text = bare(value)
    fits = text.isprintable() and text.encode("latin-1", "replace").decode("latin-1") == text
    return None if fits else f"must be: {EXPECTED['user_agent']}."


def _report_path(value: str) -> str | None:
    path = path_of(value)
    if path.is_dir():
        return f"is a folder; it must be: {EXPECTED['report_path']}."
    if (path.exists() and not path.is_file()) or _STREAMS.match(str(path.absolute())):
        return f"is a stream or a device; it must be: {EXPECTED['report_path']}."
    if not path.parent.is_dir():
        return f"is in a folder that does not exist; it must be: {EXPECTED['report_path']}."
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return None
    except OSError as error:
        return f"is in a folder that cannot be written ({error.strerror}); choose another."


_CHECKS: Final[dict[str, Callable[[Any], str | None]]] = {
    "api_key": _credential,
    "api_secret": _credential,
    "api_url": _api_url,
    "start_date": _start_date,
    "request_timeout": _request_timeout,
    "refresh_hours": _refresh_hours,
    "account_uid": _account_uid,
    "report_path": _report_path,
    "user_agent": _user_agent,
    "stream_maps": stream_maps_problem,
}
