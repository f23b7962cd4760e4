"""The record pass: from an item as the API sent it to a record that fits its stream's SCHEMA.

Compiled once per stream from its schema and selection. One walk over an item turns dates into one
form, leaves out what is unknown or deselected, and converts or nulls what has the wrong type.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.http.decoding import one_line
from tap_datto_rmm.records.schemas import SECRET_PROPERTIES, UNKNOWN_COLUMN, types_of

if TYPE_CHECKING:
    from tap_datto_rmm.records.openapi import Schema

Record = dict[str, Any]
Convert = Callable[[Any], Any]
Rule = tuple[object, Convert]
Selected = Callable[[tuple[str, ...]], bool]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEVER: Final = 1
"""Year of .NET's minimum date (-62135596800000), which means "never" (docs/datto-rmm-api.md §4)."""
MILLISECONDS_FROM: Final = 1e11
"""A number from here on counts milliseconds, a smaller one seconds (docs/datto-rmm-api.md §4)."""
INT64: Final = range(-(2**63), 2**63)
MOST_NAMES: Final = 500
"""Of unknown properties that are told one by one: an API may name properties by what is in them."""
SECRET_WORDS: Final = ("password", "secret", "token", "apikey")


@dataclass(slots=True)
class Oddities:
    """What was not as the spec says, counted per stream; the first of each kind is told at once."""

    tell: Callable[[str], None]
    unknown: Counter[str] = field(default_factory=Counter)
    nulled: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def is_unknown(self, path: str, *, kept: bool) -> None:
        """Count a property that the spec does not know, and tell what becomes of it."""
        if path not in self.unknown:
            if len(self.unknown) >= MOST_NAMES:
                path = "others"
            else:
                name = one_line(path)
                fate = f"goes into `{UNKNOWN_COLUMN}`" if kept else "is left out"
                self.tell(f"the API sends `{name}`, which the spec does not know; it {fate}")
        self.unknown[path] += 1

    def is_wrong(self, path: str, value: object, wanted: str) -> None:
        """Count a value that became null because it has the wrong type."""
        if path not in self.nulled:
            kind = type(value).__name__
            self.tell(f"`{path}` should be {wanted} but is {kind} or out of range; it becomes null")
        self.nulled[path] += 1

    def leave_out(self, why: str) -> None:
        """Count an item that is no record."""
        self.left_out[why] += 1


