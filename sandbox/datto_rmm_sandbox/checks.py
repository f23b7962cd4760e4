"""What a user may give: numbers, regular expressions, names. Each error names what to change."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MANY = 1_000_000_000
"""More than anybody needs: eleven days in milliseconds, thirty years in seconds."""


class GivenError(ValueError):
    """Something that a user gave and that makes no sense.

    Attributes:
        name: What it is, as options, switches and selectors are called.
        why: What it must be instead, and what it is.
    """

    def __init__(self, name: str, why: str) -> None:
        """Remember both, for who calls it by another name."""
        super().__init__(f"{name} {why}")
        self.name = name
        self.why = why


class Range(NamedTuple):
    """What a number may be.

    Attributes:
        kind: Whole numbers only, or any.
        least: The lowest one.
        most: The highest one.
    """

    kind: type[int | float]
    least: float
    most: float = MANY

    def check(self, name: str, given: object) -> None:
        """See that a number is within.

        Args:
            name: What is given.
            given: Its value.

        Raises:
            GivenError: It is no such number.
        """
        is_number = isinstance(given, int | self.kind) and not isinstance(given, bool)
        if not (is_number and self.least <= given <= self.most):  # type: ignore[operator]
            what = "a whole number" if self.kind is int else "a number"
            why = f"must be {what} from {self.least} to {self.most}, not {given!r}"
            raise GivenError(name, why)

    def read(self, name: str, text: str) -> int | float:
        """Read a number.

        Args:
            name: What is given.
            text: Its value as it was written.

        Returns:
            The number.

        Raises:
            GivenError: It is no such number.
        """
        try:
            given = self.kind(text)
        except ValueError:
            self.check(name, text)
            raise
        self.check(name, given)
        return given


def pattern(name: str, text: str) -> re.Pattern[str]:
    """Read a regular expression.

    Args:
        name: What is given.
        text: The expression.

    Returns:
        The pattern.

    Raises:
        GivenError: It is no regular expression.
    """
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise GivenError(name, f"must be a regular expression, not {text!r}: {error}") from None


def one_of(name: str, given: object, allowed: Iterable[str]) -> str:
    """See that a word is one of those that there are.

    Args:
        name: What is given.
        given: The word.
        allowed: Those that there are.

    Returns:
        The word.

    Raises:
        GivenError: It is none of them.
    """
    known = list(allowed)
    if isinstance(given, str) and given in known:
        return given
    hint = did_you_mean(str(given), known)
    raise GivenError(name, f"must be one of {', '.join(known)}, not {given!r}{hint}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Word the nearest name as the end of a message; empty where none is near.

    Args:
        name: As it was given.
        known: Names that there are, in small letters.

    Returns:
        For example ". Did you mean path?"
    """
    near = difflib.get_close_matches(name.lower(), known, 1)
    return f". Did you mean {near[0]}?" if near else ""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Word that there is no such name.

    Args:
        what: What it names.
        name: As it was given.
        known: Names that there are, in small letters.

    Returns:
        A message with the nearest name, or with all.
    """
    names = list(known)
    return f"there is no {what} {name!r}" + (
        did_you_mean(name, names) or f"; there are {', '.join(sorted(names))}"
    )
