"""What a change of the OpenAPI document means for those who run the tap: the rules, as data.

docs/api-description.md repeats the table; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Verdict(StrEnum):
    """How much a change matters, worst first."""

    BREAKING = "breaking"
    NOT_SEEN = "not seen"
    RISKY = "risky"
    COMPATIBLE = "compatible"


BREAKING, NOT_SEEN, RISKY, COMPATIBLE = Verdict


class Rule(NamedTuple):
    """One kind of change."""

    verdict: Verdict
    why: str


RULES: Final[dict[str, Rule]] = {
    "endpoint gone": Rule(BREAKING, "the stream cannot be read"),
    "endpoint new": Rule(COMPATIBLE, "the stream can be read"),
    "endpoint not seen": Rule(NOT_SEEN, "its part of the description was not there to look at"),
    "component gone": Rule(BREAKING, "the stream's schema is made from it"),
    "component new": Rule(COMPATIBLE, "nothing is read from it yet"),
    "answer changed": Rule(BREAKING, "the rows are looked for elsewhere"),
    "answer grew": Rule(COMPATIBLE, "the tap passes over what it does not read"),
    "property gone": Rule(BREAKING, "its column stays empty, or goes"),
    "property new": Rule(COMPATIBLE, "a new column, nullable as all are"),
    "type changed": Rule(BREAKING, "the column changes its type"),
    "date format changed": Rule(BREAKING, "targets make a timestamp of one and text of the other"),
    "format changed": Rule(
        RISKY, "the JSON type stays; a target may have chosen a narrower column"
    ),
    "enum value new": Rule(COMPATIBLE, "enums are open: any value has always been let through"),
    "enum value gone": Rule(RISKY, "the column stays; what filters on the value finds nothing new"),
    "variant new": Rule(COMPATIBLE, "the object is open: any keys have always been let through"),
    "variant gone": Rule(RISKY, "the object stays; such values may come no more"),
    "deprecated": Rule(RISKY, "it will go one day"),
    "constraint changed": Rule(COMPATIBLE, "the tap's schemas do not carry it"),
    "parameter gone": Rule(
        RISKY, "the API ignores what it does not know, so the tap may read other rows"
    ),
    "parameter new": Rule(COMPATIBLE, "the tap does without it"),
    "parameter required": Rule(BREAKING, "the tap does not know what to give"),
    "parameter changed": Rule(RISKY, "what the tap gives may be refused"),
}
"""Kind of change to what it means for a stream."""

ELSEWHERE: Final[dict[Verdict, Rule]] = {
    BREAKING: Rule(RISKY, "no stream reads it, a custom stream may"),
    NOT_SEEN: Rule(NOT_SEEN, "no stream reads it, a custom stream may"),
    RISKY: Rule(RISKY, "no stream reads it, a custom stream may"),
    COMPATIBLE: Rule(COMPATIBLE, "no stream reads it, a custom stream can"),
}
"""The rule for what no stream reads, by the verdict that it would have in a stream."""


def rule(kind: str, *, of_a_stream: bool) -> Rule:
    """Find the rule for a change.

    Args:
        kind: a key of `RULES`.
        of_a_stream: whether a built-in stream reads what changed.
    """
    found = RULES[kind]
    return found if of_a_stream else ELSEWHERE[found.verdict]
