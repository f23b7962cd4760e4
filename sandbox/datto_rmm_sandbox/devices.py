"""Device rows in the v2 and v3 shapes, and the text filters of device lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.dates import moment, plain_date
from datto_rmm_sandbox.patches import installs_fail
from datto_rmm_sandbox.randomness import Topic, mixed, nth
from datto_rmm_sandbox.records import DAY, DOTNET_MINIMUM, Device, Row
from datto_rmm_sandbox.udfs import udf_item, udf_object, udf_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.quirks import Quirks


def device_row(account: Account, device: Device, quirks: Quirks) -> Row:
    """A device in the v2 shape.

    Args:
        account: The account.
        device: One of its devices.
        quirks: `device_dates` and `udf` decide on the dates' form and the UDF keys.

    Returns:
        The row; its `udf` is JSON text already (an `orjson.Fragment`).
    """
    row = _common(account, device, quirks)
    if quirks.udf != "absent":
        row["udf"] = orjson.Fragment(udf_object(udf_values(account, device), int(quirks.udf)))
    return row


def listed_audit(account: Account, device: Device, quirks: Quirks) -> int | None:
    """The `lastAuditDate` that the device lists show now.

    Args:
        account: The account.
        device: One of its devices.
        quirks: `audit_lag` decides how late they show a new one.

    Returns:
        Milliseconds since 1970, or null.
    """
    shows = account.now >= device.noted + quirks.audit_lag * 1000
    return device.audited if shows else device.audited_before


def device_row_v3(account: Account, device: Device, quirks: Quirks) -> Row:
    """A device in the v3 shape: `udfs`, a list of the typed values that are set, in place of `udf`.

    That the list leaves unset fields out is an assumption: no source shows a v3 answer.

    Args:
        account: The account.
        device: One of its devices.
        quirks: `device_dates` decides on the dates' form.

    Returns:
        The row.
    """
    row = _common(account, device, quirks)
    row["udfs"] = [udf_item(udf, text) for udf, text in udf_values(account, device)]
    return row


def _common(account: Account, device: Device, quirks: Quirks) -> Row:
    serial, site, system, name = device.serial, device.site, device.system, device.hostname
    computer = device.is_computer
    chance = mixed(account.seed, Topic.SHUFFLE, serial)
    rebooted = DOTNET_MINIMUM if computer and nth(serial, 47, 9) else device.rebooted
    agent = known.AGENT_VERSIONS[chance % len(known.AGENT_VERSIONS)] if computer else None
    return {
        "id": device.id,
        "uid": device.uid,
        "siteId": site.id,
        "siteUid": site.uid,
        "siteName": site.name or None,
        "deviceType": {"category": system.category, "type": system.type},
        "hostname": name,
        "intIpAddress": device.address,
        "operatingSystem": system.operating_system,
        "lastLoggedInUser": _last_user(account, device, chance) if computer else None,
        "domain": f"{site.code.lower()}.local" if computer and chance % 10 else None,
        "cagVersion": agent,
        "displayVersion": agent,
        "extIpAddress": f"198.51.100.{1 + site.serial % 250}",
        "description": _description(device, name, chance),
        "a64Bit": True if computer else None,
        "rebootRequired": device.reboot_required if computer else None,
        "online": device.online,
        "suspended": chance % 211 == 0,
        "deleted": False,
        "lastSeen": moment(device.seen, quirks),
        "lastReboot": moment(rebooted, quirks),
        "lastAuditDate": moment(listed_audit(account, device, quirks), quirks),
        "creationDate": moment(device.created, quirks),
        "snmpEnabled": not computer,
        "deviceClass": system.device_class,
        "portalUrl": device.portal_url,
        "warrantyDate": warranty_ends(account, device),
        "antivirus": antivirus(account, device),
        "patchManagement": patch_state(device),
        "softwareStatus": known.SOFTWARE_STATUS[chance % 4] if computer else None,
        "webRemoteUrl": device.remote_url,
        "networkProbe": computer and chance % 101 == 0,
        "onboardedViaNetworkMonitor": system.device_class == "rmmnetworkdevice",
    }


def _last_user(account: Account, device: Device, chance: int) -> str | None:
    person = account.names.people[chance % len(account.names.people)]
    if device.system.family == "windows":
        return f"{device.site.code}\\{person.login or person.last}"
    return person.login or None


def _description(device: Device, name: str, chance: int) -> str | None:
    match chance % 7:
        case 0:
            return f"<p>{name}: <b>do not reboot</b> before 18:00 &amp; on Sundays</p>"
        case 1:
            return None
        case 2:
            return known.AREAS[device.serial % len(known.AREAS)]
        case _:
            return name


def warranty_ends(account: Account, device: Device) -> str | None:
    """The last day of a device's warranty: three years; of every third computer nobody knows.

    Args:
        account: The account.
        device: One of its devices.

    Returns:
        yyyy-MM-dd or null.
    """
    if not device.is_computer or mixed(account.seed, Topic.SHUFFLE, device.serial) % 3 == 0:
        return None
    return plain_date((device.created // DAY + 3 * 365) * DAY)


def antivirus(account: Account, device: Device) -> Row | None:
    """What a device row tells about its antivirus.

    Args:
        account: The account.
        device: One of its devices.

    Returns:
        Product and status; null for what is no computer.
    """
    if not device.is_computer:
        return None
    chance = mixed(account.seed, Topic.SHUFFLE, device.serial)
    status = known.ANTIVIRUS_STATUS[chance % len(known.ANTIVIRUS_STATUS)]
    product = known.ANTIVIRUS[device.site.serial % len(known.ANTIVIRUS)]
    return {
        "antivirusProduct": None if status == "NotDetected" else product,
        "antivirusStatus": status,
    }


def patch_state(device: Device) -> Row | None:
    """What a device row tells about its patches.

    Args:
        device: A device.

    Returns:
        State and counts, which match the device's patch list; null for what is no computer.
    """
    if not device.is_computer:
        return None
    patches = device.patches
    if not patches.installed:
        status = "NoPolicy" if device.serial % 2 else "NoData"
    elif device.reboot_required:
        status = "RebootRequired"
    elif patches.pending:
        status = "InstallError" if installs_fail(device) else "ApprovedPending"
    else:
        status = "FullyPatched"
    return {
        "patchStatus": status,
        "patchesApprovedPending": patches.pending.bit_count(),
        "patchesNotApproved": patches.refused.bit_count(),
        "patchesInstalled": patches.installed.bit_count(),
    }


LIKE: dict[str, Callable[[Device], str | None]] = {
    "hostname": lambda device: device.hostname,
    "deviceType": lambda device: device.system.category,
    "operatingSystem": lambda device: device.system.operating_system,
    "siteName": lambda device: device.site.name,
}
"""The text that each filter parameter of the account's device list looks into."""


def like(text: str | None, pattern: str) -> bool:
    """SQL's LIKE with a wildcard on both sides, without regard to case.

    Args:
        text: What is looked into.
        pattern: What is looked for.

    Returns:
        Whether it is in there.
    """
    return text is not None and pattern.strip("%").casefold() in text.casefold()
