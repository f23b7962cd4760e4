"""Jobs, their results and outputs, and the activity log, which alone tells that a job exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from datto_rmm_sandbox.catalogue import COMPONENT_LINES
from datto_rmm_sandbox.randomness import Topic, dice, guid, lucky, pick
from datto_rmm_sandbox.records import MINUTE, Row

if TYPE_CHECKING:
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Activity, Device, Job

DEPLOYMENTS = ("Success",) * 8 + ("Warning", "Failure", "Expired", "Pending", "Running", "Retired")
CHANNELS = ("stdout", "stderr")
_NEVER_RAN = {"Expired", "Pending"}
_ENDS_AS = {"Pending": "Success", "Running": "Success"}

KINDS: tuple[tuple[str, str, str], ...] = (
    ("DEVICE", "device", "note"),
    ("DEVICE", "device", "create"),
    ("DEVICE", "device", "move.device"),
    ("DEVICE", "remote", "jrto"),
    ("DEVICE", "remote", "chat"),
    ("DEVICE", "web.remote", "jrto"),
    ("USER", "account", "login"),
)
"""Entity, category and action of what the log tells beside job deployments."""


def component_uid(account: Account, number: int) -> str:
    """The uid of one of the account's components.

    Args:
        account: The account.
        number: Its number, counted round.

    Returns:
        A GUID.
    """
    return guid(dice(account.seed, Topic.COMPONENT, number % account.component_count))


def component_name(account: Account, number: int) -> str:
    """The name of one of the account's components.

    Args:
        account: The account.
        number: Its number, counted round.

    Returns:
        Its name, with a version from the second round of names on.
    """
    version, line = divmod(number % account.component_count, len(COMPONENT_LINES))
    return COMPONENT_LINES[line][0] + (f" v{version + 1}" if version else "")


def job_row(account: Account, job: Job) -> Row:
    """A job.

    Args:
        account: The account.
        job: One of its jobs.

    Returns:
        The row; it is completed a day after its creation, or when it was finished.
    """
    return {
        "id": 551_000 + job.serial,
        "uid": job.uid,
        "name": f"{component_name(account, job.serial)} #{job.serial}",
        "dateCreated": job.created,
        "status": "active" if job.is_active(account.now) else "completed",
    }


def _parts(job: Job) -> range:
    return range(job.serial, job.serial + 1 + job.serial % 3)


def job_components(account: Account, job: Job) -> list[Row]:
    """The components of a job, with the values that their variables were given.

    Args:
        account: The account.
        job: One of its jobs.

    Returns:
        One to three rows.
    """
    return [
        {
            "uid": component_uid(account, number),
            "name": component_name(account, number),
            "variables": [
                {"name": "Days", "value": str(number % 30)},
                {"name": "Note", "value": None},
            ]
            if number % 2
            else None,
        }
        for number in _parts(job)
    ]


def job_results(account: Account, job: Job, device: Device) -> Row:
    """What a job did on a device.

    Args:
        account: The account.
        job: One of its jobs.
        device: One of the job's devices.

    Returns:
        The row; a deployment that never ran has no component results. What is pending or running
        comes to its end with the job.
    """
    status = _first_status(account, job, device)
    if not job.is_active(account.now):
        status = _ENDS_AS.get(status, status)
    ran = status not in _NEVER_RAN
    return {
        "jobUid": job.uid,
        "deviceUid": device.uid,
        "ranOn": job.created + MINUTE if ran else None,
        "jobDeploymentStatus": status,
        "componentResults": [_component_result(account, job, device, n) for n in _parts(job)]
        if ran
        else [],
    }


def _first_status(account: Account, job: Job, device: Device) -> str:
    """What was known of a deployment when it was logged."""
    return pick(dice(account.seed, Topic.JOB, job.serial, device.serial), DEPLOYMENTS)


def _component_result(account: Account, job: Job, device: Device, number: int) -> Row:
    rng = dice(account.seed, Topic.JOB, job.serial, device.serial, number)
    return {
        "componentUid": component_uid(account, number),
        "componentName": component_name(account, number),
        "componentStatus": pick(rng, ("Success", "Success", "Success", "Failure")),
        "numberOfWarnings": int(rng.random() ** 4 * 4),
        "hasStdOut": lucky(rng, 0.8),
        "hasStdErr": lucky(rng, 0.2),
    }


def job_output(account: Account, job: Job, device: Device, channel: str) -> list[Row]:
    """What a job wrote on a device.

    Args:
        account: The account.
        job: One of its jobs.
        device: One of the job's devices.
        channel: stdout or stderr.

    Returns:
        A row for each component that wrote to that channel.
    """
    flag = "hasStdOut" if channel == "stdout" else "hasStdErr"
    return [
        {
            "componentUid": result["componentUid"],
            "componentName": result["componentName"],
            "stdData": _text(channel, device.hostname, result),
        }
        for result in job_results(account, job, device)["componentResults"]
        if result[flag]
    ]


def _text(channel: str, name: str, result: Row) -> str:
    if channel == "stderr":
        return f"WARNING: {name}: Zugriff verweigert\r\nexit code 5\r\n"
    status = result["componentStatus"]
    return f"{result['componentName']}\r\n{name}: {status} – 412 MB freed\r\n\tdone ✔\r\n"


def activity_row(account: Account, activity: Activity) -> Row:
    """A row of the activity log.

    Args:
        account: The account.
        activity: One of its activities.

    Returns:
        The row; `date` is seconds with a fraction, `details` is JSON text that a few rows cut off.
    """
    rng = dice(account.seed, Topic.ACTIVITY, activity.serial, 1)
    entity, category, action = pick(rng, KINDS)
    job, device = activity.job, activity.device
    if job:
        entity, category, action = "DEVICE", "job", "deployment"
    about_device = entity == "DEVICE"
    row: Row = {
        "id": activity.uid,
        "entity": entity,
        "category": category,
        "action": action,
        "date": activity.at / 1000,
        "site": {"id": device.site.id, "name": device.site.name} if about_device else None,
        "deviceId": device.id if about_device else None,
        "hostname": device.hostname if about_device else None,
        "user": None if job and activity.serial % 4 == 0 else _actor(account, rng),
    }
    details = orjson.dumps(_details(account, activity, rng, row)).decode()
    row["details"] = details[: len(details) // 2] if activity.is_broken else details
    row["hasStdOut"] = lucky(rng, 0.8) if job else None
    row["hasStdErr"] = lucky(rng, 0.2) if job else None
    return row


def _actor(account: Account, rng: Random) -> Row:
    number = int(rng.random() * account.user_count)
    person = account.names.people[number % len(account.names.people)]
    return {
        "id": 7_000 + number,
        "userName": username(account, number),
        "firstName": person.first,
        "lastName": person.last,
    }


def _details(account: Account, activity: Activity, rng: Random, row: Row) -> Row:
    device, job = activity.device, activity.job
    details: Row = {"event.category": row["category"], "event.action": row["action"]}
    if row["entity"] == "DEVICE":
        details |= {
            "device.hostname": row["hostname"],
            "device.uid": device.uid,
            "site.name": device.site.name,
        }
    if row["user"]:
        details |= {"user.username": row["user"]["userName"], "user.id": row["user"]["id"]}
    if job:
        details |= {
            "job.id": 551_000 + job.serial,
            "job.uid": job.uid,
            "job.name": job_row(account, job)["name"],
            "job.status": _first_status(account, job, device).lower(),
            "job.date_created": job.created,
        }
    elif row["category"] in {"remote", "web.remote"}:
        details |= {
            "remote_session.id": rng.getrandbits(31),
            "remote_session.type": row["action"],
            "remote_session.start_date": activity.at - 5 * MINUTE,
            "source.forwarded_ip": "203.0.113.99",
        }
    elif row["action"] == "note":
        details["note"] = "Nutzer meldet “langsam” – geprüft, ok"
    return details


def username(account: Account, number: int) -> str:
    """The login of one of the account's users, their only key.

    Args:
        account: The account.
        number: The user's number.

    Returns:
        A name that no other user has.
    """
    people = account.names.people
    person = people[number % len(people)]
    return f"{person.login or person.last}{number if number % 5 else ''}" + (
        "" if person.login else str(number)
    )
