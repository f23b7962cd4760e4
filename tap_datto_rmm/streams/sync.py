"""The SDK's stream as this tap uses it: writes what is read, and says how complete that is.

A stream that fails, for whatever cause, leaves the others be; what it has written stays covered by
its bookmark.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from singer_sdk import metrics
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_datto_rmm.api.completeness import Rows
from tap_datto_rmm.errors import PermissionDeniedError, TapError, UnexpectedError
from tap_datto_rmm.records.converter import with_columns
from tap_datto_rmm.records.data_issues import lines_about
from tap_datto_rmm.singer.bookmark import is_known_gap
from tap_datto_rmm.singer.deletion_marks import DeletionMark
from tap_datto_rmm.singer.output import Stopped
from tap_datto_rmm.singer.writing import (
    RecordMessages,
    bookmark_properties,
    definitions_of,
    deletion_marks,
)
from tap_datto_rmm.telemetry.report import COMPLETE, FAILED, INCOMPLETE, NOT_DUE

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from singer_sdk.singerlib import Message, RecordMessage, SchemaMessage

    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.records.converter import RecordConverter
    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.records.openapi import Spec
    from tap_datto_rmm.run import Run
    from tap_datto_rmm.settings import Settings
    from tap_datto_rmm.singer.bookmark import Bookmark
    from tap_datto_rmm.singer.output import MessageWriter
    from tap_datto_rmm.telemetry.report import StreamReport

Record = dict[str, Any]
Item = tuple[Any, "Mapping[str, Any] | None"]
"""A row as the API sent it, and the values of the columns that the tap adds."""

RECORDS_PER_STATE: Final = 500
SECONDS_PER_STATE: Final = 10.0
"""A long stream tells its state after so many records, or so long: what comes first."""


class RunningTap(Protocol):
    """What a stream needs of its tap."""

    @property
    def settings(self) -> Settings:
        """The settings in use."""

    @property
    def spec(self) -> Spec:
        """The OpenAPI document in use."""

    @property
    def run(self) -> Run:
        """What the streams of this sync share."""

    @property
    def state(self) -> Any:
        """The state, as the last STATE message has it or the next one will."""

    @property
    def message_writer(self) -> MessageWriter:
        """What writes Singer messages."""

    def write_message(self, message: Message) -> None:
        """Write a Singer message."""


class SyncedStream(Stream):
    """A stream that is read as a whole, with its completeness."""

    bookmark: Bookmark
    issues: DataIssues
    permission: str
    """What the API user's security level must allow."""
    declared_keys: tuple[str, ...]
    """The primary key, whatever a catalog makes of it."""
    running: RunningTap
    steps_by_row: ClassVar[bool]
    """Whether progress counts the rows, not the parents."""
    repeated: int = 0
    """Rows that repeated a key with other content."""

    @property
    def run(self) -> Run:
        """What the streams of this sync share."""
        return self.running.run

    @property
    def report(self) -> StreamReport:
        """This stream's part of the run's report."""
        return self.run.report.of(self.name)

    @abstractmethod
    def read(self) -> Generator[Item, None, Completeness]:
        """Give every item as the API sent it, with the columns that the tap adds.

        Returns:
            Why rows may be missing.

        Raises:
            RequestError: the stream cannot be read.
        """

    @abstractmethod
    def is_due(self) -> bool:
        """Whether anything is to be read in this run."""

    @abstractmethod
    def calls_ahead(self) -> int | None:
        """Calls that the stream will take, as far as that is known without asking; None: not."""

    @abstractmethod
    def new_converter(self) -> RecordConverter:
        """Make what turns items into records."""

    @property
    def version(self) -> int | None:
        """Of the table, in this run; None without deletion marks."""
        return self._stream_version

    def before_state(self) -> None:
        """Bring into the state what is only written now and then."""

    @override
    def get_records(self, context: Any) -> Generator[Record]:
        """Give every record once."""
        return self._records(Rows(self.read()))

    def _records(self, rows: Rows) -> Generator[Record]:
        converter, uid = self.new_converter(), self.run.account_uid
        by_account = self.run.settings.account_column
        for item, columns in with_columns(rows, {"accountUid": uid}) if by_account else rows:
            record = converter(item, columns)
            if record is not None:
                yield record

    @override
    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Write the records; whatever goes wrong stays with this stream."""
        if not self.is_due():
            self.report.status = NOT_DUE
            return
        mark = self._begin()
        rows = Rows(self.read())
        try:
            written = self._written(rows, mark, write_messages=write_messages)
            yield from _measured(self.name, written)
            self._conclude(rows.completeness, mark)
        except Stopped as stopped:
            self.report.status, self.report.reasons = INCOMPLETE, [str(stopped)]
            raise
        except TapError as error:
            self._fail(error)
        except Exception as error:
            self.logger.debug("%s: unexpected", self.name, exc_info=True)
            self._fail(UnexpectedError.of(error))
        finally:
            self._count()
        self.before_state()
        if write_messages and self.ABORT_AT_RECORD_COUNT is None:
            self.run.write_state()

    def _begin(self) -> DeletionMark | None:
        self.run.progress.begin(self.name, self.report.counters)
        self._stream_version = self._initialized_at if self.deletes_rows else None
        guard = self.run.settings.deletion_guard_percent
        return DeletionMark(self.bookmark, guard) if self.deletes_rows else None

    def _written(
        self, rows: Rows, mark: DeletionMark | None, *, write_messages: bool
    ) -> Generator[Record]:
        """Write each record, and the state now and then."""
        report, progress, by_row = self.report, self.run.progress, self.steps_by_row
        undivided = self.running.message_writer.undivided
        since, last = 0, time.monotonic()
        for record in islice(self._records(rows), self.ABORT_AT_RECORD_COUNT):  # for `--test`
            if mark:
                mark.count(record[key] for key in self.declared_keys)
            with undivided:
                if write_messages:
                    self._write_record_message(record)
                report.records += 1
            if by_row:
                progress.step()
            yield record
            since += 1
            if since >= RECORDS_PER_STATE or time.monotonic() - last >= SECONDS_PER_STATE:
                self.before_state()
                self.run.write_state()
                since, last = 0, time.monotonic()

    def _conclude(self, completeness: Completeness, mark: DeletionMark | None) -> None:
        """Say how complete the stream is, and mark what is gone."""
        reasons, gaps = list(completeness.reasons), list(completeness.known_gaps)
        if completeness.unreadable:
            since = self.bookmark.get("unreadable_since") or self.run.started_at
            known = is_known_gap(since, self.run.started_at)
            words = f"{completeness.unreadable} rows cannot be read, since {since}"
            (gaps if known else reasons).append(words)
            self.bookmark.set("unreadable_since", since)
        else:
            self.bookmark.set("unreadable_since", None)
        self.report.status = INCOMPLETE if reasons else COMPLETE
        self.report.reasons = reasons + gaps
        for line in self.report.reasons:
            self.logger.warning("%s: %s", self.name, line)
        if mark and self.ABORT_AT_RECORD_COUNT is None:
            _mark_deletions(self, mark, is_whole=completeness.is_whole)

    def refuse(self, error: TapError) -> None:
        """Fail alone; the others go on."""
        self.report.status, self.report.reasons = FAILED, [str(error)]
        self.logger.error("%s failed: %s", self.name, error)

    def _fail(self, error: TapError) -> None:
        """Tell of a failure; raise it where no other stream could do better."""
        if isinstance(error, PermissionDeniedError):
            error.name_the_need(self.permission)
        self.refuse(error)
        if self.run.is_fatal(error) or self.ABORT_AT_RECORD_COUNT is not None:
            raise error.with_traceback(None)

    def _count(self) -> None:
        """Bring the final numbers into the report, and tell what was not as it should be."""
        report, issues = self.report, self.issues
        report.left_out = issues.left_out.total() + self.repeated
        report.outstanding = len(self.bookmark.outstanding)
        report.bookmark = self.bookmark.value
        for line in lines_about(issues, self.repeated):
            self.logger.warning("%s: %s", self.name, line)

    # Messages

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage]:
        """Map and wrap a record; the converter has selected and conformed it already."""
        return self.messages.of(record, self._stream_version)

    @cached_property
    def messages(self) -> RecordMessages:
        """What makes messages of its records."""
        return RecordMessages(self.stream_maps, self.declared_keys, self.issues)

    @override
    def _generate_schema_messages(self) -> Generator[SchemaMessage]:
        """Name a bookmark's property only where the records have it."""
        for message in super()._generate_schema_messages():
            message.bookmark_properties = bookmark_properties(message)
            yield message

    @property
    @abstractmethod
    def deletes_rows(self) -> bool:
        """Whether a complete read may tell the target to forget the rows that it did not have."""


def _mark_deletions(stream: SyncedStream, mark: DeletionMark, *, is_whole: bool) -> None:
    """Tell the target, after the last record of a complete read, that older rows are gone."""
    rows, left_out = stream.report.records, stream.issues.left_out.total()
    why = mark.why_not(rows, left_out, is_whole=is_whole)
    if why:
        line = "%s: nothing is marked as deleted (no ACTIVATE_VERSION): %s"
        stream.logger.warning(line, stream.name, why)
    if why is not None:
        return
    definitions = definitions_of(stream.name, stream.config.get("stream_maps"))
    for message in deletion_marks(stream.stream_maps, definitions, stream.version or 0):
        stream.running.write_message(message)
    mark.remember(rows, left_out)


def _measured(name: str, records: Generator[Record]) -> Generator[Record]:
    """Give the records, and the log the SDK's metrics of them."""
    with metrics.record_counter(name) as counter, metrics.sync_timer(name):
        for record in records:
            counter.increment()
            yield record
