"""What several streams need of one another: the account, its sites and its devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_datto_rmm.api.account import Account, SiteList
    from tap_datto_rmm.api.devices import DeviceList


@dataclass(frozen=True, slots=True)
class Inventory:
    """The lists that fan-out streams start from, each read at most once in a run.

    Whoever comes first reads: the stream that emits the rows, or one that only needs their keys.
    Every read takes the client of that stream, whose counters then have the calls.
    """

    account: Account
    sites: SiteList
    devices: DeviceList
