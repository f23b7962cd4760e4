"""Every read operation of the API: a path, and how it is answered from the account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from datto_rmm_sandbox import audits, devices, interfaces, jobs, oddities, patches, sites
from datto_rmm_sandbox.alerts import alert_row
from datto_rmm_sandbox.answers import Answer, ApiError, json_answer
from datto_rmm_sandbox.description import publish
from datto_rmm_sandbox.limits import CUT_OFF_RATIO, UNLIMITED
from datto_rmm_sandbox.pages import activity_page, number, page
from datto_rmm_sandbox.randomness import mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.quirks import Quirks
    from datto_rmm_sandbox.records import Alert, Device, Job, Row, Site
    from datto_rmm_sandbox.state import State

T = TypeVar("T")

NEVER_LISTED = 3
"""Where the account-wide list is a subset, one device of so many is missing from it."""


def _found(thing: T | None) -> T:
    if thing is None:
        raise ApiError(404)
    return thing


def _site(state: State, request: Request) -> Site:
    site = _found(state.account.site(request.path_params["site_uid"]))
    if site.deleted:
        raise ApiError(404)
    return site


def _device(state: State, request: Request) -> Device:
    return _found(state.account.device(request.path_params["device_uid"]))


def _device_of_id(state: State, request: Request) -> Device:
    wanted = request.path_params["device_id"]
    return _found(next((d for d in state.account.devices if str(d.id) == wanted), None))


def _device_of_class(state: State, request: Request, device_class: str) -> Device:
    device = _device(state, request)
    if device.system.device_class != device_class:
        label = {"device": "device", "esxihost": "ESXi host", "printer": "printer"}[device_class]
        raise ApiError(400, f"Device {device.uid} is not of class {label}")
    return device


def _row_maker(state: State, version: str) -> Callable[[Device], Row]:
    make = devices.device_row_v3 if version == "v3" else devices.device_row
    return lambda device: make(state.account, device, state.quirks)


def _check_version(state: State, version: str, request: Request) -> None:
    if version == "v3" and state.quirks.v3 == "off":
        raise ApiError(404, f"No static resource {request.url.path.removeprefix('/api/')}.")


# The account and its lists


def account(state: State, _request: Request) -> Answer:
    """GET /v2/account."""
    return json_answer(oddities.account_row(state.account, state.quirks))


def account_sites(state: State, request: Request) -> Answer:
    """GET /v2/account/sites."""
    wanted = request.query_params.get("siteName")
    found = [
        site
        for site in state.account.sites
        if (not site.deleted or state.quirks.deleted_devices_site == "on")
        and (not wanted or devices.like(site.name, wanted))
    ]
    return page(request, state, "sites", found, partial(sites.site_row, state.account))


def account_devices(state: State, request: Request, version: str = "v2") -> Answer:
    """GET /v2/account/devices and /v3/account/devices."""
    _check_version(state, version, request)
    found: list[Device] = state.account.devices
    if state.quirks.device_list == "subset":
        found = [d for d in found if mixed(state.account.seed, d.serial) % NEVER_LISTED]
    if request.query_params.get("filterId"):
        found = _filtered(state, request, found)
    else:
        for name, text_of in devices.LIKE.items():
            if wanted := request.query_params.get(name):
                found = [device for device in found if devices.like(text_of(device), wanted)]
    return page(request, state, "devices", found, _row_maker(state, version))


def _filtered(state: State, request: Request, found: Iterable[Device]) -> list[Device]:
    wanted = number(request, "filterId", 0)
    return _found(sites.devices_of_filter(state.account, wanted, found))


def _numbered(
    key: str, count: Callable[[Account], int], render: Callable[[Account, int], Row]
) -> Callable[[State, Request], Answer]:
    def route(state: State, request: Request) -> Answer:
        return page(
            request, state, key, range(count(state.account)), partial(render, state.account)
        )

    return route


def account_variables(state: State, request: Request) -> Answer:
    """GET /v2/account/variables."""
    return page(request, state, "variables", sites.variable_rows(state.account), _as_it_is)


def _as_it_is(row: Row) -> Row:
    return row


def dnet_site_mappings(state: State, request: Request) -> Answer:
    """GET /v2/account/dnet-site-mappings."""
    found = sites.mapped_sites(state.account)
    return page(
        request, state, "dnetSiteMappings", found, partial(sites.mapping_row, state.account)
    )


def filters(state: State, request: Request, kind: str) -> Answer:
    """GET /v2/filter/default-filters and /v2/filter/custom-filters."""
    make = sites.default_filters if kind == "default" else sites.custom_filters
    return page(request, state, "filters", make(state.account), _as_it_is)


# Alerts


def ordered(alerts: list[Alert], seed: int, quirks: Quirks) -> list[Alert]:
    """Alerts in the order in which this account sends them.

    Args:
        alerts: Oldest first.
        seed: For an order that is none.
        quirks: `alert_order` decides.

    Returns:
        A new list, or the same one.
    """
    match quirks.alert_order:
        case "newest":
            return alerts[::-1]
        case "oldest":
            return alerts
        case _:
            return sorted(alerts, key=lambda alert: mixed(seed, alert.serial))


def alerts(state: State, request: Request, kind: str, of: str) -> Answer:
    """GET .../alerts/open and .../alerts/resolved of the account, a site or a device."""
    found = state.account.open_alerts if kind == "open" else state.account.resolved_alerts
    if of == "site":
        site = _site(state, request)
        found = [alert for alert in found if alert.device.site is site]
    elif of == "device":
        device = _device(state, request)
        found = [alert for alert in found if alert.device is device]
    muted = request.query_params.get("muted")
    if muted is not None:
        found = [alert for alert in found if (alert.serial % 13 == 0) == (muted == "true")]
    found = ordered(found, state.account.seed, state.quirks)
    render = partial(alert_row, state.account)
    total = state.quirks.alert_total_count
    return page(request, state, "alerts", found, render, total_count=total)


def alert(state: State, request: Request) -> Answer:
    """GET /v2/alert/{alertUid}."""
    return json_answer(
        alert_row(state.account, _found(state.account.alert(request.path_params["alert_uid"])))
    )


# Sites


def site(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}."""
    return json_answer(
        sites.site_row(state.account, _found(state.account.site(request.path_params["site_uid"]))),
    )


