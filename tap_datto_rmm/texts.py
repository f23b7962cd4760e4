"""Texts that people write: files in any encoding, keys copied from a page, names with a typo."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters without width, which `str.strip` leaves: web pages hold them."""


class RepeatedKeyError(ValueError):
    """An object of a JSON text has a key twice: most readers let the last one count, silently.

    Attributes:
        key: that is there twice.
    """

    def __init__(self, key: str) -> None:
        """Keep the key."""
        super().__init__(f"the key {key!r} is there twice")
        self.key = key


def decoded(content: bytes) -> str:
    """Read the text of a file by its byte order mark; without one it is UTF-8.

    PowerShell writes UTF-16, and UTF-8 with a mark. UTF-16 without a mark shows by its zeros.

    Raises:
        ValueError: neither UTF-8 nor UTF-16 nor UTF-32.
    """
    return content.decode(json.detect_encoding(content))


def read_json(text: str) -> Any:
    """Read JSON; `NaN` and `Infinity`, which are none, are refused.

    Raises:
        RepeatedKeyError: an object has a key twice.
        ValueError: no JSON.
        RecursionError: nested too deep.
    """
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)


def bare(text: str) -> str:
    r"""Take the white space around a text away, and what cannot be seen.

    >>> bare(" key\n\ufeff")
    'key'
    """
    before = None
    while text != before:
        before, text = text, text.strip().strip(INVISIBLE)
    return text


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the known name that is most like another one, whatever letters are capitals.

    Args:
        name: as it was given.
        known: names that there are.
        likeness: from 0 to 1; what is less like it is no answer.

    >>> nearest("divices", ["sites", "devices"])
    'devices'
    """
    small = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), small, n=1, cutoff=likeness)
    return small[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Word the nearest name as the end of a message, a blank before it; empty without one.

    >>> did_you_mean("divices", ["sites", "devices"])
    ' Did you mean `devices`?'
    """
    found = nearest(name, known, likeness)
    return f" Did you mean `{found}`?" if found else ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise RepeatedKeyError(counted.most_common(1)[0][0])
    return found
