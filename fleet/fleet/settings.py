"""What the engine is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNTS_VARIABLE = "FLEET_ACCOUNTS"
ACCOUNTS_FILE = "accounts.yaml"
ANSWERS_VARIABLE = "FLEET_ANSWERS"

LARGEST = 36_500
"""Days, a hundred years; or minutes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's settings; accounts and what is synced stand in the accounts file."""

    accounts: Path
    """The accounts file, `FLEET_ACCOUNTS`."""
    interval: timedelta
    """Time between two syncs of an account, `FLEET_EVERY_MINUTES`: an hour."""
    keep: timedelta
    """How long Dagster remembers runs, `FLEET_KEEP_DAYS`: 30 days."""
    answers: Path | None
    """The folder `sql/answers`, `FLEET_ANSWERS`: without it no answers are made."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read them.

        Raises:
            FleetError: a number is none, or too large.
        """
        return cls(
            accounts=Path(environment.get(ACCOUNTS_VARIABLE) or ACCOUNTS_FILE),
            interval=timedelta(minutes=_number(environment, "FLEET_EVERY_MINUTES", 60)),
            keep=timedelta(days=_number(environment, "FLEET_KEEP_DAYS", 30)),
            answers=Path(folder) if (folder := environment.get(ANSWERS_VARIABLE)) else None,
        )

    @property
    def patience(self) -> timedelta:
        """After how long without a complete run an account's rows are too old."""
        return 2 * self.interval


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST):
        raise FleetError(f"{name} is {text!r}; it takes a whole number from 1 to {LARGEST}.")
    return int(text)
