"""The parts of a fault: what each kind's value may be, and each selector's."""

from __future__ import annotations

from http import HTTPStatus

from datto_rmm_sandbox.checks import MANY, GivenError, Range, one_of, pattern
from datto_rmm_sandbox.damage import HOSTILE, NEXT_PAGES, TOTAL_COUNTS
from datto_rmm_sandbox.dates import read_moment

SELECTORS: dict[str, str] = {
    "path": "regular expression that the path with its query contains",
    "method": "GET or POST",
    "every": "only each Nth matching call",
    "first": "only the first N matching calls",
    "after": "not the first N matching calls",
    "times": "at most N times in all",
    "rate": "by chance, 0 to 1, repeatable by the seed",
    "seconds": "only for so many seconds from the first matching call on that is not left out",
    "until": "only before this moment of the account's clock, ISO 8601 or ms",
    "holds": "only where the API's answer holds this text, such as a row's uid",
}

_NUMBERS = {
    "every": Range(int, 1),
    "first": Range(int, 0),
    "after": Range(int, 0),
    "times": Range(int, 0),
    "rate": Range(float, 0, 1),
    "seconds": Range(float, 0),
    "hang": Range(float, 0),
    "short-page": Range(int, 1),
    "lose-rows": Range(int, 1),
    "total-count": Range(int, -MANY),
}

WITH_TEXT = ("redirect", "error-in-200", "drop-key")
"""Kinds whose value is any text."""


def read_selector(name: str, text: str) -> object:
    """Read what stands behind a selector's `=`.

    Args:
        name: A key of `SELECTORS`.
        text: Its value as it was written.

    Returns:
        The value.

    Raises:
        GivenError: The value makes no sense.
    """
    match name:
        case "path":
            return pattern(name, text)
        case "method":
            return one_of(name, text.upper(), ("GET", "POST"))
        case "until":
            return _moment(name, text)
        case "holds":
            return text.encode()
        case _:
            return _NUMBERS[name].read(name, text)


def _moment(name: str, text: str) -> int:
    try:
        return read_moment(text)
    except ValueError as error:
        raise GivenError(name, str(error)) from None


def check_value(kind: str, text: str) -> None:
    """See that a fault's value makes sense.

    Args:
        kind: A key of `damage.KINDS`.
        text: Its value, or the one that it has where none is given.

    Raises:
        GivenError: It makes none.
    """
    match kind:
        case "status" | "gateway":
            if text not in {str(status.value) for status in HTTPStatus}:
                raise GivenError(kind, f"must be an HTTP status such as 503, not {text!r}")
        case "hostile":
            one_of(kind, text, HOSTILE)
        case "next-page" if "://" not in text:
            one_of(kind, text, NEXT_PAGES)
        case "total-count" if text in TOTAL_COUNTS:
            pass
        case "cut" if text == "chunked":
            pass
        case _ if kind in _NUMBERS:
            _NUMBERS[kind].read(kind, text)
        case _ if text and kind not in (*WITH_TEXT, "next-page"):
            also = " but chunked" if kind == "cut" else ""
            raise GivenError(kind, f"takes no value{also}, not {text!r}")
