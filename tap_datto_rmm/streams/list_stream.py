"""Streams of the account itself: one list, or one object, each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.api.completeness import Rows
from tap_datto_rmm.api.lists import read_list
from tap_datto_rmm.api.reading import ListReader
from tap_datto_rmm.streams.base import DattoStream

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.streams.sync import Item, RunningTap


class ListStream(DattoStream):
    """A stream that is one list of the account."""

    steps_by_row = True

    def __init__(self, tap: RunningTap) -> None:
        """Ask for nothing yet."""
        super().__init__(tap)
        self._own_reader: ListReader | None = None

    @override
    def is_due(self) -> bool:
        return self.is_fresh_due(self.run.settings, self.run.started_at)

    @override
    def calls_ahead(self) -> int | None:
        """Few, where each run reads the whole list; how much is new of others, nobody knows."""
        if not self.is_due():
            return 0
        return 1 if self.is_short else None

    @property
    def is_short(self) -> bool:
        """Whether each run reads the whole list."""
        return self.bookmark_key is None

    @property
    def reader(self) -> ListReader:
        """The stream's list."""
        if self._own_reader is None:
            self._own_reader = ListReader(self.listing())
        return self._own_reader

    def look_ahead(self) -> None:
        """Ask for the first page now, so that it is there when the stream's turn comes."""
        self.reader.begin(self.client)

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give every row of the list."""
        rows = Rows(self.rows())
        for row in rows:
            yield row, None
        self.note_refresh(rows.completeness)
        return rows.completeness

    def rows(self) -> Generator[Any, None, Completeness]:
        """Read the stream's one list."""
        keys = self.new_deduplicator()
        completeness = yield from read_list(
            lambda: self.reader.pages(self.client),
            keys,
            self.tell,
            expect=self.run.progress.expect,
            again=self.deletes_rows,
        )
        self.repeated += keys.differing
        return completeness
