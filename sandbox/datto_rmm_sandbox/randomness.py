"""Repeatable chance: the same seed and thing give the same draws, in any order of asking."""

from __future__ import annotations

from enum import IntEnum
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_MASK = (1 << 64) - 1
_MULTIPLIER = 6364136223846793005
_INCREMENT = 1442695040888963407

T = TypeVar("T")


class Topic(IntEnum):
    """What is drawn for, so that two things with the same number never share their draws."""

    SITE = 1
    DEVICE = 2
    UDF = 3
    NIC = 4
    HARDWARE = 5
    AUDIT = 6
    SOFTWARE = 7
    PATCH = 8
    ALERT = 9
    JOB = 10
    ACTIVITY = 11
    USER = 12
    VARIABLE = 13
    COMPONENT = 14
    LIFE = 15
    FAULT = 16
    ACCOUNT = 17
    CLASS_MIX = 18
    SHUFFLE = 19
    DISK = 20


def mixed(seed: int, *parts: int) -> int:
    """A 64-bit number that depends on the seed and on every part.

    Args:
        seed: The account's seed.
        parts: Topic, serial number, generation and so on.

    Returns:
        A number from 0 to 2^64 - 1.
    """
    value = seed
    for part in parts:
        value = (value * _MULTIPLIER + part + _INCREMENT) & _MASK
        value ^= value >> 29
    return value


def dice(seed: int, *parts: int) -> Random:
    """Dice whose throws depend on the seed and on every part alone.

    Args:
        seed: The account's seed.
        parts: Topic, serial number, generation and so on.

    Returns:
        A generator of its own.
    """
    return Random(mixed(seed, *parts))  # noqa: S311


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices, several times faster than `Random.choice`.

    Args:
        rng: The dice.
        choices: A sequence that is not empty.

    Returns:
        One element.
    """
    return choices[int(rng.random() * len(choices))]


def lucky(rng: Random, share: float) -> bool:
    """Throw once.

    Args:
        rng: The dice.
        share: How likely it is, 0 to 1.

    Returns:
        Whether it came true.
    """
    return rng.random() < share


def nth(number: int, every: int, first: int) -> bool:
    """Whether a number is `first` or some times `every` after it.

    Args:
        number: What is asked about.
        every: The distance.
        first: The first one, less than `every`.

    Returns:
        True for one number in `every`.
    """
    return number % every == first


def guid(rng: Random) -> str:
    """A random GUID in its usual text form.

    Args:
        rng: The dice.

    Returns:
        36 characters, version 4.
    """
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
