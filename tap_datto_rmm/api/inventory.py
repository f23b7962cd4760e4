"""What several streams need of one another: the account's sites and devices, read once a run."""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.api.lists import Seen, Watch, read_list
from tap_datto_rmm.api.pages import read_pages
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress

logger = logging.getLogger("tap-datto-rmm")

ACCOUNT_PATH: Final = "/v2/account"
SITES_PATH: Final = "/v2/account/sites"
DEVICES_PATH: Final = "/v2/account/devices"
SITE_DEVICES_PATH: Final = "/v2/site/{siteUid}/devices"

NOT_ALLOWED: Final = (PermissionDeniedError, NotAvailableError)
UNREADABLE: Final = (*NOT_ALLOWED, ApiError, TransportError, PaginationError)
"""What may befall one list and leave the others be."""

DELETED_DEVICES: Final = "Deleted Devices"
"""A system site that is listed, has a uid that is no GUID, and whose own endpoints fail
(docs/datto-rmm-api.md §5)."""


class Device(NamedTuple):
    """What the fan-out streams need of a device; a hundred thousand of them fit in 25 MB."""

    uid: str
    device_class: str
    last_audit: Timestamp | None
    """None: never audited."""


class Site(NamedTuple):
    """What the fan-out streams need of a site."""

    uid: str
    name: str
    devices: int | None
    """What the site itself says it has."""


