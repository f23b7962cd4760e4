"""Reading a list page by page, in order: several at once where their numbers are known."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.api.pages import Listing, Page, Params, fetch_page, page_number
from tap_datto_rmm.api.parts import fetch_whole_or_in_parts
from tap_datto_rmm.errors import (
    PaginationError,
    RequestError,
)
from tap_datto_rmm.http.prefetch import ordered_prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from tap_datto_rmm.http.client import Client

PAGES_AHEAD: Final = 2
"""Pages fetched before their turn, for each request that may be under way: one slow page shall not
keep the others waiting. A page of 250 devices takes 1.4 MB."""


@dataclass(frozen=True, slots=True)
class FetchedPages:
    """The beginning of a list, as a worker hands it over: plain data."""

    pages: list[Page] = field(default_factory=list)
    next_query: Params | None = None
    """Of the page after them; None where the list has ended."""
    error: RequestError | None = None
    """Why the next page did not come."""


def fetch_pages(
    client: Client, listing: Listing, most: int = 1, *, patience: float | None = None
) -> FetchedPages:
    """Fetch the first pages of a list, one after another; runs on a worker.

    Args:
        client: who fetches.
        listing: what is read.
        most: how many pages at most.
        patience: seconds to try again in; without it, the client's own.
    """
    pages: list[Page] = []
    query: Params | None = listing.query
    try:
        while query is not None and len(pages) < most:
            page = fetch_whole_or_in_parts(client, listing, query, patience)
            pages.append(page)
            following = None if page.is_empty else page.next_query
            _check_order(listing, query, following)
            query = following
    except RequestError as error:
        return FetchedPages(pages, query, error)
    return FetchedPages(pages, query)


class ListReader:
    """One list, whose first pages may be asked for before it is read."""

    def __init__(self, listing: Listing, fetched: FetchedPages | None = None) -> None:
        """Ask for nothing yet.

        Args:
            listing: what is read.
            fetched: its first pages, where a worker has brought them.
        """
        self.listing = listing
        self._fetched = fetched
        self._begun: Future[FetchedPages] | None = None

    def begin(self, client: Client) -> None:
        """Ask for the first page now; a later read starts with it."""
        if self._begun is None:
            self._begun = client.submit(fetch_pages, client, self.listing)

    def pages(self, client: Client) -> Iterator[Page]:
        """Read the list from its beginning; what has been fetched ahead counts once.

        Raises:
            RequestError: at the page that cannot be read.
        """
        fetched, begun = self._fetched, self._begun
        self._fetched = self._begun = None
        if fetched is None:
            fetched = begun.result() if begun else fetch_pages(client, self.listing)
        return read_on(client, self.listing, fetched)


def read_on(client: Client, listing: Listing, begun: FetchedPages) -> Iterator[Page]:
    """Give the pages that have come, and read the others of their list.

    Pages that are numbered are fetched several at once: how many there are is known from
    `totalCount` once the first has come; without it the reading runs ahead, a little at first,
    until the end shows. Pages that are known only from the one before (a cursor) come one by one.

    Args:
        client: who fetches.
        listing: what is read.
        begun: its first pages.

    Yields:
        The first page, and all others that have rows.

    Raises:
        RequestError: as `Client.get`, at the page that cannot be read.
        PaginationError: a next page is on another host, or one that was there before.
    """
    for place, page in enumerate(begun.pages):
        if place == 0 or not page.is_empty:
            yield page
    if begun.error:
        raise begun.error
    if begun.next_query is None:
        return
    if (number := page_number(begun.next_query)) is None:
        yield from _linked(client, listing, begun.next_query)
    else:
        yield from _numbered(client, listing, begun.pages[0], number)


def one_by_one(client: Client, listing: Listing) -> Iterator[Page]:
    """Read a list without running ahead: whoever reads may stop early at no cost.

    Raises:
        RequestError: as `read_on`.
    """
    query: Params | None = listing.query
    seen = set()
    while query is not None:
        if (state := frozenset(query.items())) in seen:
            raise _circle(listing, "the pages go in a circle")
        seen.add(state)
        page = fetch_whole_or_in_parts(client, listing, query)
        yield page
        query = None if page.is_empty else page.next_query


def _linked(client: Client, listing: Listing, query: Params | None) -> Iterator[Page]:
    """Read pages each of which only the one before knows."""
    seen = {frozenset(listing.query.items())}
    while query is not None:
        if (state := frozenset(query.items())) in seen:
            raise _circle(listing, "the pages go in a circle")
        seen.add(state)
        page = fetch_page(client, listing, query)
        if page.rows:
            yield page
        query = page.next_query if page.rows else None


def _numbered(client: Client, listing: Listing, first: Page, number: int) -> Iterator[Page]:
    """Read the pages from a number on, several at once.

    Args:
        client: who fetches.
        listing: what is read.
        first: the list's first page, which may tell how many there are.
        number: of the first page that is missing.
    """
    size = len(first.rows) + first.unreadable
    known = math.ceil(first.total / size) if first.total and size else 0
    numbers = range(number, known) if known else count(number)
    window = PAGES_AHEAD * client.parallel if known else client.parallel

    def fetch(page_number: int) -> Page:
        query = {**listing.query, "page": page_number}
        page = fetch_whole_or_in_parts(client, listing, query)
        _check_order(listing, query, page.next_query)
        return page

    at: int = number - 1
    page: Page | None = None
    with closing(
        ordered_prefetch(client.executor, fetch, numbers, window, ramp=not known)
    ) as ahead:
        for wanted, page in ahead:
            at = wanted
            if not page.is_empty:
                yield page
            if page.next_query is None or page.is_empty:
                return
    while page is None or (page.next_query is not None and not page.is_empty):
        at += 1  # the list has grown since its first page
        page = fetch(at)
        if not page.is_empty:
            yield page


def _check_order(listing: Listing, query: Params, following: Params | None) -> None:
    """Hold a page's own idea of the next one against its number.

    Raises:
        PaginationError: the next page is not after this one.
    """
    at, then = page_number(query) if "page" in query else 0, page_number(following)
    if at is not None and then is not None and then <= at:
        raise _circle(listing, f"page {at} names page {then} as the next: a circle")


def _circle(listing: Listing, what: str) -> PaginationError:
    return PaginationError(f"{listing.path}: {what}.", path=listing.path)
