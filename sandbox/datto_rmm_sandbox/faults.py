"""Faults on request: which one, on which calls, how often.

A fault is written `KIND[=VALUE][:SELECTOR=...]...`, for example
`status=503:path=/v2/audit:every=17`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from datto_rmm_sandbox.damage import HOSTILE, KINDS, TOTAL_COUNTS
from datto_rmm_sandbox.dates import read_moment
from datto_rmm_sandbox.randomness import Topic, dice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

SELECTORS: dict[str, str] = {
    "path": "regular expression that the path with its query contains",
    "method": "GET or POST",
    "every": "only each Nth matching call",
    "first": "only the first N matching calls",
    "after": "not the first N matching calls",
    "times": "at most N times in all",
    "rate": "by chance, 0 to 1, repeatable by the seed",
    "seconds": "only for so many seconds from the first matching call on that is not left out",
    "until": "only before this moment of the account's clock, ISO 8601 or ms",
    "holds": "only where the API's answer holds this text, such as a row's uid",
}


_SPLIT = re.compile(rf":(?=(?:{'|'.join(SELECTORS)})=)")


@dataclass(frozen=True, slots=True)
class Call:
    """A request, for a fault to choose from.

    Attributes:
        method: Its method.
        path: Its path with the query.
        now: The account's clock, milliseconds since 1970.
        second: Seconds of a clock that only goes forward.
        body: What the API answers, or None as long as it was not asked.
    """

    method: str
    path: str
    now: int
    second: float
    body: bytes | None = None


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
        seconds: Only for so many seconds; 0 for no end.
        until: Only before this moment of the account's clock; None for no end.
        holds: What the API's answer must hold; empty for a fault that does not wait for it.
        began: The second of the first matching call behind `after`.
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
    seconds: float = 0.0
    until: int | None = None
    holds: bytes = b""
    began: float | None = None
    matched: int = 0
    struck: int = 0

    def strikes(self, call: Call, chance: Random) -> bool:
        """Whether it strikes a call, which counts the call.

        Args:
            call: The request, with the API's answer or without.
            chance: Dice for `rate`.

        Returns:
            True where all selectors agree.
        """
        if not self._is_about(call):
            return False
        self.matched += 1
        place = self.matched - self.after
        if place <= 0:
            return False
        if self.began is None:
            self.began = call.second
        hit = (
            place % self.every == 0
            and (not self.first or place <= self.first)
            and (not self.times or self.struck < self.times)
            and (not self.seconds or call.second - self.began < self.seconds)
            and (self.rate >= 1 or chance.random() < self.rate)
        )
        self.struck += hit
        return hit

    def _is_about(self, call: Call) -> bool:
        if bool(self.holds) != (call.body is not None):
            return False
        return (
            (not self.method or call.method == self.method)
            and (self.until is None or call.now < self.until)
            and self.path.search(call.path) is not None
            and self.holds in (call.body or b"")
        )


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
            seconds=float(given.get("seconds", "0")),
            until=read_moment(given["until"]) if "until" in given else None,
            holds=given.get("holds", "").encode(),
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
    match fault.kind:
        case "status" | "gateway":
            HTTPStatus(int(fault.value))
        case "hang":
            float(fault.value)
        case "short-page" | "lose-rows":
            int(fault.value)
        case "total-count" if fault.value not in TOTAL_COUNTS:
            int(fault.value)
        case "hostile" if fault.value not in HOSTILE:
            message = f"hostile is one of {', '.join(HOSTILE)}"
            raise ValueError(message)


class FaultList:
    """The faults in force.

    Args:
        texts: Faults as `parse` takes them.
        seed: For those that strike by chance.
        clock: Seconds that only go forward, for those that last a while.
    """

    def __init__(
        self,
        texts: Iterable[str] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the faults."""
        self.seed = seed
        self.clock = clock
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

    def strike(
        self, method: str, path: str, now: int = 0, body: bytes | None = None
    ) -> Fault | None:
        """The fault that strikes a call, the first one where several would.

        Args:
            method: The request's method.
            path: Its path with the query.
            now: The account's clock, milliseconds since 1970.
            body: What the API answers. Left out, only the faults are asked that do not look into
                it; given, only those that do.

        Returns:
            The fault or None.
        """
        call = Call(method, path, now, self.clock(), body)
        found = [fault for fault in self.faults if fault.strikes(call, self.chance)]
        return found[0] if found else None

    def struck(self) -> list[dict[str, object]]:
        """What the faults did so far.

        Returns:
            For each its text, matching calls and strikes.
        """
        return [{"fault": f.text, "matched": f.matched, "struck": f.struck} for f in self.faults]
