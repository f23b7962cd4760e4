"""What is out of line: one table, for the numbers of the whole account and of each site alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from demo.page.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.page.data import Row

FEWEST_FOR_RED: Final = 2
"""One computer alone turns nothing red: at a small site it is a large share."""


class Tone(Enum):
    """How a number is shown; the value is a CSS class."""

    PLAIN = ""
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of the scorecard.

    Attributes:
        column: what is shown.
        title: in words.
        amber: percent of the computers from which on it is out of line.
        red: percent from which on it is far out of line.
        good: column with those in line, where that is what is known.
        whole: column with the number of computers that it is a share of.
        unknown: column with the number of computers of which it is not known.
        needs: the stream without which nobody knows.
        is_percent: whether what is shown is a share itself.
    """

    column: str
    title: str
    amber: float
    red: float
    good: str = ""
    whole: str = "computers"
    unknown: str = ""
    needs: str = ""
    is_percent: bool = False

    def tone(self, row: Row) -> Tone:
        """How the number of this row is to be shown."""
        whole, bad = row[self.whole], row[self.column]
        if row[self.column] is None:
            return Tone.UNKNOWN
        if self.good:
            bad = whole - row[self.good]
        share = 100 * bad / whole
        if share >= self.red and bad >= FEWEST_FOR_RED:
            return Tone.RED
        return Tone.AMBER if share >= self.amber else Tone.PLAIN


PATCHED: Final = Measure(
    "compliance",
    "patched",
    10,
    25,
    good="patched",
    whole="patch_known",
    unknown="patch_unknown",
    is_percent=True,
)
SEVERE: Final = Measure(
    "severe_computers", "severe patches missing > 30 days", 10, 30, needs="device_patches"
)
COVER: Final = Measure(
    "cover",
    "antivirus",
    5,
    15,
    good="covered",
    whole="antivirus_known",
    unknown="antivirus_unknown",
    is_percent=True,
)
UNSUPPORTED: Final = Measure("unsupported", "out of support", 10, 30, unknown="support_unknown")
RESTART: Final = Measure("restart_due", "restart due", 5, 15)
SILENT: Final = Measure("silent", "silent ≥ 14 days", 5, 15)
DISKS: Final = Measure("full_disks", "disks nearly full", 5, 15, needs="device_audits")
WARRANTY: Final = Measure(
    "warranty_ending", "warranty ends ≤ 90 days", 10, 25, unknown="warranty_unknown"
)
ALERTS: Final = Measure("urgent_alerts", "urgent alerts", 5, 15, needs="alerts")
MEASURES: Final = (PATCHED, SEVERE, COVER, UNSUPPORTED, RESTART, SILENT, DISKS, WARRANTY, ALERTS)
"""In the order in which the page shows them."""

COUNTS: Final = (
    "computers",
    "patched",
    "patch_known",
    "patch_unknown",
    "not_patchable",
    "covered",
    "antivirus_known",
    "antivirus_unknown",
    "restart_due",
    "silent",
    "unsupported",
    "support_unknown",
    "warranty_ending",
    "warranty_ended",
    "warranty_unknown",
    "severe_patches",
    "severe_computers",
    "full_disks",
    "urgent_alerts",
    "open_alerts",
)
"""Columns of the scorecard that add up."""

POINTS: Final = {Tone.RED: 2, Tone.AMBER: 1}


def shown(measure: Measure, row: Row) -> str:
    """What stands in a column of the scorecard."""
    value = row[measure.column]
    if not measure.is_percent:
        return words(value)
    if value is not None:
        return f"{value} %"
    return "on demand" if row.get("on_demand") else "unknown"


def worst_first(sites: Iterable[Row]) -> list[Row]:
    """Sort sites by how much is out of line, red twice, and larger ones first among equals."""

    def badness(row: Row) -> tuple[int, int, str]:
        points = sum(POINTS.get(measure.tone(row), 0) for measure in MEASURES)
        return -points, -row["computers"], row["site"]

    return sorted(sites, key=badness)


def totals(sites: Iterable[Row]) -> Row:
    """The scorecard of the whole account, by the rules of each site's."""
    rows = list(sites)
    found: Row = {column: _sum(rows, column) for column in COUNTS}
    return found | {each.column: _share(found, each) for each in MEASURES if each.is_percent}


def _sum(rows: Iterable[Row], column: str) -> int | None:
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None


def _share(row: Row, measure: Measure) -> int | None:
    """Percent, rounded down as in the answers."""
    whole = row[measure.whole]
    return 100 * row[measure.good] // whole if whole else None
