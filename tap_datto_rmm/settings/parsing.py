"""Settings that reach the tap as text, by the environment: read by the type of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.texts import RepeatedKeyError, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_texts(texts: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Read settings that were given as text.

    A text that makes no sense for its setting stays a text, for the checks to name; an empty one
    counts as not given.

    Args:
        texts: by name of the setting.
        known: JSON Schema of all settings.

    >>> from tap_datto_rmm.settings import CONFIG_SCHEMA
    >>> from_texts({"page_size": "50", "platform": ""}, CONFIG_SCHEMA)
    {'page_size': 50}
    """
    given = {name: text for name, text in texts.items() if text.strip()}
    return {name: _from_text(text, known["properties"][name]) for name, text in given.items()}


def repeated_key(value: object) -> str | None:
    """Name the key that an object has twice: `from_texts` leaves such a text as it is.

    >>> repeated_key('{"site_*": 1, "site_*": 2}')
    'site_*'
    """
    try:
        read_json(value if isinstance(value, str) else "")
    except RepeatedKeyError as error:
        return error.key
    except (ValueError, RecursionError):
        return None
    return None


def kinds(schema: Mapping[str, Any]) -> list[str]:
    """Give the JSON types that a schema allows, null aside."""
    types = schema.get("type", [])
    return [kind for kind in ([types] if isinstance(types, str) else types) if kind != "null"]


def _from_text(text: str, setting: Mapping[str, Any]) -> Any:
    types = kinds(setting)
    if types == ["string"]:
        return text.strip()
    if types == ["boolean"]:
        return _SWITCH.get(text.strip().lower(), text)
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return text


_SWITCH: Final = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
