"""What the activity log says of an account: how much happens in an hour, and since a moment.

The log has no count. How long it took to fill a page, at a few places, tells how dense it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.api.activity_log import BEGINNING, ActivityLog, job_named_by, window
from tap_datto_rmm.api.pages import fetch_page
from tap_datto_rmm.records.timestamps import canonical, timestamp_of
from tap_datto_rmm.telemetry.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp

Named = tuple[str, str]
"""Uids of a job, and of a device that it ran on, as an entry names them; "" for no device."""

HOUR: Final = timedelta(hours=1)
PLACES: Final = (1 / 3, 2 / 3)
"""Where the log is looked at, besides its beginning."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What happens in a span of time."""

    entries: int
    jobs: int
    job_devices: int
    """Pairs of a job and a device that it ran on."""


@dataclass(frozen=True, slots=True)
class LogFigures:
    """What the log says."""

    hourly: Activity
    """Of the last hour, which was read."""
    full: Activity
    """Since a moment, as estimated."""
    sample: Named | None
    """Uids of a job, and of a device that it ran on."""
    is_estimate: bool
    """Whether the log was looked at in places only."""


def look_at_the_log(client: Client, size: int, now: datetime, start: datetime | None) -> LogFigures:
    """Read the log's last hour, and a page at three places.

    Args:
        client: who asks.
        size: entries of a page.
        now: the API's time.
        start: since when the log is to be read; None: from its beginning.

    Raises:
        RequestError: it cannot be read.
    """
    since, until = canonical(now - HOUR), canonical(now.replace(microsecond=0))
    silent = Progress()
    log = ActivityLog(size, until, None, silent, keeps_devices=True)
    named = [_named(row) for page in log.read(client, since) for row in page.rows]
    hourly = _activity(named)
    begin, at = canonical(start) if start else BEGINNING, canonical(now)
    first = fetch_page(client, window(begin, at, size))
    of_page = [_named(row) for row in first.rows]
    named += of_page
    if first.next_query is None:
        full = _activity(of_page)
    else:
        begin = timestamp_of(first.rows[0], "date") or begin
        rates = [_an_hour(first, begin, at)]
        for place in PLACES:
            moment = _between(begin, at, place)
            page = fetch_page(client, window(moment, at, size))
            named += map(_named, page.rows)
            rates.append(_an_hour(page, moment, at))
        entries = round(_hours_of(begin, at) * median(rates))
        found = _activity(named)
        share = entries / found.entries
        full = Activity(entries, round(found.jobs * share), round(found.job_devices * share))
    sample = next(filter(_has_device, named), None)
    return LogFigures(hourly, full, sample, is_estimate=first.next_query is not None)


def _activity(named: Collection[Named | None]) -> Activity:
    found = set(filter(None, named))
    jobs = {job for job, _ in found}
    return Activity(len(named), len(jobs), len(set(filter(_has_device, found))))


def _named(row: object) -> Named | None:
    try:
        return job_named_by(row) if isinstance(row, dict) else None
    except ValueError:
        return None


def _has_device(named: Named | None) -> bool:
    return bool(named and named[1])


def _an_hour(page: Page, since: Timestamp, until: Timestamp) -> float:
    """Give the entries an hour that a page shows, from a moment on."""
    dates = [date for row in page.rows if (date := timestamp_of(row, "date"))]
    end = max(dates) if dates and page.next_query else until
    return len(page.rows) / max(_hours_of(since, end), 1 / 3600)


def _hours_of(since: Timestamp, until: Timestamp) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)) / HOUR


def _between(since: Timestamp, until: Timestamp, share: float) -> Timestamp:
    start, end = map(datetime.fromisoformat, (since, until))
    return canonical(start + (end - start) * share)
