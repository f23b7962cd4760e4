"""What of the API's data is not as the spec says: counted per stream, logged once per kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.http.decoding import one_line
from tap_datto_rmm.records.schemas import UNKNOWN_COLUMN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_NAMES: Final = 500
"""Unknown properties that are logged by name: an API may name properties by what is in them."""


@dataclass(slots=True)
class DataIssues:
    """Counts a stream's data issues, and logs the first of each kind at once."""

    log: Callable[[str], None]
    """Takes a line that names properties and types, never a value."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Properties that the spec does not know, by path."""
    nulled: Counter[str] = field(default_factory=Counter)
    """Values that became null, by the path of their property."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Items that made no record, by cause."""

    def unknown_property(self, path: str, *, kept: bool) -> None:
        """Count a property that the spec does not know.

        Args:
            path: names of the property and of those around it, joined by dots.
            kept: whether it goes into the column for what is unknown.
        """
        if path not in self.unknown:
            if len(self.unknown) >= MOST_NAMES:
                path = "others"
            else:
                name = one_line(path)
                fate = f"goes into `{UNKNOWN_COLUMN}`" if kept else "is left out"
                self.log(f"the API sends `{name}`, which the spec does not know; it {fate}")
        self.unknown[path] += 1

    def wrong_type(self, path: str, value: object, wanted: str) -> None:
        """Count a value that became null because it has the wrong type."""
        if path not in self.nulled:
            kind = type(value).__name__
            self.log(f"`{path}` should be {wanted} but is {kind} or out of range; it becomes null")
        self.nulled[path] += 1

    def leave_out(self, why: str) -> None:
        """Count an item that makes no record."""
        self.left_out[why] += 1


def lines_about(issues: DataIssues, repeated: int) -> Iterator[str]:
    """Word what was not as it should be.

    Args:
        issues: of a stream.
        repeated: its rows that repeated a key with other content.
    """
    for why, count in issues.left_out.items():
        yield f"{count} left out: {why}"
    if repeated:
        yield f"{repeated} left out: repeats the key of a row before it, with other content"
    for path, count in issues.nulled.items():
        yield f"`{path}` became null in {count} records"
