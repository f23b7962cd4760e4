"""The account itself, and its list of sites: each read once a run, by whoever comes first."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.api.completeness import WHOLE, Completeness, Rows
from tap_datto_rmm.api.lists import Deduplicator, read_list
from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.api.reading import ListReader
from tap_datto_rmm.records.timestamps import timestamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress

logger = logging.getLogger("tap-datto-rmm")

ACCOUNT_PATH: Final = "/v2/account"
SITES_PATH: Final = "/v2/account/sites"

DELETED_DEVICES: Final = "Deleted Devices"
"""A system site that is listed, has a uid that is no GUID, and whose own endpoints fail
(docs/datto-rmm-api.md §5)."""


class Account:
    """The account's one row."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self.reader = ListReader(Listing(ACCOUNT_PATH, paged=False))
        self._row: dict[str, Any] | None = None

    def row(self, client: Client) -> dict[str, Any]:
        """Give the row, asking for it the first time.

        Raises:
            RequestError: it cannot be read.
        """
        if self._row is None:
            (page,) = self.reader.pages(client)
            row = page.rows[0] if page.rows else None
            self._row = row if isinstance(row, dict) else {}
        return self._row

    def devices(self, client: Client) -> int:
        """Devices that the account says it has; 0 where it does not tell.

        Raises:
            RequestError: the account cannot be read.
        """
        return number_in(self.row(client), "devicesStatus", "numberOfDevices") or 0


class Site(NamedTuple):
    """What the fan-out streams need of a site."""

    uid: str
    name: str
    devices: int | None
    """What the site itself says it has."""


class SiteList:
    """The account's sites.

    Args:
        page_size: rows of a page.
        progress: is told how many there are, and of each that no stream writes.
        started_at: when the run began.
        again: whether a list without `totalCount` is read a second time, to be sure.
    """

    def __init__(
        self, page_size: int, progress: Progress, started_at: Timestamp, *, again: bool = False
    ) -> None:
        """Read nothing yet."""
        self.reader = ListReader(Listing(SITES_PATH, {"max": page_size}))
        self.completeness = WHOLE
        """Why sites may be missing; final once they have been read."""
        self._progress = progress
        self._started_at = started_at
        self._again = again
        self._sites: list[Site] | None = None

    @property
    def is_read(self) -> bool:
        """Whether they have been read."""
        return self._sites is not None

    @property
    def known(self) -> list[Site]:
        """Those that have been read, without the one that holds deleted devices."""
        return [site for site in self._sites or () if site.name != DELETED_DEVICES]

    def all(self, client: Client) -> list[Site]:
        """All sites but the one that holds deleted devices; reads them the first time.

        Raises:
            RequestError: they cannot be read.
        """
        if self._sites is None:
            with self._progress.aside("sites"):
                for _ in self.rows(client):
                    self._progress.step()
        return self.known

    def rows(self, client: Client) -> Generator[Any, None, Completeness]:
        """Read the list, remembering what others need.

        Yields:
            Rows as the API sent them.

        Returns:
            Why rows may be missing.
        """
        found: list[Site] = []
        expect = self._progress.expect
        rows = Rows(
            read_living(self.reader, client, "sites", self._started_at, expect, again=self._again)
        )
        for row in rows:
            if isinstance(row, dict) and row.get("uid"):
                count = number_in(row, "devicesStatus", "numberOfDevices")
                found.append(Site(str(row["uid"]), str(row.get("name")), count))
            yield row
        self._sites, self.completeness = found, rows.completeness
        return rows.completeness


def read_living(
    reader: ListReader,
    client: Client,
    what: str,
    started_at: Timestamp,
    expect: Callable[[int], None] | None = None,
    keys: Deduplicator | None = None,
    *,
    again: bool = False,
) -> Generator[Any, None, Completeness]:
    """Read a list of things that have a `uid` and a `creationDate`, whatever else happens to it.

    Args:
        reader: of the list.
        client: who fetches.
        what: the list holds, for the log.
        started_at: when the run began: what is created later may push rows aside.
        expect: takes the number of rows, where the API tells it.
        keys: remembers the uids, for whoever needs them later.
        again: whether a list without `totalCount` is read a second time, to be sure.
    """

    def tell(line: str) -> None:
        logger.warning("%s: %s", what, line)

    def is_young(row: object) -> bool:
        return (timestamp_of(row, "creationDate") or "") > started_at

    return read_list(
        lambda: reader.pages(client),
        keys or Deduplicator(("uid",), tell),
        tell,
        expect=expect,
        is_young=is_young,
        again=again,
    )


def number_in(row: Mapping[str, Any], *path: str) -> int | None:
    """Read a whole number off a row; None where there is none."""
    value: Any = row
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if type(value) is int else None
