"""Lists that move while they are read: each row once, none that stays lost, never without end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.api.lists import PASSES, Seen, Watch, read_list
from tap_datto_rmm.api.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Rows = list[Any]


def row(uid: object, **more: object) -> dict[str, object]:
    return {"uid": uid, **more}


@dataclass
class Reading:
    """A list whose reads are given page by page; what is given and told."""

    reads: list[list[Page]]
    seen: Seen = field(default_factory=lambda: Seen(["uid"]))
    told: list[str] = field(default_factory=list)
    done: int = 0
    partial: bool = False

    def pages(self) -> Iterator[Page]:
        self.done += 1
        return iter(self.reads[min(self.done, len(self.reads)) - 1])

    def rows(self, **options: Callable[[Any], Any]) -> Rows:
        watch = Watch(self.told.append)
        given_rows = list(read_list(self.pages, self.seen, watch, **options))
        self.partial = watch.partial
        return given_rows


def page(*uids: object, total: int | None = None) -> Page:
    return Page([row(uid) for uid in uids], total=total)


def test_a_list_that_holds_still_is_read_once() -> None:
    reading = Reading([[page(1, 2, total=3), page(3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]
    assert reading.done == 1
    assert reading.told == []
    assert not reading.partial


def test_a_row_that_comes_twice_is_given_once() -> None:
    reading = Reading([[page(1, 2, total=3), page(2, 3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]


def test_what_was_missed_when_the_total_count_changed_is_given_in_a_second_read() -> None:
    # 1 left the first page after it was read, so that 3 moved to it unseen
    reading = Reading([[page(1, 2, total=5), page(4, 5, total=4)], [page(2, 3, 4, 5, total=4)]])
    assert reading.rows() == [row(1), row(2), row(4), row(5), row(3)]
    assert reading.done == 2
    assert "totalCount 5 then 4" in reading.told[0]
    assert not reading.partial


def test_a_list_that_comes_short_of_its_total_count_is_read_again() -> None:
    reading = Reading([[page(1, 2, total=3)], [page(1, 2, 3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]
    assert reading.done == 2


def test_a_list_that_never_holds_still_is_read_three_times_and_called_partial() -> None:
    reading = Reading([[page(1, total=2)], [page(2, total=3)], [page(3, total=4)]])
    assert reading.rows() == [row(1), row(2), row(3)]
    assert reading.done == PASSES == 3
    assert reading.partial
    assert "rows may be missing" in reading.told[-1]


def test_without_a_total_count_a_list_is_read_once() -> None:
    reading = Reading([[page(1), page(2)]])
    assert reading.rows() == [row(1), row(2)]
    assert reading.done == 1
    assert reading.told == []


def test_a_row_added_meanwhile_leads_to_another_read_though_the_count_stayed() -> None:
    def is_young(one: dict[str, object]) -> bool:
        return one["uid"] == 9

    # 1 left and 9 came: the count is the same, and 3 has moved to the first page unseen
    reading = Reading([[page(1, 2, total=4), page(4, 9, total=4)], [page(2, 3, 4, 9, total=4)]])
    assert reading.rows(is_young=is_young) == [row(uid) for uid in (1, 2, 4, 9, 3)]


def test_what_has_no_key_is_given_once_for_the_converter_to_count() -> None:
    odd: Rows = [None, "text", 7, [], {}, {"uid": None}]
    first = Page([*odd, row(1)], total=8)
    reading = Reading([[first], [Page([*odd, row(1), row(2)], total=8)]])
    assert reading.rows() == [*odd, row(1), row(2)]


def test_lists_that_share_their_keys_give_a_row_once_for_all() -> None:
    seen = Seen(["uid"])
    assert Reading([[page(1, 2)]], seen).rows() == [row(1), row(2)]
    assert Reading([[page(2, 3)]], seen).rows() == [row(3)]


def test_whoever_wants_to_know_is_told_how_many_rows_there_will_be() -> None:
    expected: list[int] = []
    reading = Reading([[page(1, total=2), page(2, total=2)]])
    reading.rows(expect=expected.append)
    assert expected == [2]


def test_a_key_of_several_properties_is_one_key() -> None:
    seen = Seen(["name", "version"])
    one, other = {"name": "a", "version": "1"}, {"name": "a", "version": "2"}
    keys = [seen.key_of(row) for row in (one, other, dict(one))]
    assert None not in keys
    assert [seen.add(key) for key in keys if key is not None] == [True, True, False]
    assert seen.key_of({"name": "a"}) is None


def test_a_number_and_its_text_are_the_same_key_as_they_become_the_same_record() -> None:
    assert len(Reading([[page(7, "7", total=2)]]).rows()) == 1


def test_a_memory_of_recent_keys_forgets_only_what_is_long_ago() -> None:
    seen = Seen(["uid"], recent=100)
    keys = [seen.key_of(row(number)) or 0 for number in range(1_000)]
    for place, key in enumerate(keys):
        assert seen.add(key)
        for recent in keys[max(0, place - 100) : place + 1]:
            assert not seen.add(recent)
    assert seen.add(keys[0])


@given(
    removals=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 19)), max_size=4),
    size=st.integers(1, 7),
)
def test_no_row_that_stays_is_lost_where_others_leave(
    removals: list[tuple[int, int]], size: int
) -> None:
    account = list(range(20))
    gone = dict(removals)
    turn = 0

    def pages() -> Iterator[Page]:
        nonlocal turn
        number = 0
        while True:
            if gone.get(turn) in account:
                account.remove(gone[turn])
            turn += 1
            some = account[number * size : (number + 1) * size]
            yield page(*some, total=len(account))
            number += 1
            if number * size >= len(account):
                return

    watch = Watch(lambda _: None)
    rows = [one["uid"] for one in read_list(pages, Seen(["uid"]), watch)]
    assert len(rows) == len(set(rows))
    assert set(account) <= set(rows) or watch.partial
