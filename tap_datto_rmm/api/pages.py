"""Pages: the rows of an answer, and where the next page is.

Lists count pages from 0 and carry `pageDetails`; their `nextPageUrl` is absolute and loses query
parameters on the way (docs/datto-rmm-api.md §2). Only the API's own host is ever asked.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from tap_datto_rmm.errors import ApiError, PaginationError
from tap_datto_rmm.http.decoding import Items
from tap_datto_rmm.http.prefetch import ordered_prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.http.client import Client

Params = dict[str, Any]

ARRAYS: Final = (list, Items)
PAGES_AHEAD: Final = 2
"""Pages fetched before their turn, for each request that may be under way: one slow page shall not
keep the others waiting. A page of 250 devices takes 1.4 MB."""
MOST_DIGITS: Final = 9
"""Of a page's number."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer holds.

    Attributes:
        rows: its items, as the API sent them.
        next_url: URL of the following page; None at the end.
        total: rows of the whole list, where the API tells.
    """

    rows: Sequence[Any] = field(repr=False)
    next_url: str | None = None
    total: int | None = None


def page_of(
    answer: object, where: str, records_key: str | None = None, *, paged: bool = False
) -> Page:
    """Find the rows of an answer: a page, a bare array, or a bare object (one row).

    Args:
        answer: decoded JSON.
        where: path, for the error.
        records_key: name of the array; without it, the page's only array.
        paged: whether it must be a page; anything else is a damaged answer then.

    Raises:
        ApiError: a page without its array or its details, or neither an object nor an array.
    """
    if paged and not isinstance(_details(answer), dict):
        raise ApiError(f"{where}: the answer is no page: no `pageDetails`.", path=where, status=200)
    if isinstance(answer, list):
        return Page(answer)
    if not isinstance(answer, dict):
        raise ApiError(f"{where}: the answer is {type(answer).__name__}, no object.", path=where)
    details = _details(answer)
    if records_key is None and "pageDetails" not in answer:
        return Page([answer])
    arrays = [key for key, value in answer.items() if isinstance(value, ARRAYS)]
    key = records_key or (arrays[0] if len(arrays) == 1 else None)
    rows = answer.get(key) if key else None
    if not isinstance(rows, ARRAYS):
        wanted = f"array `{key}`" if key else "one array"
        raise ApiError(f"{where}: the page has no {wanted} of rows.", path=where, status=200)
    if not isinstance(details, dict):
        return Page(rows)
    total = details.get("totalCount")
    return Page(
        rows,
        next_url=details.get("nextPageUrl") or None,
        total=total if type(total) is int and total >= 0 else None,
    )


def _details(answer: object) -> object:
    return answer.get("pageDetails") if isinstance(answer, dict) else None


def follow(next_url: object, params: Mapping[str, Any], host_url: str, where: str) -> Params:
    """Read the next page's parameters off its URL, putting back those that it lost.

    Args:
        next_url: `pageDetails.nextPageUrl`.
        params: the query that led to this page.
        host_url: scheme and host that may be asked.
        where: path of the list.

    Raises:
        PaginationError: the URL leads to another host or path.
    """
    try:
        parts = urlsplit(str(next_url))
        _ = parts.port
    except ValueError:
        raise PaginationError(f"{where}: the next page's address is no URL.", path=where) from None
    if parts.netloc and _origin(parts) != _origin(urlsplit(host_url)):
        raise PaginationError(
            f"{where}: the next page is on another host. The token was not sent there. "
            "Check `api_url`/`platform` and any proxy between.",
            path=where,
        )
    if parts.path and not parts.path.endswith(where):
        raise PaginationError(f"{where}: the next page belongs to another list.", path=where)
    return {**params, **dict(parse_qsl(parts.query, keep_blank_values=True))}


def read_pages(
    client: Client,
    path: str,
    params: Mapping[str, Any] | None = None,
    records_key: str | None = None,
    *,
    alone: int | None = 1,
    paged: bool = True,
) -> Iterator[Page]:
    """Read one list, page by page, in order; whatever is no list is one page.

    Pages that are numbered are fetched several at once: how many there are is known from
    `totalCount` once the first has come; without it the reading runs ahead, a little at first,
    until the end shows. Pages that are known only from the one before (a cursor) come one by one.

    Args:
        client: who fetches.
        path: path of the list.
        params: query of the first page; put back wherever a next page's URL has lost it.
        records_key: name of the array of rows; without it, the page's only array.
        alone: how many pages come one by one before others are fetched ahead; None: all. Only
            those may be taken on the fetcher's own threads.
        paged: whether the answer must be a page.

    Yields:
        The first page, and all others that have rows.

    Raises:
        RequestError: as `Client.get`, at the page that failed.
        PaginationError: a next page is on another host, or one that was there before.
    """
    query: Params = dict(params or {})
    first = page = fetch_page(client, path, query, records_key, paged=paged)
    yield page
    if page.next_url is None:
        return
    reading = _Reading(client, path, query, records_key)
    if _number_of(reading.following(page, query)) is None:
        alone = None
    number = 0
    for page in islice(reading.linked(first), None if alone is None else alone - 1):
        number += 1
        yield page
    if alone is not None and number == alone - 1 and page.next_url is not None:
        known = math.ceil(first.total / len(first.rows)) if first.total and first.rows else 0
        yield from reading.numbered(page, number, known)


def fetch_page(
    client: Client,
    path: str,
    params: Mapping[str, Any] | None,
    records_key: str | None = None,
    *,
    paged: bool = True,
) -> Page:
    """Fetch one answer and find its rows; an answer without them is asked for again."""
    return client.get(path, params, lambda answer: page_of(answer, path, records_key, paged=paged))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A list whose first page has come."""

    client: Client
    path: str
    query: Params
    records_key: str | None

    def following(self, page: Page, query: Params) -> Params:
        """Give the query that a page names for the next one."""
        return follow(page.next_url, query, self.client.host_url, self.path)

    def linked(self, page: Page) -> Iterator[Page]:
        """Read the pages after one, each where the one before says."""
        query = self.query
        seen = {frozenset(query.items())}
        while page.next_url is not None and page.rows:
            query = self.following(page, query)
            if (state := frozenset(query.items())) in seen:
                raise PaginationError(f"{self.path}: the pages go in a circle.", path=self.path)
            seen.add(state)
            page = fetch_page(self.client, self.path, query, self.records_key)
            if page.rows:
                yield page

    def numbered(self, page: Page, number: int, known: int) -> Iterator[Page]:
        """Read the pages after one, several at once.

        Args:
            page: the last one that has been read.
            number: its number.
            known: number of pages; 0: not known.
        """
        client = self.client
        numbers = range(number + 1, known) if known else count(number + 1)
        window = PAGES_AHEAD * client.parallel if known else client.parallel
        self._check_order(page, number)
        with closing(
            ordered_prefetch(client.executor, self._fetch, numbers, window, ramp=not known)
        ) as ahead:
            for at, fetched in ahead:
                page, number = fetched, at
                self._check_order(page, number)
                if page.rows:
                    yield page
                if page.next_url is None or not page.rows:
                    return
        while page.next_url is not None and page.rows:  # the list has grown since its first page
            number += 1
            page = self._fetch(number)
            self._check_order(page, number)
            if page.rows:
                yield page

    def _fetch(self, number: int) -> Page:
        return fetch_page(self.client, self.path, {**self.query, "page": number}, self.records_key)

    def _check_order(self, page: Page, number: int) -> None:
        """Hold a page's own idea of the next one against ours.

        Raises:
            PaginationError: it is elsewhere, or not after this one.
        """
        if page.next_url is None:
            return
        following = _number_of(self.following(page, self.query))
        if following is not None and following <= number:
            raise PaginationError(
                f"{self.path}: page {number} names page {following} as the next: a circle.",
                path=self.path,
            )


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _number_of(params: Params) -> int | None:
    text = str(params.get("page"))
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None
