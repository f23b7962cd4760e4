"""Parents: whose rows a fan-out stream asks for, one by one, and in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.records.timestamps import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_datto_rmm.api.inventory import Device
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.tap import TapDattoRMM


CLASSES: Final = {"computers": "device", "esxi_hosts": "esxihost", "printers": "printer"}
"""Parents that are asked for after each audit, and the `deviceClass` that they have."""


class Parent(NamedTuple):
    """One thing to ask for."""

    columns: dict[str, Any]
    """What fills the path's placeholders and the columns that the tap adds."""
    changed: Timestamp | None = None
    """When it last changed; None: unknown, or of no matter."""


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


def sites(tap: TapDattoRMM, since: str | None) -> Parents:  # noqa: ARG001 - all, always
    """Every site but the one that holds deleted devices."""
    return Parents(tap.inventory.sites(), lambda site: Parent({"siteUid": site.uid}))


def devices(tap: TapDattoRMM, since: str | None) -> Parents:  # noqa: ARG001 - all, always
    """Every device of any class."""
    return Parents(tap.inventory.devices(), _device)


def audited(device_class: str, tap: TapDattoRMM, since: str | None) -> Parents:
    """Devices of one class, the never audited first, then those audited since the bookmark."""
    due = [device for device in tap.inventory.devices(device_class) if _is_due(device, since or "")]
    due.sort(key=lambda device: (device.last_audit or "", device.uid))
    return Parents(due, _device)


def jobs(tap: TapDattoRMM, since: str | None) -> Parents:
    """Jobs that the activity logs tell of since the bookmark less the look-back."""
    found = tap.activities.jobs(earlier(since, tap.settings.lookback_minutes))
    return Parents(found, lambda job: Parent({"jobUid": job[1]}, job[0]))


def job_devices(tap: TapDattoRMM, since: str | None) -> Parents:
    """Pairs of job and device that the activity logs tell of since the bookmark, likewise."""
    found = tap.activities.job_devices(earlier(since, tap.settings.lookback_minutes))
    return Parents(found, lambda pair: Parent({"jobUid": pair[1], "deviceUid": pair[2]}, pair[0]))


def job_channels(tap: TapDattoRMM, since: str | None) -> Parents:
    """The two outputs of each such pair."""
    pairs = list(job_devices(tap, since))
    return Parents(
        [(pair, channel) for pair in pairs for channel in ("stdout", "stderr")],
        lambda one: Parent({**one[0].columns, "channel": one[1]}, one[0].changed),
    )


PARENTS: Final[dict[str, Callable[[TapDattoRMM, str | None], Parents]]] = {
    "sites": sites,
    "devices": devices,
    **{name: partial(audited, device_class) for name, device_class in CLASSES.items()},
    "jobs": jobs,
    "job_devices": job_devices,
    "job_channels": job_channels,
}
"""What the `parent` of a stream may be."""


def devices_in_demand(
    asked: Iterable[tuple[str | None, str | None]],
) -> Callable[[Device], bool]:
    """Tell the devices that a run will ask for from those that it need not remember.

    Args:
        asked: parent and bookmark of each stream of the run.
    """
    earliest: dict[str, str] = {}
    for parent, bookmark in asked:
        if parent == "devices":
            return lambda _: True
        if parent in CLASSES:
            since = bookmark or ""
            earliest[CLASSES[parent]] = min(since, earliest.get(CLASSES[parent], since))

    def in_demand(device: Device) -> bool:
        since = earliest.get(device.device_class)
        return since is not None and _is_due(device, since)

    return in_demand


def earlier(bookmark: str | None, minutes: int) -> Timestamp | None:
    """Move a bookmark back by the look-back."""
    if bookmark is None:
        return None
    return canonical(datetime.fromisoformat(bookmark) - timedelta(minutes=minutes))


def _device(device: Device) -> Parent:
    columns = {"deviceUid": device.uid, "lastAuditDate": device.last_audit}
    return Parent(columns, device.last_audit)


def _is_due(device: Device, since: str) -> bool:
    """Tell whether a device has never been audited, or since the bookmark.

    One that was audited at the bookmark itself is due again: several may share its date.
    """
    return device.last_audit is None or device.last_audit >= since