class RecordPass:
    """Turns items into records.

    Args:
        schema: the stream's schema as its target will see it.
        primary_keys: an item without these is left out.
        oddities: where to count what is not as it should be.
        selected: whether the property at a path is selected.
        known: the stream's own schema where the catalog's is smaller: names that only it has are
            left out silently.
        copies: properties that repeat a nested one: name to path.
    """

    def __init__(
        self,
        schema: Schema,
        primary_keys: Sequence[str],
        oddities: Oddities,
        *,
        selected: Selected = lambda _: True,
        known: Schema | None = None,
        copies: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Compile the schema."""
        self._oddities = oddities
        self._selected = selected
        self._unknown: dict[str, Any] | None = None
        self._arrays: set[tuple[str, ...]] = set()
        self._keep = UNKNOWN_COLUMN in schema.get("properties", {}) and selected((UNKNOWN_COLUMN,))
        self._keys = tuple(primary_keys)
        self._copies = {
            name: tuple(path)
            for name, path in (copies or {}).items()
            if name in schema["properties"] and selected((name,))
        }
        self._columns = frozenset(n for n in schema["properties"] if selected((n,)))
        self._convert = self._object(schema, (), known or schema)

    def __call__(self, item: object, context: Mapping[str, Any] | None = None) -> Record | None:
        """Make a record of an item, or None where it cannot be one (counted).

        Args:
            item: as the API sent it.
            context: values of the columns that the tap adds; they win over the item's own.
        """
        if type(item) is not dict:
            self._oddities.leave_out("is no object")
            return None
        self._unknown = {} if self._keep else None
        try:
            record: Record = self._convert(item)
        except RecursionError:
            self._oddities.leave_out("is nested too deep")
            return None
        for name, value in (context or {}).items():
            if name in self._columns:
                record[name] = value
        for name, path in self._copies.items():
            value = item
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            record[name] = value if isinstance(value, str) else None
        if self._keep:
            record[UNKNOWN_COLUMN] = self._unknown or None
        values = [record.get(key) for key in self._keys]
        if None in values or not any(value != "" for value in values):
            self._oddities.leave_out("has no usable primary key")
            return None
        return record

    def _rule(self, schema: Schema, path: tuple[str, ...], known: Schema) -> Rule:
        """Give the type that passes as it is, and what to do with every other value but null."""
        kinds = types_of(schema)
        if len(kinds) > 1:
            return None, self._any_of([(k, {**schema, "type": k}) for k in kinds], path, known)
        kind = kinds[0]
        where = ".".join(path)
        if kind == "object":
            return None, self._object(schema, path, known)
        if kind == "array":
            return None, self._array(schema.get("items") or {}, path, known.get("items") or {})
        if kind == "string" and schema.get("format") in {"date-time", "date"}:
            to_text = as_date_time if schema["format"] == "date-time" else as_date
            return None, self._checked(to_text, where, f"a {schema['format']}")
        passes, convert = _SCALARS[kind]
        return passes, self._checked(convert, where, _WORDS[kind])

    def _checked(self, convert: Convert, where: str, wanted: str) -> Convert:
        wrong, name = self._oddities.is_wrong, where.rpartition(".")[2]

        def checked(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            try:
                return convert(without_secrets(value, name) if type(value) in _NESTED else value)
            except (ValueError, TypeError, OverflowError, LookupError, RecursionError):
                wrong(where, value, wanted)
                return None

        return checked

    def _any_of(
        self, options: list[tuple[str, Schema]], path: tuple[str, ...], known: Schema
    ) -> Convert:
        rules = {kind: self._rule(schema, path, known) for kind, schema in options}

        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            kind = _JSON_TYPES.get(type(value), "string")
            if kind == "integer" and kind not in rules:
                kind = "number"
            passes, to = rules.get(kind) or rules.get("string") or next(iter(rules.values()))
            return value if type(value) is passes else to(value)

        return convert

    def _array(self, items: Schema, path: tuple[str, ...], known: Schema) -> Convert:
        self._arrays.add(path)
        passes, convert = self._rule(items, path, known)
        where, wrong = ".".join(path), self._oddities.is_wrong

        def convert_array(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not list:
                wrong(where, value, "an array")
                return None
            return [v if v is None or type(v) is passes else convert(v) for v in value]

        return convert_array

    def _object(self, schema: Schema, path: tuple[str, ...], known: Schema) -> Convert:
        properties = schema.get("properties")
        if not properties:
            return self._open_object(path)
        known_properties = known.get("properties") or {}
        rules = {
            name: self._rule(prop, (*path, name), known_properties.get(name) or {})
            for name, prop in properties.items()
            if name != UNKNOWN_COLUMN and self._selected((*path, name))
        }
        silent = (properties.keys() | known_properties.keys()) - rules.keys()
        convert = self._known_object(rules, silent, path)
        if all(passes is str for passes, _ in rules.values()):
            return _texts(rules, convert)
        return convert

    def _open_object(self, path: tuple[str, ...]) -> Convert:
        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not dict:
                raise TypeError
            return value

        return self._checked(convert, ".".join(path), "an object")

    def _known_object(
        self, rules: Mapping[str, Rule], silent: AbstractSet[str], path: tuple[str, ...]
    ) -> Convert:
        where, wrong = ".".join(path), self._oddities.is_wrong
        find, unknown = rules.get, self._meet_unknown

        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not dict:
                wrong(where, value, "an object")
                return None
            out = {}
            for name, content in value.items():
                rule = find(name)
                if rule is None:
                    if name not in silent:
                        unknown((*path, name), content)
                elif content is None or type(content) is rule[0]:
                    out[name] = content
                else:
                    out[name] = rule[1](content)
            return out

        return convert

    def _meet_unknown(self, path: tuple[str, ...], value: object) -> None:
        if path[-2:] in SECRET_PROPERTIES:
            return
        where = ".".join(path)
        self._oddities.is_unknown(where, kept=self._keep)
        if self._unknown is None or _is_secret(path[-1]):
            return
        try:
            value = without_secrets(value, path[-1], _is_secret)
        except RecursionError:
            value = None
        if any(path[:length] in self._arrays for length in range(1, len(path))):
            self._unknown.setdefault(where, []).append(value)  # one for each item that has it
        else:
            self._unknown[where] = value


def _texts(rules: Mapping[str, Rule], convert: Convert) -> Convert:
    """Look at an object of nothing but text, such as 300 user-defined fields, as a whole."""
    names = rules.keys()
    usual: list[str] = []  # most objects have the same names in the same order

    def convert_texts(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        nonlocal usual
        if type(value) is not dict:
            return convert(value)
        given = list(value)
        if given != usual:
            if not value.keys() <= names:
                return convert(value)
            usual = given
        if _TEXT.issuperset([type(text) for text in value.values() if text is not None]):
            return value
        return convert(value)

    return convert_texts


def _is_secret(name: str) -> bool:
    """Whether a property that no schema describes may hold a secret, by its name."""
    return any(word in name.lower() for word in SECRET_WORDS)


def without_secrets(
    value: Any,  # noqa: ANN401 - any JSON value
    name: str = "",
    is_secret: Callable[[str], bool] = lambda _: False,
) -> Any:  # noqa: ANN401
    """Give a value without what never leaves the tap, at whatever depth no schema describes it.

    Args:
        value: any JSON value.
        name: of the property that holds it.
        is_secret: tells by a property's name whether it is left out as well.
    """
    if type(value) is dict:
        shown = {}
        for key, inner in value.items():  # a loop: a comprehension takes twice the stack in 3.11
            if (name, key) not in SECRET_PROPERTIES and not is_secret(key):
                shown[key] = without_secrets(inner, key, is_secret)
        return shown
    if type(value) is list:
        items = []
        for item in value:
            items.append(without_secrets(item, name, is_secret))  # noqa: PERF401 - likewise
        return items
    return value


@lru_cache(maxsize=1024, typed=True)  # the inventory looks at the same dates as the record pass
def as_date_time(value: object) -> str | None:
    """Write a date as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`, so that text order is time order.

    Takes epoch milliseconds, epoch seconds and ISO 8601 text; 0 and the .NET minimum date mean
    "never" and become null.

    >>> as_date_time(1785542402118)
    '2026-08-01T00:00:02.118000+00:00'

    Raises:
        ValueError: no date.
        TypeError: neither a finite number nor text.
        OverflowError: outside the years 1 to 9999.
    """
    if type(value) is str:
        return _from_text(value.strip())
    if not (type(value) is int or (type(value) is float and math.isfinite(value))):
        raise TypeError
    is_milliseconds = abs(value) >= MILLISECONDS_FROM
    span = timedelta(milliseconds=value) if is_milliseconds else timedelta(seconds=value)
    return _fixed(EPOCH + span) if value else None


def _from_text(text: str) -> str | None:
    if not text:
        return None
    if len(text) > len("20261122") and text.lstrip("-").isdecimal():
        return as_date_time(int(text))
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return _fixed(moment)


def fixed_form(moment: datetime) -> str:
    """Write a moment in UTC as every date of a record: text order is time order."""
    return moment.isoformat(timespec="microseconds")


def _fixed(moment: datetime) -> str | None:
    return None if moment.year == NEVER else fixed_form(moment)


def date_time_of(item: object, name: str) -> str:
    """Read a date off an item, in the fixed form; "" where it has none."""
    try:
        return as_date_time(item[name] if isinstance(item, dict) else None) or ""
    except (KeyError, TypeError, ValueError, OverflowError):
        return ""


def as_date(value: object) -> str | None:
    """Write a plain date as `YYYY-MM-DD`; a date-time only where it says no more than its day.

    Raises:
        ValueError: no date.
        TypeError: no text.
    """
    if type(value) is not str:
        moment = datetime.fromisoformat(as_date_time(value) or "")
    elif not value.strip():
        return None
    elif len(value) == len("2026-11-22"):
        return date.fromisoformat(value).isoformat()
    else:
        moment = datetime.fromisoformat(value.strip())
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise ValueError
    return moment.date().isoformat()


def _as_text(value: object) -> str:
    return orjson.dumps(value).decode()


def _as_integer(value: Any) -> int:  # noqa: ANN401 - any JSON value
    number = int(value)
    if type(value) is bool or (type(value) is float and value != number) or number not in INT64:
        raise ValueError
    return number


def _as_number(value: Any) -> float:  # noqa: ANN401 - any JSON value
    number = float(value)
    if type(value) is bool or not math.isfinite(number):
        raise ValueError
    return value if type(value) is int else number


def _as_boolean(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return _BOOLEANS[value.lower() if type(value) is str else value]


_BOOLEANS: Final = {"true": True, "false": False, 1: True, 0: False}
_SCALARS: Final[dict[str, tuple[type, Convert]]] = {
    "string": (str, _as_text),
    "integer": (int, _as_integer),
    "number": (float, _as_number),
    "boolean": (bool, _as_boolean),
}
_WORDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_JSON_TYPES: Final = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}
_TEXT: Final = frozenset({str})
_NESTED: Final = frozenset({dict, list})