def site_settings(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}/settings."""
    return json_answer(sites.settings_row(state.account, _site(state, request)))


def site_variables(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}/variables."""
    rows = sites.variable_rows(state.account, _site(state, request))
    return page(request, state, "variables", rows, _as_it_is)


def site_filters(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}/filters."""
    rows = sites.site_filters(state.account, _site(state, request))
    return page(request, state, "filters", rows, _as_it_is)


def site_devices(state: State, request: Request, version: str = "v2") -> Answer:
    """GET /v2/site/{siteUid}/devices and /v3/site/{siteUid}/devices."""
    _check_version(state, version, request)
    found = list(_site(state, request).devices.values())
    if request.query_params.get("filterId"):
        found = _filtered(state, request, found)
    return page(request, state, "devices", found, _row_maker(state, version))


def site_interfaces(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}/devices/network-interface."""
    found = list(_site(state, request).devices.values())
    return page(request, state, "devices", found, partial(interfaces.interface_row, state.account))


def site_patches(state: State, request: Request) -> Answer:
    """GET /v2/site/{siteUid}/patches."""
    site = _site(state, request)
    return _patch_page(state, request, oddities.site_patches(state.account, site, state.quirks))


def device_patches(state: State, request: Request) -> Answer:
    """GET /v2/device/{deviceUid}/patches."""
    return _patch_page(
        state, request, patches.device_patches(state.account, _device(state, request))
    )


def _patch_page(state: State, request: Request, rows: list[Row]) -> Answer:
    wanted = request.query_params.get("installStatus")
    if wanted is not None:
        if wanted not in patches.STATUSES:
            raise ApiError(400, f"installStatus must not be {wanted}")
        rows = [row for row in rows if row["installStatus"] == wanted]
    return page(request, state, "patches", rows, _as_it_is)


# Devices and their audits


def device(state: State, request: Request, version: str = "v2") -> Answer:
    """GET /v2/device/{deviceUid} and /v3/device/{deviceUid}."""
    _check_version(state, version, request)
    return json_answer(_row_maker(state, version)(_device(state, request)))


