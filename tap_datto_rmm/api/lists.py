"""Lists that move while they are read: every row that stays is given once.

The API pages by offset over live data, in no documented order: where a row leaves an earlier page,
the rows behind it move up and one of them is missed (docs/datto-rmm-api.md §2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_datto_rmm.api.pages import Page

PASSES: Final = 3
"""How often a list is read at most for one complete sight of it."""


@dataclass(slots=True)
class Watch:
    """Looks on while lists are read."""

    tell: Callable[[str], None]
    """Takes a line for the log."""
    partial: bool = False
    """Whether rows may be missing from a list that has been read."""


class Seen:
    """The keys given so far, 64 bits each: 100,000 keys take about 8 MB.

    Two different keys that share a hash would cost a row; at 100,000 keys the odds are 1 in 4
    billion.
    """

    def __init__(self, keys: Sequence[str], recent: int | None = None) -> None:
        """Remember nothing yet.

        Args:
            keys: names of the properties that make a row's key.
            recent: remember at least this many, but not all: for lists that repeat a row soon or
                not at all, and may be of any length.
        """
        self._names = tuple(keys)
        self._recent = recent
        self._hashes: set[int] = set()
        self._older: set[int] = set()

    def key_of(self, row: object) -> int | None:
        """Hash of a row's key; None where it has none, or one that is no scalar."""
        if type(row) is not dict:
            return None
        values = [row.get(name) for name in self._names]
        if not values or None in values:
            return None
        return hash(tuple(map(str, values)))

    def add(self, key: int) -> bool:
        """Remember a key; tell whether it is new."""
        if key in self._hashes or key in self._older:
            return False
        if len(self._hashes) == self._recent:
            self._older, self._hashes = self._hashes, set()
        self._hashes.add(key)
        return True


def read_list(
    pages: Callable[[], Iterable[Page]],
    seen: Seen,
    watch: Watch,
    expect: Callable[[int], None] | None = None,
    *,
    is_young: Callable[[Any], bool] = lambda _: False,
) -> Iterator[Any]:
    """Give every row of a list once, reading it again where it changed meanwhile.

    Where `totalCount` changes during the read, fewer rows came than it says, or a row came that is
    younger than the read, the list is read again, up to three times in all, and only what was
    missed is given. Where the API gives no `totalCount` (open alerts, activity logs), the list is
    read once: a row may then be missed in this run where another one left an earlier page in the
    meantime.

    Args:
        pages: starts a read of the list.
        seen: keys given before; shared where several lists may hold the same row.
        watch: is told of it, and of rows that may be missing after all.
        expect: takes the number of rows, where the API tells it.
        is_young: whether a row was added while the list was read. Another that left at the same
            time would keep `totalCount` as it was.

    Yields:
        Rows as the API sent them. One without a key is given too, for the converter to count.
    """
    for attempt in range(1, PASSES + 1):
        read = _Read()
        for page in pages():
            if read.is_new_total(page) and expect:
                expect(read.totals[-1])
            for row in page.rows:
                read.rows += 1
                read.young = read.young or is_young(row)
                key = seen.key_of(row)
                if attempt == 1 if key is None else seen.add(key):
                    read.new += 1
                    yield row
        if read.settled:
            return
        if attempt < PASSES:
            watch.tell(f"{read}: reading it again")
    watch.partial = True
    watch.tell(f"{read} in each of {PASSES} reads: rows may be missing until the next run")


@dataclass(slots=True)
class _Read:
    """What was seen of a list from its first page to its last."""

    rows: int = 0
    new: int = 0
    young: bool = False
    totals: list[int] = field(default_factory=list)

    def is_new_total(self, page: Page) -> bool:
        """Note the list's length as a page tells it; say whether it differs from before."""
        if page.total is None or page.total in self.totals:
            return False
        self.totals.append(page.total)
        return True

    @property
    def settled(self) -> bool:
        """Whether nothing was missed, as far as one can tell."""
        if self.totals and (len(self.totals) > 1 or self.rows < self.totals[0]):
            return False
        return not (self.young and self.new)

    @override
    def __str__(self) -> str:
        totals = " then ".join(map(str, self.totals)) or "not told"
        return f"the list moved while it was read ({self.rows} rows came, totalCount {totals})"
