"""The account: seeded sites, devices, alerts, jobs and activities, and how they change."""

from __future__ import annotations

import time
from bisect import insort
from typing import TYPE_CHECKING

from datto_rmm_sandbox.catalogue import ACCOUNTS, CLASS_MIX, SYSTEMS
from datto_rmm_sandbox.names import names
from datto_rmm_sandbox.patches import audit_patches, first_patches
from datto_rmm_sandbox.randomness import Topic, dice, guid, lucky, nth, pick
from datto_rmm_sandbox.records import DAY, HOUR, MINUTE, Activity, Alert, Device, Job, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

PRIORITIES = ("Critical", "High", "High", "Moderate", "Moderate", "Moderate", "Low", "Information")
MOST_RESOLVED, MOST_ACTIVITIES, MOST_JOBS = 60_000, 60_000, 5_000
"""Upper bounds of the history that an account starts with: 100,000 devices fit in memory."""

_SYSTEMS_OF_CLASS = {
    name: [n for n, s in enumerate(SYSTEMS) if s.device_class == name for _ in range(s.weight)]
    for name in CLASS_MIX
}


def default_now() -> int:
    """The full hour a day ago, where an account's clock starts unless it is told otherwise.

    The day is room for the account to live in: `advance` must never carry it past the real time,
    or a client that rightly asks only for what has happened until now would miss rows.
    """
    return int(time.time() * 1000) // HOUR * HOUR - DAY


