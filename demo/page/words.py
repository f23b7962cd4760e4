"""Numbers and dates as people write them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

DASH: Final = "\N{EN DASH}"


def words(value: object) -> str:
    """Say a value: 1,234, 0.5, 8 Nov 2026, a dash for nothing."""
    match value:
        case None:
            return DASH
        case datetime() | date():
            return f"{value.day} {value:%b %Y}"
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,.1f}"
        case _:
            return str(value)
