"""Streams that are asked for one by one: of each site, each device, each job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_datto_rmm.api.changes import ChangeDemand, ReadChanges, Sweep, earlier, marks_in
from tap_datto_rmm.api.completeness import Completeness
from tap_datto_rmm.api.fan_out import Demand, Sources
from tap_datto_rmm.streams.base import DattoStream
from tap_datto_rmm.streams.fan_out_reading import FanOutReading
from tap_datto_rmm.streams.set_aside import SetAside

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tap_datto_rmm.api.fan_out import FanOut, Parent, Parents
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.settings import Settings
    from tap_datto_rmm.streams.sync import Item, RunningTap


class FanOutStream(DattoStream):
    """A stream whose path is asked for each of its parents."""

    fan_out: ClassVar[FanOut]
    steps_by_row = False

    def __init__(self, tap: RunningTap) -> None:
        """Ask for nothing yet."""
        super().__init__(tap)
        self._read_changes: ReadChanges | None = None
        self._calls_ahead: int | None = None

    @property
    def sources(self) -> Sources:
        """Where this stream's parents come from."""
        return Sources(self.client, self.run.inventory, self.run.activity_log)

    def demand(self, settings: Settings, started_at: Timestamp) -> Demand:
        """Say what is asked for, by the bookmark; the inventory keeps what that may be."""
        bookmark, lookback = self.bookmark, timedelta(minutes=settings.lookback_minutes)
        first = {*bookmark.outstanding, *bookmark.gone, *self.asked_again(started_at)}
        changes = ChangeDemand(
            since=bookmark.value,
            lookback=lookback,
            marks=marks_in(bookmark.get("read") or ""),
            sweep=Sweep.between(bookmark.get("swept"), started_at, settings.audit_sweep_days),
            first=frozenset(first),
        )
        since = earlier(bookmark.value, lookback)
        return Demand(since, first, changes, only_first=not self.is_fresh_due(settings, started_at))

    def asked_again(self, started_at: Timestamp) -> set[str]:  # noqa: ARG002 - for subclasses
        """Keys of parents that are asked for again, beside those that could not be read."""
        return set()

    @override
    def is_due(self) -> bool:
        """Whether anything is to be read: everything, or what could not be read before."""
        settings, started_at = self.run.settings, self.run.started_at
        return self.is_fresh_due(settings, started_at) or bool(self.bookmark.outstanding)

    @override
    def calls_ahead(self) -> int | None:
        """One for each parent, once the list that they come from has been read."""
        if not self.is_due():
            return 0
        if self._calls_ahead is None:
            demand = self.demand(self.run.settings, self.run.started_at)
            if self.fan_out.is_known(self.sources, demand):
                self._calls_ahead = len(self.fan_out.find(self.sources, demand))
        return self._calls_ahead

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give the rows of each parent that is due, and say what is outstanding."""
        sources = self.sources
        demand = self.demand(self.run.settings, self.run.started_at)
        parents = self.fan_out.find(sources, demand)
        of_parents = self.fan_out.completeness(sources)
        self.run.remember_unlisted()
        self._start_reading_changes(sources, demand)
        set_aside = SetAside(self.bookmark, self.run.started_at, len(parents))
        newest: Timestamp | None = None
        held = self.holds_bookmark(of_parents)

        def deal_with(parent: Parent) -> None:
            nonlocal newest
            self.dealt_with(parent)
            newest = max(filter(None, (newest, parent.changed)), default=None)
            if self._read_changes is not None:
                self._read_changes.add(parent.key, parent.changed)
            if not held and parent.key not in demand.first:
                self.advance(parent.changed)

        reading = self._reading(parents, set_aside, deal_with)
        try:
            for row, columns in reading.read():
                self.seen(row, columns)
                yield row, columns
        finally:
            self.repeated += reading.differing
        verdict = set_aside.settle()
        if not held:
            self.advance(newest)
            self._conclude_sweep()
        completeness = of_parents + Completeness(verdict.reasons, verdict.known_gaps)
        self.note_refresh(completeness)
        return completeness

    def _reading(
        self, parents: Parents, set_aside: SetAside, advance: Callable[[Parent], None]
    ) -> FanOutReading:
        return FanOutReading(
            client=self.client,
            parents=parents,
            listing_of=lambda parent: self.listing(parent.columns),
            keys=self.keys_of_a_row,
            once_per_account=not set(self.parent_columns) & set(self.declared_keys),
            set_aside=set_aside,
            issues=self.issues,
            progress=self.run.progress,
            tell=self.tell,
            advance=advance,
            again=self.deletes_rows,
        )

    def seen(self, row: object, columns: Mapping[str, Any]) -> None:
        """Look at each row of a parent."""

    def dealt_with(self, parent: Parent) -> None:
        """Look at each parent, once its rows have been given or it has been set aside."""

    def _start_reading_changes(self, sources: Sources, demand: Demand) -> None:
        """Begin with what earlier runs have read within the look-back."""
        if self.fan_out.dated_by is not None:
            dated = self.fan_out.dated(sources, demand)
            known = (one for one in dated if demand.changes.has_read(*one))
            self._read_changes = ReadChanges(demand.changes.lookback, known)

    def _conclude_sweep(self) -> None:
        if self.fan_out.device_class:
            swept = self.run.started_at if self.run.settings.audit_sweep_days else None
            self.bookmark.set("swept", swept)

    @override
    def before_state(self) -> None:
        """Bring what was read within the look-back into the state."""
        if self._read_changes is not None:
            self.bookmark.set("read", self._read_changes.text(self.bookmark.value))

    @override
    def holds_bookmark(self, completeness: Completeness) -> bool:
        """Let the bookmark of audits pass a device that cannot be read: the sweep finds it."""
        if self.fan_out.device_class and not completeness.reasons:
            return False
        return super().holds_bookmark(completeness)
