"""Alert rows with a context of every class that has been seen on the wire.

Class names and their fields are the observed ones; the last two are known from the vendor's
document alone. Some texts are null and some samples empty, because that was observed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox.randomness import Topic, dice, guid, lucky, pick
from datto_rmm_sandbox.records import MINUTE, Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Alert

_SERVICES = ("Spooler", "MSSQLSERVER", "DattoEDRAgent", "W32Time", "Sage Engine")
_PROCESSES = ("sqlservr.exe", "explorer.exe", "w3wp.exe", "outlook.exe")


def _script(rng: Random, _alert: Alert) -> Row:
    shapes: tuple[Row, ...] = (
        {"Status": "CRITICAL – dernière sauvegarde il y a 4 jours", "Last backup": "2026-07-28"},
        {"X=": "Secure Boot off", "TPM": "2.0"},
        {"Result": "3 local administrators: Administrator, świetlica, it-admin"},
        {},
    )
    return {"samples": pick(rng, shapes)}


def _eventlog(rng: Random, alert: Alert) -> Row:
    return {
        "logName": pick(rng, ("System", "Application", "Microsoft-Windows-Backup")),
        "code": str(pick(rng, (41, 55, 1001, 7031, 18456))),
        "type": pick(rng, ("Error", "Warning", "Critical")),
        "source": pick(rng, ("Ntfs", "Service Control Manager", "MSSQLSERVER", None)),
        "description": "The system has rebooted unexpectedly.\r\n<Data Name='x'>0</Data>",
        "triggerCount": 1 + int(rng.random() * 12),
        "lastTriggered": alert.opened - 1_000,
        "causedSuspension": lucky(rng, 0.1),
    }


def _patch(rng: Random, _alert: Alert) -> Row:
    return {
        "patchUid": guid(rng),
        "policyUid": guid(rng),
        "result": pick(rng, ("0x80070643", "0x8024402c", "FAILED")),
        "info": pick(rng, ("Installation failed", None)),
    }


def _antivirus(rng: Random, _alert: Alert) -> Row:
    status = pick(rng, ("NOTDETECTED", "NOTRUNNING", "RUNNINGNOTUPTODATE"))
    return {
        "status": status,
        "productName": None if status == "NOTDETECTED" else "Windows Defender",
    }


def _disk(rng: Random, _alert: Alert) -> Row:
    total = pick(rng, (118.2, 237.5, 475.4, 930.9))
    return {
        "diskName": pick(rng, ("C:", "D:", "/var")),
        "diskNameDesignation": pick(rng, (None, "ANY_VOLUME", "SINGLE_VOLUME")),
        "totalVolume": total,
        "freeSpace": round(total * (0.01 + rng.random() * 0.08), 1),
        "unitOfMeasure": pick(rng, ("PERCENT", "FREE")),
    }


def _file(rng: Random, _alert: Alert) -> Row:
    return {
        "path": pick(rng, ("C:\\Backup\\Überlauf.log", "D:\\Freigaben\\", "C:\\Temp\\会計.xlsx")),
        "objectType": pick(rng, ("FILE", "DIRECTORY", None)),
        "condition": pick(rng, ("ABOVE_THRESHOLD", "CREATED", None)),
        "sample": round(rng.random() * 900, 2),
        "threshold": 500.0,
    }


def _security(rng: Random, _alert: Alert) -> Row:
    return {
        "status": int(rng.random() * 4),
        "productName": "Bitdefender Endpoint Security",
        "infoTime": int(rng.random() * 1_000),
        "virusName": pick(rng, ("EICAR-Test-File", None)),
        "infectedFiles": pick(rng, ([], ["C:\\Users\\Public\\eicar.com"])),
        "productNotUpdatedForDays": int(rng.random() * 9),
        "systemRemainsInfectedForHours": None,
        "expiryLicenseForDays": None,
    }


def _action(rng: Random, _alert: Alert) -> Row:
    return {
        "packageName": pick(rng, ("Google Chrome", "AnyDesk", "Dropbox")),
        "actionType": pick(rng, ("INSTALLED", "UNINSTALLED", "VERSION_CHANGED")),
        "version": "139.0.7258",
        "prevVersion": pick(rng, (None, "138.0.7204")),
    }


def _ping(rng: Random, _alert: Alert) -> Row:
    return {
        "instanceName": pick(rng, ("gateway.example.net", "203.0.113.7")),
        "roundtripTime": int(rng.random() * 900),
        "reasons": pick(rng, (["PACKET_LOSS"], ["ROUNDTRIP_TIME", "PACKET_LOSS"], [])),
    }


def _snmp(rng: Random, alert: Alert) -> Row:
    return {
        "ipAddress": "10.1.2.3",
        "OID": "1.3.6.1.2.1.43.11.1.1.9.1.1",
        "oid": "1.3.6.1.2.1.43.11.1.1.9.1.1",
        "ruleName": "Toner low",
        "responseValue": str(int(rng.random() * 10)),
        "deviceName": alert.device.hostname,
        "monitorName": None,
    }


def _ransomware(_rng: Random, alert: Alert) -> Row:
    return {
        "state": 2,
        "confidenceFactor": 87,
        "affectedDirectories": ["C:\\Users\\Public\\Documents"],
        "watchPaths": [],
        "rwextension": ".lockd",
        "metaAlertTime": alert.opened - 2_000,
        "alertTime": alert.opened,
    }


CONTEXTS: dict[str, Callable[[Random, Alert], Row]] = {
    "comp_script_ctx": _script,
    "eventlog_ctx": _eventlog,
    "patch_ctx": _patch,
    "antivirus_ctx": _antivirus,
    "online_offline_status_ctx": lambda rng, _: {
        "status": pick(rng, ("OFFLINE", "OFFLINE", "ONLINE"))
    },
    "perf_resource_usage_ctx": lambda rng, _: {
        "percentage": round(85 + rng.random() * 15, 2),
        "type": pick(rng, ("CPU", "MEMORY")),
    },
    "perf_disk_usage_ctx": _disk,
    "fs_object_ctx": _file,
    "process_resource_usage_ctx": lambda rng, _: {
        "processName": pick(rng, _PROCESSES),
        "sample": round(rng.random() * 100, 1),
        "type": pick(rng, ("CPU", "MEMORY")),
    },
    "process_status_ctx": lambda rng, _: {
        "processName": pick(rng, _PROCESSES),
        "status": pick(rng, ("STOPPED", "RUNNING")),
    },
    "srvc_resource_usage_ctx": lambda rng, _: {
        "serviceName": pick(rng, _SERVICES),
        "sample": round(rng.random() * 100, 1),
        "type": pick(rng, ("CPU", "MEMORY")),
    },
    "srvc_status_ctx": lambda rng, _: {
        "serviceName": pick(rng, _SERVICES),
        "status": pick(rng, ("STOPPED", "STARTPENDING", "PAUSED")),
    },
    "perf_mon_ctx": lambda rng, _: {"value": round(rng.random() * 1_000, 3)},
    "sec_management_ctx": _security,
    "sw_action_ctx": _action,
    "ping_ctx": _ping,
    "wmi_ctx": lambda rng, _: {"value": pick(rng, ("Degraded", "Predictive Failure", None))},
    "custom_snmp_ctx": _snmp,
    "ransomware_ctx": _ransomware,
}
"""What each class of context holds. The last two are named by the vendor's document alone."""

