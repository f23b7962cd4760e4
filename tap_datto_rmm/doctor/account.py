"""Whose account it is, how large it is, and what is used of its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_datto_rmm.api.account import ACCOUNT_PATH, DELETED_DEVICES, SITES_PATH
from tap_datto_rmm.api.devices import DEVICES_PATH
from tap_datto_rmm.api.fan_out import COMPUTERS, DEVICES, ESXI_HOSTS, PRINTERS, SITES
from tap_datto_rmm.api.pages import Listing, Page
from tap_datto_rmm.api.quota import QuotaMonitor
from tap_datto_rmm.doctor.activity import HOUR
from tap_datto_rmm.doctor.asking import NO_BETTER, objects, total_of
from tap_datto_rmm.errors import RequestError
from tap_datto_rmm.records.timestamps import canonical, timestamp_of
from tap_datto_rmm.singer.account_guard import AccountError, identify, refuse_others
from tap_datto_rmm.singer.bookmark import Bookmark
from tap_datto_rmm.streams.alerts import AlertsStream

if TYPE_CHECKING:
    from tap_datto_rmm.doctor.asking import Asking
    from tap_datto_rmm.doctor.findings import Findings


def ask_for_the_quota(asking: Asking, findings: Findings) -> None:
    """Tell what is used of the account's limit.

    Raises:
        AuthenticationError: no other request would do better.
        RateLimitError: the same.
    """
    try:
        quota = QuotaMonitor(asking.client).look()
    except NO_BETTER:
        raise
    except RequestError as error:
        findings.note("quota", f"not known: {error}", advises=True)
        return
    findings.note(
        "quota",
        f"{quota.used} of the account's {quota.limit} requests a minute are used, "
        f"{quota.others} by other tools or runs; the tap may make "
        f"{asking.client.limiter.ceiling}",
    )


def ask_for_the_inventory(asking: Asking, findings: Findings) -> None:
    """Tell whose account it is and how large; keep one of each kind to ask for.

    Raises:
        AuthenticationError: no other request would do better.
        RateLimitError: the same.
    """
    size = {"max": asking.settings.page_size}
    listings = {
        "uid": Listing(ACCOUNT_PATH, paged=False),
        "sites": Listing(SITES_PATH, size),
        "devices": Listing(DEVICES_PATH, size),
        "open_alerts": Listing(AlertsStream.path, size),
    }
    asked = {what: asking.client.submit(asking.page, one) for what, one in listings.items()}
    account, sites, devices, alerts = (asking.answer(*each) for each in asked.items())
    row = next(iter(objects(account)), {})
    findings.account = {
        "name": row.get("name"),
        "uid": row.get("uid"),
        "sites": total_of(sites),
        "devices": total_of(devices),
        "open_alerts": total_of(alerts),
    }
    findings.unknown = {what: str(error) for what, error in asking.errors.items()}
    if "uid" in findings.unknown:
        findings.unknown["name"] = findings.unknown["uid"]
    _check_whose_it_is(asking, findings, row)
    _note_sites(asking, sites)
    _note_devices(asking, devices)


def _check_whose_it_is(asking: Asking, findings: Findings, row: dict[str, Any]) -> None:
    def read() -> dict[str, Any]:
        if error := asking.errors.get("uid"):
            raise error
        return row

    try:
        uid, name = identify(read, asking.settings)
        if uid is not None:
            refuse_others(uid, name, asking.settings, Bookmark({}, "account", None))
    except AccountError as error:
        findings.note("account", str(error), ok=False)


def _note_sites(asking: Asking, page: Page | None) -> None:
    found = objects(page)
    real = [row for row in found if row.get("name") != DELETED_DEVICES]
    if real:
        asking.samples[SITES] = {"siteUid": real[0].get("uid")}
    if (total := total_of(page)) is not None:
        asking.figures.parents[SITES] = total - (len(found) - len(real))
        asking.figures.rows["sites"] = total


def _note_devices(asking: Asking, page: Page | None) -> None:
    rows, total = objects(page), total_of(page)
    recent = canonical(asking.now - HOUR)
    for row in rows:
        asking.samples.setdefault(DEVICES, {"deviceUid": row.get("uid")})
    for fan_out in (COMPUTERS, ESXI_HOSTS, PRINTERS):
        of_class = [row for row in rows if row.get("deviceClass") == fan_out.device_class]
        if of_class:
            asking.samples[fan_out] = {"deviceUid": of_class[0].get("uid")}
        if total == 0:
            asking.figures.parents[fan_out] = asking.figures.hourly[fan_out] = 0
        elif total is not None and rows:
            audited = [timestamp_of(row, "lastAuditDate") for row in of_class]
            new = sum(not date or date >= recent for date in audited)
            asking.figures.parents[fan_out] = round(total * len(of_class) / len(rows))
            asking.figures.hourly[fan_out] = round(total * new / len(rows))
    if total is not None:
        asking.figures.parents[DEVICES] = asking.figures.rows["devices"] = total
        asking.figures.is_estimate |= total > len(rows)
