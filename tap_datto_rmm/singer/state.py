"""The state that a run begins with: taken over where it can be relied on, else refused.

A state is `{"bookmarks": {stream: bookmark}}`; a bookmark holds a few values, whatever the number
of devices. What a stream keeps there:

* `replication_key_value`: date up to which everything has been read; `replication_key`: its name;
* `full_sweep`: when the resolved alerts were last read to their end;
* `rows`, `sample`: what the last complete read of a full-table stream had (see `deletions`).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.records.timestamps import as_timestamp, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_datto_rmm.records.timestamps import Timestamp

logger = logging.getLogger("tap-datto-rmm")

Bookmark = dict[str, Any]

CLOCK_TOLERANCE: Final = timedelta(days=1)
"""How far a bookmark may be ahead of the API's clock: proxies lose its Date header, and then the
clock of this machine counts."""


class StateError(TapError):
    """The state given is not one that this tap could go on from."""


def checked(state: Mapping[str, Any], dates: Mapping[str, str | None]) -> dict[str, Bookmark]:
    """Read a state as this tap, or an earlier version of it, has written it.

    Args:
        state: as given; empty for a first run.
        dates: name of each stream, and of the date that its bookmark holds (None: it has none).

    Returns:
        The bookmarks by stream, dates as canonical timestamps.

    Raises:
        StateError: nothing can be relied on. What to do is said.
    """
    bookmarks = state.get("bookmarks", None if state else {})
    if not isinstance(bookmarks, dict):
        raise StateError(
            "The state has no object `bookmarks`. Give the `value` of the last STATE message of "
            "this tap; without --state everything is read anew."
        )
    unknown = sorted(map(str, bookmarks.keys() - dates.keys()))
    if unknown and len(unknown) == len(bookmarks):
        raise StateError(
            f"The state is not one of this tap: it has no stream {', '.join(unknown)[:200]}. Give "
            "each tap a state of its own; without --state everything is read anew."
        )
    if unknown:
        logger.warning("The state names streams that there are not: %s", ", ".join(unknown))
    return {
        name: _checked_bookmark(name, bookmarks[name], date)
        for name, date in dates.items()
        if name in bookmarks
    }


def refuse_future(bookmarks: Mapping[str, Bookmark], now: str) -> None:
    """Refuse dates that are still to come: nothing before them would ever be read.

    Args:
        bookmarks: as `checked` gives them.
        now: by the API's clock.

    Raises:
        StateError: naming the stream.
    """
    latest = canonical(datetime.fromisoformat(now) + CLOCK_TOLERANCE)
    for name, bookmark in bookmarks.items():
        for key in ("replication_key_value", "full_sweep"):
            if bookmark.get(key, "") > latest:
                raise _refusal(name, f"`{key}` is in the future (the API's clock says {now})")


def _checked_bookmark(name: str, found: object, date: str | None) -> Bookmark:
    if not isinstance(found, dict):
        raise _refusal(name, "it is no object")
    if found.get("partitions"):
        logger.warning("%s: the state's `partitions` are not used; there is one bookmark", name)
    bookmark: Bookmark = {}
    if date and found.get("replication_key_value") is not None:
        if found.get("replication_key", date) != date:
            raise _refusal(name, f"its `replication_key` is not `{date}`")
        bookmark["replication_key"] = date
        bookmark["replication_key_value"] = _read(name, found, "replication_key_value", _date_time)
    for key, read in _OTHERS.items():
        if found.get(key) is not None:
            bookmark[key] = _read(name, found, key, read)
    return bookmark


def _read(name: str, found: Bookmark, key: str, read: Callable[[object], Any]) -> Any:  # noqa: ANN401
    try:
        return read(found[key])
    except (TypeError, ValueError, OverflowError):
        raise _refusal(name, f"`{key}` is not {_WANTED[read]}") from None


def _date_time(value: object) -> Timestamp:
    if not isinstance(value, str) or not (moment := as_timestamp(value)):
        raise ValueError
    return moment


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _hexadecimal(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return bytes.fromhex(value).hex()


_OTHERS: Final[dict[str, Callable[[object], Any]]] = {
    "full_sweep": _date_time,
    "rows": _count,
    "sample": _hexadecimal,
}
_WANTED: Final[dict[Callable[[object], Any], str]] = {
    _date_time: "a date-time such as 2026-11-22T01:02:03.000000+00:00",
    _count: "a number of rows",
    _hexadecimal: "hexadecimal text",
}


def _refusal(name: str, why: str) -> StateError:
    return StateError(
        f"State of stream `{name}`: {why}. Remove `bookmarks.{name}` from the state to read this "
        "stream anew; the others go on from where they are."
    )
