"""Which monitors, sites and devices make the alerts."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from datto_rmm_sandbox.questions.fleet import site_columns
from datto_rmm_sandbox.records import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.questions.fleet import Fleet
    from datto_rmm_sandbox.records import Alert, Row

URGENT = {"Critical", "High"}


def noise_by_monitor(fleet: Fleet) -> Iterator[Row]:
    """Alerts of the last days by the class of their context."""
    found: dict[str, list[tuple[Alert, Row]]] = defaultdict(list)
    for alert, row in fleet.recent_alerts():
        found[row["alertContext"]["@class"].removesuffix("_ctx")].append((alert, row))
    for monitor, alerts in found.items():
        hours = [(a.resolved - a.opened) / HOUR for a, _ in alerts if a.resolved]
        yield {
            "monitor": monitor,
            **_noise(alerts),
            "sites": len({alert.device.site.uid for alert, _ in alerts}),
            "median_hours": round(median(hours), 1) if hours else None,
        }


def noise_by_site(fleet: Fleet) -> Iterator[Row]:
    """Alerts of the last days by the site of their device."""
    found: dict[str, list[tuple[Alert, Row]]] = defaultdict(list)
    for alert, row in fleet.recent_alerts():
        found[alert.device.site.uid].append((alert, row))
    for alerts in found.values():
        yield {**site_columns(alerts[0][0].device.site), **_noise(alerts)}


def noise_by_device(fleet: Fleet) -> Iterator[Row]:
    """Alerts of the last days by device."""
    found: dict[str, list[tuple[Alert, Row]]] = defaultdict(list)
    for alert, row in fleet.recent_alerts():
        found[alert.device.uid].append((alert, row))
    for uid, alerts in found.items():
        monitors = {row["alertContext"]["@class"] for _, row in alerts}
        counts = {name: count for name, count in _noise(alerts).items() if name != "devices"}
        yield {"device_uid": uid, **counts, "monitors": len(monitors)}


def _noise(alerts: list[tuple[Alert, Row]]) -> Row:
    return {
        "alerts": len(alerts),
        "urgent": sum(alert.priority in URGENT for alert, _ in alerts),
        "devices": len({alert.device.uid for alert, _ in alerts}),
        "tickets": sum(row["ticketNumber"] is not None for _, row in alerts),
        "still_open": sum(alert.resolved is None for alert, _ in alerts),
    }
