"""Text, numbers and booleans of another type than the schema's: converted where nothing is lost.

Each function raises ValueError, TypeError, OverflowError or LookupError where something would be.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

INT64: Final = range(-(2**63), 2**63)
"""Whole numbers that targets have columns for."""

_BOOLEANS: Final = {"true": True, "false": False, 1: True, 0: False}


def as_text(value: object) -> str:
    """Write any JSON value as its JSON text."""
    return orjson.dumps(value).decode()


def as_integer(value: Any) -> int:
    """Read a whole number of 64 bits."""
    number = int(value)
    if type(value) is bool or (type(value) is float and value != number) or number not in INT64:
        raise ValueError
    return number


def as_number(value: Any) -> float:
    """Read a finite number."""
    number = float(value)
    if type(value) is bool or not math.isfinite(number):
        raise ValueError
    return value if type(value) is int else number


def as_boolean(value: Any) -> bool:
    """Read true or false, also as text or as 1 and 0."""
    return _BOOLEANS[value.lower() if type(value) is str else value]


SCALARS: Final[dict[str, tuple[type | None, Callable[[Any], Any], str]]] = {
    "integer": (None, as_integer, "a whole number"),
    "number": (float, as_number, "a number"),
    "boolean": (bool, as_boolean, "true or false"),
}
"""By JSON type: the Python type that passes as it is (none for whole numbers, whose size counts),
the conversion of what does not, and what is wanted, in words."""
