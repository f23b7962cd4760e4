"""Fan-out: for whom a stream's path is asked, one by one, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.api.changes import ChangeDemand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tap_datto_rmm.api.activity_log import ActivityLog
    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.api.devices import Device
    from tap_datto_rmm.api.inventory import Inventory
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp

Dated = tuple[str, "Timestamp | None"]
"""Key of a parent, and when it last changed."""

SEPARATOR: Final = "/"
"""Between the parts of a parent's key."""


class Parent(NamedTuple):
    """One thing to ask for."""

    key: str
    """What fills the path's placeholders, in their order, joined by `/`."""
    columns: dict[str, Any]
    """Values of the placeholders, and of the columns that the tap adds."""
    changed: Timestamp | None = None
    """When it last changed; None: unknown, or of no matter."""
    device: Device | None = None
    """The device that it is, for streams that are asked after each audit."""


class Parents:
    """Parents in order, each made only when its turn comes: there may be a hundred thousand."""

    def __init__(self, found: Sequence[Any], parent_of: Callable[[Any], Parent]) -> None:
        """Keep what they are made of."""
        self._found = found
        self._parent_of = parent_of

    def __len__(self) -> int:
        """Count them."""
        return len(self._found)

    def __iter__(self) -> Iterator[Parent]:
        """Give them in order."""
        return map(self._parent_of, self._found)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where parents come from."""

    client: Client
    """Of the stream that asks: its counters have the calls."""
    inventory: Inventory
    activity_log: ActivityLog


@dataclass(frozen=True, slots=True)
class Demand:
    """What one stream asks for."""

    since: Timestamp | None = None
    """Entries of the activity log from here on count; None: from `start_date`."""
    first: Collection[str] = ()
    """Keys of parents that an earlier run could not read, or found unfinished."""
    changes: ChangeDemand = field(default_factory=ChangeDemand)
    """For streams that are asked after each change."""
    only_first: bool = False
    """Whether nothing else is asked for: the stream is not due."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """A kind of parent: a stream declares one, and is asked for each."""

    keys: tuple[str, ...]
    """Placeholders of the path that it fills."""
    per: str
    """What costs a call, in words for the README and the doctor."""
    find: Callable[[Sources, Demand], Parents]
    """Gives the parents that are due, in order, those of an earlier run first."""
    dated: Callable[[Sources, Demand], Iterable[Dated]]
    """Gives key and date of what may be due, whether it has been read or not."""
    completeness: Callable[[Sources], Completeness]
    """Says why parents may be missing, once they have been found."""
    is_known: Callable[[Sources, Demand], bool]
    """Whether `find` would ask for nothing: what it needs has been read."""
    listed_by: str
    """Name of the stream that is the list of them."""
    dated_by: str | None = None
    """The date by which parents are due, which the bookmark holds; None: all are, in each run."""
    device_class: str | None = None
    """Class of the devices that are asked for after each audit."""


def _sites(sources: Sources, demand: Demand) -> Parents:
    """Every site but the one that holds deleted devices."""
    sites = _in_turn(sources.inventory.sites.all(sources.client), demand, lambda site: site.uid)
    return Parents(sites, lambda site: Parent(site.uid, {"siteUid": site.uid}))


def _devices(sources: Sources, demand: Demand) -> Parents:
    """Every device of any class."""
    devices = sources.inventory.devices.all(sources.client)
    return Parents(_in_turn(devices, demand, lambda device: device.uid), _parent_of_device)


def _audited(sources: Sources, demand: Demand, device_class: str) -> Parents:
    """Devices of one class by the date of their audit, those that never had one last."""
    devices = sources.inventory.devices.all(sources.client, device_class)
    due = [device for device in devices if demand.changes.includes(device)]
    due.sort(key=lambda device: (device.last_audit is None, device.last_audit or "", device.uid))
    return Parents(_in_turn(due, demand, lambda device: device.uid), _parent_of_device)


def _jobs(sources: Sources, demand: Demand) -> list[Dated]:
    """Jobs that the activity log names since the bookmark less the look-back."""
    found = sources.activity_log.jobs(sources.client, demand.since)
    return [(job, date) for date, job in found]


def _job_devices(sources: Sources, demand: Demand) -> list[Dated]:
    """Pairs of job and device that it names."""
    found = sources.activity_log.job_devices(sources.client, demand.since)
    return [(f"{job}{SEPARATOR}{device}", date) for date, job, device in found]


def _job_channels(sources: Sources, demand: Demand) -> list[Dated]:
    """The two outputs of each such pair."""
    return [
        (f"{pair}{SEPARATOR}{channel}", date)
        for pair, date in _job_devices(sources, demand)
        for channel in ("stdout", "stderr")
    ]


def _of_the_log(
    sources: Sources,
    demand: Demand,
    keys: tuple[str, ...],
    dated: Callable[[Sources, Demand], list[Dated]],
) -> Parents:
    """Give what an earlier run left, then what the log names and was not read, oldest first."""
    found = dated(sources, demand)
    first, dates = set(demand.first), dict(found)
    fresh = [
        key for key, date in found if key not in first and not demand.changes.has_read(key, date)
    ]

    def parent_of(key: str) -> Parent:
        columns = dict(zip(keys, key.split(SEPARATOR), strict=False))
        return Parent(key, columns, dates.get(key))

    return Parents([*sorted(first), *fresh], parent_of)


def _audits(sources: Sources, _: Demand, device_class: str) -> list[Dated]:
    devices = sources.inventory.devices.all(sources.client, device_class)
    return [(device.uid, device.last_audit) for device in devices]


def _undated(_: Sources, __: Demand) -> list[Dated]:
    return []


def _in_turn(found: Iterable[Any], demand: Demand, key_of: Callable[[Any], str]) -> list[Any]:
    """Put those first that an earlier run could not read; what is not listed any more is gone."""
    first = set(demand.first)
    ahead = [one for one in found if key_of(one) in first] if first else []
    if demand.only_first:
        return ahead
    return ahead + [one for one in found if key_of(one) not in first] if ahead else list(found)


def _parent_of_device(device: Device) -> Parent:
    columns = {"deviceUid": device.uid, "lastAuditDate": device.last_audit}
    return Parent(device.uid, columns, device.last_audit, device)


def _of_sites(sources: Sources) -> Completeness:
    return sources.inventory.sites.completeness


def _of_devices(sources: Sources) -> Completeness:
    return sources.inventory.devices.completeness


def _of_log(sources: Sources) -> Completeness:
    return sources.activity_log.completeness


def _has_sites(sources: Sources, _: Demand) -> bool:
    return sources.inventory.sites.is_read


def _has_devices(sources: Sources, _: Demand) -> bool:
    return sources.inventory.devices.is_read


def _has_log(sources: Sources, demand: Demand) -> bool:
    return sources.activity_log.covers(demand.since)


def _computers(device_class: str, plural: str) -> FanOut:
    return FanOut(
        ("deviceUid",),
        f"per {plural} audited since the last run",
        partial(_audited, device_class=device_class),
        partial(_audits, device_class=device_class),
        _of_devices,
        _has_devices,
        "devices",
        dated_by="lastAuditDate",
        device_class=device_class,
    )


def _logged(
    keys: tuple[str, ...], per: str, dated: Callable[[Sources, Demand], list[Dated]]
) -> FanOut:
    find = partial(_of_the_log, keys=keys, dated=dated)
    when = "logged since the last run"
    words, log = f"{per} {when}", "activity_logs"
    return FanOut(keys, words, find, dated, _of_log, _has_log, log, dated_by="date")


SITES: Final = FanOut(("siteUid",), "per site", _sites, _undated, _of_sites, _has_sites, "sites")
DEVICES: Final = FanOut(
    ("deviceUid",), "per device", _devices, _undated, _of_devices, _has_devices, "devices"
)
COMPUTERS: Final = _computers("device", "computer")
ESXI_HOSTS: Final = _computers("esxihost", "ESXi host")
PRINTERS: Final = _computers("printer", "printer")
JOBS: Final = _logged(("jobUid",), "per job", _jobs)
JOB_DEVICES: Final = _logged(("jobUid", "deviceUid"), "per job and device", _job_devices)
JOB_CHANNELS: Final = _logged(
    ("jobUid", "deviceUid", "channel"), "2 per job and device", _job_channels
)


def devices_in_demand(asked: Iterable[tuple[FanOut, Demand]]) -> Callable[[Device], bool]:
    """Tell the devices that a run may ask for from those that it need not remember.

    Those within the look-back count too: what was read of them must be remembered.

    Args:
        asked: kind of parent and demand of each stream of the run.
    """
    demands: dict[str, list[ChangeDemand]] = {}
    for fan_out, demand in asked:
        if fan_out is DEVICES:
            return lambda _: True
        if fan_out.device_class:
            demands.setdefault(fan_out.device_class, []).append(demand.changes)

    def in_demand(device: Device) -> bool:
        return any(
            demand.includes(device) or demand.may_be_late(device.last_audit)
            for demand in demands.get(device.device_class, ())
        )

    return in_demand
