"""From the bytes of an answer to what they say: lenient where a value is odd, strict about JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_CONTENT: Final = object()
"""What a response without content (204) says: nothing, which is not JSON's null."""

NOT_JSON: Final = object()
"""What `decode` gives for a body that is no JSON."""

MESSAGE_LENGTH: Final = 200
LONGEST_INTEGER: Final = 19
"""Digits of a number that certainly fits 64 bits."""

_UNSAFE: Final = re.compile(r"https?://\S+|(?=[A-Za-z.$]*[\d+/_=-])[\w+/.=$-]{40,}")
"""A URL, or what may be a token: long, and not merely the name of a Java class."""

_ESCAPED_NUL: Final = b"\\u0000"


def decode(body: bytes) -> Any:
    """Decode JSON; `NOT_JSON` where it is none.

    One odd value does not cost the page: bytes that are no UTF-8 and lone surrogates become U+FFFD,
    NaN and numbers beyond a float null. NUL characters are dropped: PostgreSQL takes none in text.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _cleaned_of(lambda: _LENIENT.decode(body.decode("utf-8-sig", "replace")))
    return _cleaned_of(lambda: answer) if _ESCAPED_NUL in body else answer


class Items(Sequence[Any]):
    """The items of a page, each decoded only when it is looked at.

    A page of 250 devices takes 1.4 MB as text and three times as much decoded; several wait for
    their turn at once. An item that is no JSON by itself is `NOT_JSON`.
    """

    def __init__(self, raw: list[msgspec.Raw]) -> None:
        """Keep the text of each."""
        self._raw = raw

    @override
    def __len__(self) -> int:
        return len(self._raw)

    @override
    def __getitem__(self, index: Any) -> Any:
        return decode(bytes(self._raw[index]))

    @override
    def __iter__(self) -> Iterator[Any]:
        return (decode(bytes(raw)) for raw in self._raw)

    def with_text(self) -> Iterator[tuple[Any, bytes]]:
        """Give each item, and the text that it is made of."""
        return ((decode(text), text) for text in map(bytes, self._raw))


_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def decode_answer(body: bytes, pages_have: str | None = None) -> Any:
    """Decode JSON like `decode`, but the arrays of a page as `Items`.

    Args:
        body: to decode.
        pages_have: name of the member by which a page is known; None: there are no pages.
    """
    try:
        parts = _PARTS.decode(body) if pages_have else {}
        if pages_have not in parts:
            return decode(body)
        page = {
            key: Items(_ITEMS.decode(raw)) if bytes(raw[:1]) == b"[" else decode(bytes(raw))
            for key, raw in ((key, memoryview(raw)) for key, raw in parts.items())
        }
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return decode(body)  # no object, or odd somewhere
    return NOT_JSON if any(part is NOT_JSON for part in page.values()) else page


def _cleaned_of(read: Callable[[], Any]) -> Any:
    try:
        return _cleaned(read())
    except (ValueError, RecursionError):
        return NOT_JSON


def _integer(text: str) -> int | float | None:
    return int(text) if len(text) <= LONGEST_INTEGER else _finite(text)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_LENIENT: Final = json.JSONDecoder(
    parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer, strict=False
)


def _cleaned(value: Any) -> Any:
    """Rid all text, at any depth, of what UTF-8 or a database cannot hold."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {_clean_text(key): _cleaned(one) for key, one in value.items()}
    return value


def _clean_text(text: str) -> str:
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def one_line(text: object) -> str:
    """Make an API's message fit for the log: one short, printable line, no URL or token in it."""
    line = re.sub(r"\s+", " ", _UNSAFE.sub("…", str(text)[: 10 * MESSAGE_LENGTH]))
    return "".join(c for c in line if c.isprintable())[:MESSAGE_LENGTH]
