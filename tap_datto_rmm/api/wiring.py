"""Puts the inventory of a run together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_datto_rmm.api.account import Account, SiteList
from tap_datto_rmm.api.devices import DeviceList
from tap_datto_rmm.api.fan_out import devices_in_demand
from tap_datto_rmm.api.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_datto_rmm.api.fan_out import Demand, FanOut
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress


def inventory(
    page_size: int,
    progress: Progress,
    started_at: Timestamp,
    asked: Sequence[tuple[FanOut, Demand]],
    unlisted: int,
    *,
    again: bool,
) -> Inventory:
    """Make the lists that fan-out streams start from; nothing is read yet.

    Args:
        page_size: rows of a page.
        progress: is told what is read aside.
        started_at: when the run began.
        asked: what each fan-out stream will ask for: no other device is remembered.
        unlisted: devices that the account counted in an earlier run and no list had.
        again: whether lists without `totalCount` are read a second time: a deletion mark may
            depend on them.
    """
    account, sites = Account(), SiteList(page_size, progress, started_at, again=again)
    devices = DeviceList(
        account,
        sites,
        page_size=page_size,
        progress=progress,
        started_at=started_at,
        keeps=devices_in_demand(asked),
        unlisted=unlisted,
        again=again,
    )
    return Inventory(account, sites, devices)
