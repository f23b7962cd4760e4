"""What every stream is: a declaration, read as one list or parent by parent.

A stream of the API is a subclass that says only what it is: name, path, component, keys, and whom
it is asked for one by one, if anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast
from urllib.parse import quote

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_datto_rmm.api.lists import Deduplicator
from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.records.converter import RecordConverter
from tap_datto_rmm.records.data_issues import DataIssues
from tap_datto_rmm.records.schemas import stream_schema
from tap_datto_rmm.settings.refresh import hours_of
from tap_datto_rmm.singer.bookmark import Bookmark, is_known_gap
from tap_datto_rmm.singer.catalog import Ignored, Own, ignored, usable
from tap_datto_rmm.streams.sync import SyncedStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.api.fan_out import FanOut
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.settings import Settings
    from tap_datto_rmm.streams.sync import RunningTap

COLUMNS: Final[dict[str, Schema]] = {
    "accountUid": {"type": "string", "description": "Uid of the account; joins to account.uid."},
    "siteUid": {"type": "string", "description": "Uid of the site; joins to sites.uid."},
    "deviceUid": {"type": "string", "description": "Uid of the device; joins to devices.uid."},
    "jobUid": {"type": "string", "description": "Uid of the job; joins to jobs.uid."},
    "channel": {"type": "string", "description": "Where the output went: stdout or stderr."},
    "lastAuditDate": {
        "type": "string",
        "format": "date-time",
        "description": (
            "When the device was audited, by the device list. Rows of a device that carry its "
            "newest date are its current ones."
        ),
    },
}
"""Columns that the tap adds to what the API sends."""

EARLY_BY: Final = timedelta(minutes=5)
"""What is read every so many hours may be read so much earlier: schedules are not exact."""


class DattoStream(SyncedStream):
    """A stream of the Datto RMM API."""

    name = ""
    """Name of the stream, and of the table that a target makes of it."""
    path: ClassVar[str]
    """Path below `/api`; `{siteUid}` and the like are filled from the parent."""
    further_paths: ClassVar[tuple[str, ...]] = ()
    """Of lists that it reads as well."""
    component: ClassVar[str]
    """Schema of the spec that a row has."""
    fan_out: ClassVar[FanOut | None] = None
    """Whom the path is asked for, one by one; None: it is one list, or one object."""
    parent_columns: ClassVar[tuple[str, ...]] = ()
    """Names in `COLUMNS` that the rows lack."""
    records_key: ClassVar[str | None] = None
    """Array of a page that holds the rows; needed only where a page has two."""
    permission = "View on Sites, with these sites and devices in Device Visibility"
    """What the API user's security level must allow, by the vendor's help page "Security levels";
    which endpoint checks what is nowhere documented."""

    ignored: tuple[Ignored, ...] = ()
    """What a catalog asks for in vain."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """The converter guarantees as much for less: see tests/records/test_conformance.py."""

    def __init__(self, tap: RunningTap) -> None:
        """Work out the schema."""
        account = ("accountUid",) if tap.settings.account_column else ()
        self.own_keys = tuple(self.primary_keys or ())
        self.declared_keys = (*account, *self.own_keys)
        self.declared_columns = (*account, *self.parent_columns)
        super().__init__(cast("Tap", tap), schema=self.build_schema(tap))
        self.running = tap
        self.primary_keys = self.declared_keys
        self.issues = DataIssues(self.tell)
        self.bookmark = Bookmark(tap.state, self.name, self.bookmark_key)

    def build_schema(self, tap: RunningTap) -> Schema:
        """Work out the schema from the component."""
        return stream_schema(
            tap.spec,
            self.component,
            self.declared_keys,
            {name: COLUMNS[name] for name in self.declared_columns},
            keep_unknown=tap.settings.keep_unknown_properties,
        )

    # What the SDK asks

    @property
    def bookmark_key(self) -> str | None:
        """Name of the date that the bookmark holds; None: each run reads everything."""
        return self.replication_key or (self.fan_out.dated_by if self.fan_out else None)

    @property
    @override
    def replication_method(self) -> str:
        """INCREMENTAL where a bookmark decides what is read, whatever a catalog says."""
        return REPLICATION_INCREMENTAL if self.bookmark_key else REPLICATION_FULL_TABLE

    @override
    def get_replication_key_signpost(self, context: Any = None) -> None:
        """Bookmarks are moved by `advance`, to dates of the data."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """The SDK would send it before the records; a complete read sends it after them."""
        return False

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Follow a catalog in what it may decide; its entry becomes what the stream follows."""
        if entry := catalog.get_stream(self.name):
            own = Own(
                self.name,
                self.schema,
                self.declared_keys,
                self.own_keys,
                self.replication_key,
                self.bookmark_key,
            )
            self.ignored = tuple(ignored(entry, own))
            catalog.add_stream(usable(entry, own))
        super().apply_catalog(catalog)

    def heed_forced_replication(self) -> None:
        """Forget the bookmark where a catalog forces FULL_TABLE."""
        if self.bookmark_key and self.forced_replication_method == REPLICATION_FULL_TABLE:
            self.bookmark.forget()

    # What is asked for

    @property
    def client(self) -> Client:
        """The client, counting for this stream."""
        return self.run.client.for_stream(self.report.counters)

    def is_fresh_due(self, settings: Settings, started_at: Timestamp) -> bool:
        """Whether the stream is to be read again, by `refresh_hours`."""
        hours, last = self.refresh_hours(settings), self.bookmark.get("read_at")
        if hours is None or last is None or last > started_at:
            return True
        age = datetime.fromisoformat(started_at) - datetime.fromisoformat(last)
        return age >= timedelta(hours=hours) - min(EARLY_BY, timedelta(hours=hours) / 10)

    def refresh_hours(self, settings: Settings) -> float | None:
        """Give the hours between two reads of a full-table stream; None: each run reads it."""
        if self.replication_method != REPLICATION_FULL_TABLE:
            return None
        return hours_of(self.name, settings.refresh_hours) or None

    def listing(self, columns: Mapping[str, Any] | None = None) -> Listing:
        """Say what to ask for.

        Args:
            columns: fill the path's placeholders.
        """
        values = {name: quote(str(value), safe="") for name, value in (columns or {}).items()}
        path = self.path.format_map(values) if values else self.path
        is_list = self.running.spec.is_list(self.path)
        return Listing(path, dict(self.query), self.records_key, paged=is_list is True)

    @property
    def query(self) -> dict[str, Any]:
        """Parameters of each request."""
        takes_max = self.running.spec.is_list(self.path) is not False
        return {"max": self.running.settings.page_size} if takes_max else {}

    def holds_bookmark(self, completeness: Completeness) -> bool:
        """Whether the bookmark stays, as rows may be missing that it would pass.

        For rows that cannot be read it waits for a day.
        """
        if completeness.reasons or not completeness.unreadable:
            return bool(completeness.reasons)
        since = self.bookmark.get("unreadable_since")
        return since is None or not is_known_gap(since, self.run.started_at)

    def note_refresh(self, completeness: Completeness) -> None:
        """Remember when a stream that need not be read in each run was read whole."""
        if self.refresh_hours(self.run.settings) is not None and not completeness.reasons:
            self.bookmark.set("read_at", self.run.started_at)

    def advance(self, value: Timestamp | None) -> None:
        """Move the bookmark: everything up to this date has been written.

        It never moves back, nor past the time at which the run began. A device with a wrong clock
        would hide what comes after; and of two devices that are audited while their list is being
        read, the list may show the later audit and not the earlier one.
        """
        if value and (self.bookmark.value or "") < value <= self.run.started_at:
            self.bookmark.move(value)

    # Records

    @override
    def new_converter(self) -> RecordConverter:
        """Make a converter for the catalog's schema and selection."""

        def selected(path: tuple[str, ...]) -> bool:
            return self.mask[tuple(chain.from_iterable(("properties", name) for name in path))]

        spec, component = self.running.spec, self.component
        return RecordConverter(
            self.effective_schema,
            self.own_keys,  # the account's uid does not make up for a row's own
            self.issues,
            selected=selected,
            known=self.schema,
            copies=spec.copies(component) if component else None,
            drop_nulls=spec.drop_nulls(component) if component else (),
        )

    @property
    def keys_of_a_row(self) -> tuple[str, ...]:
        """Properties that tell a row from others of its list."""
        return tuple(key for key in self.declared_keys if key not in self.declared_columns)

    def new_deduplicator(self, recent: int | None = None) -> Deduplicator:
        """Make what tells rows of this stream apart."""
        return Deduplicator(self.keys_of_a_row, self.tell, recent)

    def tell(self, line: str) -> None:
        """Write a line about this stream to the log."""
        self.logger.warning("%s: %s", self.name, line)

    # Messages

    @property
    @override
    def deletes_rows(self) -> bool:
        """Whether a complete read may tell the target to forget the rows that it did not have."""
        return (
            self.running.settings.emit_activate_version_messages
            and self.replication_method == REPLICATION_FULL_TABLE
            and self.selected
        )
