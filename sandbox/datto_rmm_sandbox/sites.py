"""Rows of the account itself, its sites, users, variables, components and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.jobs import component_name, component_uid, username
from datto_rmm_sandbox.randomness import Topic, dice, lucky, mixed, nth, pick
from datto_rmm_sandbox.records import DAY, DOTNET_MINIMUM, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device, Site

CUSTOM_FILTERS = 9
CUSTOM_FILTER_IDS = 5_000
SITE_FILTER_IDS = 100_000


def account_row(account: Account) -> Row:
    """The account, with the vendor's own spelling of `bilingEmail`.

    Args:
        account: The account.

    Returns:
        The row; its counts match the devices.
    """
    total, online = _counts(account.devices)
    on_demand = sum(len(site.devices) for site in account.sites if site.on_demand)
    return {
        "id": 4_100,
        "uid": account.uid,
        "name": account.name,
        "currency": "EUR",
        "descriptor": {
            "bilingEmail": "billing@harbour.example",
            "deviceLimit": 250 + total * 2,
            "timeZone": "Europe/Berlin",
        },
        "devicesStatus": {
            "numberOfDevices": total,
            "numberOfOnlineDevices": online,
            "numberOfOfflineDevices": total - online,
            "numberOfOnDemandDevices": on_demand,
            "numberOfManagedDevices": total - on_demand,
        },
    }


def _counts(devices: Iterable[Device]) -> tuple[int, int]:
    total = online = 0
    for device in devices:
        total += 1
        online += device.online
    return total, online


def _link(site: Site) -> str:
    return f"https://{known.PLATFORM}rmm.centrastage.net/site/{site.id}"


def site_row(account: Account, site: Site) -> Row:
    """A site.

    Args:
        account: The account.
        site: One of its sites, the "Deleted Devices" one too.

    Returns:
        The row; its counts match the devices.
    """
    rng = dice(account.seed, Topic.SITE, site.serial)
    total, online = _counts(site.devices.values())
    synced = not site.deleted and lucky(rng, 0.7)
    return {
        "id": site.id,
        "uid": site.uid,
        "accountUid": account.uid,
        "name": site.name,
        "description": pick(rng, known.SITE_DESCRIPTIONS),
        "notes": pick(rng, known.SITE_NOTES),
        "onDemand": site.on_demand,
        "splashtopAutoInstall": not site.deleted,
        "proxySettings": proxy(account, site),
        "devicesStatus": {
            "numberOfDevices": total,
            "numberOfOnlineDevices": online,
            "numberOfOfflineDevices": total - online,
        },
        "autotaskCompanyName": site.name if synced else None,
        "autotaskCompanyId": str(29_700_000 + site.serial) if synced else None,
        "portalUrl": _link(site),
    }


def proxy(account: Account, site: Site) -> Row | None:
    """A site's proxy; a few sites have one, with a password that no client may show.

    Args:
        account: The account.
        site: One of its sites.

    Returns:
        The settings or null.
    """
    if site.deleted or not nth(site.serial, 12, 2):
        return None
    secret = mixed(account.seed, Topic.SITE, site.serial)
    return {
        "host": f"proxy.{site.code.lower()}.example",
        "password": f"proxy-password-{secret:x}",
        "port": 3128,
        "type": ("http", "socks4", "socks5")[site.serial % 3],
        "username": "svc-proxy",
    }


def settings_row(account: Account, site: Site) -> Row:
    """A site's settings.

    Args:
        account: The account.
        site: One of its listed sites.

    Returns:
        The row.
    """
    rng = dice(account.seed, Topic.SITE, site.serial, 1)
    recipients = []
    for number in range(int(rng.random() * 3)):
        person = pick(rng, account.names.people)
        recipients.append(
            {
                "name": f"{person.first} {person.last}",
                "email": f"{person.login or 'office'}{number}@{site.code.lower()}.example",
                "type": pick(rng, ("html", "text")),
                "receives": 1 + int(rng.random() * 7),
                "receivesReports": lucky(rng, 0.5),
                "receivesNewDevices": lucky(rng, 0.3),
                "receivesAlerts": pick(rng, (True, False, None)),
            },
        )
    return {
        "generalSettings": {
            "name": site.name,
            "uid": site.uid,
            "description": site_row(account, site)["description"],
            "onDemand": site.on_demand,
        },
        "proxySettings": proxy(account, site),
        "mailRecipients": recipients,
    }


def mapping_row(account: Account, site: Site) -> Row:
    """A site's mapping to Datto Networking.

    Args:
        account: The account.
        site: One of its listed sites.

    Returns:
        The row.
    """
    row = site_row(account, site)
    kept = ("id", "uid", "accountUid", "name", "description", "portalUrl")
    networks = [80_000 + site.serial * 3 + n for n in range(site.serial % 3)]
    return {key: row[key] for key in kept} | {"dattoNetworkingNetworkIds": networks}


def mapped_sites(account: Account) -> list[Site]:
    """The sites that have a mapping to Datto Networking.

    Args:
        account: The account.

    Returns:
        One of three.
    """
    return [site for site in account.listed_sites() if site.serial % 3 == 1]


def user_row(account: Account, number: int) -> Row:
    """A user. They have no id; some have no e-mail address, one has .NET's minimum date.

    Args:
        account: The account.
        number: The user's number.

    Returns:
        The row.
    """
    rng = dice(account.seed, Topic.USER, number)
    person = account.names.people[number % len(account.names.people)]
    name = username(account, number)
    created = account.started - int(rng.random() * 2_000) * DAY
    access: int | None = account.started - int(rng.random() * 90 * DAY)
    if nth(number, 9, 2):
        access = DOTNET_MINIMUM
    elif nth(number, 9, 3):
        access = None
    return {
        "firstName": person.first,
        "lastName": person.last,
        "username": name,
        "email": None if nth(number, 8, 5) else f"user{number}@harbour.example",
        "telephone": f"+49 30 5550{number:03d}" if lucky(rng, 0.5) else None,
        "status": pick(rng, ("Active", "Active", "Active", "Pending")),
        "created": created,
        "lastAccess": access,
        "disabled": lucky(rng, 0.1),
    }


def variable_row(account: Account, number: int, site: Site | None = None) -> Row:
    """A variable of the account or of a site; of a masked one nobody sees the value.

    Args:
        account: The account.
        number: The variable's number within the account or site.
        site: The site, where it is a site's.

    Returns:
        The row.
    """
    place = 0 if site is None else 1 + site.serial
    rng = dice(account.seed, Topic.VARIABLE, place, number)
    base = known.VARIABLE_NAMES[number % len(known.VARIABLE_NAMES)]
    masked = base in known.MASKED_VARIABLES
    values = ("srv01.example.net", "10.0.0.25", "Büro", "", None)
    return {
        "id": 60_000 + place * 1_000 + number,
        "name": base if number < len(known.VARIABLE_NAMES) else f"{base}{number}",
        "value": "********" if masked else pick(rng, values),
        "masked": masked,
    }


def variable_rows(account: Account, site: Site | None = None) -> list[Row]:
    """The variables of the account or of a site, in no particular order, as a set has none.

    Args:
        account: The account.
        site: The site; left out, the account's own.

    Returns:
        The rows.
    """
    count = account.variable_count if site is None else site.serial % 5
    rows = [variable_row(account, number, site) for number in range(count)]
    return sorted(rows, key=lambda row: mixed(account.seed, Topic.SHUFFLE, row["id"]))


def component_row(account: Account, number: int) -> Row:
    """A component.

    Args:
        account: The account.
        number: Its number.

    Returns:
        The row.
    """
    rng = dice(account.seed, Topic.COMPONENT, number, 1)
    return {
        "id": 20_000 + number,
        "uid": component_uid(account, number),
        "name": component_name(account, number),
        "description": pick(rng, (None, "Runs as SYSTEM.", "<p>See the knowledge base.</p>")),
        "categoryCode": known.COMPONENT_LINES[number % len(known.COMPONENT_LINES)][1],
        "credentialsRequired": pick(rng, (True, False, False, None)),
        "variables": [
            {
                "name": name,
                "defaultVal": default,
                "type": kind,
                "direction": False,
                "description": None,
                "variablesIdx": index,
            }
            for index, (name, default, kind) in enumerate(
                (
                    ("Days", "30", "string"),
                    ("Force", "false", "boolean"),
                    ("Password", None, "password"),
                )[: number % 4],
            )
        ],
    }


def default_filters(account: Account) -> list[Row]:
    """The vendor's own device filters.

    Args:
        account: The account.

    Returns:
        The rows.
    """
    return [
        _filter(10 + number, name, "rmm_default", account.started - 3_000 * DAY)
        for number, (name, _, _) in enumerate(known.DEFAULT_FILTERS)
    ]


def custom_filters(account: Account) -> list[Row]:
    """The device filters that the account's users made.

    Args:
        account: The account.

    Returns:
        The rows.
    """
    return [
        _filter(
            CUSTOM_FILTER_IDS + number,
            f"Sprawdź {number + 1} – no backup",
            "custom",
            account.started - (number + 1) * 40 * DAY,
        )
        for number in range(CUSTOM_FILTERS)
    ]


def site_filters(account: Account, site: Site) -> list[Row]:
    """The device filters of a site.

    Args:
        account: The account.
        site: One of its listed sites.

    Returns:
        None, one or two rows.
    """
    return [
        _filter(
            SITE_FILTER_IDS + site.serial * 2 + number,
            f"{site.code} floor {number}",
            "site",
            account.started - (site.serial + 1) * DAY,
        )
        for number in range(site.serial % 3)
    ]


def _filter(number: int, name: str, kind: str, created: int) -> Row:
    return {
        "id": number,
        "name": name,
        "description": None if number % 2 else name,
        "type": kind,
        "dateCreate": created,
        "lastUpdated": None if number % 3 == 0 else created + 5 * DAY,
    }


def devices_of_filter(
    account: Account, number: int, devices: Iterable[Device]
) -> list[Device] | None:
    """The devices that a filter lets through.

    Args:
        account: The account.
        number: The filter's id.
        devices: Those to choose from.

    Returns:
        The devices, or None where no such filter exists.
    """
    default = number - 10
    if 0 <= default < len(known.DEFAULT_FILTERS):
        _, looked_at, wanted = known.DEFAULT_FILTERS[default]
        return [device for device in devices if wanted in _looked_at(device, looked_at)]
    if CUSTOM_FILTER_IDS <= number < CUSTOM_FILTER_IDS + CUSTOM_FILTERS:
        return [device for device in devices if mixed(account.seed, number, device.serial) % 4 == 0]
    site, floor = divmod(number - SITE_FILTER_IDS, 2)
    if 0 <= site < len(account.sites) and floor < account.sites[site].serial % 3:
        return [d for d in devices if d.site is account.sites[site] and d.serial % 2 == floor]
    return None


def _looked_at(device: Device, what: str) -> str:
    match what:
        case "class":
            return device.system.device_class
        case "category":
            return device.system.category or ""
        case "family":
            return device.system.family
        case "online":
            return "yes" if device.online else "no"
        case "reboot":
            return "yes" if device.reboot_required else "no"
        case _:
            return ""