def device_of_id(state: State, request: Request, version: str = "v2") -> Answer:
    """GET /v2/device/id/{deviceId} and /v3/device/id/{deviceId}."""
    _check_version(state, version, request)
    return json_answer(_row_maker(state, version)(_device_of_id(state, request)))


def devices_of_mac(state: State, request: Request, version: str = "v2") -> Answer:
    """GET /v2/device/macAddress/{macAddress} and the same of v3: bare arrays."""
    _check_version(state, version, request)
    found = interfaces.devices_of_mac(state.account, request.path_params["mac"])
    return json_answer([_row_maker(state, version)(device) for device in found])


def _audit(
    state: State, request: Request, device_class: str, row: Callable[[Account, Device], Row]
) -> Answer:
    device = _device_of_class(state, request, device_class)
    instead = oddities.never_audited(device, state.quirks)
    return instead or json_answer(row(state.account, device))


def audit_device(state: State, request: Request) -> Answer:
    """GET /v2/audit/device/{deviceUid}."""
    return _audit(state, request, "device", audits.device_audit)


def audit_of_mac(state: State, request: Request) -> Answer:
    """GET /v2/audit/device/macAddress/{macAddress}: a bare array."""
    found = interfaces.devices_of_mac(state.account, request.path_params["mac"])
    return json_answer([audits.device_audit(state.account, d) for d in found if d.is_computer])


def audit_software(state: State, request: Request) -> Answer:
    """GET /v2/audit/device/{deviceUid}/software."""
    device = _device_of_class(state, request, "device")
    rows = oddities.software(state.account, device, state.quirks)
    return oddities.never_audited(device, state.quirks) or page(
        request, state, "software", rows, _as_it_is
    )


def audit_esxi(state: State, request: Request) -> Answer:
    """GET /v2/audit/esxihost/{deviceUid}."""
    return _audit(state, request, "esxihost", audits.esxi_audit)


def audit_printer(state: State, request: Request) -> Answer:
    """GET /v2/audit/printer/{deviceUid}."""
    return _audit(state, request, "printer", audits.printer_audit)


# Jobs and the activity log


def _job(state: State, request: Request) -> Job:
    return _found(state.account.jobs.get(request.path_params["job_uid"]))


def _job_and_device(state: State, request: Request) -> tuple[Job, Device]:
    job, device = _job(state, request), _device(state, request)
    if device not in job.devices:
        raise ApiError(404)
    return job, device


def job(state: State, request: Request) -> Answer:
    """GET /v2/job/{jobUid}."""
    return json_answer(jobs.job_row(state.account, _job(state, request)))


def job_components(state: State, request: Request) -> Answer:
    """GET /v2/job/{jobUid}/components."""
    rows = oddities.job_components(state.account, _job(state, request), state.quirks)
    return page(request, state, "jobComponents", rows, _as_it_is)


def job_results(state: State, request: Request) -> Answer:
    """GET /v2/job/{jobUid}/results/{deviceUid}."""
    return json_answer(jobs.job_results(state.account, *_job_and_device(state, request)))


def job_output(state: State, request: Request, channel: str) -> Answer:
    """GET /v2/job/{jobUid}/results/{deviceUid}/stdout and /stderr: bare arrays."""
    job, device = _job_and_device(state, request)
    return json_answer(oddities.job_output(state.account, job, device, channel, state.quirks))


def activity_logs(state: State, request: Request) -> Answer:
    """GET /v2/activity-logs."""
    return activity_page(request, state.account, state.quirks)


# The system


def system_status(state: State, _request: Request) -> Answer:
    """GET /v2/system/status, which needs no token."""
    return json_answer({"version": "15.1.0", "status": "OK", "started": state.account.started})


def system_pagination(state: State, _request: Request) -> Answer:
    """GET /v2/system/pagination."""
    return json_answer({"max": state.quirks.page_max})


