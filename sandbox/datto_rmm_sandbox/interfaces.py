"""Network interfaces of devices, and the look-ups by MAC address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.randomness import Topic, dice, lucky, mixed, pick

if TYPE_CHECKING:
    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device, Row


def mac_address(device: Device, number: int) -> str:
    """The MAC address of one of a device's network interfaces.

    Args:
        device: A device.
        number: Which one; `device_of_mac` knows the first two.

    Returns:
        Twelve hexadecimal digits in upper case, the form that the API's path takes.
    """
    prefix = known.MAC_PREFIXES[device.serial % len(known.MAC_PREFIXES)]
    return f"{prefix}{(device.serial * 2 + number) % (1 << 24) ^ 0x5A5A5A:06X}"


def devices_of_mac(account: Account, mac: str) -> list[Device]:
    """The devices that have a MAC address.

    Args:
        account: The account.
        mac: Twelve hexadecimal digits.

    Returns:
        One device or none.
    """
    try:
        serial = (int(mac[6:], 16) ^ 0x5A5A5A) // 2
    except ValueError:
        return []
    return [
        device
        for device in account.devices
        if device.serial == serial
        and mac.upper() in {n["macAddress"] for n in nics(account, device)}
    ]


def nics(account: Account, device: Device) -> list[Row]:
    """A device's network interfaces, the same in its audit and in the network-interface list.

    Args:
        account: The account.
        device: One of its devices.

    Returns:
        One to three rows; the last address of a computer is an IPv6 one.
    """
    rng = dice(account.seed, Topic.NIC, device.serial)
    if not device.is_computer:
        return [
            _nic(
                "eth0" if device.serial % 2 else None, device.address, None, mac_address(device, 0)
            )
        ]
    rows = [
        _nic(
            pick(rng, known.NIC_NAMES[:2]),
            device.address,
            None,
            mac_address(device, 0),
            "Ethernet 802.3",
        )
    ]
    if device.system.category == "Laptop":
        ipv6 = f"fe80::{mixed(account.seed, Topic.NIC, device.serial) & 0xFFFF:x}:1"
        rows.append(_nic(known.NIC_NAMES[2], None, ipv6, mac_address(device, 1), "Wireless80211"))
    if lucky(rng, 0.1):
        rows.append(_nic("WAN Miniport (IP)", None, None, None))
    return rows


def _nic(
    instance: str | None,
    ipv4: str | None,
    ipv6: str | None,
    mac: str | None,
    kind: str | None = None,
) -> Row:
    return {"instance": instance, "ipv4": ipv4, "ipv6": ipv6, "macAddress": mac, "type": kind}


def interface_row(account: Account, device: Device) -> Row:
    """A device in the short shape of a site's network-interface list.

    Args:
        account: The account.
        device: One of its devices.

    Returns:
        The row.
    """
    system, site = device.system, device.site
    return {
        "id": device.id,
        "uid": device.uid,
        "siteId": site.id,
        "siteUid": site.uid,
        "siteName": site.name,
        "deviceType": {"category": system.category, "type": system.type},
        "hostname": device.hostname,
        "intIpAddress": device.address,
        "extIpAddress": f"198.51.100.{1 + site.serial % 250}",
        "nics": nics(account, device),
    }
