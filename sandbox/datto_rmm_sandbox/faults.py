"""Faults on request: which one, on which calls, how often.

A fault is written `KIND[=VALUE][:SELECTOR=...]...`, for example
`status=503:path=/v2/audit:every=17`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datto_rmm_sandbox.checks import GivenError, did_you_mean, unknown
from datto_rmm_sandbox.damage import KINDS
from datto_rmm_sandbox.fault_parts import SELECTORS, WITH_TEXT, check_value, read_selector
from datto_rmm_sandbox.randomness import Topic, dice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from random import Random

_SPLIT = re.compile(rf":(?=(?:{'|'.join(SELECTORS)})=)")
_LIKE_A_SELECTOR = re.compile(r"(?<!\?):([A-Za-z][\w-]*)=")
"""Not the `(?:` of a regular expression."""


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
    try:
        return _read(text)
    except GivenError as error:
        message = f"in the fault {text!r}: {error}"
        raise ValueError(message) from None


def _read(text: str) -> Fault:
    head, *selectors = _SPLIT.split(text)
    kind = re.split("[=:]", head, maxsplit=1)[0]
    if kind not in KINDS:
        raise ValueError(unknown("fault", kind, KINDS))
    behind, given = head.removeprefix(kind), dict(one.split("=", 1) for one in selectors)
    _refuse_strangers({kind: behind, **given})
    if behind.startswith(":"):
        raise GivenError("a selector", f"must be written NAME=VALUE, not {behind[1:]!r}")
    value = behind[1:] or KINDS[kind]
    check_value(kind, value)
    found: dict[str, Any] = {name: read_selector(name, of) for name, of in given.items()}
    return Fault(**{"kind": kind, "value": value, "text": text, "path": re.compile(""), **found})


def _refuse_strangers(parts: Mapping[str, str]) -> None:
    """Refuse what looks like a selector and is none; a free text must look like one we know."""
    for name, text in parts.items():
        found = _LIKE_A_SELECTOR.search(text)
        is_free = name in {"path", "holds", *WITH_TEXT}
        if found and (not is_free or did_you_mean(found[1], SELECTORS)):
            raise ValueError(unknown("selector", found[1], SELECTORS))


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
