"""How each site stands, in one row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from datto_rmm_sandbox.devices import warranty_ends
from datto_rmm_sandbox.questions.computers import (
    antivirus_cover,
    full_disks,
    restart_due,
    silent_agents,
    support_state,
    warranty,
)
from datto_rmm_sandbox.questions.noise import URGENT
from datto_rmm_sandbox.questions.patching import STUCK_DAYS, patch_compliance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datto_rmm_sandbox.questions.fleet import Fleet
    from datto_rmm_sandbox.records import Device, Row


def scorecard(fleet: Fleet) -> Iterator[Row]:
    """Each site in one row."""
    urgent = Counter(
        alert.device.site.uid for alert in fleet.account.open_alerts if alert.priority in URGENT
    )
    opened = Counter(alert.device.site.uid for alert in fleet.account.open_alerts)
    tallies = {
        "restart_due": _sites_of(restart_due(fleet)),
        "silent": _sites_of(silent_agents(fleet)),
        "warranty_ending": _sites_of(r for r in warranty(fleet) if r["state"] == "ends soon"),
        "warranty_ended": _sites_of(row for row in warranty(fleet) if row["state"] == "ended"),
        "full_disks": _sites_of(row for row in full_disks(fleet) if row["is_nearly_full"]),
        "urgent_alerts": urgent,
        "open_alerts": opened,
    }
    cover = {row["site_uid"]: row for row in antivirus_cover(fleet)}
    for row in patch_compliance(fleet):
        uid = row["site_uid"]
        yield {
            **_site_of(row),
            "computers": row["computers"],
            "patched": row["patched"],
            "patch_known": row["known"],
            "compliance": row["compliance"],
            "patch_unknown": row["not_seen"] + row["no_data"] + row["no_policy"],
            "not_patchable": row["not_patchable"],
            "covered": cover[uid]["covered"],
            "antivirus_known": cover[uid]["known"],
            "cover": cover[uid]["cover"],
            "antivirus_unknown": cover[uid]["not_seen"],
            **_of_site(fleet, fleet.by_site[uid]),
            **{name: tally[uid] for name, tally in tallies.items()},
        }


def _of_site(fleet: Fleet, devices: list[Device]) -> Row:
    """What the scorecard tells of a site's computers beside the other answers."""
    severe = [
        device.uid
        for device in devices
        if fleet.is_counted(device)
        for row, _, age in fleet.missing(device)
        if row["severity"] in {"CRITICAL", "IMPORTANT"} and age is not None and age > STUCK_DAYS
    ]
    support = Counter(support_state(fleet, device) for device in devices)
    return {
        "on_demand": devices[0].site.on_demand,
        "severe_patches": len(severe),
        "severe_computers": len(set(severe)),
        "unsupported": support["out of support"],
        "support_unknown": support["unknown"],
        "warranty_unknown": sum(warranty_ends(fleet.account, d) is None for d in devices),
    }


def _site_of(row: Row) -> Row:
    return {name: row[name] for name in ("site_uid", "site")}


def _sites_of(rows: Iterable[Row]) -> Counter[str]:
    return Counter(row["site_uid"] for row in rows)
