"""A stream's bookmark: the few values from which the next run goes on.

`{"bookmarks": {stream: bookmark}}` is the whole state. A bookmark is small whatever the number of
devices: the lists in it are bounded, and what would make the state larger than 32 KB stops its
stream.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tap_datto_rmm.records.timestamps import Timestamp

MOST_OUTSTANDING: Final = 100
"""Parents of a stream that the state names because they could not be read."""
MOST_UNFINISHED: Final = 200
"""Jobs, or results of jobs, that the state names because they were not finished."""
UNFINISHED_DAYS: Final = timedelta(days=30)
"""After so long a job is taken for finished."""
KNOWN_GAP: Final = timedelta(days=1)
"""What fails in every run for longer is a known gap: named in each run, and no failure."""
MOST_BYTES: Final = 30_000
"""Of the whole state, leaving room to 32 KB."""

Marked = dict[str, "Timestamp"]
"""Keys of parents, each with the date of the run that named it first."""


class Bookmark:
    """What the state holds of one stream; reads and writes the state itself.

    Args:
        state: the whole state, as the last STATE message has it.
        stream: name of the stream.
        replication_key: the date that the bookmark holds; None: it has none.
    """

    def __init__(
        self,
        state: Any,
        stream: str,
        replication_key: str | None,
    ) -> None:
        """Read nothing yet."""
        self._state = state
        self._stream = stream
        self._replication_key = replication_key

    @property
    def _held(self) -> dict[str, Any]:
        held: dict[str, Any] = self._state.get("bookmarks", {}).get(self._stream, {})
        return held

    def get(self, name: str) -> Any:
        """Give a value that the state holds; None without it."""
        return self._held.get(name)

    def set(self, name: str, value: object) -> None:
        """Keep a value; None, 0 and what is empty is left out."""
        if not value:
            self._held.pop(name, None)
            return
        self._state.setdefault("bookmarks", {}).setdefault(self._stream, {})[name] = value

    def forget(self) -> None:
        """Begin anew, as in a first run."""
        self._state.get("bookmarks", {}).pop(self._stream, None)

    def state_size(self) -> int:
        """Bytes of the whole state as it is written."""
        return len(orjson.dumps(self._state))

    # How far everything has been read

    @property
    def value(self) -> Timestamp | None:
        """Date up to which everything has been read; None in a first run."""
        value: Timestamp | None = self.get("replication_key_value")
        return value

    def move(self, value: Timestamp | None) -> None:
        """Set the date up to which everything has been read."""
        self.set("replication_key", self._replication_key if value else None)
        self.set("replication_key_value", value)

    # What could not be read, or was not finished

    @property
    def outstanding(self) -> Marked:
        """Parents that could not be read, by key: since when."""
        return dict(_unpacked(self.get("outstanding")))

    @outstanding.setter
    def outstanding(self, keys: Marked) -> None:
        self.set("outstanding", _packed(keys))

    @property
    def gone(self) -> list[str]:
        """Keys of parents that the API did not know in the last run: asked for once more."""
        return list(self.get("gone") or ())

    @gone.setter
    def gone(self, keys: Collection[str]) -> None:
        self.set("gone", sorted(keys)[:MOST_OUTSTANDING])

    @property
    def unfinished(self) -> Marked:
        """Jobs that were not finished when they were read, by key: since when."""
        return dict(_unpacked(self.get("unfinished")))

    @unfinished.setter
    def unfinished(self, keys: Marked) -> None:
        newest = sorted(keys.items(), key=lambda item: item[1])[-MOST_UNFINISHED:]
        self.set("unfinished", _packed(dict(newest)))


def is_known_gap(since: Timestamp, now: Timestamp) -> bool:
    """Whether what has failed since then has done so in every run for more than a day."""
    return datetime.fromisoformat(now) - datetime.fromisoformat(since) > KNOWN_GAP


def is_too_old(since: Timestamp, now: Timestamp) -> bool:
    """Whether a job that was unfinished then is no longer asked for."""
    return datetime.fromisoformat(now) - datetime.fromisoformat(since) > UNFINISHED_DAYS


def _packed(keys: Marked) -> dict[str, list[str]]:
    """Write keys by date, as most share one."""
    packed: dict[str, list[str]] = {}
    for key, since in sorted(keys.items()):
        packed.setdefault(since, []).append(key)
    return packed


def _unpacked(packed: dict[Timestamp, list[str]] | None) -> Iterator[tuple[str, Timestamp]]:
    return ((key, since) for since, keys in (packed or {}).items() for key in keys)
