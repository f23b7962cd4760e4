"""Dates on the wire: epoch milliseconds, ISO 8601 text or plain days."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from datto_rmm_sandbox.records import DOTNET_MINIMUM

if TYPE_CHECKING:
    from datto_rmm_sandbox.quirks import Quirks


def iso(at: int) -> str:
    """A time as ISO 8601 text in UTC, as some accounts send it.

    Args:
        at: Milliseconds since 1970; .NET's minimum date too.

    Returns:
        For example 2026-08-01T12:00:00.000Z.
    """
    if at == DOTNET_MINIMUM:
        return "0001-01-01T00:00:00.000Z"
    return (
        datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"
    )


def read_moment(text: str) -> int:
    """A time that a user wrote.

    Args:
        text: ISO 8601 or milliseconds since 1970.

    Returns:
        Milliseconds since 1970.

    Raises:
        ValueError: It is neither.
    """
    try:
        if text.removeprefix("-").isdigit():
            return int(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"must be ISO 8601 or milliseconds since 1970, not {text!r}"
        raise ValueError(message) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


@lru_cache(maxsize=8192)
def plain_date(at: int) -> str:
    """A day as yyyy-MM-dd.

    Args:
        at: Milliseconds since 1970.

    Returns:
        Ten characters.
    """
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")


def moment(at: int | None, quirks: Quirks) -> int | str | None:
    """A device's date in the form that this account sends.

    Args:
        at: Milliseconds since 1970, or null.
        quirks: `device_dates` decides.

    Returns:
        Milliseconds or ISO text.
    """
    return at if at is None or quirks.device_dates == "epoch-ms" else iso(at)
