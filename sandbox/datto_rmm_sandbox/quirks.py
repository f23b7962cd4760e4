"""The open questions about the API, each a switch.

Sources disagree or are silent on these points (docs/datto-rmm-api.md §11); a
client must be right whichever way the vendor's server answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from datto_rmm_sandbox.checks import GivenError, Range, one_of, pattern, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES: dict[str, tuple[str, ...]] = {
    "over_max": ("clamp", "refuse"),
    "device_dates": ("epoch-ms", "iso"),
    "list_total_count": ("number", "absent"),
    "alert_total_count": ("absent", "null", "number"),
    "alert_order": ("newest", "oldest", "unordered"),
    "error_body": ("error-response", "error-message", "html", "empty"),
    "token_failure": ("401", "400"),
    "next_page_url": ("lose-params", "keep-params"),
    "rate_status": ("current", "legacy"),
    "udf": ("300", "30", "absent"),
    "v3": ("on", "off"),
    "deleted_devices_site": ("on", "off"),
    "device_list": ("complete", "subset"),
    "drift": ("none", "remove", "add", "swap", "reorder"),
    "never_audited": ("bare", "empty", "null", "204", "403", "404", "405", "410", "422", "500"),
    "null_keys": ("off", "on"),
    "repeat_components": ("off", "on"),
    "description": (
        *("groups", "absolute", "elsewhere", "contradicting", "with-others", "v2-only"),
        *("one-document", "old-address", "bare-address", "nowhere"),
    ),
}
"""What each switch may be; the first is the default and the best-supported reading of the facts.

Those that are numbers are not here.
"""

HELP: dict[str, str] = {
    "over_max": "max above the page maximum: answered with fewer rows, or refused with 400",
    "device_dates": "lastSeen, lastReboot, lastAuditDate and creationDate of devices",
    "list_total_count": "pageDetails.totalCount of lists other than alerts",
    "alert_total_count": "pageDetails.totalCount of alert lists",
    "alert_order": "by timestamp (open) and resolvedOn (resolved), or in no order at all",
    "error_body": "what a 4xx answer carries",
    "token_failure": "status of a wrong key or secret at the token URL",
    "next_page_url": "whether nextPageUrl keeps filters and other parameters of the query",
    "rate_status": "shape of /v2/system/request_rate",
    "udf": "how many udf keys a v2 device has",
    "v3": "whether /v3 exists",
    "deleted_devices_site": "whether the site list has the system site with a uid that is no GUID",
    "device_list": "subset: the account-wide device list lacks a third of the devices",
    "drift": "between two pages: the first row vanishes, a new one comes first, (swap) the first "
    "vanishes and a new one comes last, or (reorder) rows change places with rows of the next page",
    "drift_path": "only lists drift whose path this regular expression matches",
    "never_audited": "audit of a device that was never audited: a bare object, a body or a status",
    "null_keys": "whether some software has no version and some site patches no installStatus",
    "repeat_components": "whether each job runs its first component twice: two rows of one key",
    "description": "how the API's description is published: a list of two documents; the same with "
    "absolute addresses, one of them on another host, one that contradicts the other, one more of "
    "another kind, one only; a list of one for everything; without a list, as before",
    "retry_after": "seconds in a Retry-After header of 429, 5xx and the block, or none",
    "page_max": "the largest page the server gives, and its default",
    "count_above": "by how much the account's own count of devices is above its lists",
    "audit_lag": "seconds after an audit until the device lists show its date",
    "date_ahead": "hours that the Date header is ahead of the account's clock",
    "software_rows": "audited computers have at least so many rows of software",
}

RANGES: dict[str, Range] = {
    "page_max": Range(int, 1),
    "count_above": Range(int, 0),
    "audit_lag": Range(int, 0),
    "date_ahead": Range(float, -100_000, 100_000),
    "software_rows": Range(int, 0, 100_000),
}
"""What each switch that is a number may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How this sandbox answers the open questions. See `HELP` for what each one means."""

    over_max: str = "clamp"
    device_dates: str = "epoch-ms"
    list_total_count: str = "number"
    alert_total_count: str = "absent"
    alert_order: str = "newest"
    error_body: str = "error-response"
    token_failure: str = "401"  # noqa: S105
    next_page_url: str = "lose-params"
    rate_status: str = "current"
    udf: str = "300"
    v3: str = "on"
    deleted_devices_site: str = "on"
    device_list: str = "complete"
    drift: str = "none"
    drift_path: str = ""
    description: str = "groups"
    retry_after: str = "none"
    page_max: int = 250
    never_audited: str = "bare"
    null_keys: str = "off"
    repeat_components: str = "off"
    count_above: int = 0
    audit_lag: int = 0
    date_ahead: float = 0.0
    software_rows: int = 0

    def __post_init__(self) -> None:
        """Check every switch.

        Raises:
            GivenError: A switch has a value that it may not have.
        """
        for name, allowed in CHOICES.items():
            one_of(name, getattr(self, name), allowed)
        pattern("drift_path", self.drift_path)
        if self.retry_after != "none" and re.fullmatch("[0-9]+", self.retry_after) is None:
            why = f"must be none or a number of seconds, not {self.retry_after!r}"
            raise GivenError("retry_after", why)
        for name, numbers in RANGES.items():
            numbers.check(name, getattr(self, name))

    def drifts(self, path: str) -> bool:
        """Whether a list changes between two of its pages.

        Args:
            path: The list's path.

        Returns:
            True where `drift` is on and `drift_path` matches.
        """
        return self.drift != "none" and re.search(self.drift_path, path) is not None

    def changed(self, changes: Mapping[str, object]) -> Quirks:
        """These switches with some of them turned.

        Args:
            changes: Switch names (`-` and `_` alike) and their new values.

        Returns:
            A new object.

        Raises:
            ValueError: A switch does not exist or may not have that value.
        """
        known = {field.name for field in fields(self)}
        clean: dict[str, object] = {}
        for name, value in changes.items():
            key = name.replace("-", "_")
            if key not in known:
                raise ValueError(unknown("quirk", key, known))
            clean[key] = RANGES[key].read(key, str(value)) if key in RANGES else str(value)
        return replace(self, **clean)  # type: ignore[arg-type]
