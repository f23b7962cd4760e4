"""Compares what a target holds with what the tap's messages said, leniently about types."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from tools.targets.messages import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tools.targets.messages import Key, Row, Rows, Runs
    from tools.targets.readers import Found

MARK: Final = "_sdc_deleted_at"
PROBES: Final = (
    ("devices", "id"),
    ("devices", "lastSeen"),
    ("devices", "patchManagement"),
    ("device_audits", "logicalDisks"),
)
"""Columns whose types are told: an id, a date-time, an object, an array of objects."""


@dataclass
class Comparison:
    """How the rows of some streams differ from what was wanted.

    Attributes:
        missing: keys that are not there.
        foreign: keys that nobody sent.
        differ: cells with another value, by stream and column.
        emptied: cells that hold null where the text was empty, by stream and column.
    """

    missing: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    differ: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)

    def in_words(self) -> str:
        """Give it as a cell of the table."""
        parts = [
            f"{sum(counter.values()):,} {what} ({_few(sorted(counter))})"
            for what, counter in (
                ("rows missing", self.missing),
                ("rows too many", self.foreign),
                ("values differ", self.differ),
            )
            if counter
        ]
        if self.emptied:
            parts.append("empty text is null")
        return "; ".join(parts) or "right"


@dataclass(frozen=True)
class Held:
    """A target's rows by stream and key; there may be several of one key."""

    rows: Mapping[str, Mapping[Key, list[Row]]]

    @classmethod
    def of(cls, found: Found, keys: Mapping[str, list[str]]) -> Held:
        """Find the rows' keys.

        Args:
            found: what was read.
            keys: each stream's key properties.
        """
        rows: dict[str, dict[Key, list[Row]]] = {}
        for stream, names in keys.items():
            by_key: dict[Key, list[Row]] = defaultdict(list)
            for row in found.rows.get(stream, []):
                plain = {_plain(name): value for name, value in row.items()}
                key = key_of({name: plain.get(_plain(name)) for name in names}, names)
                by_key[key].append(plain)
            rows[stream] = by_key
        return cls(rows)

    def without(self, gone: set[tuple[str, Key]]) -> Held:
        """Give the rows but for some."""
        return Held(
            {
                stream: {key: rows for key, rows in held.items() if (stream, key) not in gone}
                for stream, held in self.rows.items()
            }
        )

    def count(self, stream: str) -> int:
        """How many rows a stream has."""
        return sum(map(len, self.rows[stream].values()))

    def compare(self, wanted: Mapping[str, Rows]) -> Comparison:
        """Compare: each wanted row must be there, and no key that nobody sent."""
        found = Comparison()
        for stream, rows in wanted.items():
            held = self.rows[stream]
            if missing := rows.keys() - held.keys():
                found.missing[stream] = len(missing)
            if foreign := held.keys() - rows.keys():
                found.foreign[stream] = len(foreign)
            for key in rows.keys() & held.keys():
                differences = [_differences(rows[key], row) for row in held[key]]
                for name in min(differences, key=len):
                    counter = found.emptied if rows[key].get(name) == "" else found.differ
                    counter[f"{stream}.{name}"] += 1
        return found


def _few(names: list[str], shown: int = 3) -> str:
    return ", ".join([*names[:shown], *(["…"] if len(names) > shown else [])])


def after_first(held: Held, runs: Runs) -> str:
    """Say whether the first run is there, once."""
    words = held.compare(runs.first.records).in_words()
    double = sum(held.count(stream) - len(held.rows[stream]) for stream in runs.first.records)
    return words if not double else f"{words}; {double:,} rows twice"


def after_second(held: Held, runs: Runs) -> str:
    """Say what the second run did with rows that were there: by count, and by value.

    Rows that are gone from the account are left to `marks`.
    """
    first, second, gone = runs.first.records, runs.second.records, set(runs.gone())

    def without_gone(run: Mapping[str, Rows]) -> dict[str, Rows]:
        return {
            stream: {k: row for k, row in run.get(stream, {}).items() if (stream, k) not in gone}
            for stream in runs.first.keys
        }

    before, after = without_gone(first), without_gone(second)
    both = {stream: {**before[stream], **after[stream]} for stream in before}
    left = held.without(gone)
    ways: dict[str, tuple[Mapping[str, Rows], Callable[[str], int]]] = {
        "upserts": (both, lambda stream: len(both[stream])),
        "appends": (both, lambda stream: len(before[stream]) + len(after[stream])),
        "keeps the last run only": (after, lambda stream: len(after[stream])),
    }
    for way, (wanted, size) in ways.items():
        streams = [stream for stream in before if after[stream]]
        if all(left.count(stream) == size(stream) for stream in streams):
            words = left.compare({stream: wanted[stream] for stream in streams}).in_words()
            return way if words == "right" else f"{way}; {words}"
    return left.compare(both).in_words()


def marks(held: Held, runs: Runs) -> str:
    """Say what became of the rows that are gone from the account."""
    kinds = Counter(_fate(held.rows[stream].get(key, [])) for stream, key in runs.gone())
    return ", ".join(kinds) or "-"


def _fate(rows: Iterable[Row]) -> str:
    rows = list(rows)
    if not rows:
        return "rows are gone"
    return f"`{MARK}`" if all(row.get(_plain(MARK)) for row in rows) else "ignored"


def types(found: Found) -> str:
    """Name the types of a few columns; an object may have become several columns."""
    if not any(found.types.values()):
        return "-"
    named = []
    for stream, column in PROBES:
        kinds = {_plain(name): kind for name, kind in found.types.get(stream, {}).items()}
        kind = kinds.get(_plain(column))
        named.append(f"`{kind}`" if kind else "columns")
    return ", ".join(named)


def _plain(name: str) -> str:
    """Give a column's name without what targets do to it: lower case, or words split by `_`."""
    return name.replace("_", "").lower()


def _differences(wanted: Row, row: Row) -> list[str]:
    found = []
    for name, value in wanted.items():
        column = _plain(name)
        if column in row:
            if not same(value, row[column]):
                found.append(name)
        elif isinstance(value, dict):
            flat = {f"{name}__{inner}": inside for inner, inside in value.items()}
            found += _differences(flat, row)
        elif value is not None:
            found.append(name)
    return found


def same(wanted: Any, found: Any) -> bool:
    """Say whether a cell holds what was sent, whatever its type.

    Args:
        wanted: as in the message.
        found: as read: perhaps as text, as a number, as a date.
    """
    if wanted is None or wanted in ({}, []):
        return found in (None, "", {}, [], "null", "{}", "[]")
    if isinstance(wanted, bool):
        return str(found).lower() in ({"true", "1"} if wanted else {"false", "0"})
    if isinstance(wanted, int | float):
        return _number(found) == _number(wanted)
    if isinstance(wanted, str):
        return _moment(wanted) == _moment(found) if found != wanted else True
    found = _parsed(found)
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            same(wanted.get(name), found.get(name)) for name in wanted.keys() | found.keys()
        )
    return (
        isinstance(found, list)
        and len(wanted) == len(found)
        and all(same(one, other) for one, other in zip(wanted, found, strict=True))
    )


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _moment(value: object) -> object:
    """Give a date or date-time as text of one form, anything else as its text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return moment.date().isoformat()
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _parsed(value: object) -> object:
    """Read text that may be JSON, or Python's own notation."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return literal_eval(re.sub(r"Decimal\('([^']*)'\)", r"\1", value))
    except (ValueError, SyntaxError):
        return value
