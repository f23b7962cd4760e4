"""Invented people, companies and towns in several languages, from Faker, fixed by the seed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from faker import Faker

LOCALES = ("en_GB", "de_DE", "fr_FR", "pl_PL", "es_ES", "nl_NL", "ja_JP", "el_GR", "da_DK")
"""Where the account's people and customers live; two of them write in other alphabets."""

PER_LOCALE = 48


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person; `login` is short and ASCII, empty for a name without Latin letters."""

    first: str
    last: str
    login: str


@dataclass(frozen=True, slots=True)
class Names:
    """What the account's people, customers and towns are called."""

    people: tuple[Person, ...]
    companies: tuple[str, ...]
    towns: tuple[str, ...]


@lru_cache(maxsize=8)
def names(seed: int) -> Names:
    """The names that belong to a seed.

    Args:
        seed: The account's seed.

    Returns:
        At least 400 of each kind, languages taking turns, companies without repetition.
    """
    people: list[list[Person]] = []
    companies: list[list[str]] = []
    towns: list[list[str]] = []
    for number, locale in enumerate(LOCALES):
        fake = Faker(locale, use_weighting=False)
        fake.seed_instance(seed * 101 + number)
        people.append([_person(fake.first_name(), fake.last_name()) for _ in range(PER_LOCALE)])
        companies.append([fake.company() for _ in range(PER_LOCALE)])
        towns.append([fake.city() for _ in range(PER_LOCALE)])
    return Names(
        people=tuple(person for row in zip(*people, strict=True) for person in row),
        companies=tuple(
            dict.fromkeys(name for row in zip(*companies, strict=True) for name in row)
        ),
        towns=tuple(dict.fromkeys(name for row in zip(*towns, strict=True) for name in row)),
    )


def _person(first: str, last: str) -> Person:
    plain = unicodedata.normalize("NFKD", f"{first[:1]}.{last}").encode("ascii", "ignore").decode()
    login = "".join(c for c in plain.lower() if c.isalnum() or c == ".")
    return Person(first, last, login if len(login) > len("a.") else "")
