"""Patches of devices and sites.

Each Windows device goes through its family's patches in an order of its own: the first ones are
installed, the next approved and pending, the next refused. Installing one moves a border.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.randomness import Topic, dice, guid, lucky, mixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device, Row, Site

STATUSES = ("INSTALLED", "APPROVED_PENDING", "NOT_APPROVED")


@lru_cache(maxsize=16)
def _catalogue(seed: int, family: str) -> tuple[Row, ...]:
    number = list(known.PATCH_FAMILIES).index(family)
    patches = []
    for serial in range(known.PATCHES_PER_FAMILY):
        rng = dice(seed, Topic.PATCH, number, serial)
        line, category, severity = known.PATCH_LINES[serial % len(known.PATCH_LINES)]
        kb = 5_000_000 + number * 40_000 + serial * 137
        title = line.format(system=known.PATCH_FAMILIES[family], kb=kb, minor=serial + 20)
        driver = category == "Drivers"
        patches.append(
            {
                "patchId": guid(rng),
                "category": [category, "Windows 11"] if lucky(rng, 0.3) else [category],
                "type": "DRIVER" if driver else "SOFTWARE",
                "title": title,
                "description": f"<p>{title}</p>" if lucky(rng, 0.5) else None,
                "releaseDate": f"{2024 + serial % 3}-{1 + serial % 12:02d}-{1 + serial % 28:02d}",
                "severity": severity,
                "maxSize": rng.getrandbits(29),
                "rebootRequired": None if driver else lucky(rng, 0.6),
                "requireUserInput": False,
                "kbArticleId": None if driver else str(kb),
            },
        )
    return tuple(patches)


def _held(account: Account, device: Device) -> Iterator[tuple[int, str]]:
    """Number of each patch that the device knows of, and its install status."""
    chance = mixed(account.seed, Topic.PATCH, device.serial)
    stride, at = (
        1 + chance % (known.PATCHES_PER_FAMILY - 1),
        (chance >> 20) % known.PATCHES_PER_FAMILY,
    )
    counts = (device.patches_installed, device.patches_pending, device.patches_refused)
    for status, count in zip(STATUSES, counts, strict=True):
        for _ in range(count):
            yield at, status
            at = (at + stride) % known.PATCHES_PER_FAMILY


def device_patches(account: Account, device: Device) -> list[Row]:
    """The patches of a device, each once.

    Args:
        account: The account.
        device: Any device; what is no managed Windows computer has none.

    Returns:
        Rows in the shape of the spec's Patch.
    """
    if not device.patches_installed:
        return []
    patches = _catalogue(account.seed, device.system.family)
    return [
        {
            **patches[number],
            "installStatus": status,
            "manualOverride": (number + device.serial) % 50 == 0,
        }
        for number, status in _held(account, device)
    ]


def site_patches(account: Account, site: Site) -> list[Row]:
    """The patches of a site's devices; the same patch stands there once for each install status.

    Args:
        account: The account.
        site: One of its sites.

    Returns:
        Rows in the shape of the spec's SitePatch.
    """
    totals: Counter[tuple[str, int, str]] = Counter()
    for device in site.devices.values():
        if device.patches_installed:
            family = device.system.family
            totals.update((family, number, status) for number, status in _held(account, device))
    return [
        {**_catalogue(account.seed, family)[number], "installStatus": status, "totalDevices": total}
        for (family, number, status), total in sorted(totals.items())
    ]
