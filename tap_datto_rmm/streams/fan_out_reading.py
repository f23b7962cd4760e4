"""Reading a fan-out stream: each parent's path in turn, several at once, in one order.

One bad parent costs one parent: what fails for good is set aside, tried once more at the end, and
named in the state for the next run.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.api.completeness import Completeness, Rows
from tap_datto_rmm.api.lists import Deduplicator, read_list
from tap_datto_rmm.api.reading import FetchedPages, ListReader, fetch_pages
from tap_datto_rmm.errors import ApiError, AuthenticationError, NotAvailableError, RequestError
from tap_datto_rmm.http.prefetch import ordered_prefetch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tap_datto_rmm.api.fan_out import Parent, Parents
    from tap_datto_rmm.api.pages import Listing
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.streams.set_aside import SetAside
    from tap_datto_rmm.telemetry.progress import Progress

ParentItem = tuple[Any, "Mapping[str, Any]"]
"""A row as the API sent it, and the values of its parent's columns."""

PARENTS_AHEAD: Final = 4
"""Parents read before their turn, for each request that may be under way: one that is slow, or is
tried again, shall not keep the others waiting."""
PAGES_OF_PARENT: Final = 3
"""Pages of a parent that are fetched before its turn, one by one; most have no more."""


@dataclass(slots=True, kw_only=True)
class FanOutReading:
    """Asks for each parent of a stream."""

    client: Client
    parents: Parents
    listing_of: Callable[[Parent], Listing]
    keys: tuple[str, ...]
    """Properties of a row that tell it from the other rows of its parent."""
    once_per_account: bool
    """Whether the same row may come from two parents."""
    set_aside: SetAside
    issues: DataIssues
    progress: Progress
    tell: Callable[[str], None]
    advance: Callable[[Parent], None]
    """Takes each parent that is dealt with, in order."""
    again: bool = False
    """Whether a list without `totalCount` is read a second time, to be sure."""
    differing: int = 0
    """Rows that repeated a key with other content."""
    _seen: Deduplicator | None = None
    _begun: dict[str, Deduplicator] = field(default_factory=dict)
    """Of parents that were read in part: no row of theirs comes twice."""

    def read(self) -> Generator[ParentItem]:
        """Ask for every parent, those that failed once more at the end.

        Yields:
            Rows of the parents in order.

        Raises:
            RequestError: the stream cannot go on.
        """
        if self.once_per_account:
            self._seen = Deduplicator(self.keys, self.tell)
        self.progress.expect(len(self.parents), least=1)
        window = PARENTS_AHEAD * self.client.parallel
        fetched = ordered_prefetch(self.client.executor, self._fetch, self.parents, window)
        with closing(fetched) as ahead:
            for parent, pages in ahead:
                yield from self._read_one(parent, pages)
                self.advance(parent)
                self.progress.step()
        again = ordered_prefetch(
            self.client.executor, self._fetch_once, self.set_aside.once_more(), window
        )
        with closing(again) as ahead:
            for parent, pages in ahead:
                yield from self._read_one(parent, pages)

    def _fetch(self, parent: Parent) -> FetchedPages:
        """Read the first pages of a parent; runs on a worker."""
        if self.set_aside.is_known_gap(parent.key):
            return self._fetch_once(parent)
        return fetch_pages(self.client, self.listing_of(parent), PAGES_OF_PARENT)

    def _fetch_once(self, parent: Parent) -> FetchedPages:
        """The same with one request a page; runs on a worker."""
        return fetch_pages(self.client, self.listing_of(parent), PAGES_OF_PARENT, patience=0.0)

    def _read_one(self, parent: Parent, pages: FetchedPages) -> Generator[ParentItem]:
        """Give a parent's rows, and note how it ended.

        Raises:
            RequestError: the stream cannot go on.
        """
        keys = self._begun.pop(parent.key, None) or self._new_deduplicator(parent)
        before = keys.differing
        error = yield from self._rows_of(parent, pages, keys)
        self.differing += keys.differing - before
        if error is None:
            self.set_aside.succeed(parent)
        elif isinstance(error, NotAvailableError):
            self.issues.leave_out(f"has nothing to give (HTTP {error.status})")
            self.set_aside.be_gone(parent, error)
        else:
            self._begun[parent.key] = keys
            self.set_aside.fail(parent, error)

    def _rows_of(
        self, parent: Parent, pages: FetchedPages, keys: Deduplicator
    ) -> Generator[ParentItem, None, RequestError | None]:
        """Give a parent's rows.

        Returns:
            Why some may be missing; None where none is.
        """
        reader = ListReader(self.listing_of(parent), pages)
        rows = Rows(read_list(lambda: reader.pages(self.client), keys, self.tell, again=self.again))
        try:
            for row in rows:
                if self._is_first(row):
                    yield row, parent.columns
        except RequestError as error:
            if error.ends_the_run or isinstance(error, AuthenticationError):
                raise
            return error.with_traceback(None)  # whose frames hold pages
        return _lacking(rows.completeness, reader.listing.path)

    def _new_deduplicator(self, parent: Parent) -> Deduplicator:
        def tell(line: str) -> None:
            if self.differing == 0:  # the first of the stream is enough
                self.tell(f"{parent.key}: {line}")

        return Deduplicator(self.keys, tell)

    def _is_first(self, row: object) -> bool:
        key = self._seen.key_of(row) if self._seen else None
        return key is None or self._seen is None or self._seen.is_new(key)


def _lacking(completeness: Completeness, path: str) -> RequestError | None:
    if completeness.is_whole:
        return None
    why = "; ".join(completeness.reasons) or f"{completeness.unreadable} rows cannot be read"
    return ApiError(f"{path}: {why}.", path=path)
