"""The alerts: every open one, then those that were resolved since the last run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.api.fan_out import earlier
from tap_datto_rmm.api.lists import read_list
from tap_datto_rmm.records.converter import date_time_of, fixed_form
from tap_datto_rmm.streams.base import DattoStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_datto_rmm.api.pages import Page


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
        newest, held_back = "", self._tap.started_at
        for row in read_list(
            self._resolved_pages(since, stops_early), self._new_seen(), self.watch
        ):
            resolved_on = date_time_of(row, "resolvedOn")
            key = opened.key_of(row)
            if key is not None and not opened.add(key):
                held_back = min(held_back, resolved_on or held_back)
                continue
            newest = max(newest, resolved_on)
            if not resolved_on or resolved_on >= since:
                yield row, None
        self.advance(min(newest, held_back))
        if not stops_early:
            self.stream_state["full_sweep"] = self._tap.started_at

    def _sweep_is_due(self) -> bool:
        """Whether all resolved alerts are to be read, be it although the newest come first."""
        settings, last = self._tap.settings, self.stream_state.get("full_sweep")
        if not settings.resolved_alerts_newest_first or not last or not self.bookmark:
            return True
        age = datetime.fromisoformat(self._tap.started_at) - datetime.fromisoformat(last)
        return age >= timedelta(days=settings.full_sweep_days)

    def _since(self, stops_early: bool) -> str:  # noqa: FBT001
        """From when on resolved alerts are given: a full read makes up for what early stops missed.

        Where the newest do not come first after all, an early stop leaves alerts out whose date
        the bookmark has passed. So a full read goes back to the last one.
        """
        settings = self._tap.settings
        done = [self.bookmark, None if stops_early else self.stream_state.get("full_sweep")]
        last = min(filter(None, done), default=None)
        since = earlier(last, settings.lookback_minutes) or ""
        if settings.start_date:
            since = max(since, fixed_form(settings.start_date))
        return since

    def _resolved_pages(self, since: str, stops_early: bool) -> Callable[[], Iterator[Page]]:  # noqa: FBT001
        if not stops_early:
            return lambda: self._pages(self.resolved_path)

        def newest() -> Iterator[Page]:
            for page in self._pages(self.resolved_path, alone=None):
                yield replace(page, total=None)  # not all are read: there is nothing to count
                if all(date_time_of(row, "resolvedOn") < since for row in page.rows):
                    return

        return newest
