"""The alerts: every open one, then those that were resolved since the last run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.api.changes import earlier
from tap_datto_rmm.api.completeness import Completeness, Rows
from tap_datto_rmm.api.lists import read_list
from tap_datto_rmm.api.reading import ListReader, one_by_one
from tap_datto_rmm.records.timestamps import canonical, timestamp_of
from tap_datto_rmm.streams.list_stream import ListStream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.streams.sync import Item


class AlertsStream(ListStream):
    """Alerts of monitors."""

    name = "alerts"
    path = "/v2/account/alerts/open"
    further_paths = ("/v2/account/alerts/resolved",)
    component = "Alert"
    primary_keys = ("alertUid",)
    replication_key = "resolvedOn"

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give open alerts first, so that one resolved in between is not lost.

        Such a one comes again as resolved. A sweep, every `full_sweep_days`, gives what the runs
        since the sweep before may have missed; it needs every row, as the API promises no order.
        """
        opened = Rows(self.rows())
        for row in opened:
            yield row, None
        sweeps = self._sweep_is_due()
        stops_early = not sweeps and bool(self.bookmark.get("newest_first"))
        since = self._since(sweeps=sweeps)
        order = _Order()
        rows = Rows(self._resolved(since, order, stops_early=stops_early))
        newest: Timestamp | None = None
        for row in rows:
            resolved_on = timestamp_of(row, "resolvedOn")
            newest = max(filter(None, (newest, resolved_on)), default=None)
            if since is None or resolved_on is None or resolved_on >= since:
                yield row, None
        completeness = opened.completeness + rows.completeness
        if not self.holds_bookmark(completeness):
            self.advance(newest)
        if not stops_early or not order.is_newest_first:
            self.bookmark.set("newest_first", order.is_proven or None)
        if sweeps and completeness.is_whole:
            self.bookmark.set("full_sweep", self.run.started_at)
        return completeness

    def _sweep_is_due(self) -> bool:
        last = self.bookmark.get("full_sweep")
        if not last or not self.bookmark.value or last > self.run.started_at:
            return True
        age = datetime.fromisoformat(self.run.started_at) - datetime.fromisoformat(last)
        return age >= timedelta(days=self.run.settings.full_sweep_days)

    def _since(self, *, sweeps: bool) -> Timestamp | None:
        """From when on resolved alerts are given: a sweep goes back to the one before."""
        settings = self.run.settings
        done = [self.bookmark.value, self.bookmark.get("full_sweep") if sweeps else None]
        if sweeps and not self.bookmark.get("full_sweep"):
            done = []  # the first sweep gives everything
        last = min(filter(None, done), default=None)
        since = earlier(last, timedelta(minutes=settings.lookback_minutes))
        start = canonical(settings.start_date) if settings.start_date else None
        return max(filter(None, (since, start)), default=None)

    def _resolved(
        self, since: Timestamp | None, order: _Order, *, stops_early: bool
    ) -> Generator[Any, None, Completeness]:
        """Read the resolved alerts, all or the newest."""
        keys = self.new_deduplicator()
        listing = replace(self.listing(), path=self.further_paths[0])
        reader = ListReader(listing)

        def newest() -> Iterator[Page]:
            for page in order.observing(one_by_one(self.client, listing)):
                yield replace(page, total=None)  # not all are read: there is nothing to count
                dates = [timestamp_of(row, "resolvedOn") or "" for row in page.rows]
                if order.is_newest_first and since and all(date < since for date in dates):
                    return

        def everything() -> Iterable[Page]:
            pages = reader.pages(self.client)
            return pages if order.is_observed else order.observing(pages)

        pages: Callable[[], Iterable[Page]] = newest if stops_early else everything
        completeness = yield from read_list(pages, keys, self.tell)
        self.repeated += keys.differing
        return completeness


class _Order:
    """Looks on whether resolved alerts come newest first."""

    def __init__(self) -> None:
        self.is_newest_first = True
        self.is_observed = False
        self._dates: set[str] = set()
        self._last: str | None = None

    @property
    def is_proven(self) -> bool:
        """Whether they came in that order throughout, and not all at one moment."""
        return self.is_newest_first and len(self._dates) > 1

    def observing(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Give the pages as they are."""
        self.is_observed = True
        for page in pages:
            for row in page.rows:
                self._look_at(timestamp_of(row, "resolvedOn"))
            yield page

    def _look_at(self, date: str | None) -> None:
        if date is None:
            return
        if self._last is not None and date > self._last:
            self.is_newest_first = False
        if len(self._dates) <= 1:
            self._dates.add(date)
        self._last = date
