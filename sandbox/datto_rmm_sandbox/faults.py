"""Faults on request: which one, on which calls, how often.

A fault is written `KIND[=VALUE][:SELECTOR=...]...`, for example
`status=503:path=/v2/audit:every=17`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from datto_rmm_sandbox.damage import HOSTILE, KINDS
from datto_rmm_sandbox.randomness import Topic, dice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

SELECTORS: dict[str, str] = {
    "path": "regular expression that the path with its query contains",
    "method": "GET or POST",
    "every": "only each Nth matching call",
    "first": "only the first N matching calls",
    "after": "not the first N matching calls",
    "times": "at most N times in all",
    "rate": "by chance, 0 to 1, repeatable by the seed",
}


_SPLIT = re.compile(rf":(?=(?:{'|'.join(SELECTORS)})=)")


@dataclass(slots=True)
class Fault:
    """A fault and on which calls it strikes.

    Attributes:
        kind: A key of `KINDS`.
        value: What follows the kind's `=`; its meaning depends on the kind.
        text: The fault as it was written.
        path: Where it strikes.
        method: The only method, or empty.
        every: Only each so many matching calls.
        first: Only so many matching calls from the start; 0 for no end.
        after: Not so many matching calls from the start.
        times: At most so many times; 0 for no end.
        rate: By chance.
        matched: Matching calls so far.
        struck: How often it struck.
    """

    kind: str
    value: str
    text: str
    path: re.Pattern[str]
    method: str = ""
    every: int = 1
    first: int = 0
    after: int = 0
    times: int = 0
    rate: float = 1.0
    matched: int = 0
    struck: int = 0

    def strikes(self, method: str, path: str, chance: Random) -> bool:
        """Whether it strikes a call, which counts the call.

        Args:
            method: The request's method.
            path: Its path with the query.
            chance: Dice for `rate`.

        Returns:
            True where all selectors agree.
        """
        if (self.method and method != self.method) or not self.path.search(path):
            return False
        self.matched += 1
        place = self.matched - self.after
        hit = (
            place > 0
            and place % self.every == 0
            and (not self.first or place <= self.first)
            and (not self.times or self.struck < self.times)
            and (self.rate >= 1 or chance.random() < self.rate)
        )
        self.struck += hit
        return hit


def parse(text: str) -> Fault:
    """Read a fault.

    Args:
        text: `KIND[=VALUE][:SELECTOR=...]...`.

    Returns:
        The fault.

    Raises:
        ValueError: The kind or a selector does not exist or its value makes no sense.
    """
    head, *selectors = _SPLIT.split(text)
    kind, _, value = head.partition("=")
    if kind not in KINDS:
        message = f"there is no fault {kind!r}; there are {', '.join(sorted(KINDS))}"
        raise ValueError(message)
    given = dict(selector.split("=", 1) for selector in selectors)
    try:
        fault = Fault(
            kind=kind,
            value=value or KINDS[kind],
            text=text,
            path=re.compile(given.get("path", "")),
            method=given.get("method", "").upper(),
            every=int(given.get("every", "1")),
            first=int(given.get("first", "0")),
            after=int(given.get("after", "0")),
            times=int(given.get("times", "0")),
            rate=float(given.get("rate", "1")),
        )
        _check_value(fault)
    except (ValueError, re.error) as error:
        message = f"the fault {text!r} cannot be read: {error}"
        raise ValueError(message) from None
    if fault.every < 1 or not 0 <= fault.rate <= 1:
        message = f"in the fault {text!r} every is at least 1 and rate from 0 to 1"
        raise ValueError(message)
    return fault


def _check_value(fault: Fault) -> None:
    if fault.kind == "status":
        HTTPStatus(int(fault.value))
    elif fault.kind == "hang":
        float(fault.value)
    elif fault.kind == "hostile" and fault.value not in HOSTILE:
        message = f"hostile is one of {', '.join(HOSTILE)}"
        raise ValueError(message)


class FaultList:
    """The faults in force.

    Args:
        texts: Faults as `parse` takes them.
        seed: For those that strike by chance.
    """

    def __init__(self, texts: Iterable[str] = (), seed: int = 0) -> None:
        """Read the faults."""
        self.seed = seed
        self.replace(texts)

    def replace(self, texts: Iterable[str]) -> None:
        """Put other faults in force, with fresh counts.

        Args:
            texts: Faults as `parse` takes them.

        Raises:
            ValueError: One of them cannot be read; then the old ones stay.
        """
        self.faults = [parse(text) for text in texts]
        self.chance = dice(self.seed, Topic.FAULT, 1)

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that strikes a call, the first one where several would.

        Args:
            method: The request's method.
            path: Its path with the query.

        Returns:
            The fault or None.
        """
        found = [fault for fault in self.faults if fault.strikes(method, path, self.chance)]
        return found[0] if found else None

    def struck(self) -> list[dict[str, object]]:
        """What the faults did so far.

        Returns:
            For each its text, matching calls and strikes.
        """
        return [{"fault": f.text, "matched": f.matched, "struck": f.struck} for f in self.faults]
