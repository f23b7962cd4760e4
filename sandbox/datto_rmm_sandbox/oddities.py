"""Rows that are odd where a switch says so: short keys, keys that come twice, audits never made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox import audits, jobs, patches, sites
from datto_rmm_sandbox.answers import Answer, ApiError

if TYPE_CHECKING:
    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.quirks import Quirks
    from datto_rmm_sandbox.records import Device, Job, Row, Site

EACH = 5
"""Where keys may be null, one row in so many has one that is."""


def account_row(account: Account, quirks: Quirks) -> Row:
    """The account, whose own count of devices may be above its lists.

    Args:
        account: The account.
        quirks: `count_above` decides.

    Returns:
        The row.
    """
    row = sites.account_row(account)
    row["devicesStatus"]["numberOfDevices"] += quirks.count_above
    return row


def never_audited(device: Device, quirks: Quirks) -> Answer | None:
    """What an audit's path answers for a device that was never audited.

    Args:
        device: The device.
        quirks: `never_audited` decides.

    Returns:
        The answer, or None where the audit has one as any other.

    Raises:
        ApiError: The answer is a refusal.
    """
    if has_audit(device, quirks):
        return None
    match quirks.never_audited:
        case "empty":
            return Answer()
        case "null":
            return Answer(body=b"null")
        case "204":
            return Answer(204)
        case status:
            raise ApiError(int(status))


def has_audit(device: Device, quirks: Quirks) -> bool:
    """Whether the audit's path has rows for a device.

    Args:
        device: The device.
        quirks: `never_audited` decides for those that were never audited.

    Returns:
        False where it has none.
    """
    return device.audited is not None or quirks.never_audited == "bare"


def software(account: Account, device: Device, quirks: Quirks) -> list[Row]:
    """The software of a computer, some without a version, or very much of it.

    Args:
        account: The account.
        device: A device of class `device`.
        quirks: `null_keys` and `software_rows` decide.

    Returns:
        The rows; none for a device that was never audited.
    """
    rows = audits.software(account, device)
    if rows or device.audited is not None:
        rows += [
            {"name": f"Zusatzpaket {number:05d}", "version": f"1.{device.generation}"}
            for number in range(len(rows), quirks.software_rows)
        ]
    return _without(rows, "version") if quirks.null_keys == "on" else rows


def site_patches(account: Account, site: Site, quirks: Quirks) -> list[Row]:
    """The patches of a site's devices, some without a status.

    Args:
        account: The account.
        site: One of its sites.
        quirks: `null_keys` decides.

    Returns:
        The rows.
    """
    rows = patches.site_patches(account, site)
    return _without(rows, "installStatus") if quirks.null_keys == "on" else rows


def _without(rows: list[Row], key: str) -> list[Row]:
    return [{**row, key: None} if place % EACH == 0 else row for place, row in enumerate(rows)]


def job_components(account: Account, job: Job, quirks: Quirks) -> list[Row]:
    """The components of a job, the first one a second time with other variables.

    Args:
        account: The account.
        job: One of its jobs.
        quirks: `repeat_components` decides.

    Returns:
        The rows.
    """
    rows = jobs.job_components(account, job)
    if quirks.repeat_components == "on":
        rows.append({**rows[0], "variables": [{"name": "Days", "value": "second time"}]})
    return rows


def job_output(
    account: Account, job: Job, device: Device, channel: str, quirks: Quirks
) -> list[Row]:
    """What a job wrote on a device, the first component a second time with another text.

    Args:
        account: The account.
        job: One of its jobs.
        device: One of the job's devices.
        channel: stdout or stderr.
        quirks: `repeat_components` decides.

    Returns:
        A row for each time that a component wrote to that channel.
    """
    rows = jobs.job_output(account, job, device, channel)
    if rows and quirks.repeat_components == "on":
        rows.append({**rows[0], "stdData": "second time\r\n"})
    return rows
