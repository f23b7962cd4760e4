"""Lists that move while they are read: every row that stays is given once, or the read says so.

The API pages by offset over live data, in no documented order: where a row leaves an earlier page,
the rows behind it move up and one of them is missed (docs/datto-rmm-api.md §2.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_datto_rmm.api.completeness import Completeness
from tap_datto_rmm.http.decoding import Items, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from tap_datto_rmm.api.pages import Page

_SHORT: Final = tuple(range(4096))
"""Short hashes of what a row holds: shared numbers, which cost no memory of their own."""

PASSES: Final = 5
"""How often a list is read at most for one complete sight of it."""


class Deduplicator:
    """The keys given so far, 64 bits each, with a short hash of what each row held.

    100,000 keys take about 9 MB. Two different keys that share a hash would cost a row; at 100,000
    keys the odds are 1 in 4 billion.
    """

    def __init__(
        self, keys: Sequence[str], tell: Callable[[str], None], recent: int | None = None
    ) -> None:
        """Remember nothing yet.

        Args:
            keys: names of the properties that make a row's key.
            tell: takes a line about the first row that repeats a key with other content.
            recent: remember at least this many, but not all: for lists that repeat a row soon or
                not at all, and may be of any length.
        """
        self._names = tuple(keys)
        self._tell = tell
        self._recent = recent
        self._known: dict[int, int] = {}
        self._older: dict[int, int] = {}
        self.differing = 0
        """Rows that repeated a key with other content than its first row."""

    def key_of(self, row: object) -> int | None:
        """Hash of a row's key; None where it has none, or one that is no scalar.

        A null behind the first part counts as empty text, as it does in the record.
        """
        if type(row) is not dict or not self._names:
            return None
        parts = [*map(row.get, self._names)]
        if parts[0] is None:
            return None
        return hash(tuple(["" if part is None else str(part) for part in parts]))

    def is_new(self, key: int, content: int | None = None, row: object = None) -> bool:
        """Remember a key; tell whether it is new.

        Args:
            key: as `key_of` gives it.
            content: hash of the whole row; None where a difference would be none of the API's.
            row: for the log.
        """
        before = self._known.get(key)
        if before is None and (before := self._older.get(key)) is None:
            if len(self._known) == self._recent:
                self._older, self._known = self._known, {}
            self._known[key] = _SHORT[(content or 0) % len(_SHORT)]
            return True
        if content is not None and before != content % len(_SHORT):
            self.differing += 1
            if self.differing == 1:
                self._tell(
                    f"two rows differ and have one key, {self._words(row)}: the first counts"
                )
        return False

    def _words(self, row: object) -> str:
        parts = (
            [f"{name} {row.get(name)!r}" for name in self._names] if isinstance(row, dict) else []
        )
        return one_line(", ".join(parts))


def read_list(
    pages: Callable[[], Iterable[Page]],
    keys: Deduplicator,
    tell: Callable[[str], None],
    *,
    expect: Callable[[int], None] | None = None,
    is_young: Callable[[Any], bool] = lambda _: False,
    again: bool = False,
) -> Generator[Any, None, Completeness]:
    """Give every row of a list once, reading it again until nothing can have been missed.

    A pass is complete when as many distinct keys came as a constant `totalCount` says, and no row
    that is younger than the read. Else the list is read again, up to five times in all, until a
    pass finds nothing new that is not younger; until two in a row do, where the list moves on and
    fewer such rows came than it has ever had. Where the API gives no `totalCount` (open alerts),
    one pass has to do, unless `again` asks for a second.

    Args:
        pages: starts a pass over the list.
        keys: given before, none at first.
        tell: takes lines for the log.
        expect: takes the number of rows, where the API tells it.
        is_young: whether a row was added while the list was read. Another that left at the same
            time would keep `totalCount` as it was.
        again: whether a list without `totalCount` is read a second time, to be sure.

    Yields:
        Rows as the API sent them. One without a key is given too, for the converter to count.

    Returns:
        Why rows may be missing.
    """
    distinct = old = quiet = 0
    fewest = math.inf
    for attempt in range(1, PASSES + 1):
        read = _Pass(keys, is_young, expect, is_first=attempt == 1)
        yield from read.rows_of(pages())
        distinct, old = distinct + read.found, old + read.old
        quiet = 0 if read.old else quiet + 1
        fewest = min([fewest, *read.totals])
        lacks = read.moves and read.came(old) < fewest
        if read.is_settled(distinct, again=again, is_quiet=quiet >= (2 if lacks else 1)):
            if read.totals and read.came(distinct) != read.totals[-1]:
                tell(f"totalCount says {read.totals[-1]}, but {distinct} rows are all that come")
            return Completeness(unreadable=read.unreadable)
        if attempt < PASSES:
            tell(f"{read}: reading it again" if read.totals else "reading it again, to be sure")
    return Completeness((f"{read} in each of {PASSES} reads",), unreadable=read.unreadable)


@dataclass(slots=True)
class _Pass:
    """One reading of a list, from its first page to its last."""

    keys: Deduplicator
    is_young: Callable[[Any], bool]
    expect: Callable[[int], None] | None
    is_first: bool
    pages: int = 0
    rows: int = 0
    keyless: int = 0
    repeats: int = 0
    """Rows whose key came before on the same page, which is no sign of a list that moves."""
    unreadable: int = 0
    has_young: bool = False
    found: int = 0
    """Keys that no earlier pass had."""
    old: int = 0
    """Those of them whose row is not younger than the read."""
    totals: list[int] = field(default_factory=list)

    def rows_of(self, pages: Iterable[Page]) -> Iterator[Any]:
        """Give the rows that have not come before."""
        for page in pages:
            self._note_total(page.total)
            self.pages += 1
            self.unreadable += page.unreadable
            on_page: set[int] = set()
            for row, content in with_content(page.rows):
                self.rows += 1
                is_young = self.is_young(row)
                self.has_young = self.has_young or is_young
                if (key := self.keys.key_of(row)) is None:
                    self.keyless += 1
                    if self.is_first:
                        yield row
                    continue
                self.repeats += key in on_page
                on_page.add(key)
                if self.keys.is_new(key, content if self.is_first else None, row):
                    self.found += 1
                    self.old += not is_young
                    yield row

    def _note_total(self, total: int | None) -> None:
        if total is not None and total not in self.totals:
            self.totals.append(total)
            if self.expect:
                self.expect(total)

    @property
    def moves(self) -> bool:
        """Whether the list changed in this pass."""
        return self.has_young or len(self.totals) > 1

    def is_settled(self, distinct: int, *, again: bool, is_quiet: bool) -> bool:
        """Whether nothing can have been missed, as far as one can tell.

        Args:
            distinct: keys that have come in all passes.
            again: whether a list without `totalCount` takes a second.
            is_quiet: whether further passes have found nothing that the first should have.
        """
        if self.agrees(distinct):
            return True
        if self.is_first:
            # one page is one moment: nothing moves while it is read
            return not self.totals and not self.has_young and (self.pages <= 1 or not again)
        return is_quiet

    def agrees(self, distinct: int) -> bool:
        """Whether what came is what the list says that it has, and it held still."""
        return bool(self.totals) and not self.moves and self.came(distinct) >= self.totals[0]

    def came(self, distinct: int) -> int:
        """Rows that the list may count: whatever stands on its pages, each key once a page."""
        return distinct + self.keyless + self.repeats + self.unreadable

    @override
    def __str__(self) -> str:
        totals = " then ".join(map(str, self.totals)) or "not told"
        return f"the list moved while it was read ({self.rows} rows came, totalCount {totals})"


def with_content(rows: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """Give each row of a page with a hash of all that it holds."""
    if isinstance(rows, Items):
        return ((row, hash(text)) for row, text in rows.with_text())
    return ((row, hash(repr(row))) for row in rows)  # orjson would refuse what is nested deeply
