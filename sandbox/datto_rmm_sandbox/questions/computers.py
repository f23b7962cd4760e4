"""What is silent, unprotected, out of warranty or support, full, installed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.audits import software
from datto_rmm_sandbox.devices import antivirus, warranty_ends
from datto_rmm_sandbox.disks import disks
from datto_rmm_sandbox.questions.fleet import computer_columns, percent, site_columns
from datto_rmm_sandbox.records import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.questions.fleet import Fleet
    from datto_rmm_sandbox.records import Device, Row

SILENT_DAYS, WARRANTY_DAYS, FULL_SOON_DAYS, YEAR = 14, 90, 60, 365


def restart_due(fleet: Fleet) -> Iterator[Row]:
    """Computers that wait for a restart and were seen lately."""
    for device in fleet.computers:
        if device.reboot_required and not fleet.is_quiet(device):
            yield computer_columns(device)


def silent_agents(fleet: Fleet) -> Iterator[Row]:
    """Computers that have not been seen for some time."""
    for device in fleet.computers:
        days = (fleet.now - device.seen) // DAY
        if days >= SILENT_DAYS:
            yield {**computer_columns(device), "days_silent": days}


def antivirus_cover(fleet: Fleet) -> Iterator[Row]:
    """Computers by antivirus state, a row for each site."""
    names = {
        "RunningAndUpToDate": "covered",
        "RunningAndNotUpToDate": "outdated",
        "NotRunning": "not_running",
        "NotDetected": "not_detected",
    }
    for devices in fleet.by_site.values():
        heard = [device for device in devices if not fleet.is_quiet(device)]
        rows = [antivirus(fleet.account, device) or {} for device in heard]
        told = Counter(names[row["antivirusStatus"]] for row in rows)
        yield {
            **site_columns(devices[0].site),
            "computers": len(devices),
            **{name: told[name] for name in names.values()},
            "known": len(heard),
            "cover": percent(told["covered"], len(heard)),
            "not_seen": len(devices) - len(heard),
            "no_data": 0,
        }


def warranty(fleet: Fleet) -> Iterator[Row]:
    """Computers whose warranty has ended or ends soon."""
    for device in fleet.computers:
        ends = warranty_ends(fleet.account, device)
        if ends is None:
            continue
        left = (date.fromisoformat(ends) - fleet.today).days
        if left <= WARRANTY_DAYS:
            state = "ended" if left < 0 else "ends soon"
            yield {
                **computer_columns(device),
                "warranty_ends": ends,
                "days_left": left,
                "state": state,
            }


def unsupported_systems(fleet: Fleet) -> Iterator[Row]:
    """Operating systems with the end of their support."""
    found: dict[str, list[Device]] = defaultdict(list)
    for device in fleet.computers:
        found[device.system.operating_system or ""].append(device)
    for name, devices in found.items():
        yield {
            "operating_system": name,
            "support_ends": known.SUPPORT_ENDS.get(name),
            "state": support_state(fleet, devices[0]),
            "computers": len(devices),
            "sites": len({device.site.uid for device in devices}),
        }


def support_state(fleet: Fleet, device: Device) -> str:
    """Whether the vendor still supports a computer's operating system."""
    ends = known.SUPPORT_ENDS.get(device.system.operating_system or "")
    if ends is None:
        return "unknown"
    left = (date.fromisoformat(ends) - fleet.today).days
    if left < 0:
        return "out of support"
    return "ends within a year" if left <= YEAR else "supported"


def full_disks(fleet: Fleet) -> Iterator[Row]:
    """Disks that are nearly full, or will be soon at the pace at which they really fill."""
    for device in fleet.computers:
        if fleet.is_quiet(device) or (device.audited is None and device.generation == 0):
            continue
        for disk in disks(fleet.account, device):
            nearly_full = disk.free * 10 < disk.size
            days = (disk.full_at - fleet.now) / DAY if disk.full_at else None
            if nearly_full or (days is not None and days <= FULL_SOON_DAYS):
                yield {
                    **computer_columns(device),
                    "disk": disk.name,
                    "is_nearly_full": nearly_full,
                    "days_to_full": None if days is None else max(days, 0),
                    "free_percent": round(100 * disk.free / disk.size, 1),
                }


def software_titles(fleet: Fleet) -> Iterator[Row]:
    """Software by title."""
    holders: Counter[str] = Counter()
    versions: dict[str, Counter[str]] = defaultdict(Counter)
    for device in fleet.computers:
        found = {(row["name"], row["version"]) for row in software(fleet.account, device)}
        holders.update({name for name, _ in found})
        for name, version in found:
            versions[name][version] += 1
    for name, counts in versions.items():
        most = max(counts.values())
        yield {
            "name": name,
            "computers": holders[name],
            "versions": len(counts),
            "commonest_version": min(v for v, count in counts.items() if count == most),
        }
