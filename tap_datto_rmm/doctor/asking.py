"""One examination's questions: who asks, what each answer took, what is known so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.api.pages import Listing, Page, fetch_page
from tap_datto_rmm.errors import AuthenticationError, RateLimitError, RequestError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from tap_datto_rmm.api.fan_out import FanOut
    from tap_datto_rmm.doctor.costs import Figures
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.settings import Settings

NO_BETTER: Final = (AuthenticationError, RateLimitError)
"""Where one request ends so, no other would do better."""


@dataclass(slots=True)
class Asking:
    """Asks, and remembers what those that follow need."""

    client: Client
    settings: Settings
    now: datetime
    """By the API's clock."""
    figures: Figures
    samples: dict[FanOut | None, dict[str, Any]] = field(default_factory=dict)
    """One of each kind that streams are asked for, as the path's placeholders name it."""
    errors: dict[str, RequestError] = field(default_factory=dict)
    """Why the lists that streams rest on could not be read, by name."""
    seconds: list[float] = field(default_factory=list)
    """That each answer took."""

    def page(self, listing: Listing) -> Page:
        """Fetch a page.

        Raises:
            RequestError: it cannot be read.
        """
        started = time.monotonic()
        page = fetch_page(self.client, listing)
        self.seconds.append(time.monotonic() - started)
        return page

    def answer(self, what: str, page: Future[Page]) -> Page | None:
        """Give a page that was asked for; None where it cannot be read.

        Raises:
            AuthenticationError: no other request would do better.
            RateLimitError: the same.
        """
        try:
            return page.result()
        except NO_BETTER:
            raise
        except RequestError as error:
            self.errors[what] = error
            return None


def objects(page: Page | None) -> list[dict[str, Any]]:
    """Give the rows of a page that are objects."""
    return [row for row in (page.rows if page else ()) if isinstance(row, dict)]


def total_of(page: Page | None) -> int | None:
    """Give the rows of the whole list; None where the API does not tell."""
    if page is None or page.total is not None:
        return page.total if page else None
    return len(page.rows) if page.next_query is None else None
