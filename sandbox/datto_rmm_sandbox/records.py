"""What the account remembers of each thing: small records, from which the rows are derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from datto_rmm_sandbox.catalogue import AREAS, PLATFORM, SYSTEMS
from datto_rmm_sandbox.randomness import nth

if TYPE_CHECKING:
    from datto_rmm_sandbox.catalogue import System

Row: TypeAlias = dict[str, Any]
"""One JSON object as it goes over the wire."""

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Times and spans are milliseconds, times since 1970 in UTC."""

DOTNET_MINIMUM = -62135596800000
"""What the vendor sends for "never" now and then: 0001-01-01."""


@dataclass(slots=True, eq=False)
class Site:
    """A customer's site.

    `listed` is false for a site that devices point at although the site list lacks it. `deleted`
    marks the vendor's own "Deleted Devices" site: its uid is no GUID, it has no sub-resources.
    """

    serial: int
    uid: str
    name: str
    code: str
    on_demand: bool
    listed: bool = True
    deleted: bool = False
    devices: dict[int, Device] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The numeric id, as activity logs use it."""
        return 41_000 + self.serial


@dataclass(slots=True)
class PatchSet:
    """What a device knows of its family's patches: bit n of a number stands for patch n.

    `seen` is how many patches of the catalogue the device has looked at.
    """

    installed: int = 0
    pending: int = 0
    refused: int = 0
    seen: int = 0


@dataclass(slots=True, eq=False)
class Device:
    """A device: only what changes as the account lives; the rest follows from its serial number.

    From `noted` on the device lists show the date `audited`, until then `audited_before`. Its disks
    were last looked at when it was `measured`; it stays silent until `away` (0: it does not).
    """

    serial: int
    uid: str
    site: Site
    system_number: int
    created: int
    seen: int
    rebooted: int | None
    audited: int | None
    generation: int
    online: bool
    reboot_required: bool
    measured: int
    audited_before: int | None = None
    noted: int = 0
    away: int = 0
    patches: PatchSet = field(default_factory=PatchSet)

    @property
    def id(self) -> int:
        """The numeric id."""
        return 900_000 + self.serial

    @property
    def system(self) -> System:
        """What kind of device it is."""
        return SYSTEMS[self.system_number]

    @property
    def hostname(self) -> str:
        """Its name, unlike any other's: short and plain, but free text for some printers."""
        name = f"{self.site.code}-{self.system.prefix}{self.serial:02d}"
        if self.system.device_class in {"printer", "rmmnetworkdevice"} and self.serial % 2:
            return f"{name} {AREAS[self.serial % len(AREAS)]}"
        return name

    @property
    def address(self) -> str:
        """Its internal IPv4 address."""
        return f"10.{self.site.serial % 250}.{self.serial // 250 % 250}.{2 + self.serial % 250}"

    @property
    def portal_url(self) -> str:
        """Its page in the vendor's web interface."""
        return f"https://{PLATFORM}rmm.centrastage.net/device/{self.id}/{self.hostname}"

    @property
    def remote_url(self) -> str | None:
        """Its Web Remote address; only computers have one."""
        if not self.is_computer:
            return None
        return f"https://{PLATFORM}.centrastage.net/csm/remote/rto/{self.id}"

    @property
    def is_computer(self) -> bool:
        """Whether its class is `device`, the only one with software, antivirus and patches."""
        return self.system.device_class == "device"


@dataclass(slots=True, eq=False)
class Alert:
    """An alert; `resolved` is the time at which it was, or null while it is open."""

    serial: int
    uid: str
    device: Device
    priority: str
    opened: int
    resolved: int | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A job and the devices that it was deployed to; `finished` null: a day after `created`."""

    serial: int
    uid: str
    created: int
    devices: tuple[Device, ...]
    finished: int | None = None

    def is_active(self, now: int) -> bool:
        """Whether it has not been completed yet.

        Args:
            now: The account's clock, milliseconds since 1970.

        Returns:
            False from its end on, or from a day after its creation.
        """
        return now <= self.created + DAY if self.finished is None else now < self.finished


@dataclass(slots=True, eq=False)
class Activity:
    """A row of the activity log; `job` is set where it tells of a job's deployment."""

    serial: int
    uid: str
    at: int
    device: Device
    job: Job | None = None

    @property
    def is_broken(self) -> bool:
        """Whether its `details` is text that is no JSON, as the vendor's sometimes is."""
        return nth(self.serial, 29, 3)
