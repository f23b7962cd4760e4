"""Patches of devices and sites.

A family's patches come out one after another, in lines; in some lines each patch supersedes those
before it. A device looks at what is new when it is audited: some of it is approved and waits, some
is refused, what is superseded leaves its list. Every third audit installs what waits, but on
computers where nothing is ever installed.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.dates import plain_date
from datto_rmm_sandbox.randomness import Topic, dice, guid, lucky, nth
from datto_rmm_sandbox.records import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device, Row, Site

STATUSES = ("INSTALLED", "APPROVED_PENDING", "NOT_APPROVED")
LINES = len(known.PATCH_LINES)
LINE_MASKS = tuple(
    sum(1 << number for number in range(line, known.PATCHES_PER_FAMILY, LINES))
    for line in range(LINES)
)
DAYS_BETWEEN_RELEASES = 3
AUDITS_BETWEEN_INSTALLS = 3


def release_day(first_day: int, number: int) -> int:
    """The day on which a patch came out, or will; the older patches are, the further apart.

    Args:
        first_day: The account's first day, when `PATCHES_RELEASED` of a family are out.
        number: The patch's number.

    Returns:
        A day; both are days since 1970.
    """
    before = known.PATCHES_RELEASED - 1 - number
    return first_day - 1 - DAYS_BETWEEN_RELEASES * before - max(before, 0) ** 2 // 40


def _released(account: Account) -> int:
    """How many patches of a family are out now."""
    later = (account.now // DAY - account.began // DAY + 1) // DAYS_BETWEEN_RELEASES
    return min(known.PATCHES_RELEASED + later, known.PATCHES_PER_FAMILY)


def installs_fail(device: Device) -> bool:
    """Whether this computer's installations end with an error.

    Args:
        device: A computer.

    Returns:
        True for one in 23.
    """
    return nth(device.serial, 23, 0)


def _is_stuck(device: Device) -> bool:
    """Whether nothing is ever installed here, with or without an error."""
    return installs_fail(device) or nth(device.serial, 17, 5)


def _is_managed(device: Device) -> bool:
    """On-demand sites have no patch management; some computers elsewhere have no policy."""
    return device.system.is_windows and not device.site.on_demand and not nth(device.serial, 19, 4)


def _applicable(account: Account, device: Device) -> int:
    """The patches that this computer is offered at all: a quarter, a half, three quarters."""
    rng = dice(account.seed, Topic.PATCH, device.serial)
    one, other = (rng.getrandbits(known.PATCHES_PER_FAMILY) for _ in range(2))
    return (one & other, one, one | other)[device.serial % 3]


def first_patches(account: Account, device: Device, rng: Random) -> None:
    """Give a device the patches that it has when it comes.

    Args:
        account: The account.
        device: A device; what is no managed Windows computer gets none.
        rng: The device's dice.
    """
    if not _is_managed(device):
        return
    patches = device.patches
    patches.seen = _released(account)
    patches.installed = _applicable(account, device) & ((1 << patches.seen) - 1)
    pending = 1 + int(rng.random() * 8) if lucky(rng, 0.4) or _is_stuck(device) else 0
    missing = _newest_of_lines(patches.installed)[int(rng.random() ** 3 * 20) :]
    patches.pending = _mask(missing[:pending])
    patches.refused = _mask(missing[pending : pending + int(rng.random() * 4)])
    patches.installed &= ~(patches.pending | patches.refused)
    device.reboot_required = lucky(rng, 0.06)


def _newest_of_lines(held: int) -> list[int]:
    """The patches that may be missing, newest first: no superseded ones."""
    found, taken = [], set()
    for number in reversed(list(_numbers(held))):
        line = number % LINES
        if known.PATCH_LINES[line].supersedes:
            if line in taken:
                continue
            taken.add(line)
        found.append(number)
    return found


def audit_patches(account: Account, device: Device) -> None:
    """Let a device look for patches, install some, restart for others.

    Args:
        account: The account.
        device: The device, whose generation is that of this audit already.
    """
    if not _is_managed(device):
        return
    patches, released = device.patches, _released(account)
    if device.reboot_required:
        device.reboot_required, device.rebooted = False, device.measured
    fresh = _applicable(account, device) & ((1 << released) - 1) & -(1 << patches.seen)
    patches.seen = released
    for number in _numbers(fresh):
        line = number % LINES
        if known.PATCH_LINES[line].supersedes:
            still_on_offer = ~(LINE_MASKS[line] & ((1 << number) - 1))
            patches.pending &= still_on_offer
            patches.refused &= still_on_offer
        if nth(number + device.serial, 9, 4):
            patches.refused |= 1 << number
        else:
            patches.pending |= 1 << number
    is_due = (device.generation + device.serial) % AUDITS_BETWEEN_INSTALLS == 0
    if patches.pending and is_due and not _is_stuck(device):
        patches.installed |= patches.pending
        device.reboot_required = patches.pending.bit_count() > 1
        patches.pending = 0


def _numbers(mask: int) -> Iterator[int]:
    """The numbers of the patches in a mask, oldest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _mask(numbers: list[int]) -> int:
    return sum(1 << number for number in numbers)


