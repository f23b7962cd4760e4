"""A page that fails for good, in smaller pages: one row that the API trips over costs one row."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.api.pages import Listing, Page, Params, fetch_page, page_number
from tap_datto_rmm.errors import ApiError, RequestError, TimedOutError, TransportError

if TYPE_CHECKING:
    from tap_datto_rmm.http.client import Client

PATIENCE_FOR_A_ROW: Final = 1.0
"""Seconds to try again in before a single row counts as unreadable; larger parts get one try."""
FAILURES_IN_A_ROW: Final = 8
"""Smaller pages that fail before any comes: no row of the page can be read."""
FAILURES_OF_A_PAGE: Final = 40
"""Smaller pages that fail, of one page, before the rest of it counts as unreadable."""
FAILURES_OF_A_TIME_OUT: Final = 8
"""What a smaller page that is not answered in time counts for: it costs a minute, not a moment."""


def fetch_whole_or_in_parts(
    client: Client, listing: Listing, query: Params, patience: float | None = None
) -> Page:
    """Fetch a page; where it fails for good, in smaller pages.

    Args:
        client: who fetches.
        listing: what is read.
        query: of the page.
        patience: seconds to try again in, and no smaller pages; None: the client's own, and those.

    Raises:
        RequestError: no part of it came.
    """
    try:
        return fetch_page(client, listing, query, patience=patience)
    except RequestError as error:
        size, number = listing.query.get("max"), page_number(query) if "page" in query else 0
        divisible = isinstance(size, int) and size > 1 and number is not None
        if patience is not None or not divisible or not may_be_a_rows(error):
            raise
        return _Parts(client, listing).page(int(number or 0), int(size or 0))


class _Parts:
    """Reads one page in smaller ones."""

    def __init__(self, client: Client, listing: Listing) -> None:
        self._client = client
        self._listing = listing
        self._rows: list[Any] = []
        self._last: Page | None = None
        self._unreadable = 0
        self._failures = 0

    def page(self, number: int, size: int) -> Page:
        """Read what can be read of a page.

        Raises:
            RequestError: neither a part of it came, nor the page after the first one.
        """
        self._read(number, size)
        following = {**self._listing.query, "page": number + 1}
        if self._last is None:
            if number == 0:
                fetch_page(self._client, self._listing, following, patience=0.0)
            return Page([], following, unreadable=size)
        total = self._last.total
        more = self._last.next_query is not None if total is None else total > (number + 1) * size
        return Page(self._rows, following if more else None, total, self._unreadable)

    def _read(self, number: int, size: int) -> None:
        """Divide a page that failed, and read its parts."""
        parts = _smallest_divisor(size)
        smaller = size // parts
        for part in range(number * parts, (number + 1) * parts):
            if self._last is not None and self._last.next_query is None:
                return  # the list has ended
            if self._failures >= (FAILURES_OF_A_PAGE if self._last else FAILURES_IN_A_ROW):
                self._unreadable += smaller
                continue
            try:
                query = {**self._listing.query, "max": smaller, "page": part}
                patience = PATIENCE_FOR_A_ROW if smaller == 1 and self._last else 0.0
                page = fetch_page(self._client, self._listing, query, patience=patience)
            except RequestError as error:
                if not may_be_a_rows(error):
                    raise
                self._failures += weight(error)
                if smaller == 1:
                    self._unreadable += 1
                else:
                    self._read(part, smaller)
            else:
                self._last = page
                self._rows.extend(page.rows)


def may_be_a_rows(error: RequestError) -> bool:
    """Whether a failure may be that of one row: 5xx, damaged, or too slow."""
    if error.ends_the_run or not isinstance(error, (ApiError, TransportError)):
        return False
    status = error.status or HTTPStatus.OK
    return status == HTTPStatus.OK or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def weight(error: RequestError) -> int:
    """How many failures an error counts for, where they are counted."""
    return FAILURES_OF_A_TIME_OUT if isinstance(error, TimedOutError) else 1


def _smallest_divisor(size: int) -> int:
    return next((d for d in range(2, math.isqrt(size) + 1) if size % d == 0), size)
