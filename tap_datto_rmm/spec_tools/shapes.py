"""What an answer of the API is, without what it says: keys, types, forms of dates.

Every value is replaced by its type. Keys may be data as well, where an object is used as a table;
so only keys that look like names of a programmer's are told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.records.timestamps import MILLISECONDS_FROM
from tap_datto_rmm.spec_tools.tables import joined, parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_datto_rmm.spec_tools.tables import Table

DATE_FORMATS: Final = frozenset({"date", "date-time"})
NET_MINIMUM: Final = -62_135_596_800_000
"""What .NET's minimum date is in milliseconds: "never" (docs/datto-rmm-api.md §4)."""

ENOUGH: Final = 5
"""Different dates that show an order."""

_NAME: Final = re.compile(r"@?[a-z][A-Za-z_]{0,40}\d{0,3}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TYPES: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


class Shape:
    """What one or more answers are, held against what they should be.

    Args:
        known: the properties that the description has, by path; empty for an answer that it lacks.

    Attributes:
        unknown: properties that it lacks, with their types.
        other_types: properties of another type than it says, with the types that came.
        dates: forms of each date.
        no_guids: keys called `uid` or the like that hold anything else.
    """

    def __init__(self, known: Table) -> None:
        """See nothing yet."""
        self._known = {re.sub(r"<[^>]*>", "", path): row for path, row in known.items()}
        self._objects: set[str] = set()
        self._present: set[str] = set()
        self._columns: dict[str, list[Any]] = defaultdict(list)
        self.unknown: dict[str, set[str]] = defaultdict(set)
        self.other_types: dict[str, set[str]] = defaultdict(set)
        self.dates: dict[str, set[str]] = defaultdict(set)
        self.no_guids: set[str] = set()

    def take(self, value: Any, path: str = "") -> None:
        """Look at a value and at all below it.

        Args:
            value: a part of an answer.
            path: where it stands: `devices[].udf.udf1`.
        """
        self._present.add(path)
        row = self._known.get(path)
        if row is None:
            self.unknown[path].add(_type_of(value))
        elif row.get("format") in DATE_FORMATS:
            self._take_date(value, path)
        elif value is not None and not _fits(value, row["type"]):
            self.other_types[path].add(_type_of(value))
        if path.lower().endswith("uid") and isinstance(value, str) and not _GUID.fullmatch(value):
            self.no_guids.add(path)
        if isinstance(value, dict) and not self._is_closed(path):
            self._objects.add(path)
            for key, member in value.items():
                self.take(member, self._path_of(path, key))
        elif isinstance(value, list):
            for member in value:
                self.take(member, f"{path}[]")

    def _take_date(self, value: Any, path: str) -> None:
        if value is not None:
            self.dates[path].add(form_of_date(value))
            self._columns[path].append(value)

    @property
    def absent(self) -> list[str]:
        """Described properties that no answer had; what lies below one is left out."""
        lacking = {
            path
            for path in self._known
            if path not in self._present
            and next(parents(path)) in self._objects
            and not path.endswith((".*", "[]"))
        }
        return [path for path in self._known if path in lacking]

    @property
    def orders(self) -> dict[str, str]:
        """Dates by which the rows of a list are ordered, and how."""
        found = {}
        for path, values in self._columns.items():
            of_rows = path.count("[]") == 1 and len({type(value) for value in values}) == 1
            if of_rows and len(set(values)) >= ENOUGH:
                if all(one <= other for one, other in pairwise(values)):
                    found[path] = "oldest first"
                elif all(one >= other for one, other in pairwise(values)):
                    found[path] = "newest first"
        return found

    def _is_closed(self, path: str) -> bool:
        """Whether the keys of an object are not looked at.

        Where the description says that anything may stand in it, they are data; where it does not
        have the object, they may be.
        """
        if path not in self._known:
            return bool(self._known)
        return all(next(parents(other)) != path for other in self._known if other != path)

    def _path_of(self, path: str, key: str) -> str:
        of_table = joined(path, "*")
        if joined(path, key) not in self._known and of_table in self._known:
            return of_table
        is_told = joined(path, key) in self._known or _NAME.fullmatch(key)
        return joined(path, key if is_told else "?")


def form_of_date(value: Any) -> str:
    """Say in which form a date came.

    >>> form_of_date(1785540031000), form_of_date("2026-08-01T10:00:00.000Z")
    ('epoch milliseconds', 'text 9999-99-99T99:99:99.999Z')
    """
    if isinstance(value, str):
        return f"text {re.sub('[0-9]', '9', value)}" if _DATE.fullmatch(value) else "other text"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _type_of(value)
    if value == NET_MINIMUM:
        return ".NET minimum date"
    if value == 0:
        return "0"
    if abs(value) >= MILLISECONDS_FROM:
        return "epoch milliseconds"
    return "epoch seconds with a fraction" if value % 1 else "epoch seconds"


def in_runs(paths: Iterable[str]) -> Iterator[str]:
    """Tell paths that differ in a running number as one, in the order in which they came.

    >>> list(in_runs(["udf.udf1", "udf.udf2", "udf.udf3", "uid"]))
    ['udf.udf1 to udf.udf3', 'uid']
    """
    runs: dict[str, list[str]] = {}
    for path in paths:
        stem = re.sub(r"\d+$", "", path)
        runs.setdefault(stem if stem != path else f"{path}=", []).append(path)
    for run in runs.values():
        yield f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0]


def _fits(value: object, documented: str) -> bool:
    wanted = documented.split(" or ")
    found = _type_of(value)
    return found in wanted or (found == "integer" and "number" in wanted) or documented == ""


def _type_of(value: object) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def words(types: Mapping[str, set[str]]) -> dict[str, str]:
    """Types by path, in words and in runs."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for path, found in types.items():
        grouped[" or ".join(sorted(found))].append(path)
    return {path: found for found, paths in grouped.items() for path in in_runs(paths)}