def catalogue(account: Account, family: str) -> tuple[Row, ...]:
    """A family's patches by number.

    Args:
        account: The account, which the release dates follow.
        family: A key of `PATCH_FAMILIES`.

    Returns:
        What the rows of devices and sites have in common.
    """
    return _catalogue(account.seed, family, account.began // DAY)


@lru_cache(maxsize=16)
def _catalogue(seed: int, family: str, first_day: int) -> tuple[Row, ...]:
    number = list(known.PATCH_FAMILIES).index(family)
    patches = []
    for serial in range(known.PATCHES_PER_FAMILY):
        released = plain_date(release_day(first_day, serial) * DAY)
        rng = dice(seed, Topic.PATCH, number, serial)
        line = known.PATCH_LINES[serial % LINES]
        kb = 5_000_000 + number * 40_000 + serial * 137
        title = line.title.format(system=known.PATCH_FAMILIES[family], kb=kb, minor=serial + 20)
        driver = line.category == "Drivers"
        patches.append(
            {
                "patchId": guid(rng),
                "category": [line.category, "Windows 11"] if lucky(rng, 0.3) else [line.category],
                "type": "DRIVER" if driver else "SOFTWARE",
                "title": title,
                "description": f"<p>{title}</p>" if lucky(rng, 0.5) else None,
                "releaseDate": None if driver and lucky(rng, 0.3) else released,
                "severity": line.severity,
                "maxSize": rng.getrandbits(29),
                "rebootRequired": None if driver else lucky(rng, 0.6),
                "requireUserInput": False,
                "kbArticleId": None if driver else str(kb),
            },
        )
    return tuple(patches)


def _held(device: Device) -> Iterator[tuple[int, str]]:
    """Number of each patch that the device knows of, and its install status."""
    patches = device.patches
    for status, mask in zip(
        STATUSES, (patches.installed, patches.pending, patches.refused), strict=True
    ):
        for number in _numbers(mask):
            yield number, status


def device_patches(account: Account, device: Device) -> list[Row]:
    """The patches of a device, each once.

    Args:
        account: The account.
        device: Any device; what is no managed Windows computer has none.

    Returns:
        Rows in the shape of the spec's Patch.
    """
    if not device.patches.installed:
        return []
    patches = catalogue(account, device.system.family)
    return [
        {
            **patches[number],
            "installStatus": status,
            "manualOverride": (number + device.serial) % 50 == 0,
        }
        for number, status in _held(device)
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
        family = device.system.family
        totals.update((family, number, status) for number, status in _held(device))
    return [
        {
            **catalogue(account, family)[number],
            "installStatus": status,
            "totalDevices": total,
        }
        for (family, number, status), total in sorted(totals.items())
    ]
