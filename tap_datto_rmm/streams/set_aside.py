"""Parents that could not be read: set aside one by one, unless they are too many.

What is outstanding stands in the state from the moment it fails, so that the bookmark may pass it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tap_datto_rmm.errors import (
    DeclarationError,
    NotAvailableError,
    PermissionDeniedError,
    RequestError,
    TooManyFailuresError,
)
from tap_datto_rmm.singer.bookmark import MOST_BYTES, MOST_OUTSTANDING, is_known_gap

if TYPE_CHECKING:
    from tap_datto_rmm.api.fan_out import Parent
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.singer.bookmark import Bookmark, Marked

FEW_FAILURES: Final = 20
"""So many parents may fail, whatever share of the stream's parents they are."""
MOST_FAILURES_SHARE: Final = 0.2
"""Of the stream's parents; where more fail, they are not bad one by one."""
DENIED_TO_BE_SURE: Final = 5
"""Parents that may not be read before any has been: the permission lacks for all of them, or what
a setting says of them is wrong."""
NAMED: Final = 3
"""Parents that the summary names."""


class Verdict(NamedTuple):
    """What is left of a stream's parents once all have been asked."""

    outstanding: int
    reasons: tuple[str, ...]
    """Of those that make the stream incomplete."""
    known_gaps: tuple[str, ...]
    """Of those that have failed in every run for more than a day."""


class SetAside:
    """The parents of one stream that could not be read, in this run and before.

    Args:
        bookmark: of the stream; names them from the moment they fail.
        started_at: when the run began.
        total: parents that will be asked.
    """

    def __init__(self, bookmark: Bookmark, started_at: Timestamp, total: int) -> None:
        """Begin with those of earlier runs."""
        self._bookmark = bookmark
        self._started_at = started_at
        self._total = total
        self._before: Marked = bookmark.outstanding
        self._outstanding: Marked = dict(self._before)
        self._once_gone = set(bookmark.gone)
        self._gone = set(self._once_gone)
        self._failed: dict[str, tuple[Parent, RequestError]] = {}
        self._failures = 0
        self._denied = 0
        self._succeeded = 0
        self._held: Timestamp | None = None
        """The bookmark before the first failure."""

    def is_known_gap(self, key: str) -> bool:
        """Whether a parent has failed in every run for more than a day: it gets one request."""
        since = self._before.get(key)
        return since is not None and is_known_gap(since, self._started_at)

    def once_more(self) -> list[Parent]:
        """Give those that are to be tried a second time in this run."""
        return [one for key, (one, _) in self._failed.items() if not self.is_known_gap(key)]

    def succeed(self, parent: Parent) -> None:
        """Note a parent that was read whole."""
        self._succeeded += 1
        self._failed.pop(parent.key, None)
        self._gone.discard(parent.key)
        if self._outstanding.pop(parent.key, None):
            self._bookmark.outstanding = self._outstanding

    def fail(self, parent: Parent, error: RequestError) -> None:
        """Note a parent that could not be read.

        Raises:
            PermissionDeniedError: none may be.
            DeclarationError: none is as a setting says.
            TooManyFailuresError: too many fail to be bad one by one.
        """
        if parent.key not in self._failed:
            self._denied += isinstance(error, (PermissionDeniedError, DeclarationError))
            self._count()
        self._failed[parent.key] = parent, error
        self._outstanding.setdefault(parent.key, self._started_at)
        self._bookmark.outstanding = self._outstanding
        self._stop_if_many(error)

    def be_gone(self, parent: Parent, error: NotAvailableError) -> None:
        """Note a parent that the API does not know: asked for in one more run, then forgotten.

        One that is asked for in each run, such as a device without an audit, need not be noted.

        Raises:
            TooManyFailuresError: too many are gone to be so one by one.
        """
        never_audited = parent.device is not None and parent.changed is None
        if self._failed.pop(parent.key, None) is None and not never_audited:
            self._count()
        if self._outstanding.pop(parent.key, None):
            self._bookmark.outstanding = self._outstanding
        if parent.key in self._once_gone:
            self._gone.discard(parent.key)
        elif parent.changed is not None:
            self._gone.add(parent.key)
        self._bookmark.gone = self._gone
        self._stop_if_many(error)

    def settle(self) -> Verdict:
        """Say what is left, once all have been asked; what is not listed any more is forgotten.

        Raises:
            PermissionDeniedError: no parent may be read.
            DeclarationError: none is as a setting says.
        """
        if self._denied and not self._succeeded and self._denied == len(self._failed):
            self._stop()
            raise next(iter(self._failed.values()))[1]
        self._outstanding = {k: v for k, v in self._outstanding.items() if k in self._failed}
        self._bookmark.outstanding = self._outstanding
        self._bookmark.gone = self._gone - self._once_gone
        gaps = [key for key in self._failed if self.is_known_gap(key)]
        fresh = [key for key in self._failed if key not in gaps]
        reasons = (f"could not be read: {self._words(fresh)}",) if fresh else ()
        known = (f"known gap, failing for more than a day: {self._words(gaps)}",) if gaps else ()
        return Verdict(len(self._failed), reasons, known)

    def _count(self) -> None:
        if self._failures == 0:
            self._held = self._bookmark.value
        self._failures += 1

    def _stop_if_many(self, error: RequestError) -> None:
        if self._denied >= DENIED_TO_BE_SURE and not self._succeeded:
            self._stop()
            raise error
        share = self._failures > self._total * MOST_FAILURES_SHARE
        many = self._failures > MOST_OUTSTANDING or (self._failures >= FEW_FAILURES and share)
        if many or self._bookmark.state_size() > MOST_BYTES:
            self._stop()
            raise TooManyFailuresError(
                f"{self._failures} of {self._total} could not be read: no matter of one by one. "
                f"The bookmark stays before them. The last: {error}",
                path=error.path,
                status=error.status,
            )

    def _stop(self) -> None:
        """Take back what was set aside in this run: the bookmark stays before it."""
        self._bookmark.outstanding = self._before
        self._bookmark.gone = self._once_gone
        self._bookmark.move(self._held)

    def _words(self, keys: list[str]) -> str:
        named = "; ".join(f"{key} ({self._failed[key][1]})" for key in keys[:NAMED])
        more = len(keys) - NAMED
        return f"{len(keys)} of {self._total}: {named}" + (f"; and {more} more" if more > 0 else "")
