"""The activity log: the account's audit trail, and the only place that names its jobs.

The log pages by cursor within a window of time (docs/datto-rmm-api.md §2.2); the API has no list of
jobs, so their uids come from the entries' `details`, a text that holds JSON (§5).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.api.completeness import WHOLE, Completeness
from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.api.parts import may_be_a_rows, weight
from tap_datto_rmm.api.reading import fetch_pages, read_on
from tap_datto_rmm.errors import RequestError
from tap_datto_rmm.records.timestamps import canonical, timestamp_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress

logger = logging.getLogger("tap-datto-rmm")

PATH: Final = "/v2/activity-logs"
BEGINNING: Final = canonical(datetime(2000, 1, 1, tzinfo=UTC))
"""Before any account: without `from` the API gives the last 15 minutes only."""
SECOND: Final = timedelta(seconds=1)
"""The shortest window that the API takes."""
FAILURES_IN_A_ROW: Final = 40
"""Windows that fail before any comes: the log itself cannot be read. Half a century has 2**31
seconds, so that one bad entry is found after 31."""
FAILURES: Final = 200
"""Windows that fail in all: too much of the log cannot be read."""


class ActivityLog:
    """Reads the log, and remembers the jobs that it names.

    Args:
        page_size: entries of a page.
        until: end of the run's window.
        start: nothing older is read; None: from the beginning.
        progress: is told of each entry that no stream writes.
        keeps_devices: whether `job_devices` will be asked for: of a year there may be millions.
    """

    def __init__(
        self,
        page_size: int,
        until: Timestamp,
        start: Timestamp | None,
        progress: Progress,
        *,
        keeps_devices: bool,
    ) -> None:
        """Read nothing yet."""
        self.completeness = WHOLE
        """Why entries may be missing of what has been read last."""
        self.gap: Timestamp | None = None
        """From when on they may be."""
        self.newest: Timestamp | None = None
        """Date of the newest entry that has been read."""
        self._page_size = page_size
        self._until = until
        self._start = start or BEGINNING
        self._progress = progress
        self._keeps_devices = keeps_devices
        self._read_since: Timestamp | None = None
        self._jobs: dict[str, Timestamp] = {}
        self._job_devices: dict[tuple[str, str], Timestamp] = {}
        self._unparsed = 0

    def read(self, client: Client, since: Timestamp | None) -> Generator[Page, None, Completeness]:
        """Read the entries from a moment until the start of the run, oldest first.

        A page that fails for good is closed in on: windows of half the time each, down to the
        second that the API cannot give.

        Args:
            client: who fetches.
            since: None: from `start_date`, else from the beginning.

        Yields:
            Pages; the bookmark may follow, page by page.

        Returns:
            Why entries may be missing.

        Raises:
            RequestError: as `Client.get`; an `error` in a 200 counts as a 5xx.
        """
        since = min(max(since or self._start, self._start), self._until)
        self._unparsed, self.completeness, self.gap = 0, WHOLE, None
        window = _Windows(client, self._page_size)
        for page in window.read(since, self._until):
            for row in page.rows:
                self._note(row)
            yield page
        self._read_since = since
        if window.unreadable:
            self.completeness = Completeness(unreadable=window.unreadable)
            self.gap = window.gap
        if self._unparsed:
            logger.info(
                "%s: `details` of %d entries cannot be parsed; the jobs that they name, if any, "
                "stay unknown",
                PATH,
                self._unparsed,
            )
        return self.completeness

    def jobs(self, client: Client, since: Timestamp | None) -> list[tuple[Timestamp, str]]:
        """Jobs named since a moment: (date of the newest entry, job uid), oldest first."""
        since = self._cover(client, since)
        return sorted((date, uid) for uid, date in self._jobs.items() if date >= since)

    def job_devices(
        self, client: Client, since: Timestamp | None
    ) -> list[tuple[Timestamp, str, str]]:
        """Pairs named since a moment: (date of the newest entry, job uid, device uid)."""
        since = self._cover(client, since)
        return sorted((d, job, dev) for (job, dev), d in self._job_devices.items() if d >= since)

    def covers(self, since: Timestamp | None) -> bool:
        """Whether the log has been read from this moment on."""
        since = max(since or self._start, self._start)
        return self._read_since is not None and self._read_since <= since

    def _cover(self, client: Client, since: Timestamp | None) -> Timestamp:
        """Make sure that the log has been read from this moment on."""
        since = max(since or self._start, self._start)
        if not self.covers(since):
            with self._progress.aside("activity logs"):
                for page in self.read(client, since):
                    for _ in page.rows:
                        self._progress.step()
        return since

    def _note(self, row: object) -> None:
        date = timestamp_of(row, "date")
        if date is None or not isinstance(row, dict):
            return
        self.newest = max(date, self.newest or date)
        try:
            named = job_named_by(row)
        except orjson.JSONDecodeError:
            self._unparsed += 1
            return
        if named is None:
            return
        job, device = named
        self._jobs[job] = max(date, self._jobs.get(job, date))
        if device and self._keeps_devices:
            self._job_devices[named] = max(date, self._job_devices.get(named, date))


def job_named_by(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Find the job that an entry speaks of, in its `details` (docs/datto-rmm-api.md §5).

    Returns:
        Uid of the job, and that of the device that it ran on, "" where there is none; None where
        the entry names no job.

    Raises:
        JSONDecodeError: `details` is a text that cannot be parsed.
    """
    details = entry.get("details")
    if not isinstance(details, str) or not details:
        return None
    said: Any = orjson.loads(details)
    if not isinstance(said, dict):
        return None
    job, device = said.get("job.uid"), said.get("device.uid")
    if not isinstance(job, str) or not job:
        return None
    return job, device if isinstance(device, str) else ""


