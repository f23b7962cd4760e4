"""What a sync waits for: a cause to count, and words for somebody who watches."""

from __future__ import annotations

from typing import Final, NamedTuple

RATE_LIMIT: Final = "the rate limit"
BLOCK: Final = "the IP block"
HOST: Final = "the host"
RETRIES: Final = "retries"
ANSWERS: Final = "slow answers"
TARGET: Final = "the target"

LONG_PART: Final = 20
"""Characters: a part of a path that has more is shortened, as uids have and endpoints have not."""


class Wait(NamedTuple):
    """Something that is waited for."""

    cause: str
    """One of the above."""
    words: str = ""
    """Empty where it is too short to be told."""


def brief(path: str) -> str:
    """Shorten what is long in a path: a line has 80 columns.

    >>> brief("/v2/audit/device/8f14e45f-ceea-467f-a8f3-92c1b1a5d7f0/software")
    '/v2/audit/device/8f14e45f.../software'
    """
    parts = path.partition("?")[0].split("/")
    return "/".join(f"{part[:8]}..." if len(part) > LONG_PART else part for part in parts)
