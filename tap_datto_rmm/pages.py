"""Pages: the rows of an answer, and where the next page is.

Lists count pages from 0 and carry `pageDetails`; their `nextPageUrl` is absolute and loses query
parameters on the way (datto-rmm-api-facts §2). Only the API's own host is ever asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from tap_datto_rmm.bodies import Items
from tap_datto_rmm.errors import ApiError, PaginationError
from tap_datto_rmm.prefetch import ordered_prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.client import Client

Params = dict[str, Any]

ARRAYS: Final = (list, Items)
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
    ahead: bool = True,
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
        ahead: whether pages may be fetched several at once; never from the fetcher's own threads.
        paged: whether the answer must be a page.

    Yields:
        The first page, and all others that have rows.

    Raises:
        RequestError: as `Client.get`, at the page that failed.
        PaginationError: a next page is on another host, or one that was there before.
    """
    query: Params = dict(params or {})
    page = fetch_page(client, path, query, records_key, paged=paged)
    yield page
    if page.next_url is None:
        return
    following = follow(page.next_url, query, client.host_url, path)
    pages = _numbered if ahead and _number_of(following) is not None else _linked
    yield from pages(client, path, query, records_key, page)


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


def _numbered(
    client: Client, path: str, query: Params, records_key: str | None, page: Page
) -> Iterator[Page]:
    def fetch(number: int) -> Page:
        return fetch_page(client, path, {**query, "page": number}, records_key)

    def numbers() -> Iterator[int]:
        upcoming = 1
        while not known or upcoming < known:
            yield upcoming
            upcoming += 1

    known = math.ceil(page.total / len(page.rows)) if page.total and page.rows else 0
    number = 0
    _check_order(client, path, query, number, page)
    ahead = ordered_prefetch(client.executor, fetch, numbers(), client.window, ramp=not known)
    for number, fetched in ahead:
        page = fetched
        _check_order(client, path, query, number, page)
        if page.rows:
            yield page
        if page.next_url is None or not page.rows:
            return
    while page.next_url is not None and page.rows:  # the list has grown since its first page
        number += 1
        page = fetch(number)
        _check_order(client, path, query, number, page)
        if page.rows:
            yield page


def _linked(
    client: Client, path: str, query: Params, records_key: str | None, page: Page
) -> Iterator[Page]:
    seen = {frozenset(query.items())}
    while page.next_url is not None and page.rows:
        query = follow(page.next_url, query, client.host_url, path)
        if (state := frozenset(query.items())) in seen:
            raise PaginationError(f"{path}: the pages go in a circle.", path=path)
        seen.add(state)
        page = fetch_page(client, path, query, records_key)
        if page.rows:
            yield page


def _check_order(client: Client, path: str, query: Params, number: int, page: Page) -> None:
    """Hold a page's own idea of the next one against ours.

    Raises:
        PaginationError: it is elsewhere, or not after this one.
    """
    if page.next_url is None:
        return
    following = _number_of(follow(page.next_url, query, client.host_url, path))
    if following is not None and following <= number:
        raise PaginationError(
            f"{path}: page {number} names page {following} as the next: a circle.", path=path
        )


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _number_of(params: Params) -> int | None:
    text = str(params.get("page"))
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None
