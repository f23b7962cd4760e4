"""Audit rows: computers with their software, ESXi hosts, printers.

The hardware follows from the device alone; disks in use and software follow from the device and its
audit's generation, so that they change with an audit and never between two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.disks import GIB, disks
from datto_rmm_sandbox.interfaces import nics
from datto_rmm_sandbox.randomness import Topic, dice, lucky, nth, pick
from datto_rmm_sandbox.records import DAY, Row

if TYPE_CHECKING:
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device

LONG_LISTS = 41
"""Every so many computers one has more software than fits on a page."""


def device_audit(account: Account, device: Device) -> Row:
    """The audit of a computer.

    Args:
        account: The account.
        device: A device of class `device`.

    Returns:
        The row. A device that was never audited has links, interfaces and little else, which is an
        assumption: no source tells.
    """
    rng = dice(account.seed, Topic.HARDWARE, device.serial)
    head: Row = {"portalUrl": device.portal_url, "webRemoteUrl": device.remote_url}
    if device.audited is None and device.generation == 0:
        empty = ("displays", "logicalDisks", "mobileInfo", "processors", "videoBoards")
        return {
            **head,
            "systemInfo": None,
            "nics": nics(account, device),
            "bios": None,
            "baseBoard": None,
            **{name: [] for name in empty},
            "attachedDevices": None,
            "snmpInfo": None,
            "physicalMemory": [],
        }
    server = device.system.category == "Server"
    mac = device.system.family == "mac"
    models = known.MAC_MODELS if mac else known.COMPUTER_MODELS[device.system.category or "Desktop"]
    maker, model = pick(rng, models)
    modules, size = (8, 32) if server else (2, pick(rng, (4, 8, 16)))
    cores = pick(rng, (16, 24, 32)) if server else pick(rng, (4, 6, 8, 12))
    person = pick(rng, account.names.people)
    return {
        **head,
        "systemInfo": {
            "manufacturer": maker,
            "model": model,
            "totalPhysicalMemory": modules * size * GIB,
            "username": person.login or person.last,
            "dotNetVersion": "4.8.1" if device.system.is_windows else None,
            "totalCpuCores": cores,
        },
        "nics": nics(account, device),
        "bios": {
            "instance": "BIOS",
            "releaseDate": device.created // DAY * DAY - 200 * DAY,
            "serialNumber": f"{rng.getrandbits(35):07X}",
            "smBiosVersion": f"{maker.split()[0]} - 1.{int(rng.random() * 30)}.0",
        },
        "baseBoard": {"manufacturer": maker, "product": f"0{rng.getrandbits(18):05X}"},
        "displays": _displays(rng, server=server),
        "logicalDisks": _disks(account, device),
        "mobileInfo": _mobile(rng) if device.serial % 31 == 1 else [],
        "processors": [{"name": pick(rng, known.SERVER_CPUS if server else known.CLIENT_CPUS)}],
        "videoBoards": [{"displayAdapter": pick(rng, known.VIDEO_BOARDS)}],
        "attachedDevices": _attached(rng, device),
        "snmpInfo": None,
        "physicalMemory": [_memory(rng, n, size) for n in range(modules)],
    }


def _displays(rng: Random, *, server: bool) -> list[Row]:
    count = 0 if server else 1 + int(rng.random() * 3)
    found = [pick(rng, known.DISPLAYS) for _ in range(count)]
    return [
        {"instance": name, "screenHeight": high, "screenWidth": wide} for name, wide, high in found
    ]


def _disks(account: Account, device: Device) -> list[Row]:
    found: list[Row] = [
        {
            "description": "Local Fixed Disk",
            "diskIdentifier": disk.name,
            "freespace": disk.free,
            "size": disk.size,
        }
        for disk in disks(account, device)
    ]
    if device.system.is_windows and device.serial % 5 == 0:
        found.append(
            {"description": "CD-ROM Disc", "diskIdentifier": "F:", "freespace": 0, "size": None}
        )
    return found


def _mobile(rng: Random) -> list[Row]:
    return [
        {
            "iccid": f"89{rng.getrandbits(56):017d}"[:19],
            "imei": f"35{rng.getrandbits(43):013d}"[:15],
            "number": None,
            "operator": pick(rng, ("Orange", "Telekom.de", "Vodafone", "Play")),
        },
    ]


def _attached(rng: Random, device: Device) -> list[Row] | None:
    if device.serial % 4:
        return None
    return [
        {
            "deviceName": pick(
                rng, ("Brother MFC-L8900CDW", "Microsoft Print to PDF", "ZDesigner GK420d")
            ),
            "deviceType": "Printer",
            "driverFile": "UNIDRV.DLL",
            "driverFileLastModified": device.created // DAY * DAY,
            "driverManufacturer": pick(rng, ("Microsoft", "Brother", None)),
            "driverName": "Microsoft enhanced Point and Print compatibility driver",
            "driverVersion": "10.0.26100.1",
            "portName": pick(
                rng, ("USB001", "PORTPROMPT:", f"IP_10.0.0.{int(rng.random() * 250)}")
            ),
        },
    ]


def _memory(rng: Random, number: int, size: int) -> Row:
    return {
        "module": f"DIMM {number + 1}",
        "size": size * GIB,
        "type": pick(rng, ("DDR4", "DDR5")),
        "speed": pick(rng, ("3200", "4800", "5600 MHz")),
        "serialNumber": f"{rng.getrandbits(32):08X}",
        "partNumber": f"{pick(rng, known.MEMORY_MAKERS)[:2].upper()}{rng.getrandbits(24)}",
        "bank": f"BANK {number}",
    }


def software(account: Account, device: Device) -> list[Row]:
    """The software of a computer.

    Each audit updates some titles, and now and then one comes or goes. Some lists are longer than a
    page, and some name a title twice with the same version.

    Args:
        account: The account.
        device: A device of class `device`.

    Returns:
        Rows sorted by name; none for a device that was never audited.
    """
    if device.audited is None and device.generation == 0:
        return []
    rng = dice(account.seed, Topic.SOFTWARE, device.serial)
    generation = device.generation
    rows: list[Row] = []
    for name, version in _titles(rng, device):
        draw = rng.getrandbits(24)
        pace, phase, fate = 3 + draw % 7, (draw >> 4) % 10, (draw >> 9) % 24
        comes = 1 + (draw >> 15) % 9 if fate == 0 else 0
        goes = 1 + (draw >> 15) % 9 if fate == 1 else generation + 1
        if comes <= generation < goes:
            rows.append({"name": name, "version": f"{version}.{(generation + phase) // pace}"})
    if rows and nth(device.serial, 9, 2):
        rows += [dict(rows[n]) for n in (0, len(rows) // 2, len(rows) - 1)[: len(rows)]]
    return sorted(rows, key=lambda row: str(row["name"]))


def _titles(rng: Random, device: Device) -> list[tuple[str, str]]:
    family = device.system.family
    if family == "mac":
        return [
            *known.MAC_SOFTWARE,
            *(_runtime(rng, n) for n in range(12 + int(rng.random() * 60))),
        ]
    if family == "linux":
        more = (
            (f"lib{pick(rng, ('ssl', 'xml', 'png', 'curl'))}-{n}-dev", f"{n % 9}.{n}")
            for n in range(80)
        )
        return [*known.LINUX_SOFTWARE, *more]
    share = 0.35 + rng.random() * 0.6
    titles = [title for title in known.CLIENT_SOFTWARE if rng.random() < share]
    if family == "windows-server":
        titles += [title for title in known.SERVER_SOFTWARE if lucky(rng, 0.5)]
    long = nth(device.serial, LONG_LISTS, 7)
    count = 270 + int(rng.random() * 300) if long else 8 + int(rng.random() ** 2 * 150)
    return titles + [_runtime(rng, number) for number in range(count)]


def _runtime(rng: Random, number: int) -> tuple[str, str]:
    draw = rng.getrandbits(20)
    line = known.RUNTIME_LINES[draw % len(known.RUNTIME_LINES)]
    name = line.format(
        number=3_000_000 + number * 131 + draw % 97, major=6 + number % 4, minor=number
    )
    return name, f"{8 + number % 4}.0.{draw % 30}"


def esxi_audit(account: Account, device: Device) -> Row:
    """The audit of an ESXi host.

    Args:
        account: The account.
        device: A device of class `esxihost`.

    Returns:
        The row; sizes are bytes, a NIC's speed is text.
    """
    rng = dice(account.seed, Topic.HARDWARE, device.serial)
    now = dice(account.seed, Topic.AUDIT, device.serial, device.generation)
    maker, model = pick(rng, known.HOST_MODELS)
    stores = [f"datastore{n + 1}" for n in range(1 + int(rng.random() * 3))]
    guests = [_guest(rng, device, n, stores) for n in range(2 + int(rng.random() * 10))]
    return {
        "portalUrl": device.portal_url,
        "systemInfo": {
            "manufacturer": maker,
            "model": model,
            "name": device.hostname.lower() + ".lan",
            "numberOfSnapshots": sum(guest["numberOfSnapshots"] for guest in guests),
            "serviceTag": f"{rng.getrandbits(35):07X}" if device.serial % 3 else None,
        },
        "guests": guests,
        "processors": [
            {"frequency": 2194.84 + n, "name": pick(rng, known.SERVER_CPUS), "numberOfCores": 16}
            for n in range(2)
        ],
        "nics": [
            {
                "name": f"vmnic{n}",
                "ipv4": nic["ipv4"],
                "ipv6": None,
                "macAddress": nic["macAddress"],
                "speed": "10000 Mb",
                "type": "vmxnet3",
            }
            for n, nic in enumerate(nics(account, device))
        ],
        "physicalMemory": [_memory(rng, n, 32) for n in range(8)],
        "datastores": [_datastore(rng, now, name) for name in stores],
    }


def _guest(rng: Random, device: Device, number: int, stores: list[str]) -> Row:
    return {
        "guestName": f"{device.site.code}-VM{number:02d}",
        "processorSpeedTotal": pick(rng, (2195, 4390, 8780)),
        "memorySizeTotal": pick(rng, (4, 8, 16, 64)) * GIB,
        "numberOfSnapshots": int(rng.random() ** 3 * 4),
        "datastores": pick(rng, stores),
    }


def _datastore(rng: Random, now: Random, name: str) -> Row:
    size = pick(rng, (1, 2, 4, 8)) * 1024 * GIB
    return {
        "datastoreName": name,
        "subscriptionPercent": 40 + int(rng.random() * 90),
        "freeSpace": int(size * (0.03 + rng.random() * 0.6) * (0.9 + now.random() * 0.1)),
        "size": size,
        "fileSystem": pick(rng, ("VMFS-6", "NFS")),
        "status": pick(rng, ("green", "green", "yellow")),
        "dataExtents": [
            {
                "name": f"naa.6{rng.getrandbits(60):015x}",
                "size": size,
                "mediaType": pick(rng, ("SSD", "HDD")),
                "status": None,
            },
        ],
    }


def printer_audit(account: Account, device: Device) -> Row:
    """The audit of a printer.

    Args:
        account: The account.
        device: A device of class `printer`.

    Returns:
        The row; supply levels are text, as the vendor sends them.
    """
    rng = dice(account.seed, Topic.HARDWARE, device.serial)
    now = dice(account.seed, Topic.AUDIT, device.serial, device.generation)
    maker, model = pick(rng, known.PRINTER_MODELS)
    return {
        "portalUrl": device.portal_url,
        "snmpInfo": {
            "snmpName": device.hostname,
            "snmpContact": pick(rng, (None, "", "it@example.net")),
            "snmpDescription": f"{maker} {model}, <i>firmware</i> 2.{int(rng.random() * 90)}",
            "snmpLocation": pick(rng, known.AREAS),
            "snmpUptime": f"{int(now.random() * 90)} days, 3:12:45.00",
            "nicManufacturer": maker,
            "objectId": f"1.3.6.1.4.1.{11 + device.serial % 3}.2.3.9.1",
            "snmpSerial": f"{rng.getrandbits(40):010X}",
        },
        "printerMarkerSupplies": [
            {
                "description": f"{colour} Toner",
                "maxCapacity": "100" if device.serial % 2 else "-2",
                "suppliesLevel": str(int(now.random() * 101)),
            }
            for colour in ("Black", "Cyan", "Magenta", "Yellow")[: pick(rng, (1, 4))]
        ],
        "printer": {
            "printedPageCount": 1_000 + int(rng.random() * 200_000) + device.generation * 120
        },
        "systemInfo": {"manufacturer": maker, "model": model},
        "nics": nics(account, device),
    }
