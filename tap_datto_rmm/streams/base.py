"""What every stream does: read items, make records of them, write them, keep its bookmark.

A stream of the API is a subclass that says only what it is: name, path, component, keys, parent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage, RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_datto_rmm.api.fan_out import PARENTS
from tap_datto_rmm.api.lists import Seen, Watch, read_list
from tap_datto_rmm.api.pages import read_pages
from tap_datto_rmm.errors import NotAvailableError, PermissionDeniedError, RequestError
from tap_datto_rmm.http.prefetch import ordered_prefetch
from tap_datto_rmm.records.catalogs import usable_schema
from tap_datto_rmm.records.converter import RecordConverter
from tap_datto_rmm.records.data_issues import DataIssues
from tap_datto_rmm.records.schemas import stream_schema
from tap_datto_rmm.singer.deletion_marks import Census

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from tap_datto_rmm.api.fan_out import Parent, Parents
    from tap_datto_rmm.api.pages import Page
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.converter import Record
    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.tap import TapDattoRMM
    from tap_datto_rmm.telemetry.report import StreamRun

DATE_TIME: Final = {"type": "string", "format": "date-time"}
ADDED_COLUMNS: Final[dict[str, Schema]] = {
    "siteUid": {"type": "string", "description": "Uid of the site; joins to sites.uid."},
    "deviceUid": {"type": "string", "description": "Uid of the device; joins to devices.uid."},
    "jobUid": {"type": "string", "description": "Uid of the job; joins to jobs.uid."},
    "channel": {"type": "string", "description": "Where the output went: stdout or stderr."},
    "lastAuditDate": {
        **DATE_TIME,
        "description": (
            "When the device was audited, by the device list. Rows of a device that carry its "
            "newest date are its current ones."
        ),
    },
}
"""Columns that the tap adds to what the API sends."""

PARENTS_AHEAD: Final = 4
"""Parents read before their turn, for each request that may be under way: one that is slow, or is
tried again, shall not keep the others waiting."""
PAGES_OF_PARENT: Final = 3
"""Pages of a parent that are fetched before its turn, one by one; most have no more."""
PARENTS_PER_STATE: Final = 200
"""A fan-out stream tells its state after so many parents."""


class DattoStream(Stream):
    """A stream of the Datto RMM API."""

    name = ""
    """Name of the stream, and of the table that a target makes of it."""
    path: ClassVar[str]
    """Path below `/api`; `{siteUid}` and the like are filled from the parent."""
    component: ClassVar[str]
    """Schema of the spec that a row has."""
    parent: ClassVar[str | None] = None
    """Whose rows the path is asked for, one by one; a name in `parents`."""
    adds: ClassVar[tuple[str, ...]] = ()
    """Columns of `ADDED_COLUMNS` that the rows lack."""
    records_key: ClassVar[str | None] = None
    """Array of a page that holds the rows; needed only where a page has two."""
    follows: ClassVar[str | None] = None
    """Name of the date by which the stream reads only what changed; its bookmark holds it."""
    permission: ClassVar[str] = "View on Sites, with these sites and devices in Device Visibility"
    """What the API user's security level must allow, by the vendor's help page "Security levels";
    which endpoint checks what is nowhere documented."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """`RecordConverter` guarantees as much for less: see tests/records/test_conformance.py."""

    _tap: TapDattoRMM

    def __init__(self, tap: TapDattoRMM) -> None:
        """Work out the schema."""
        super().__init__(tap, schema=self.build_schema(tap))
        self.data_issues = DataIssues(self._tell)
        self.watch = Watch(self._tell)
        self._looked_ahead = False

    def build_schema(self, tap: TapDattoRMM) -> Schema:
        """Work out the schema from the component."""
        return stream_schema(
            tap.spec,
            self.component,
            self.primary_keys,
            {name: ADDED_COLUMNS[name] for name in self.adds},
            keep_unknown=tap.settings.keep_unknown_properties,
        )

    @property
    @override
    def replication_method(self) -> str:
        """INCREMENTAL where a bookmark decides what is read, whatever a catalog says."""
        return REPLICATION_INCREMENTAL if self.follows else REPLICATION_FULL_TABLE

    @override
    def get_replication_key_signpost(self, context: Any = None) -> None:
        """Bookmarks are kept by `advance`, in the API's own time."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """The SDK would send it before the records; `_activate_version` sends it after them."""
        return False

    @cached_property
    def client(self) -> Client:
        """The run's client; it counts for this stream."""
        return self._tap.client.for_stream(self._tap.report.of(self.name).counters)

    # Reading

    @override
    def get_records(self, context: Any) -> Iterable[Record]:
        """Give every record once.

        Raises:
            RequestError: what cannot be read.
        """
        to_record = self._record_converter()
        for item, columns in self.items():
            record = to_record(item, columns)
            if record is not None:
                yield record

    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Give every item as the API sent it, with the columns that its parent adds."""
        if self.parent is None:
            for row in self.rows(self.path):
                yield row, None
        else:
            yield from self.items_of(PARENTS[self.parent](self._tap, self.bookmark))

    def items_of(self, parents: Parents) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """Ask for each parent, several at once, in order; the bookmark follows."""
        client = self.client
        once_per_account = not set(self.adds) & set(self.primary_keys)
        seen = self._new_seen()
        window = PARENTS_AHEAD * client.parallel
        fetched = ordered_prefetch(client.executor, self.fetch_parent, parents, window)
        self._tap.progress.expect(len(parents))
        for number, (parent, pages) in enumerate(fetched, start=1):
            try:
                for row in self._rows_of(parent, pages):
                    key = seen.key_of(row) if once_per_account else None
                    if key is None or seen.add(key):
                        yield row, parent.columns
            except NotAvailableError as error:
                self.data_issues.leave_out(f"has nothing to give (HTTP {error.status})")
                self.logger.debug("Left out: %s", error)
            self._tap.progress.step()
            if self.follows:
                self.advance(parent.changed)
                if number % PARENTS_PER_STATE == 0:
                    self._tap.write_state()

    def fetch_parent(self, parent: Parent) -> Iterator[Page] | NotAvailableError:
        """Read the first pages of one parent; runs on the fetcher's threads."""
        pages = self._pages(self.path_of(parent.columns), alone=PAGES_OF_PARENT)
        try:
            return chain(list(islice(pages, PAGES_OF_PARENT)), pages)
        except NotAvailableError as error:
            return error

    def _rows_of(self, parent: Parent, pages: Iterator[Page] | NotAvailableError) -> Iterator[Any]:
        if isinstance(pages, NotAvailableError):
            raise pages
        return self.rows(self.path_of(parent.columns), pages)

    def path_of(self, columns: Mapping[str, Any]) -> str:
        """Fill in the path from a parent's columns."""
        return self.path.format_map({k: quote(str(v), safe="") for k, v in columns.items()})

    def rows(self, path: str, begun: Iterator[Page] | None = None) -> Iterator[Any]:
        """Read the rows of one path, whatever its answer is: a list, an array, an object.

        Args:
            path: with nothing left to fill in.
            begun: a reading of a parent's path that has begun.
        """
        first = [begun] if begun else []
        return read_list(
            lambda: first.pop() if first else self._pages(path),
            self._new_seen(),
            self.watch,
            None if begun else self._tap.progress.expect,
        )

    def _pages(self, path: str, alone: int | None = 1) -> Iterator[Page]:
        client, paged = self.client, self._tap.spec.is_list(self.path) is True
        return read_pages(client, path, self.query, self.records_key, alone=alone, paged=paged)

    @property
    def query(self) -> dict[str, Any] | None:
        """Parameters of each request."""
        takes_max = self._tap.spec.is_list(self.path) is not False
        return {"max": self._tap.client.page_size} if takes_max else None

    def look_ahead(self) -> None:
        """Ask for the first answer now, so that it is there when the stream's turn comes."""
        if not self._looked_ahead:
            self._looked_ahead = True
            self.client.look_ahead(self.path, self.query)

    def _new_seen(self, recent: int | None = None) -> Seen:
        return Seen([key for key in self.primary_keys if key not in self.adds], recent)

    def _record_converter(self) -> RecordConverter:
        def selected(path: tuple[str, ...]) -> bool:
            return self.mask[tuple(chain.from_iterable(("properties", name) for name in path))]

        return RecordConverter(
            usable_schema(self.effective_schema, self.schema, self.primary_keys),
            self.primary_keys,
            self.data_issues,
            selected=selected,
            known=self.schema,
            copies=self._tap.spec.copies(self.component) if self.component else None,
            drop_nulls=self._tap.spec.drop_nulls(self.component) if self.component else (),
        )

    def _tell(self, line: str) -> None:
        self.logger.warning("%s: %s", self.name, line)

    # Bookmark

    @property
    def bookmark(self) -> str | None:
        """Date up to which everything has been read; None in a first run."""
        return self.stream_state.get("replication_key_value")

    def heed_forced_replication(self) -> None:
        """Forget the bookmark where a catalog forces FULL_TABLE."""
        if self.forced_replication_method == REPLICATION_FULL_TABLE:
            self.stream_state.pop("replication_key_value", None)

    def advance(self, value: str | None) -> None:
        """Move the bookmark: everything up to this date has been written.

        It never moves back, nor past the time at which the run began. A device with a wrong clock
        would hide what comes after; and of two devices that are audited while their list is being
        read, the list may show the later audit and not the earlier one.
        """
        if value and (self.bookmark or "") < value <= self._tap.started_at:
            self.stream_state.update(replication_key=self.follows, replication_key_value=value)

    # Writing

    @override
    def _sync_records(
        self,
        context: Any = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write the records; a stream that fails leaves the others be."""
        if self.deletes_rows:
            self._stream_version = self._initialized_at
        census = Census(self.stream_state) if self.deletes_rows else None
        run, progress = self._begin(), self._tap.progress
        try:
            with self.get_record_counter() as counter, self.get_sync_timer():
                # `--test` wants a few records of each stream
                for record in islice(self.get_records(context), self.ABORT_AT_RECORD_COUNT):
                    if write_messages:
                        self._write_record_message(record)
                    counter.increment()
                    run.records += 1
                    if census:
                        census.count(record[key] for key in self.primary_keys)
                    if self.parent is None:
                        progress.step()
                    yield record
        except RequestError as error:
            run.failure = error.with_traceback(None)  # whose frames hold pages
            self._bear(error)
        finally:
            progress.end()
            run.end(self.data_issues, self.bookmark)
        if write_messages and self.ABORT_AT_RECORD_COUNT is None:
            if run.failure is None and census:
                self._activate_version(census, run.records)
            self._tap.write_state()

    def _begin(self) -> StreamRun:
        """Count from here on what is asked of the API for this stream."""
        if self.ABORT_AT_RECORD_COUNT is None:
            self._tap.look_ahead_from(self)
        run = self._tap.report.of(self.name)
        self._tap.inventory.client = self._tap.activities.client = self.client
        self._tap.progress.begin(self.name, run.counters)
        return run

    def _bear(self, error: RequestError) -> None:
        """Tell of a failure; raise it where no other stream could do better."""
        if isinstance(error, PermissionDeniedError):
            error.name_the_need(self.permission)
        if self._tap.is_fatal(error) or self.ABORT_AT_RECORD_COUNT is not None:
            self._tap.write_state()
            raise error
        self.logger.error("%s failed: %s", self.name, error)

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Map and wrap a record; `RecordConverter` has selected and conformed it already."""
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=datetime.now(UTC),
                )

    # Deletions

    @property
    def deletes_rows(self) -> bool:
        """Whether a complete read may tell the target to forget the rows that it did not have."""
        return (
            self._tap.settings.emit_activate_version_messages
            and self.replication_method == REPLICATION_FULL_TABLE
            and self.selected
        )

    def _activate_version(self, census: Census, rows: int) -> None:
        """Tell the target, after the last record of a complete read, that older rows are gone."""
        state, allowed = self.stream_state, self._tap.settings.deletion_guard_percent
        watches = [self.watch, *self._tap.inventory.watches_over(self.parent or self.name)]
        if self.data_issues.left_out or any(watch.partial for watch in watches):
            why = "the read was not complete"
        elif any(not isinstance(one, SameRecordTransform) for one in self.stream_maps):
            why = "a stream map changes what is written"
        elif rows == 0:
            why = "no rows came" if state.get("rows") else ""
        elif (share := census.vanished(rows)) > allowed:
            why = (
                f"about {share:.0f} % of the {state['rows']} rows of the last complete read would "
                f"vanish; to let them, set `deletion_guard_percent` (now {allowed}) to 100 for one "
                "run"
            )
        else:
            for stream_map in self.stream_maps:
                name, version = stream_map.stream_alias, self._stream_version or 0
                self._tap.write_message(ActivateVersionMessage(stream=name, version=version))
            state.update(census.told(rows))
            return
        if why:
            self._tell(f"nothing is marked as deleted (no ACTIVATE_VERSION): {why}")
