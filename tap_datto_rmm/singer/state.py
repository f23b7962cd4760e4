"""The state that a run begins with: taken over where it can be relied on, else refused.

A state is `{"bookmarks": {stream: bookmark}}`. What a stream keeps there:

* `replication_key_value`: date up to which everything has been read; `replication_key`: its name;
* `read`, `swept`: which audits within the look-back were read, and until when the sweep has come;
* `outstanding`, `gone`, `unfinished`: parents that are asked for again (see `bookmark`);
* `unreadable_since`: since when rows of the stream cannot be read;
* `full_sweep`, `newest_first`: when all resolved alerts were last read, and their order then;
* `read_at`: when a stream with `refresh_hours` was last read whole;
* `rows`, `sample`, `left_out`: what the last complete read of a full-table stream had (see
  `deletion_marks`);
* `unlisted`: devices that the account counts and no list has; `account_uid`, `account_name`: whose.
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

Held = dict[str, Any]

CLOCK_TOLERANCE: Final = timedelta(days=1)
"""How far a bookmark may be ahead of the clocks."""


class StateError(TapError):
    """The state given is not one that this tap could go on from."""


def checked(state: Mapping[str, Any], dates: Mapping[str, str | None]) -> dict[str, Held]:
    """Read a state as this tap, or an earlier version of it, has written it.

    Args:
        state: as given; empty for a first run.
        dates: name of each stream, and of the date that its bookmark holds (None: it has none).

    Returns:
        The bookmarks by stream, dates in the canonical form.

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


def future_date_in(name: str, bookmark: Mapping[str, Any], now: datetime) -> StateError | None:
    """Refuse a date that is still to come: nothing before it would ever be read.

    Args:
        name: of the stream.
        bookmark: as `checked` gives it.
        now: by the clock that is ahead, ours or the API's.
    """
    latest = canonical(now + CLOCK_TOLERANCE)
    for key in DATES:
        if str(bookmark.get(key) or "") > latest:
            return _refusal(name, f"`{key}` is in the future (it is {canonical(now)})")
    return None


def _checked_bookmark(name: str, found: object, date: str | None) -> Held:
    if not isinstance(found, dict):
        raise _refusal(name, "it is no object")
    if found.get("partitions"):
        logger.warning("%s: the state's `partitions` are not used; there is one bookmark", name)
    bookmark: Held = {}
    if date and found.get("replication_key_value") is not None:
        if found.get("replication_key", date) != date:
            raise _refusal(name, f"its `replication_key` is not `{date}`")
        bookmark["replication_key"] = date
        bookmark["replication_key_value"] = _read(name, found, "replication_key_value", _date_time)
    for key, read in _OTHERS.items():
        if found.get(key) is not None:
            bookmark[key] = _read(name, found, key, read)
    return bookmark


def _read(name: str, found: Held, key: str, read: Callable[[object], Any]) -> Any:
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
    return bytes.fromhex(_text(value)).hex()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _keys(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [_text(key) for key in value]


def _keys_by_date(value: object) -> dict[Timestamp, list[str]]:
    if not isinstance(value, dict):
        raise TypeError
    return {_date_time(since): _keys(keys) for since, keys in value.items()}


DATES: Final = ("replication_key_value", "full_sweep", "swept", "read_at")
"""What a wrong clock may have moved into the future."""

_OTHERS: Final[dict[str, Callable[[object], Any]]] = {
    "full_sweep": _date_time,
    "newest_first": _truth,
    "read": _text,
    "swept": _date_time,
    "outstanding": _keys_by_date,
    "gone": _keys,
    "unfinished": _keys_by_date,
    "unreadable_since": _date_time,
    "read_at": _date_time,
    "rows": _count,
    "sample": _hexadecimal,
    "left_out": _count,
    "unlisted": _count,
    "account_uid": _text,
    "account_name": _text,
}
_WANTED: Final[dict[Callable[[object], Any], str]] = {
    _date_time: "a date-time such as 2026-11-22T01:02:03.000000+00:00",
    _count: "a whole number, 0 or more",
    _hexadecimal: "hexadecimal text",
    _text: "text",
    _truth: "true or false",
    _keys: "a list of keys",
    _keys_by_date: "an object of lists of keys by date",
}


def _refusal(name: str, why: str) -> StateError:
    return StateError(
        f"State of stream `{name}`: {why}. Remove `bookmarks.{name}` from the state to read this "
        "stream anew; the others go on from where they are."
    )
