"""The alerts: every open one, then those that were resolved since the last run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.api.fan_out import earlier
from tap_datto_rmm.api.lists import read_list
from tap_datto_rmm.records.timestamps import canonical, timestamp_of
from tap_datto_rmm.streams.base import DattoStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.records.timestamps import Timestamp


class AlertsStream(DattoStream):
    """Alerts of monitors."""

    name = "alerts"
    path = "/v2/account/alerts/open"
    component = "Alert"
    primary_keys = ("alertUid",)
    replication_key = "resolvedOn"
    follows = "resolvedOn"

    resolved_path = "/v2/account/alerts/resolved"

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Give open alerts first, so that one resolved in between is not lost.

        Such a one has been given as open and is not given again in this run; the bookmark stays
        before it, so that the next run gives it as resolved.
        """
        opened = self._new_seen()
        for row in read_list(lambda: self._pages(self.path), opened, self.watch):
            yield row, None
        stops_early = not self._sweep_is_due()
        since = self._since(stops_early)
        newest, held_back = None, self._tap.started_at
        for row in read_list(
            self._resolved_pages(since, stops_early), self._new_seen(), self.watch
        ):
            resolved_on = timestamp_of(row, "resolvedOn")
            key = opened.key_of(row)
            if key is not None and not opened.add(key):
                held_back = min(held_back, resolved_on or held_back)
                continue
            newest = max(newest or resolved_on, resolved_on) if resolved_on else newest
            if not (resolved_on and since) or resolved_on >= since:
                yield row, None
        self.advance(newest and min(newest, held_back))
        if not stops_early:
            self.stream_state["full_sweep"] = self._tap.started_at

    def _sweep_is_due(self) -> bool:
        """Whether all resolved alerts are to be read, be it although the newest come first."""
        settings, last = self._tap.settings, self.stream_state.get("full_sweep")
        if not settings.resolved_alerts_newest_first or not last or not self.bookmark:
            return True
        age = datetime.fromisoformat(self._tap.started_at) - datetime.fromisoformat(last)
        return age >= timedelta(days=settings.full_sweep_days)

    def _since(self, stops_early: bool) -> Timestamp | None:  # noqa: FBT001
        """From when on resolved alerts are given: a full read makes up for what early stops missed.

        Where the newest do not come first after all, an early stop leaves alerts out whose date
        the bookmark has passed. So a full read goes back to the last one.
        """
        settings = self._tap.settings
        done = [self.bookmark, None if stops_early else self.stream_state.get("full_sweep")]
        last = min(filter(None, done), default=None)
        since = earlier(last, settings.lookback_minutes)
        start = canonical(settings.start_date) if settings.start_date else None
        return max(filter(None, (since, start)), default=None)

    def _resolved_pages(
        self,
        since: Timestamp | None,
        stops_early: bool,  # noqa: FBT001
    ) -> Callable[[], Iterator[Page]]:
        if since is None or not stops_early:
            return lambda: self._pages(self.resolved_path)
        bound = since

        def newest() -> Iterator[Page]:
            for page in self._pages(self.resolved_path, alone=None):
                yield replace(page, total=None)  # not all are read: there is nothing to count
                dates = [timestamp_of(row, "resolvedOn") for row in page.rows]
                if all(date is None or date < bound for date in dates):
                    return

        return newest