@dataclass(slots=True)
class Inventory:
    """The account's sites and devices, each list read at most once in a run.

    Whoever comes first reads: the stream that emits the rows, or one that only needs their keys.
    """

    client: Client
    progress: Progress
    """Is told how many rows the lists have, and of each row that no stream writes."""
    started_at: Timestamp
    """When the run began, by the API's clock."""
    keeps: Callable[[Device], bool]
    """Whether a device will be asked for; the others are only counted."""
    _watches: dict[str, Watch] = field(default_factory=dict)
    _sites: list[Site] | None = None
    _devices: list[Device] | None = None
    _account: dict[str, Any] = field(default_factory=dict)
    _failure: RequestError | None = None
    """Why the list of devices could not be read: it is not tried again for each stream."""

    def watches_over(self, what: str) -> list[Watch]:
        """Say how the list of `sites` or `devices` was read, if it was."""
        return [self._watches[what]] if what in self._watches else []

    def sites(self) -> list[Site]:
        """All sites but the one that holds deleted devices."""
        if self._sites is None:
            self._read_aside("sites", self.read_sites())
        return [site for site in self._sites or () if site.name != DELETED_DEVICES]

    def devices(self, device_class: str | None = None) -> list[Device]:
        """All devices that `keeps` wanted, or those of one class."""
        if self._devices is None:
            if self._failure:
                raise self._failure
            self._read_aside("devices", self.read_devices())
        found = self._devices or []
        return [d for d in found if device_class is None or d.device_class == device_class]

    def read_account(self) -> dict[str, Any]:
        """Read the account's one row."""
        answer: object = self.client.get(ACCOUNT_PATH)
        self._account = answer if isinstance(answer, dict) else {}
        return self._account

    def read_sites(self) -> Iterator[Any]:
        """Read the list of sites, remembering what others need.

        Yields:
            Rows as the API sent them.
        """
        found: list[Site] = []
        watch = self._watch("sites")
        for row in self._rows(SITES_PATH, Seen(("uid",)), watch, self.progress.expect):
            if isinstance(row, dict) and row.get("uid"):
                count = _number(row, "devicesStatus", "numberOfDevices")
                found.append(Site(str(row["uid"]), str(row.get("name")), count))
            yield row
        self._sites = found

    def read_devices(self) -> Iterator[Any]:
        """Read the account-wide list of devices, and what it lacks from the sites' own lists.

        The account-wide list has been seen to lack a third of the devices that the sites' lists
        have (docs/datto-rmm-api.md §2.1, AE #24), so the numbers are held against what the account
        and the sites say of themselves.

        Yields:
            Rows as the API sent them.
        """
        seen, watch = Seen(("uid",)), self._watch("devices")
        found: list[Device] = []
        per_site: Counter[str] = Counter()
        try:
            for row in self._rows(DEVICES_PATH, seen, watch, self.progress.expect):
                self._note(row, found, per_site)
                yield row
        except RequestError as error:
            self._failure = error
            raise
        moved = watch.partial
        listed, expected = per_site.total(), self._expected_devices(watch)
        sites = self._sites_to_read(per_site, watch, lacks=listed < expected, moved=moved)
        if sites:
            watch.tell(
                f"the account-wide list has {listed} devices, {expected} are expected; reading the "
                f"lists of {len(sites)} sites"
            )
            self.progress.expect(max(listed, expected))
        for site in sites:
            try:
                for row in self._rows(SITE_DEVICES_PATH.format(siteUid=site.uid), seen, watch):
                    self._note(row, found, per_site)
                    yield row
            except UNREADABLE as error:
                watch.partial = True
                watch.tell(f"left out: {error}")
        if expected and (came := per_site.total()) != expected:
            watch.partial = watch.partial or came < expected
            watch.tell(
                f"the account says it has {expected} devices, its list has {listed}, with the "
                f"sites' lists {came}"
            )
        self._devices = found

    def _sites_to_read(
        self, per_site: Counter[str], watch: Watch, *, lacks: bool, moved: bool
    ) -> list[Site]:
        """Choose the sites whose own lists may have what the account-wide list has not.

        Args:
            per_site: devices found, by site.
            watch: over the account-wide list.
            lacks: whether the account says it has more; otherwise the list of sites is not read
                for this alone, and a site that does not say how many it has is taken for complete.
            moved: whether the account-wide list never held still; then all sites may.
        """
        if self._sites is None and not (lacks or moved):
            return []
        unknown = math.inf if lacks else 0
        try:
            said = [(s, unknown if s.devices is None else s.devices) for s in self.sites()]
        except UNREADABLE as error:
            watch.partial = True
            watch.tell(f"the sites cannot be asked for devices that are missing: {error}")
            return []
        return [site for site, number in said if moved or number > per_site[site.uid]]

    def _expected_devices(self, watch: Watch) -> int:
        """Devices that the account, or its sites together, say they have; 0 where neither tells."""
        try:
            if not self._account:
                self.read_account()
        except NOT_ALLOWED:
            pass  # then it cannot be known
        except UNREADABLE as error:
            watch.partial = True
            watch.tell(f"the account does not say how many there should be: {error}")
        of_account = _number(self._account, "devicesStatus", "numberOfDevices") or 0
        of_sites = (s.devices or 0 for s in self._sites or () if s.name != DELETED_DEVICES)
        return max(of_account, sum(of_sites))

    def _note(self, row: object, found: list[Device], per_site: Counter[str]) -> None:
        if not isinstance(row, dict) or not row.get("uid"):
            return
        per_site[str(row.get("siteUid"))] += 1
        audited = timestamp_of(row, "lastAuditDate")
        device = Device(str(row["uid"]), _interned(row.get("deviceClass")), audited)
        if self.keeps(device):
            found.append(device)

    def _read_aside(self, what: str, rows: Iterable[Any]) -> None:
        with self.progress.aside(what):
            for _ in rows:
                self.progress.step()

    def _watch(self, what: str) -> Watch:
        watch = Watch(lambda line: logger.warning("%s: %s", what, line))
        self._watches[what] = watch
        return watch

    def _is_young(self, row: object) -> bool:
        created = timestamp_of(row, "creationDate")
        return created is not None and created > self.started_at

    def _rows(
        self,
        path: str,
        seen: Seen,
        watch: Watch,
        expect: Callable[[int], None] | None = None,
    ) -> Iterator[Any]:
        return read_list(
            lambda: read_pages(self.client, path, {"max": self.client.page_size}),
            seen,
            watch,
            expect,
            is_young=self._is_young,
        )


_CLASSES: dict[object, str] = {}


def _interned(value: object) -> str:
    return _CLASSES.setdefault(value, str(value)) if isinstance(value, str) else ""


def _number(row: Mapping[str, Any], *path: str) -> int | None:
    value: Any = row
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if type(value) is int else None
