"""The account's request limit, which all its clients share: what others use is left to them.

Source: docs/datto-rmm-api.md §3.
"""

from __future__ import annotations

import logging
import math
import time
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_datto_rmm.errors import (
    ApiError,
    NotAvailableError,
    PermissionDeniedError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.http.transport import Response

logger = logging.getLogger("tap-datto-rmm")

RATE_STATUS_PATH: Final = "/v2/system/request_rate"

CALLS_PER_LOOK: Final = 120
"""Calls from one look to the next, at least: looks cost no more than one call in a hundred."""

WINDOWS_PER_LOOK: Final = 1 / 3
"""Time from one look to the next, at least: 20 of the vendor's 60 seconds.

Where others leave the tap fewer than those calls a minute, it looks once in each window: when they
are done, it is not to crawl on.
"""

NOTEWORTHY: Final = 0.05
"""Share by which the tap's ceiling must change for the log to say so."""


class Quota(NamedTuple):
    """The account's request limit, and what is used of it."""

    limit: int
    """Requests a minute, all clients together, above which the API refuses."""
    slow_from: int
    """Requests a minute from which on it answers more slowly."""
    used: int
    """Requests in the last minute."""
    others: int
    """Those of them that the tap did not make, at most: the one that asked is among them."""


class QuotaMonitor:
    """Looks now and then at what the account's clients use of its limit.

    Args:
        client: asks, and leaves the others their room.
        window: the vendor's window in seconds.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, client: Client, window: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at nothing yet."""
        self._client = client
        self._window = window
        self._clock = clock
        self._lock = Lock()
        self._looks = True
        self._whole = self._told = client.limiter.ceiling
        self._calls = -math.inf
        self._looked_at = -math.inf

    def look(self, patience: float | None = None) -> Quota:
        """Ask what was used in the last minute; the rate limiter leaves room for the others.

        Args:
            patience: as in `Client.get`.

        Raises:
            RequestError: as `Client.get`.
        """
        client = self._client
        quota = client.ask(RATE_STATUS_PATH, None, quota_of, patience=patience)
        changes = client.limiter.leave_room_for(quota.others, quota.limit, quota.slow_from)
        ceiling = client.limiter.ceiling
        if changes and abs(ceiling - self._told) >= NOTEWORTHY * self._told:
            self._told = ceiling
            logger.info(
                "Other clients or runs made %d of the account's %d requests a minute: "
                "the tap uses %d",
                quota.others,
                quota.limit,
                ceiling,
            )
        return quota

    def look_when_due(self) -> None:
        """Look at the start, and then now and then; only the first time does anybody wait."""
        with self._lock:
            made, now, is_first = self._client.counters.calls, self._clock(), self._calls < 0
            if not (self._looks and self._is_due(made - self._calls, now - self._looked_at)):
                return
            self._calls, self._looked_at = made, now
        if is_first:
            self._try_to_look()
        else:
            self._client.submit(self._try_to_look)

    def _is_due(self, calls: float, seconds: float) -> bool:
        """Whether the last look is so many calls, and so long, ago that another is worth a call."""
        is_slow = self._client.limiter.ceiling < min(self._whole, CALLS_PER_LOOK)
        if is_slow and seconds >= self._window:
            return True
        return calls >= CALLS_PER_LOOK and seconds >= self._window * WINDOWS_PER_LOOK

    def _try_to_look(self) -> None:
        """Ask once: without an answer the limiter stays as it is until the next time."""
        try:
            self.look(patience=0)
        except (PermissionDeniedError, NotAvailableError) as error:
            self._looks = False
            logger.debug("The account's use of its limit cannot be known: %s", error)
        except (ApiError, TransportError) as error:
            logger.debug("The account's use of its limit is not known: %s", error)


def quota_of(status: object, response: Response) -> Quota:
    """Read a `RateStatusResponse`, of the older shape as well.

    Args:
        status: the decoded answer.
        response: what it came in; it knows how many requests of the tap left before.

    Raises:
        ApiError: the numbers are not there.
    """
    told = status if isinstance(status, dict) else {}
    limit, count = told.get("accountRateLimit"), told.get("accountCount")
    if type(limit) is not int or type(count) is not int or limit < 1:
        message = f"{RATE_STATUS_PATH}: no `accountRateLimit` and `accountCount` in the answer."
        raise ApiError(message, path=RATE_STATUS_PATH, status=response.status)
    ratio = told.get("accountCutOffRatio")
    slow_from = int(limit * ratio) if isinstance(ratio, (int, float)) else limit
    return Quota(limit, slow_from, count, others=max(0, count - response.before))
