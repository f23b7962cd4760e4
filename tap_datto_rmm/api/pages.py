"""Pages: the rows of an answer, and the query of the next page.

Lists count pages from 0 and carry `pageDetails`; their `nextPageUrl` is absolute and loses query
parameters on the way (docs/datto-rmm-api.md §2). Only the API's own host is ever asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from tap_datto_rmm.errors import ApiError, DeclarationError, PaginationError
from tap_datto_rmm.http.decoding import NO_CONTENT, Items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_datto_rmm.http.client import Client

Params = dict[str, Any]

ARRAYS: Final = (list, Items)
MOST_DIGITS: Final = 9
"""Of a page's number."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What to ask for: a path and its query, and where the rows of the answer are."""

    path: str
    """Below `/api`, nothing left to fill in."""
    query: Params = field(default_factory=dict)
    """Of the first page; put back wherever a next page's URL has lost it."""
    records_key: str | None = None
    """Name of the array of rows; without it, the page's only array."""
    paged: bool = True
    """Whether the answer must be a page; anything else is a damaged answer then."""
    setting: str | None = None
    """What declares this, such as `custom_streams[0]`; None where the tap does, which is right."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer holds."""

    rows: Sequence[Any] = field(repr=False)
    """Its items, as the API sent them."""
    next_query: Params | None = None
    """Query of the following page; None at the end."""
    total: int | None = None
    """Rows of the whole list, where the API tells."""
    unreadable: int = 0
    """Rows that should be here and that the API fails to give."""

    @property
    def is_empty(self) -> bool:
        """Whether the list had nothing here: it ended before."""
        return not self.rows and not self.unreadable


def fetch_page(
    client: Client,
    listing: Listing,
    query: Params | None = None,
    *,
    patience: float | None = None,
) -> Page:
    """Fetch one answer and find its rows; a damaged answer is asked for again.

    Args:
        client: who fetches.
        listing: what is read.
        query: of this page; without it, of the first.
        patience: seconds to try again in; without it, the client's own.

    Raises:
        RequestError: as `Client.get`.
        DeclarationError: a setting names the rows' array wrongly.
        PaginationError: the next page is on another host or path.
    """
    asked = listing.query if query is None else query
    return client.get(
        listing.path,
        asked,
        lambda answer: page_of(answer, listing, asked, client.host_url),
        patience=patience,
    )


def page_of(answer: object, listing: Listing, query: Params, host_url: str) -> Page:
    """Find the rows of an answer: a page, a bare array, or a bare object (one row).

    Args:
        answer: decoded JSON, or `NO_CONTENT`, which is empty.
        listing: what was asked for.
        query: the query that led here.
        host_url: scheme and host that the next page must be on.

    Raises:
        ApiError: a page without its array or details, with fewer rows than its own `count`, or
            neither an object nor an array.
        DeclarationError: a setting names the rows' array wrongly.
        PaginationError: the next page is on another host or path.
    """
    where = listing.path
    details = answer.get("pageDetails") if isinstance(answer, dict) else None
    if answer is NO_CONTENT:
        return Page([])
    if listing.paged and not isinstance(details, dict):
        raise _damaged(where, "the answer is no page: no `pageDetails`")
    if isinstance(answer, list):
        return Page(answer)
    if not isinstance(answer, dict):
        raise _damaged(where, f"the answer is {type(answer).__name__}, no object")
    if listing.records_key is None and "pageDetails" not in answer:
        return Page([answer])
    details = details if isinstance(details, dict) else {}
    rows = _rows(answer, listing, details)
    count = details.get("count")
    if type(count) is int and len(rows) < count:
        raise _damaged(where, f"a page of {count} rows has {len(rows)}")
    total, next_url = details.get("totalCount"), details.get("nextPageUrl")
    return Page(
        rows,
        next_query=following(next_url, query, host_url, where) if next_url else None,
        total=total if type(total) is int and total >= 0 else None,
    )


def following(next_url: object, query: Mapping[str, Any], host_url: str, where: str) -> Params:
    """Read the next page's query off its URL, putting back what it lost.

    Args:
        next_url: `pageDetails.nextPageUrl`.
        query: the query that led to this page.
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
    return {**query, **dict(parse_qsl(parts.query, keep_blank_values=True))}


def page_number(query: Mapping[str, Any] | None) -> int | None:
    """Number of the page that a query asks for; None where pages have none (a cursor)."""
    text = str((query or {}).get("page"))
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def _rows(answer: Mapping[str, Any], listing: Listing, details: Mapping[str, Any]) -> Sequence[Any]:
    """Give the page's array; where it says that it has no row, the array may be null."""
    arrays = [key for key, value in answer.items() if isinstance(value, ARRAYS)]
    key = listing.records_key or (arrays[0] if len(arrays) == 1 else None)
    rows = answer.get(key) if key else None
    if isinstance(rows, ARRAYS):
        return rows
    if rows is None and not arrays and details.get("count") == 0:
        return []
    what = f"the page has no {f'array `{key}`' if key else 'one array'} of rows"
    setting = f"`{listing.setting}.records_key`" if listing.setting else ""
    if setting and arrays and (rows is not None or key not in answer):
        raise DeclarationError(
            f"{listing.path}: {what}. Arrays that it has: {', '.join(arrays)}. Let {setting} name "
            "the one that holds the rows.",
            path=listing.path,
        )
    raise _damaged(listing.path, f"{what} (setting {setting})" if setting else what)


def _damaged(where: str, what: str) -> ApiError:
    return ApiError(f"{where}: {what}.", path=where, status=200)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
