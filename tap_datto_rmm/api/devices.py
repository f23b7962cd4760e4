"""The account's devices: its one list, held against what the account and its sites say they have.

The account-wide list has been seen to lack a third of the devices that the sites' own lists have
(docs/datto-rmm-api.md §2.1, AE #24).
"""

from __future__ import annotations

import logging
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
        again: whether a list without `totalCount` is read a second time, to be sure.
    """

    def __init__(  # noqa: PLR0913 - by keyword, each with its line above
        self,
        account: Account,
        sites: SiteList,
        *,
        page_size: int,
        progress: Progress,
        started_at: Timestamp,
        keeps: Callable[[Device], bool],
        unlisted: int = 0,
        again: bool = False,
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
        self._again = again
        self._kept: list[Device] = []
        self._per_site: Counter[str] = Counter()
        self.is_read = False
        """Whether they have been read."""
        self._failure: RequestError | None = None
        """Why the list could not be read: it is not tried again for each stream."""

    def all(self, client: Client, device_class: str | None = None) -> list[Device]:
        """All devices that `keeps` wanted, or those of one class; reads them the first time.

        Raises:
            RequestError: they cannot be read.
        """
        if self._failure:
            raise self._failure
        if not self.is_read:
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
                self.reader,
                client,
                "devices",
                self._started_at,
                self._progress.expect,
                known,
                again=self._again,
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
        self.is_read = True
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
        expected, unknown = _expected(self._account, client)
        lacking = self._lacking(expected)
        if lacking in {0, self.unlisted} and listed.is_whole:
            self.unlisted = lacking
            return unknown
        chosen, not_asked = self._sites_to_read(client, listed, expected)
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
        remembered, self.unlisted = self.unlisted, 0
        if completeness.is_whole:
            self.unlisted = self._lacking(expected)
        if self.unlisted in {0, remembered}:
            return completeness
        self._tell(
            f"the account says it has {expected} devices, all lists together have {came}; the "
            "lists are not read again for that until the difference changes"
        )
        # New, so no device may be marked as deleted for it yet; the next run tells whether it stays
        return Completeness(known_gaps=(f"{self.unlisted} devices are on none of the lists",))

    def _rows_of(
        self, client: Client, site: Site, known: Deduplicator
    ) -> Generator[Any, None, Completeness]:
        """Read a site's own list for devices that have not come yet."""
        path = SITE_DEVICES_PATH.format(siteUid=site.uid)
        reader = ListReader(Listing(path, {"max": self._page_size}))
        what = f"devices of site {site.uid}"
        rows = Rows(read_living(reader, client, what, self._started_at, again=self._again))
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
        self, client: Client, listed: Completeness, expected: int
    ) -> tuple[list[Site], Completeness]:
        """Choose the sites whose own lists may have what the account-wide list has not.

        All of them, where that list never held still, or where the account has more devices than
        the sites' own numbers account for; else those that say they have more than came.

        Args:
            client: who fetches.
            listed: why the account-wide list may lack rows.
            expected: devices that the account says it has.
        """
        try:
            sites = self._sites.all(client)
        except OF_ONE_LIST as error:
            why = f"the sites cannot be asked for devices that are missing: {error}"
            return [], Completeness((why,))
        short = {site.uid: (site.devices or 0) - self._per_site[site.uid] for site in sites}
        missing = expected - self._per_site.total()
        if listed.reasons or missing > sum(number for number in short.values() if number > 0):
            return sites, WHOLE
        unknown = bool(listed.unreadable)
        return [s for s in sites if short[s.uid] > 0 or (unknown and s.devices is None)], WHOLE

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


def _expected(account: Account, client: Client) -> tuple[int, Completeness]:
    """Devices that the account says it has, and why that may not be known."""
    try:
        return account.devices(client), WHOLE
    except NOT_ALLOWED:
        return 0, WHOLE  # then it cannot be known
    except OF_ONE_LIST as error:
        why = f"the account does not say how many devices there should be: {error}"
        return 0, Completeness((why,))