def window(start: Timestamp, end: Timestamp, size: int, order: str = "asc") -> Listing:
    """Give the listing of the entries between two moments."""
    query = {"size": size, "order": order, "from": _seconds(start), "until": _seconds(end)}
    return Listing(PATH, query, "activities")


class _Windows:
    """Reads a span of time, in halves where a page of it fails for good."""

    def __init__(self, client: Client, page_size: int) -> None:
        self._client = client
        self._page_size = page_size
        self._patience: float | None = None
        self._failures = 0
        self._succeeded = False
        self.unreadable = 0
        """Entries that the API cannot give: at least so many."""
        self.gap: Timestamp | None = None
        """Beginning of the first second that it cannot give whole."""

    def read(self, start: Timestamp, end: Timestamp) -> Iterator[Page]:
        """Read a window, oldest first."""
        begun = _moment(start)
        try:
            for page in self._pages(start, end):
                yield page
                begun = max(_newest(page, begun), begun)
        except RequestError as error:
            is_first = not self._failures
            self._failures += weight(error)
            too_many = self._failures >= (FAILURES if self._succeeded else FAILURES_IN_A_ROW)
            if too_many or not may_be_a_rows(error):
                raise
            if is_first:
                logger.warning("%s Looking for what can be read around it.", error)
                self._patience = 0.0  # one try for each of many windows
            yield from self._halves(begun.replace(microsecond=0), _moment(end))

    def _halves(self, start: datetime, end: datetime) -> Iterator[Page]:
        if end - start <= SECOND:
            yield from self._one_by_one(canonical(start), canonical(end))
            return
        middle = (start + (end - start) / 2).replace(microsecond=0)
        middle = max(middle, start + SECOND)
        yield from self.read(canonical(start), canonical(middle))
        yield from self.read(canonical(middle), canonical(end))

    def _one_by_one(self, start: Timestamp, end: Timestamp) -> Iterator[Page]:
        """Read what a bad entry leaves of its second: what comes before it, and what after."""
        for order in ("asc", "desc"):
            try:
                yield from self._pages(start, end, order=order, size=1)
            except RequestError as error:
                if not may_be_a_rows(error):
                    raise
        self.unreadable += 1
        self.gap = self.gap or start

    def _pages(
        self, start: Timestamp, end: Timestamp, order: str = "asc", size: int | None = None
    ) -> Iterator[Page]:
        listing = window(start, end, size or self._page_size, order)
        begun = fetch_pages(self._client, listing, patience=self._patience)
        for page in read_on(self._client, listing, begun):
            self._succeeded = self._succeeded or self._failures > 0
            yield page


def _newest(page: Page, default: datetime) -> datetime:
    dates = [date for row in page.rows if (date := timestamp_of(row, "date"))]
    return _moment(max(dates)) if dates else default


def _moment(text: Timestamp) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(moment: Timestamp) -> str:
    """Write a moment as the API takes it: UTC, whole seconds, no fraction."""
    return _moment(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
