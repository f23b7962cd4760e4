"""Lists that move while they are read: each row once, none that stays lost, never without end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.api.completeness import WHOLE, Completeness, Rows
from tap_datto_rmm.api.lists import PASSES, Deduplicator, read_list
from tap_datto_rmm.api.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def row(uid: object, **more: object) -> dict[str, object]:
    return {"uid": uid, **more}


def deduplicator(*names: str, tell: Callable[[str], None] = lambda _: None) -> Deduplicator:
    return Deduplicator(names, tell)


@dataclass
class Reading:
    """A list whose reads are given page by page; what is given and told."""

    reads: list[list[Page]]
    told: list[str] = field(default_factory=list)
    done: int = 0
    completeness: Completeness = WHOLE
    differing: int = 0

    def pages(self) -> Iterator[Page]:
        self.done += 1
        return iter(self.reads[min(self.done, len(self.reads)) - 1])

    def rows(self, **options: Any) -> list[Any]:
        keys = deduplicator("uid", tell=self.told.append)
        rows = Rows(read_list(self.pages, keys, self.told.append, **options))
        found = list(rows)
        self.completeness, self.differing = rows.completeness, keys.differing
        return found


def page(*uids: object, total: int | None = None) -> Page:
    return Page([row(uid) for uid in uids], total=total)


def test_a_list_that_holds_still_is_read_once() -> None:
    reading = Reading([[page(1, 2, total=3), page(3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]
    assert reading.done == 1
    assert reading.told == []
    assert reading.completeness.is_whole


def test_a_row_that_comes_twice_is_given_once() -> None:
    reading = Reading([[page(1, 2, total=3), page(2, 3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]


def test_what_was_missed_when_the_total_count_changed_is_given_in_a_second_read() -> None:
    # 1 left the first page after it was read, so that 3 moved to it unseen
    reading = Reading([[page(1, 2, total=5), page(4, 5, total=4)], [page(2, 3, 4, 5, total=4)]])
    assert reading.rows() == [row(1), row(2), row(4), row(5), row(3)]
    assert reading.done == 2
    assert "totalCount 5 then 4" in reading.told[0]
    assert reading.completeness.is_whole


def test_a_list_that_comes_short_of_its_total_count_is_read_again() -> None:
    reading = Reading([[page(1, 2, total=3)], [page(1, 2, 3, total=3)]])
    assert reading.rows() == [row(1), row(2), row(3)]
    assert reading.done == 2


def test_a_list_that_never_holds_still_is_read_five_times_and_may_lack_rows() -> None:
    reading = Reading([[page(n, total=n + 5)] for n in range(9)])
    assert reading.rows() == [row(n) for n in range(5)]
    assert reading.done == PASSES == 5
    assert not reading.completeness.is_whole
    assert "in each of 5 reads" in reading.completeness.reasons[0]


def test_rows_that_change_places_between_pages_are_found_though_the_total_count_stays() -> None:
    swapped = [page(1, 2, total=4), page(2, 4, total=4)]  # 3 moved to the page that was read
    reading = Reading([swapped, [page(1, 3, total=4), page(2, 4, total=4)]])
    assert reading.rows() == [row(uid) for uid in (1, 2, 4, 3)]
    assert reading.completeness.is_whole
    assert reading.done == 2


def test_a_list_that_grows_while_an_old_row_is_missing_is_quiet_only_after_two_reads() -> None:
    """Twice rows were added in front of 3, behind the page that had been asked for."""
    grows = [
        [page(1, 2, total=3), page(8, 1, total=4)],
        [page(9, 8, total=5), page(1, 2, total=6)],
        [page(9, 8, 1, total=6), page(2, 3, total=7)],
        [page(9, 8, 1, 2, 3, 10, 11, total=7)],
    ]
    reading = Reading(grows)
    found = reading.rows(is_young=lambda row: row["uid"] > 7)
    assert {row["uid"] for row in found} == {1, 2, 3, 8, 9, 10, 11}
    assert reading.done == 4
    assert reading.completeness.is_whole


def test_a_total_count_that_is_always_too_high_is_told_and_does_not_halt() -> None:
    reading = Reading([[page(1, 2, total=7)]])
    assert reading.rows() == [row(1), row(2)]
    assert reading.done == 2
    assert reading.completeness.is_whole
    assert "totalCount says 7, but 2 rows are all that come" in reading.told[-1]


def test_a_row_that_stands_twice_on_one_page_is_no_sign_of_a_list_that_moves() -> None:
    reading = Reading([[page(1, 1, 2, total=3)]])
    assert reading.rows() == [row(1), row(2)]
    assert reading.done == 1
    assert reading.told == []


def test_a_list_without_a_total_count_is_read_again_where_a_mark_depends_on_it() -> None:
    reading = Reading([[page(1), page(3)], [page(1, 2), page(3)], [page(1, 2), page(3)]])
    assert reading.rows(again=True) == [row(1), row(3), row(2)]
    assert reading.done == 3
    assert reading.completeness.is_whole


def test_rows_that_cannot_be_read_are_counted_and_cost_no_further_read() -> None:
    reading = Reading([[Page([row(1)], total=2, unreadable=1)]])
    assert reading.rows() == [row(1)]
    assert reading.done == 1
    assert reading.completeness == Completeness(unreadable=1)


def test_two_rows_of_one_key_that_differ_are_counted_and_the_first_is_told() -> None:
    twice = Page([row(1, name="a"), row(1, name="b"), row(1, name="a"), row(2)], total=4)
    reading = Reading([[twice]])
    assert reading.rows() == [row(1, name="a"), row(2)]
    assert reading.differing == 1
    assert len(reading.told) == 1
    assert "uid 1" in reading.told[0]


def test_a_row_that_changed_between_two_reads_is_no_other_row_of_its_key() -> None:
    first = [Page([row(1, seen=1)], total=2)]
    reading = Reading([first, [Page([row(1, seen=2), row(2)], total=2)]])
    assert reading.rows() == [row(1, seen=1), row(2)]
    assert reading.differing == 0


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
    odd: list[Any] = [None, "text", 7, [], {}, {"uid": None}]
    first = Page([*odd, row(1)], total=8)
    reading = Reading([[first], [Page([*odd, row(1), row(2)], total=8)]])
    assert reading.rows() == [*odd, row(1), row(2)]


def test_whoever_wants_to_know_is_told_how_many_rows_there_will_be() -> None:
    expected: list[int] = []
    reading = Reading([[page(1, total=2), page(2, total=2)]])
    reading.rows(expect=expected.append)
    assert expected == [2]


def test_a_key_of_several_properties_is_one_key() -> None:
    seen = deduplicator("name", "version")
    one, other = {"name": "a", "version": "1"}, {"name": "a", "version": "2"}
    keys = [seen.key_of(row) for row in (one, other, dict(one))]
    assert None not in keys
    assert [seen.is_new(key) for key in keys if key is not None] == [True, True, False]
    assert seen.key_of({"name": "a"}) == seen.key_of({"name": "a", "version": ""})
    assert seen.key_of({"version": "a"}) is None


def test_a_number_and_its_text_are_the_same_key_as_they_become_the_same_record() -> None:
    assert len(Reading([[page(7, "7", total=2)]]).rows()) == 1


def test_a_memory_of_recent_keys_forgets_only_what_is_long_ago() -> None:
    seen = Deduplicator(["uid"], lambda _: None, recent=100)
    keys = [seen.key_of(row(number)) or 0 for number in range(1_000)]
    for place, key in enumerate(keys):
        assert seen.is_new(key)
        for recent in keys[max(0, place - 100) : place + 1]:
            assert not seen.is_new(recent)
    assert seen.is_new(keys[0])


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

    listed = Rows(read_list(pages, deduplicator("uid"), lambda _: None))
    rows = [one["uid"] for one in listed]
    assert len(rows) == len(set(rows))
    assert set(account) <= set(rows) or not listed.completeness.is_whole
