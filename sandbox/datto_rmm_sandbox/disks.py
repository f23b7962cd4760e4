"""Local disks: most stay as they are, about one in twelve fills up at a steady pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datto_rmm_sandbox.randomness import Topic, dice, lucky, pick
from datto_rmm_sandbox.records import DAY

if TYPE_CHECKING:
    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device

GIB = 1 << 30
NOISE = 0.003
"""Share of a disk's size by which what is free differs from audit to audit by chance."""
LEAST_FREE = 0.004
"""Share of a disk's size that is free on a full one."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume at its computer's last audit: bytes, and when it will be full or was, if ever."""

    name: str
    size: int
    free: int
    full_at: int | None


def disks(account: Account, device: Device) -> list[Disk]:
    """The local volumes of a computer; about one computer in sixteen has one that is nearly full.

    Args:
        account: The account.
        device: A computer that was audited.

    Returns:
        One volume or more.
    """
    rng = dice(account.seed, Topic.DISK, device.serial)
    now = dice(account.seed, Topic.AUDIT, device.serial, device.generation)
    names = ("C:", "D:", "E:") if device.system.is_windows else ("/", "/var", "/srv")
    server = device.system.category == "Server"
    count = 1 + int(rng.random() * 3) if server else 1 + lucky(rng, 0.2)
    found = []
    for name in names[:count]:
        size = pick(rng, (237, 475, 953, 1906)) * GIB + rng.getrandbits(29)
        is_nearly_full, fills, days = lucky(rng, 0.06), lucky(rng, 0.08), 25 + rng.random() * 275
        share = 0.01 + rng.random() * 0.06 if is_nearly_full else 0.12 + rng.random() * 0.75
        full_at = account.began + int(days * DAY) if fills and not is_nearly_full else None
        if full_at:
            share *= (full_at - device.measured) / (full_at - account.began)
        share += NOISE * (now.random() - 0.5)
        share = min(max(share, LEAST_FREE * (1 - now.random() / 2)), 0.98)
        found.append(Disk(name, size, int(size * share), full_at))
    return found
