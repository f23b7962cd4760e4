"""The setting `custom_streams`: which part of a declaration is missing or wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.settings.declaration import STREAM_NAME
from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REQUIRED: Final = ("name", "path", "primary_keys")
DEFAULT: Final = "default"
"""Stands, where streams are chosen by name, for every stream that the tap selects by itself."""


def custom_stream_problems(declared: object) -> Iterator[tuple[str, str]]:
    """Say what is wrong with the shape of the declarations.

    What the OpenAPI document must know of them is looked at where the streams are made.

    Args:
        declared: the setting as it was given.

    Yields:
        For each part that is wrong the place in the list, such as `[0]`, and what is wrong there.
    """
    if not isinstance(declared, list):
        yield "", f"must be: {LIST}."
        return
    for number, stream in enumerate(declared):
        place = f"[{number}]"
        if isinstance(stream, dict):
            who = f"({stream['name']}): " if _is_name(stream.get("name")) else "(no name): "
            yield from ((place, f"{who}{words}") for words in _problems_of(stream))
        else:
            yield place, f"must be: an object {{{SHAPE}}}."


def _problems_of(stream: Mapping[str, Any]) -> Iterator[str]:
    for part, (fits, wanted) in PARTS.items():
        given = stream.get(part)
        if given is None or given in ("", []):
            if part in REQUIRED:
                yield f"`{part}` is missing; it must be {wanted}."
        elif not fits(given):
            yield f"`{part}` must be {wanted}."
    for part in stream:
        if part not in PARTS:
            hint = did_you_mean(str(part), PARTS) or f" A custom stream is {{{SHAPE}}}."
            yield f"`{part}` is not known.{hint}"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(STREAM_NAME, value) is not None


def _is_free_name(value: object) -> bool:
    return _is_name(value) and value != DEFAULT


def _is_path(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"/\S+", value) is not None


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


PARTS: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "name": (_is_free_name, f"small letters, digits and `_`, with a letter first; not `{DEFAULT}`"),
    "path": (_is_path, "a path below `/api` that begins with /, such as /v2/system/status"),
    "primary_keys": (_is_list_of_texts, 'a list of property names, such as ["uid"]'),
    "records_key": (_is_text, "the name of the array that holds the rows, as text"),
    "component": (_is_text, "the name of a schema of the spec, as text"),
    "schema": (lambda value: isinstance(value, dict), "a JSON Schema, as an object"),
    "parent": (lambda value: value in ("sites", "devices"), "`sites` or `devices`"),
}
"""What each part of a declaration must be: a test, and its words."""

SHAPE: Final = "name, path, primary_keys, records_key?, component?, schema?, parent?"
LIST: Final = f"a list of {{{SHAPE}}}"
