"""The computers of an account as the questions look at them, and what several answers share."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from datto_rmm_sandbox import patches
from datto_rmm_sandbox.alerts import alert_row
from datto_rmm_sandbox.devices import patch_state
from datto_rmm_sandbox.records import DAY, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Alert, Device, Site

NAMELESS = "(site without a name)"
QUIET_DAYS = 30
"""Days without a sign of life after which nothing that a computer told counts as known."""
NOISE_DAYS = 30
PATCH_STATES = {
    "FullyPatched": "patched",
    "RebootRequired": "restart due",
    "ApprovedPending": "pending",
    "InstallError": "failing",
    "NoPolicy": "no policy",
    "NoData": "no data",
}
KNOWN_STATES = ("patched", "restart due", "pending", "failing")


class Fleet:
    """The computers of an account, and when now is.

    Args:
        account: The account, which must not change meanwhile.
    """

    def __init__(self, account: Account) -> None:
        """Look at every device once."""
        self.account = account
        self.now = max((device.seen for device in account.devices), default=account.now)
        self.today = day_of(self.now)
        self.computers = [device for device in account.devices if device.is_computer]
        self.by_site: dict[str, list[Device]] = defaultdict(list)
        for device in self.computers:
            self.by_site[device.site.uid].append(device)

    def is_quiet(self, device: Device) -> bool:
        """Whether it was not seen for so long that what it told last counts no more."""
        return self.now - device.seen > QUIET_DAYS * DAY

    def patch_state(self, device: Device) -> str:
        """The first that fits: not patchable, no policy, no data, not seen, and then what it is."""
        told = (patch_state(device) or {})["patchStatus"]
        if not device.system.is_windows or device.site.on_demand:
            return "not patchable"
        if told == "NoPolicy":
            return "no policy"
        if told == "NoData" or device.audited is None:
            return "no data"
        return "not seen" if self.is_quiet(device) else PATCH_STATES[told]

    def is_counted(self, device: Device) -> bool:
        """Whether it is in the denominator of compliance."""
        return self.patch_state(device) in KNOWN_STATES

    def missing(self, device: Device) -> Iterator[tuple[Row, bool, int | None]]:
        """Each patch that a computer lacks, whether it is approved, and its age in days."""
        for row in patches.device_patches(self.account, device):
            if row["installStatus"] != "INSTALLED":
                released = row["releaseDate"]
                age = (self.today - date.fromisoformat(released)).days if released else None
                yield row, row["installStatus"] == "APPROVED_PENDING", age

    def recent_alerts(self) -> Iterator[tuple[Alert, Row]]:
        """The alerts of the last days, as records and as rows."""
        for alert in (*self.account.open_alerts, *self.account.resolved_alerts):
            if self.now - alert.opened < NOISE_DAYS * DAY:
                yield alert, alert_row(self.account, alert)


def site_columns(site: Site) -> Row:
    """What tells a site."""
    return {"site_uid": site.uid, "site": site.name or NAMELESS}


def computer_columns(device: Device) -> Row:
    """What tells a computer."""
    return {**site_columns(device.site), "device_uid": device.uid, "computer": device.hostname}


def percent(part: int, whole: int) -> int | None:
    """A share, rounded down; null where there is nothing to share."""
    return 100 * part // whole if whole else None


def day_of(at: int) -> date:
    """The day of a moment in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).date()