def system_request_rate(state: State, _request: Request) -> Answer:
    """GET /v2/system/request_rate, which counts as a call itself."""
    status: Row = {
        "slidingTimeWindowSizeSeconds": int(state.limit.window),
        "accountUid": state.account.uid,
        "accountCount": state.limit.count(),
        "accountRateLimit": state.limit.limit or UNLIMITED,
        "accountCutOffRatio": CUT_OFF_RATIO,
    }
    if state.quirks.rate_status == "current":
        writes = {"alert-resolve": 100, "device-job-create": 100, "device-udf-set": 600}
        status |= {
            "accountWriteRateLimit": 600,
            "accountWriteCount": 0,
            "operationWriteStatus": {
                name: {"limit": limit, "count": 0} for name, limit in writes.items()
            },
        }
    return json_answer(status)


ROUTES: dict[str, Callable[[State, Request], Answer]] = {
    "/v2/account": account,
    "/v2/account/sites": account_sites,
    "/v2/account/devices": account_devices,
    "/v2/account/users": _numbered("users", lambda a: a.user_count, sites.user_row),
    "/v2/account/variables": account_variables,
    "/v2/account/components": _numbered(
        "components", lambda a: a.component_count, sites.component_row
    ),
    "/v2/account/dnet-site-mappings": dnet_site_mappings,
    "/v2/account/alerts/open": partial(alerts, kind="open", of="account"),
    "/v2/account/alerts/resolved": partial(alerts, kind="resolved", of="account"),
    "/v2/site/{site_uid}": site,
    "/v2/site/{site_uid}/settings": site_settings,
    "/v2/site/{site_uid}/variables": site_variables,
    "/v2/site/{site_uid}/filters": site_filters,
    "/v2/site/{site_uid}/devices": site_devices,
    "/v2/site/{site_uid}/devices/network-interface": site_interfaces,
    "/v2/site/{site_uid}/alerts/open": partial(alerts, kind="open", of="site"),
    "/v2/site/{site_uid}/alerts/resolved": partial(alerts, kind="resolved", of="site"),
    "/v2/site/{site_uid}/patches": site_patches,
    "/v2/device/id/{device_id}": device_of_id,
    "/v2/device/macAddress/{mac}": devices_of_mac,
    "/v2/device/{device_uid}": device,
    "/v2/device/{device_uid}/alerts/open": partial(alerts, kind="open", of="device"),
    "/v2/device/{device_uid}/alerts/resolved": partial(alerts, kind="resolved", of="device"),
    "/v2/device/{device_uid}/patches": device_patches,
    "/v2/audit/device/macAddress/{mac}": audit_of_mac,
    "/v2/audit/device/{device_uid}": audit_device,
    "/v2/audit/device/{device_uid}/software": audit_software,
    "/v2/audit/esxihost/{device_uid}": audit_esxi,
    "/v2/audit/printer/{device_uid}": audit_printer,
    "/v2/alert/{alert_uid}": alert,
    "/v2/job/{job_uid}": job,
    "/v2/job/{job_uid}/components": job_components,
    "/v2/job/{job_uid}/results/{device_uid}": job_results,
    "/v2/job/{job_uid}/results/{device_uid}/stdout": partial(job_output, channel="stdout"),
    "/v2/job/{job_uid}/results/{device_uid}/stderr": partial(job_output, channel="stderr"),
    "/v2/filter/default-filters": partial(filters, kind="default"),
    "/v2/filter/custom-filters": partial(filters, kind="custom"),
    "/v2/activity-logs": activity_logs,
    "/v2/system/status": system_status,
    "/v2/system/request_rate": system_request_rate,
    "/v2/system/pagination": system_pagination,
    "/v3/account/devices": partial(account_devices, version="v3"),
    "/v3/site/{site_uid}/devices": partial(site_devices, version="v3"),
    "/v3/device/id/{device_id}": partial(device_of_id, version="v3"),
    "/v3/device/macAddress/{mac}": partial(devices_of_mac, version="v3"),
    "/v3/device/{device_uid}": partial(device, version="v3"),
    "/v3/api-docs": publish,
    "/v3/api-docs/{name}": publish,
}
"""Paths below /api in the order in which they are tried: fixed words before parameters."""

OPEN = {"/v2/system/status", "/v3/api-docs", "/v3/api-docs/{name}"}
"""Paths below /api that need no token."""