_COMMON = (
    "perf_disk_usage_ctx",
    "online_offline_status_ctx",
    "comp_script_ctx",
    "eventlog_ctx",
    "patch_ctx",
)
_CYCLE = tuple(
    name for n, name in enumerate(CONTEXTS) for name in (name, _COMMON[n % len(_COMMON)])
)


def alert_row(account: Account, alert: Alert) -> Row:
    """An alert, open or resolved.

    Args:
        account: The account.
        alert: One of its alerts.

    Returns:
        The row. `alertSourceInfo` names the device as it is, also where it has left the account.
    """
    rng = dice(account.seed, Topic.ALERT, alert.serial, 1)
    device, site = alert.device, alert.device.site
    name = _CYCLE[alert.serial % len(_CYCLE)]
    by_hand = lucky(rng, 0.3)
    person = pick(rng, account.names.people)
    ticket = f"T20260801.{rng.getrandbits(13):04d}" if lucky(rng, 0.4) else None
    return {
        "alertUid": alert.uid,
        "priority": alert.priority,
        "diagnostics": "<pre>C:\\ 97 % used – pagefile.sys 16 GB</pre>"
        if lucky(rng, 0.1)
        else None,
        "resolved": alert.resolved is not None,
        "resolvedBy": (person.login or person.last) if by_hand and alert.resolved else None,
        "resolvedOn": alert.resolved,
        "muted": alert.serial % 13 == 0,
        "ticketNumber": ticket,
        "timestamp": alert.opened,
        "alertMonitorInfo": {
            "sendsEmails": lucky(rng, 0.5),
            "createsTicket": ticket is not None,
        },
        "alertContext": {"@class": name, **CONTEXTS[name](rng, alert)},
        "alertSourceInfo": {
            "deviceUid": device.uid,
            "deviceName": device.hostname,
            "siteUid": site.uid,
            "siteName": site.name or None,
        },
        "responseActions": _actions(rng, alert, ticket),
        "autoresolveMins": pick(rng, (None, 0, 60, 1440)),
    }


def _actions(rng: Random, alert: Alert, ticket: str | None) -> list[Row] | None:
    actions = []
    if ticket:
        actions.append(_response(alert.opened + MINUTE, "TICKET_CREATED", ticket))
    if lucky(rng, 0.3):
        actions.append(_response(alert.opened + 2 * MINUTE, "EMAIL_SENT", "it@example.net"))
    return actions or None


def _response(at: int, kind: str, reference: str) -> Row:
    return {
        "actionTime": at,
        "actionType": kind,
        "description": None,
        "actionReference": reference,
        "actionReferenceInt": None,
    }
