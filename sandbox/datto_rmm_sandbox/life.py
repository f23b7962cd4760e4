"""The account lives: devices are seen, audited, come and go; alerts open and resolve; jobs run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datto_rmm_sandbox.randomness import pick
from datto_rmm_sandbox.records import DAY, MINUTE

if TYPE_CHECKING:
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device

AUDITS_A_DAY = 1.0
ALERTS_A_DAY = 0.15
ACTIVITIES_A_DAY = 2.0
JOBS_A_DAY = 0.02
ADDED_A_DAY = 0.004
REMOVED_A_DAY = 0.003
GOES_SILENT_A_DAY = 0.002
"""Per device, about what real accounts show (the facts' chapter on volume)."""

BACK_SOONER = 4
"""How much likelier it is that a device which is off comes back than that one goes off."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened while the account lived, as uids and counts; `now` is its clock afterwards."""

    now: int
    seen: int
    audited: list[str]
    opened: list[str]
    resolved: list[str]
    added: list[str]
    removed: list[str]
    activities: int


def advance(  # noqa: PLR0913
    account: Account,
    minutes: float = 60.0,
    *,
    audited_percent: float | None = None,
    opened: int | None = None,
    resolved: int | None = None,
    added: int | None = None,
    removed: int | None = None,
    activities: int | None = None,
) -> Happened:
    """Let the account live for a while. The same calls on the same account do the same.

    Args:
        account: The account.
        minutes: How long. The clock stops at the real time where the account's `now` was not given;
            what happens then happens in the time that is left.
        audited_percent: Share of the devices that are audited; left out, each about once a day.
        opened: Alerts that open; left out, 0.15 a day and device.
        resolved: Alerts that are resolved; left out, as many as open.
        added: Devices that come; left out, 0.004 a day and device.
        removed: Devices that go; left out, 0.003 a day and device.
        activities: Activities that are logged beside jobs; left out, 2 a day and device.

    Returns:
        What happened.

    Raises:
        ValueError: `minutes` or another number is negative.
    """
    given = (minutes, audited_percent, opened, resolved, added, removed, activities)
    if any(value is not None and value < 0 for value in given):
        message = "minutes, percentages and counts must not be negative"
        raise ValueError(message)
    rng, devices = account.life, account.devices
    span = account.later(int(minutes * MINUTE))
    days = minutes * MINUTE / DAY
    size = len(devices)

    def count(wanted: int | None, rate: float) -> int:
        return _chance_count(rng, size * rate * days) if wanted is None else wanted

    gone = rng.sample(devices, min(count(removed, REMOVED_A_DAY), max(size - 1, 0)))
    for device in gone:
        account.remove_device(device)
    new = [account.add_device() for _ in range(count(added, ADDED_A_DAY))]
    seen = _see(account, rng, span)
    share = AUDITS_A_DAY * days if audited_percent is None else audited_percent / 100
    audited = _audit(account, rng, span, _chance_count(rng, len(devices) * share))
    open_count = count(opened, ALERTS_A_DAY)
    resolve_count = open_count if resolved is None else resolved
    done = rng.sample(account.open_alerts, min(resolve_count, len(account.open_alerts)))
    for alert, at in zip(done, _moments(account, rng, span, len(done)), strict=True):
        account.resolve(alert, max(at, alert.opened))
    started = [
        account.open(pick(rng, devices), at).uid
        for at in _moments(account, rng, span, open_count if devices else 0)
    ]
    for at in _moments(
        account, rng, span, _chance_count(rng, size * JOBS_A_DAY * days) if devices else 0
    ):
        account.run_job(
            {d.serial: d for d in (pick(rng, devices), pick(rng, devices))}.values(), at
        )
    logged = count(activities, ACTIVITIES_A_DAY) if devices else 0
    for at in _moments(account, rng, span, logged):
        account.log(pick(rng, devices), at)
    return Happened(
        now=account.now,
        seen=seen,
        audited=[device.uid for device in audited],
        opened=started,
        resolved=[alert.uid for alert in done],
        added=[device.uid for device in new],
        removed=[device.uid for device in gone],
        activities=logged,
    )


def _chance_count(rng: Random, mean: float) -> int:
    """A whole number around a mean: the fraction decides by chance."""
    whole = int(mean)
    return whole + (rng.random() < mean - whole)


def _moments(account: Account, rng: Random, span: int, number: int) -> list[int]:
    """Times within the last span, in order, the first after what was now before."""
    return sorted(account.now - int(rng.random() * span) for _ in range(number))


def _see(account: Account, rng: Random, span: int) -> int:
    """Online devices were seen within the last minutes.

    Some go off for hours and come back; now and then one goes silent for weeks.
    """
    off = min(0.0005 * span / MINUTE, 0.2)
    silent = GOES_SILENT_A_DAY * span / DAY
    online = 0
    for device in account.devices:
        chance = rng.random()
        if device.away > account.now:
            continue
        if device.away:
            device.away, device.online = 0, True
        elif chance < silent:
            device.online, device.away = False, account.now + int((5 + rng.random() * 55) * DAY)
        elif chance < silent + (off if device.online else min(BACK_SOONER * off, 0.8)):
            device.online = not device.online
        if device.online:
            device.seen = max(account.now - int(rng.random() * min(span, 5 * MINUTE)), device.seen)
            online += 1
    return online


def _audit(account: Account, rng: Random, span: int, number: int) -> list[Device]:
    """Only what is online is audited; ties in `lastAuditDate` are frequent, as in real batches."""
    online = [device for device in account.devices if device.online]
    chosen = rng.sample(online, min(number, len(online)))
    times = _moments(account, rng, span, len(chosen))
    for place, device in enumerate(chosen):
        account.audit(device, times[place - place % 3])
    return chosen
