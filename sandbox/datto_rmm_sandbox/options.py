"""All that a sandbox can be told when it starts; the command line's options have the same names."""

from __future__ import annotations

from dataclasses import dataclass, field

from datto_rmm_sandbox.checks import MANY, Range
from datto_rmm_sandbox.quirks import Quirks

RANGES: dict[str, Range] = {
    "devices": Range(int, 0, 1_000_000),
    "seed": Range(int, 0, MANY),
    "now": Range(int, 946_684_800_000, 4_102_444_800_000),  # the years 2000 to 2099
    "resolved_alerts": Range(int, 0, 10_000_000),
    "port": Range(int, 0, 65_535),
    "token_seconds": Range(float, 0.001),
    "rate_limit": Range(int, 0),
    "rate_window": Range(float, 0.001),
    "slow_down_seconds": Range(float, 0),
    "block_after": Range(int, 1),
    "block_seconds": Range(float, 0),
    "other_client_rate": Range(float, 0),
    "latency_ms": Range(float, 0),
    "page_latency_ms": Range(float, 0),
    "jitter_ms": Range(float, 0),
    "live": Range(float, 0, 1_000_000),
}
"""What each option that is a number may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox starts.

    Attributes:
        devices: How many devices the account has.
        seed: The same seed, size and `now` give the same account.
        now: The account's clock, milliseconds since 1970. None: the full hour a day ago.
        account_name: The account's name; empty for one that follows from the seed.
        account_uid: The account's uid; empty for one that follows from the seed.
        resolved_alerts: How many resolved alerts there are; None for three a device.
        host: A loopback address.
        port: A TCP port; 0 takes a free one.
        api_key: The user name that the token call must send.
        api_secret: The password that the token call must send.
        token_seconds: How long a token is good for.
        rate_limit: Reads in any window before calls are refused with 429; 0 switches the limit off.
        rate_window: The window's length in seconds.
        slow_down_seconds: How much later an answer comes above 90 % of the limit.
        block_after: How many refused calls within a window lead to the block (403 for every call).
            The vendor gives no number; 100 is the sandbox's own.
        block_seconds: How long the block lasts; the vendor says five minutes.
        other_client_rate: Calls a minute that another client of the same account makes.
        latency_ms: How long each answer takes at least.
        page_latency_ms: How much longer a page of a list takes.
        jitter_ms: Up to how much longer an answer takes by chance.
        live: Simulated seconds for each real second; 0 keeps the account still.
        faults: What goes wrong, each as `faults.parse` takes it.
        forbid: Regular expressions of paths that this user may not read.
        quirks: How the open questions about the API are answered.
    """

    devices: int = 500
    seed: int = 7
    now: int | None = None
    account_name: str = ""
    account_uid: str = ""
    resolved_alerts: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    api_key: str = "sandbox-key"
    api_secret: str = "sandbox-secret"  # noqa: S105
    token_seconds: float = 360_000
    rate_limit: int = 600
    rate_window: float = 60.0
    slow_down_seconds: float = 1.0
    block_after: int = 100
    block_seconds: float = 300.0
    other_client_rate: float = 0.0
    latency_ms: float = 0.0
    page_latency_ms: float = 0.0
    jitter_ms: float = 0.0
    live: float = 0.0
    faults: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    quirks: Quirks = field(default_factory=Quirks)

    def __post_init__(self) -> None:
        """Check every number.

        Raises:
            GivenError: One of them makes no sense.
        """
        for name, allowed in RANGES.items():
            given = getattr(self, name)
            if given is not None or name not in {"now", "resolved_alerts"}:
                allowed.check(name, given)
