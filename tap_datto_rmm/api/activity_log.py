"""The activity log: the account's audit trail, and the only place that names its jobs.

The log pages by cursor within a window of time (docs/datto-rmm-api.md §2.2); the API has no list of
jobs, so their uids come from the entries' `details`, a text that holds JSON (§5).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from tap_datto_rmm.api.pages import read_pages
from tap_datto_rmm.records.timestamps import canonical, timestamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.telemetry.progress import Progress

logger = logging.getLogger("tap-datto-rmm")

PATH: Final = "/v2/activity-logs"
BEGINNING: Final = canonical(datetime(2000, 1, 1, tzinfo=UTC))
"""Before any account: without `from` the API gives the last 15 minutes only."""


class Activities:
    """Reads the log, and remembers the jobs that it names.

    Args:
        client: who fetches.
        until: end of the run's window.
        start: nothing older is read; None: from the beginning.
        progress: is told of each entry that no stream writes.
        keeps_devices: whether `job_devices` will be asked for: of a year there may be millions.
    """

    def __init__(
        self,
        client: Client,
        until: Timestamp,
        start: Timestamp | None,
        progress: Progress,
        *,
        keeps_devices: bool,
    ) -> None:
        """Read nothing yet."""
        self.client = client
        self._until = until
        self._start = start or BEGINNING
        self._progress = progress
        self._keeps_devices = keeps_devices
        self._read_since: str | None = None
        self._jobs: dict[str, Timestamp] = {}
        self._job_devices: dict[tuple[str, str], Timestamp] = {}
        self._unreadable = 0

    def read(self, since: str | None) -> Iterator[Page]:
        """Read the entries from a moment until the start of the run, oldest first.

        Args:
            since: None: from `start_date`, else from the beginning.

        Yields:
            Pages; the bookmark may follow, page by page.

        Raises:
            RequestError: as `Client.get`; an `error` in a 200 counts as a 5xx.
        """
        since = min(max(since or self._start, self._start), self._until)
        query = {
            "size": self.client.page_size,
            "order": "asc",
            "from": _seconds(since),
            "until": _seconds(self._until),
        }
        self._unreadable = 0
        for page in read_pages(self.client, PATH, query, "activities"):
            for row in page.rows:
                self._note(row)
            yield page
        self._read_since = since
        if self._unreadable:
            logger.info(
                "%s: `details` of %d entries cannot be parsed; the jobs that they name, if any, "
                "stay unknown",
                PATH,
                self._unreadable,
            )

    def jobs(self, since: str | None) -> list[tuple[Timestamp, str]]:
        """Jobs named since a moment: (date of the newest entry, job uid), oldest first."""
        since = self._cover(since)
        return sorted((date, uid) for uid, date in self._jobs.items() if date >= since)

    def job_devices(self, since: str | None) -> list[tuple[Timestamp, str, str]]:
        """Pairs named since a moment: (date of the newest entry, job uid, device uid)."""
        since = self._cover(since)
        return sorted((d, job, dev) for (job, dev), d in self._job_devices.items() if d >= since)

    def _cover(self, since: str | None) -> str:
        """Make sure that the log has been read from this moment on."""
        since = max(since or self._start, self._start)
        if self._read_since is None or self._read_since > since:
            with self._progress.aside("activity logs"):
                for page in self.read(since):
                    for _ in page.rows:
                        self._progress.step()
        return since

    def _note(self, row: object) -> None:
        details = row.get("details") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(details, str) or not details:
            return
        try:
            said: Any = orjson.loads(details)
        except orjson.JSONDecodeError:
            self._unreadable += 1
            return
        date = timestamp_of(row, "date")
        job = said.get("job.uid") if isinstance(said, dict) else None
        if date is None or not isinstance(job, str) or not job:
            return
        self._jobs[job] = max(date, self._jobs.get(job, date))
        device = said.get("device.uid") if self._keeps_devices else None
        if isinstance(device, str) and device:
            pair = (job, device)
            self._job_devices[pair] = max(date, self._job_devices.get(pair, date))


def _seconds(moment: str) -> str:
    """Write a moment as the API takes it: UTC, whole seconds, no fraction."""
    return datetime.fromisoformat(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