class Account:
    """One Datto RMM account.

    Args:
        devices: How many devices it starts with.
        seed: The same seed, size and `now` give the same account.
        now: The account's clock, milliseconds since 1970. Left out: a day ago, and the clock never
            passes the real time.
        name: What it is called; empty for a name that follows from the seed.
        uid: Its key; empty for one that follows from the seed.
        resolved_alerts: How many there are; None for three a device.
    """

    def __init__(
        self,
        devices: int = 500,
        seed: int = 7,
        now: int | None = None,
        *,
        name: str = "",
        uid: str = "",
        resolved_alerts: int | None = None,
    ) -> None:
        """Make the account."""
        self.seed = seed
        self.pinned = now is not None
        self.began = self.now = default_now() if now is None else now
        self.started = self.now - 9 * DAY
        self.names = names(seed)
        self.life = dice(seed, Topic.LIFE)
        self.name = name if name.strip() else ACCOUNTS[seed % len(ACCOUNTS)]
        self.uid = uid or f"cst-{self.name.split()[0].lower()}-{seed:02d}"
        self.sites: list[Site] = []
        self.devices: list[Device] = []
        self.open_alerts: list[Alert] = []
        self.resolved_alerts: list[Alert] = []
        self.jobs: dict[str, Job] = {}
        self.activities: list[Activity] = []
        self.removed: dict[str, Device] = {}
        self._devices: dict[str, Device] = {}
        self._alerts: dict[str, Alert] = {}
        self._sites: dict[str, Site] = {}
        self._next_device = self._next_alert = self._next_activity = self._next_job = 0
        self._mix: list[str] = []
        self._seed_sites(devices)
        self._seed_devices(devices)
        wanted = min(devices * 3, MOST_RESOLVED) if resolved_alerts is None else resolved_alerts
        self._seed_alerts(devices, wanted)
        self._seed_jobs(devices)
        self._seed_activities(devices)
        self.user_count = min(6 + devices // 40, 400)
        self.component_count = min(40 + devices // 20, 320)
        self.variable_count = min(12 + devices // 50, 300)

    # Looking things up

    def device(self, uid: str) -> Device | None:
        """The device with that uid, or None."""
        return self._devices.get(uid)

    def site(self, uid: str) -> Site | None:
        """The site with that uid if it is in the site list, or None."""
        return self._sites.get(uid)

    def alert(self, uid: str) -> Alert | None:
        """The alert with that uid, open or resolved, or None."""
        return self._alerts.get(uid)

    def listed_sites(self) -> Iterator[Site]:
        """The sites that have sub-resources: all of the list but "Deleted Devices"."""
        return (site for site in self._sites.values() if not site.deleted)

    def job_pairs(self) -> dict[tuple[str, str], tuple[Job, Device]]:
        """The jobs and devices that readable details of the activity log name, if they exist."""
        return {
            (activity.job.uid, activity.device.uid): (activity.job, activity.device)
            for activity in self.activities
            if activity.job and not activity.is_broken and activity.device.uid in self._devices
        }

    # Changing things

    def later(self, milliseconds: int) -> int:
        """Let time pass.

        Args:
            milliseconds: How long.

        Returns:
            How long it really was: the clock of an account whose `now` was not given stops at the
            real time, but for a millisecond, so that each step has room for its events.
        """
        target = self.now + milliseconds
        if not self.pinned:
            target = max(min(target, int(time.time() * 1000)), self.now + 1)
        passed, self.now = target - self.now, target
        return passed

    def add_device(self, *, front: bool = False, site: Site | None = None) -> Device:
        """A new device comes to one of the sites.

        Args:
            front: Whether it stands first in the device lists instead of last.
            site: The site that it comes to; any one where left out.

        Returns:
            The device: online, seen now and not audited yet.
        """
        chance = dice(self.seed, Topic.LIFE, self._next_device)
        device = self._make_device(site or self._draw_site(chance))
        device.created = device.seen = self.now
        device.audited, device.rebooted, device.online = None, None, True
        if front:
            self.devices.insert(0, device)
            device.site.devices = {device.serial: device, **device.site.devices}
        else:
            self.devices.append(device)
        return device

    def remove_device(self, device: Device) -> None:
        """A device is deleted: it leaves all lists, its open alerts are resolved.

        Args:
            device: A device of this account.
        """
        self.devices.remove(device)
        self.removed[device.uid] = self._devices.pop(device.uid)
        del device.site.devices[device.serial]
        for alert in [alert for alert in self.open_alerts if alert.device is device]:
            self.resolve(alert)

    def restore_device(self, device: Device) -> None:
        """A device that was deleted comes back as it was, its old `lastAuditDate` included.

        Args:
            device: A device that was removed.
        """
        del self.removed[device.uid]
        self._devices[device.uid] = device
        self.devices.append(device)
        device.site.devices[device.serial] = device

    def audit(self, device: Device, at: int | None, *, late: int = 0) -> None:
        """A device is audited: its audit, software and patches may differ from the last ones.

        Args:
            device: A device of this account.
            at: Its new `lastAuditDate`; null where the wire shall say "never".
            late: Milliseconds until the device lists show that date.
        """
        if self.now >= device.noted:
            device.audited_before = device.audited
        device.audited, device.noted = at, self.now + late
        device.measured = self.now if at is None else at
        device.generation += 1
        audit_patches(self, device)

    def open(self, device: Device, at: int, priority: str | None = None) -> Alert:
        """An alert is opened.

        Args:
            device: The device that it is about.
            at: When.
            priority: One of the vendor's priorities; drawn where left out.

        Returns:
            The alert.
        """
        alert = self._bare_alert(device, at)
        alert.priority = priority or alert.priority
        insort(self.open_alerts, alert, key=_opened)
        return alert

    def resolve(self, alert: Alert, at: int | None = None) -> None:
        """An open alert is resolved.

        Args:
            alert: An open alert of this account.
            at: When; now where left out.
        """
        self.open_alerts.remove(alert)
        alert.resolved = self.now if at is None else at
        insort(self.resolved_alerts, alert, key=_resolved)

    def forget_alert(self, alert: Alert) -> None:
        """A resolved alert leaves the history.

        Args:
            alert: A resolved alert of this account.
        """
        self.resolved_alerts.remove(alert)
        del self._alerts[alert.uid]

    def log(self, device: Device, at: int, job: Job | None = None) -> Activity:
        """An activity is logged.

        Args:
            device: The device that it is about.
            at: When.
            job: The job, where it is a job's deployment.

        Returns:
            The activity.
        """
        activity = self._bare_activity(device, at, job)
        insort(self.activities, activity, key=logged)
        return activity

    def run_job(self, devices: Iterable[Device], at: int) -> Job:
        """A job is created and deployed to some devices, which the activity log tells.

        Args:
            devices: The targets.
            at: When it was created.

        Returns:
            The job.
        """
        job = self._bare_job(tuple(devices), at)
        for number, device in enumerate(job.devices):
            self.log(device, min(at + (1 + number) * 7_919, self.now), job)
        return job

    def finish_job(self, job: Job, at: int | None = None) -> None:
        """A job comes to its end, and its results with it; the activity log does not tell.

        Args:
            job: A job of this account.
            at: When; now where left out.
        """
        job.finished = self.now if at is None else at

    # The account's beginning

    def _seed_sites(self, devices: int) -> None:
        rng = dice(self.seed, Topic.SITE)
        count = max(3, round(devices * 0.06))
        companies, towns = self.names.companies, self.names.towns
        for serial in range(count):
            name = companies[serial % len(companies)]
            if serial >= len(companies):
                town = towns[(serial // len(companies) * 7 + serial) % len(towns)]
                name = f"{name} – {town} {serial}"
            self._add_site(Site(serial, guid(rng), name, _code(name, serial), lucky(rng, 0.06)))
        self._weights: list[float] = []
        total = 0.0
        for _ in range(count):
            total += min(rng.lognormvariate(0, 1), 8.0)
            self._weights.append(total)
        self._customers = list(self.sites)
        self._gone = [
            Site(count + n, guid(rng), "", f"OLD{n}", on_demand=False, listed=False)
            for n in range(max(1, devices // 2_000))
        ]
        self._add_site(
            Site(
                serial=count + len(self._gone),
                uid=f"deleted_devices_{self.uid}",
                name="Deleted Devices",
                code="DEL",
                on_demand=False,
                deleted=True,
            ),
        )

    def _add_site(self, site: Site) -> None:
        self.sites.append(site)
        self._sites[site.uid] = site

    def _draw_site(self, rng: Random) -> Site:
        return rng.choices(self._customers, cum_weights=self._weights)[0]

    def _seed_devices(self, count: int) -> None:
        rng = dice(self.seed, Topic.ACCOUNT)
        for serial in range(count):
            orphan = nth(serial, 400, 13)
            site = self._gone[serial // 400 % len(self._gone)] if orphan else self._draw_site(rng)
            self.devices.append(self._make_device(site))

    def _device_class(self, serial: int) -> str:
        """Shuffled hundreds of the class mix; the first ten hold one of each class."""
        block, place = divmod(serial, 100)
        if place == 0 or not self._mix:
            rng = dice(self.seed, Topic.CLASS_MIX, block)
            mix = [name for name, share in CLASS_MIX.items() for _ in range(share)]
            rng.shuffle(mix)
            if block == 0:
                for name in CLASS_MIX:
                    mix.remove(name)
                mix[4:4] = CLASS_MIX
            self._mix = mix
        return self._mix[place]

    def _make_device(self, site: Site) -> Device:
        serial, self._next_device = self._next_device, self._next_device + 1
        rng = dice(self.seed, Topic.DEVICE, serial)
        uid = guid(rng)
        number = pick(rng, _SYSTEMS_OF_CLASS[self._device_class(serial)])
        system, now, chance = SYSTEMS[number], self.now, rng.random
        online = chance() < (0.75 if system.category in {"Laptop", "Desktop"} else 0.97)
        seen = now - int(chance() * 5 * MINUTE) if online else now - int(chance() ** 9 * 60 * DAY)
        audited: int | None = seen - int(chance() * DAY)
        if audited and serial % 3 == 0:
            audited -= audited % (10 * MINUTE)
        if nth(serial, 37, 11):
            audited = None
        away = now + int(chance() * 45 * DAY) if seen < now - 3 * DAY else 0
        device = Device(
            serial=serial,
            uid=uid,
            site=site,
            system_number=number,
            created=now - int((0.02 + chance()) * 1500) * DAY - int(chance() * DAY),
            seen=seen,
            rebooted=seen - int(chance() ** 2 * 45 * DAY)
            if system.device_class == "device"
            else None,
            audited=audited,
            generation=0,
            online=online,
            reboot_required=False,
            measured=audited or now,
            away=away,
        )
        first_patches(self, device, rng)
        self._devices[uid] = device
        site.devices[serial] = device
        return device

    def _seed_alerts(self, devices: int, resolved: int) -> None:
        if not self.devices:
            return
        rng = dice(self.seed, Topic.ALERT)
        for _ in range(resolved):
            opened = self.now - DAY // 4 - int(rng.random() ** 2 * 120 * DAY)
            alert = self._bare_alert(pick(rng, self.devices), opened)
            alert.resolved = min(opened + int(rng.random() ** 2 * 5 * DAY), self.now)
            self.resolved_alerts.append(alert)
        self.resolved_alerts.sort(key=_resolved)
        for _ in range(max(1, round(devices * 0.1))):
            opened = self.now - int(rng.random() ** 2 * 30 * DAY)
            self.open_alerts.append(self._bare_alert(pick(rng, self.devices), opened))
        self.open_alerts.sort(key=_opened)

    def _bare_alert(self, device: Device, opened: int) -> Alert:
        serial, self._next_alert = self._next_alert, self._next_alert + 1
        rng = dice(self.seed, Topic.ALERT, serial)
        uid, priority = guid(rng), pick(rng, PRIORITIES)
        alert = self._alerts[uid] = Alert(serial, uid, device, priority, opened)
        return alert

    def _seed_jobs(self, devices: int) -> None:
        if not self.devices:
            return
        rng = dice(self.seed, Topic.JOB)
        for _ in range(min(5 + devices // 10, MOST_JOBS)):
            targets = {device.serial: device for device in _several(rng, self.devices)}
            self._bare_job(tuple(targets.values()), self.now - HOUR - int(rng.random() * 30 * DAY))

    def _bare_job(self, devices: tuple[Device, ...], created: int) -> Job:
        serial, self._next_job = self._next_job, self._next_job + 1
        job = Job(serial, guid(dice(self.seed, Topic.JOB, serial)), created, devices)
        self.jobs[job.uid] = job
        return job

    def _seed_activities(self, devices: int) -> None:
        if not self.devices:
            return
        rng = dice(self.seed, Topic.ACTIVITY)
        found = [
            self._bare_activity(device, job.created + MINUTE + int(rng.random() * 50 * MINUTE), job)
            for job in self.jobs.values()
            for device in job.devices
        ]
        for _ in range(min(2 * devices + 50, MOST_ACTIVITIES - len(found))):
            at = self.now - int(rng.random() ** 3 * 30 * DAY)
            found.append(self._bare_activity(pick(rng, self.devices), at, None))
        self.activities = sorted(found, key=logged)

    def _bare_activity(self, device: Device, at: int, job: Job | None) -> Activity:
        serial, self._next_activity = self._next_activity, self._next_activity + 1
        uid = guid(dice(self.seed, Topic.ACTIVITY, serial))
        return Activity(serial, uid, at, device, job)


def logged(activity: Activity) -> tuple[int, str]:
    """Where an activity stands in the log: by time, then by id.

    Args:
        activity: An activity.

    Returns:
        The sort key, which is the vendor's `searchAfter` too.
    """
    return activity.at, activity.uid


def _opened(alert: Alert) -> int:
    return alert.opened


def _resolved(alert: Alert) -> int:
    return alert.resolved or 0


def _code(name: str, serial: int) -> str:
    """A short prefix for host names, from the company's initials."""
    initials = "".join(
        word[0] for word in name.upper().split() if word[0].isascii() and word[0].isalpha()
    )
    return f"{initials[:3] or 'KND'}{serial:02d}"


def _several(rng: Random, devices: list[Device]) -> list[Device]:
    return [pick(rng, devices) for _ in range(1 + int(rng.random() ** 2 * 8))]
