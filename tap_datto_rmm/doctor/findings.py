"""What the doctor found: answers, each with a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_datto_rmm.doctor.costs import Cost


@dataclass(frozen=True, slots=True)
class Check:
    """An answer to one question."""

    name: str
    ok: bool
    said: str
    advises: bool = False
    """There is something to do, although a sync would work."""


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """What was found of one selected stream."""

    name: str
    ok: bool
    """False: it cannot be read."""
    said: str
    cost: Cost


@dataclass(slots=True)
class Findings:
    """All answers."""

    checks: list[Check] = field(default_factory=list)
    streams: list[StreamCheck] = field(default_factory=list)
    account: dict[str, int | str | None] = field(default_factory=dict)
    """Its name, and how many sites, devices and open alerts it has."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Why the account's parts that are None are not known."""
    sync: dict[str, dict[str, float | bool]] = field(default_factory=dict)
    """Of a `full` and an `hourly` sync: `calls`, `minutes`, whether it is `at_least` that, and
    whether that is `estimated`."""
    calls: int = 0
    """That the examination took."""

    @property
    def ok(self) -> bool:
        """Whether a sync would work."""
        return all(one.ok for one in self.checks) and all(one.ok for one in self.streams)

    def note(self, name: str, said: str, *, ok: bool = True, advises: bool = False) -> None:
        """Add an answer."""
        self.checks.append(Check(name, ok, said, advises))
