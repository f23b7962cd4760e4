"""What changed between two documents, one thing at a time, and how much each matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.spec_tools.verdicts import Rule, Verdict, rule

if TYPE_CHECKING:
    from tap_datto_rmm.spec_tools.side import Side

NO_STREAM: Final = ""
"""Stands for the stream of what no stream reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed.

    Attributes:
        stream: whose it is; `NO_STREAM` for what no stream reads.
        kind: a key of `RULES`.
        where: what changed: a property's path, a parameter, an endpoint, a component.
        before: what it was, in words; empty where that is not told.
        after: what it is.
        kept: whether the stream's schema stays as it was, thanks to the exceptions of the wire.
        count: how many properties it stands for.
    """

    stream: str
    kind: str
    where: str
    before: str = ""
    after: str = ""
    kept: bool = False
    count: int = 1

    @property
    def text(self) -> str:
        """The change in words."""
        detail = " → ".join(filter(None, (self.before, self.after)))
        some = f"{self.count} of them" if self.count > 1 else ""
        note = "; ".join(filter(None, (some, detail)))
        return f"{self.kind}: {self.where}" + (f" ({note})" if note else "")

    @property
    def rule(self) -> Rule:
        """How much it matters, and why."""
        return rule(self.kind, of_a_stream=self.stream != NO_STREAM)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed from one document to another.

    Attributes:
        old: the one.
        new: the other.
        changes: what changed, in the order of the streams, what no stream reads last.
    """

    old: Side
    new: Side
    changes: list[Change]

    @property
    def counts(self) -> Counter[Verdict]:
        """How many changes there are of each verdict."""
        return Counter(change.rule.verdict for change in self.changes)

    @property
    def verdict(self) -> Verdict:
        """The worst one; compatible where nothing changed."""
        return next((one for one in Verdict if self.counts[one]), Verdict.COMPATIBLE)
