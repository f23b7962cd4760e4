"""The truth: every row of each stream of the tap as it is on the wire, with its parent's keys.

Stream names and the keys that a stream adds are those of the README's table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from datto_rmm_sandbox import audits, devices, interfaces, jobs, oddities, patches, sites
from datto_rmm_sandbox.alerts import alert_row
from datto_rmm_sandbox.dates import moment
from datto_rmm_sandbox.records import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.quirks import Quirks
    from datto_rmm_sandbox.records import Device, Site
    from datto_rmm_sandbox.state import State

Pair = tuple[Row, Row]


def _alone(rows: Iterable[Row]) -> Iterator[Pair]:
    return (({}, row) for row in rows)


def _sites(account: Account, quirks: Quirks) -> Iterator[Row]:
    shown = quirks.deleted_devices_site == "on"
    return (sites.site_row(account, site) for site in account.sites if shown or not site.deleted)


def _alerts(account: Account) -> Iterator[Row]:
    for alerts in (account.open_alerts, account.resolved_alerts):
        for alert in alerts:
            yield alert_row(account, alert)


def _audited(
    account: Account,
    quirks: Quirks,
    device_class: str,
    rows: Callable[[Account, Device], Iterable[Row]],
) -> Iterator[Pair]:
    for device in account.devices:
        if device.system.device_class == device_class and oddities.has_audit(device, quirks):
            parent = _audited_parent(account, device, quirks)
            for row in rows(account, device):
                yield parent, row


def _audited_parent(account: Account, device: Device, quirks: Quirks) -> Row:
    audited = moment(devices.listed_audit(account, device, quirks), quirks)
    return {"deviceUid": device.uid, "lastAuditDate": audited}


def _of_sites(account: Account, rows: Callable[[Account, Site], Iterable[Row]]) -> Iterator[Pair]:
    for site in account.listed_sites():
        for row in rows(account, site):
            yield {"siteUid": site.uid}, row


def _interfaces(account: Account) -> Iterator[Row]:
    for site in account.listed_sites():
        for device in site.devices.values():
            yield interfaces.interface_row(account, device)


def _device_patches(account: Account, quirks: Quirks) -> Iterator[Pair]:
    for device in account.devices:
        for row in patches.device_patches(account, device):
            yield _audited_parent(account, device, quirks), row


def _jobs(account: Account) -> Iterator[Row]:
    seen = {job.uid: job for job, _ in account.job_pairs().values()}
    return (jobs.job_row(account, job) for job in seen.values())


def _job_components(account: Account, quirks: Quirks) -> Iterator[Pair]:
    seen = {job.uid: job for job, _ in account.job_pairs().values()}
    for job in seen.values():
        for row in oddities.job_components(account, job, quirks):
            yield {"jobUid": job.uid}, row


def _job_outputs(account: Account, quirks: Quirks) -> Iterator[Pair]:
    for job, device in account.job_pairs().values():
        for channel in jobs.CHANNELS:
            for row in oddities.job_output(account, job, device, channel, quirks):
                yield {"jobUid": job.uid, "deviceUid": device.uid, "channel": channel}, row


def _one(row: Callable[[Account, Device], Row]) -> Callable[[Account, Device], Iterable[Row]]:
    return lambda account, device: [row(account, device)]


STREAMS: dict[str, Callable[[Account, Quirks], Iterator[Pair]]] = {
    "account": lambda a, q: _alone([oddities.account_row(a, q)]),
    "sites": lambda a, q: _alone(_sites(a, q)),
    "devices": lambda a, q: _alone(devices.device_row(a, d, q) for d in a.devices),
    "alerts": lambda a, _: _alone(_alerts(a)),
    "device_audits": lambda a, q: _audited(a, q, "device", _one(audits.device_audit)),
    "device_software": lambda a, q: _audited(
        a, q, "device", lambda a, d: oddities.software(a, d, q)
    ),
    "esxi_host_audits": lambda a, q: _audited(a, q, "esxihost", _one(audits.esxi_audit)),
    "printer_audits": lambda a, q: _audited(a, q, "printer", _one(audits.printer_audit)),
    "activity_logs": lambda a, _: _alone(jobs.activity_row(a, x) for x in a.activities),
    "users": lambda a, _: _alone(sites.user_row(a, n) for n in range(a.user_count)),
    "account_variables": lambda a, _: _alone(sites.variable_rows(a)),
    "components": lambda a, _: _alone(sites.component_row(a, n) for n in range(a.component_count)),
    "default_filters": lambda a, _: _alone(sites.default_filters(a)),
    "custom_filters": lambda a, _: _alone(sites.custom_filters(a)),
    "dnet_site_mappings": lambda a, _: _alone(
        sites.mapping_row(a, s) for s in sites.mapped_sites(a)
    ),
    "site_settings": lambda a, _: _of_sites(a, lambda a, s: [sites.settings_row(a, s)]),
    "site_variables": lambda a, _: _of_sites(a, sites.variable_rows),
    "site_filters": lambda a, _: _of_sites(a, sites.site_filters),
    "site_network_interfaces": lambda a, _: _alone(_interfaces(a)),
    "site_patches": lambda a, q: _of_sites(a, lambda a, s: oddities.site_patches(a, s, q)),
    "device_patches": _device_patches,
    "jobs": lambda a, _: _alone(_jobs(a)),
    "job_components": _job_components,
    "job_results": lambda a, _: _alone(
        jobs.job_results(a, j, d) for j, d in a.job_pairs().values()
    ),
    "job_outputs": _job_outputs,
    "devices_v3": lambda a, q: _alone(devices.device_row_v3(a, d, q) for d in a.devices),
}
"""Each stream's rows. Where an endpoint answers 404 or 400 there are none, as for the tap."""


def lines(state: State, stream: str) -> Iterator[bytes]:
    """A stream's rows as JSON lines, `{"parent": {...}, "row": {...}}` each.

    Args:
        state: The sandbox.
        stream: A key of `STREAMS`.

    Yields:
        One line at a time, with its line feed.
    """
    for parent, row in STREAMS[stream](state.account, state.quirks):
        yield orjson.dumps({"parent": parent, "row": row}, option=orjson.OPT_APPEND_NEWLINE)
