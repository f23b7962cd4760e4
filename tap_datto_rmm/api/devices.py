"""The account's devices: its one list, held against what the account and its sites say they have.

The account-wide list has been seen to lack a third of the devices that the sites' own lists have
(docs/datto-rmm-api.md §2.1, AE #24).
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.api.account import read_living
from tap_datto_rmm.api.completeness import WHOLE, Completeness, Rows
from tap_datto_rmm.api.lists import Deduplicator
from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.api.reading import ListReader
from tap_datto_rmm.errors import (
    ApiError,
    NotAvailableError,
    PaginationError,
    PermissionDeniedError,
    RequestError,
    TransportError,
)
from tap_datto_rmm.records.timestamps import timestamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_datto_rmm.api.account import Account, Site, SiteList
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress

logger = logging.getLogger("tap-datto-rmm")

DEVICES_PATH: Final = "/v2/account/devices"
SITE_DEVICES_PATH: Final = "/v2/site/{siteUid}/devices"

NOT_ALLOWED: Final = (PermissionDeniedError, NotAvailableError)
OF_ONE_LIST: Final = (*NOT_ALLOWED, ApiError, TransportError, PaginationError)
"""What may befall one list and leave the others be."""


class Device(NamedTuple):
    """What the fan-out streams need of a device; a hundred thousand of them fit in 25 MB."""

    uid: str
    device_class: str
    last_audit: Timestamp | None
    """None: never audited."""


class DeviceList:
    """The account's devices.

    Args:
        account: which says how many there are.
        sites: which have lists of their own.
        page_size: rows of a page.
        progress: is told how many there are, and of each that no stream writes.
        started_at: when the run began.
        keeps: whether a device may be asked for; the others are only counted.
        unlisted: devices that the account counted in an earlier run and no list had.
    """

    def __init__(
        self,
        account: Account,
        sites: SiteList,
        *,
        page_size: int,
        progress: Progress,
        started_at: Timestamp,
        keeps: Callable[[Device], bool],
        unlisted: int = 0,
    ) -> None:
        """Read nothing yet."""
        self.reader = ListReader(Listing(DEVICES_PATH, {"max": page_size}))
        self.completeness = WHOLE
        """Why devices may be missing; final once they have been read."""
        self.unlisted = unlisted
        """Devices that the account counts and no list has: no cause to look again."""
        self._account = account
        self._sites = sites
        self._page_size = page_size
        self._progress = progress
        self._started_at = started_at
        self._keeps = keeps
        self._kept: list[Device] = []
        self._per_site: Counter[str] = Counter()
        self._is_read = False
        self._failure: RequestError | None = None
        """Why the list could not be read: it is not tried again for each stream."""

    def all(self, client: Client, device_class: str | None = None) -> list[Device]:
        """All devices that `keeps` wanted, or those of one class; reads them the first time.

        Raises:
            RequestError: they cannot be read.
        """
        if self._failure:
            raise self._failure
        if not self._is_read:
            with self._progress.aside("devices"):
                for _ in self.rows(client):
                    self._progress.step()
        return [d for d in self._kept if device_class is None or d.device_class == device_class]

    def rows(self, client: Client) -> Generator[Any, None, Completeness]:
        """Read the account-wide list, and what it lacks from the sites' own lists.

        Yields:
            Rows as the API sent them.

        Returns:
            Why rows may be missing.
        """
        known = Deduplicator(("uid",), self._tell)
        listed = Rows(
            read_living(
                self.reader, client, "devices", self._started_at, self._progress.expect, known
            )
        )
        try:
            for row in listed:
                self._note(row)
                yield row
        except RequestError as error:
            self._failure = error
            raise
        of_sites = self._from_the_sites(client, known, listed.completeness)
        self.completeness = yield from of_sites
        self._is_read = True
        return self.completeness

    def _from_the_sites(
        self, client: Client, known: Deduplicator, listed: Completeness
    ) -> Generator[Any, None, Completeness]:
        """Read from the sites' own lists what the account-wide list may lack.

        Args:
            client: who fetches.
            known: uids of the devices that have come.
            listed: why the account-wide list may lack rows.
        """
        before = self._per_site.total()
        expected, unknown = self._expected(client)
        lacking = self._lacking(expected)
        if lacking in {0, self.unlisted} and listed.is_whole:
            self.unlisted = lacking
            return unknown
        chosen, not_asked = self._sites_to_read(client, listed, lacks=lacking > 0)
        if chosen:
            self._tell(
                f"the account-wide list has {before} devices, {expected} are expected; reading the "
                f"lists of {len(chosen)} sites"
            )
            self._progress.expect(max(before, expected))
        read = WHOLE
        for site in chosen:
            read += yield from self._rows_of(client, site, known)
        came = self._per_site.total()
        unreadable = max(0, listed.unreadable - (came - before), read.unreadable)
        reasons = Completeness(listed.reasons + read.reasons, read.known_gaps, unreadable)
        completeness = unknown + not_asked + reasons
        self.unlisted = self._lacking(expected) if completeness.is_whole else 0
        if self.unlisted:
            self._tell(
                f"the account says it has {expected} devices, all lists together have {came}; the "
                "lists are not read again for that until the difference changes"
            )
        return completeness

    def _rows_of(
        self, client: Client, site: Site, known: Deduplicator
    ) -> Generator[Any, None, Completeness]:
        """Read a site's own list for devices that have not come yet."""
        path = SITE_DEVICES_PATH.format(siteUid=site.uid)
        reader = ListReader(Listing(path, {"max": self._page_size}))
        rows = Rows(read_living(reader, client, f"devices of site {site.uid}", self._started_at))
        try:
            for row in rows:
                key = known.key_of(row)
                if key is None or known.is_new(key):
                    self._note(row)
                    yield row
        except NotAvailableError as error:  # the site has left; the next run looks again
            return Completeness(known_gaps=(f"a site has no devices to give: {error}",))
        except OF_ONE_LIST as error:
            return Completeness((f"the devices of a site could not be read: {error}",))
        return rows.completeness

    def _sites_to_read(
        self, client: Client, listed: Completeness, *, lacks: bool
    ) -> tuple[list[Site], Completeness]:
        """Choose the sites whose own lists may have what the account-wide list has not.

        Args:
            client: who fetches.
            listed: why the account-wide list may lack rows; where it never held still, each site
                may have some.
            lacks: whether the account says it has more; then a site that does not say how many it
                has may have them.
        """
        unknown = math.inf if lacks or listed.unreadable else 0
        try:
            sites = self._sites.all(client)
        except OF_ONE_LIST as error:
            why = f"the sites cannot be asked for devices that are missing: {error}"
            return [], Completeness((why,))
        said = [(site, unknown if site.devices is None else site.devices) for site in sites]
        moved = bool(listed.reasons)
        return [site for site, number in said if moved or number > self._per_site[site.uid]], WHOLE

    def _expected(self, client: Client) -> tuple[int, Completeness]:
        try:
            return self._account.devices(client), WHOLE
        except NOT_ALLOWED:
            return 0, WHOLE  # then it cannot be known
        except OF_ONE_LIST as error:
            why = f"the account does not say how many devices there should be: {error}"
            return 0, Completeness((why,))

    def _lacking(self, expected: int) -> int:
        """Count devices that the account, or its sites one by one, have beyond those found."""
        of_sites = sum(max(0, (s.devices or 0) - self._per_site[s.uid]) for s in self._sites.known)
        return max(0, expected - self._per_site.total(), of_sites)

    def _note(self, row: object) -> None:
        """Keep what is needed of a device."""
        if not isinstance(row, dict) or not row.get("uid"):
            return
        self._per_site[str(row.get("siteUid"))] += 1
        device_class = _interned(row.get("deviceClass"))
        device = Device(str(row["uid"]), device_class, timestamp_of(row, "lastAuditDate"))
        if self._keeps(device):
            self._kept.append(device)

    def _tell(self, line: str) -> None:
        logger.warning("devices: %s", line)


_CLASSES: dict[object, str] = {}


def _interned(value: object) -> str:
    return _CLASSES.setdefault(value, str(value)) if isinstance(value, str) else ""
