"""The estimate of what a complete read no longer has, from a few bytes of the one before."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.singer.deletion_marks import KeySample


def kept(rows: int, *keys: object) -> dict[str, Any]:
    """What the state remembers of a read."""
    return {"before": rows, "sample": sampled(*keys).text}


def sampled(*keys: object, before: dict[str, Any] | None = None) -> KeySample:
    found = KeySample(**(before or {}))
    for key in keys:
        found.count([key])
    return found


def sample(*keys: object) -> list[str]:
    told = sampled(*keys).text
    return [told[at : at + 8] for at in range(0, len(told), 8)]


def test_of_a_small_table_every_vanished_row_is_seen_though_others_came() -> None:
    before = kept(10, *range(10))
    assert sampled(*range(3, 13), before=before).vanished(10) == pytest.approx(30)


def test_of_a_large_table_a_change_of_most_rows_is_seen_though_the_number_is_the_same() -> None:
    before = kept(1000, *range(1000))
    assert sampled(*range(1000), before=before).vanished(1000) == 0
    assert sampled(*range(1000, 2000), before=before).vanished(1000) == pytest.approx(100)
    assert sampled(*range(900), before=before).vanished(900) == pytest.approx(10)


def test_of_a_large_table_a_small_change_of_rows_is_no_false_alarm() -> None:
    for seed in range(200):
        old = [f"{seed}-{number}" for number in range(500)]
        new = [*old[25:], *(f"{seed}-new-{number}" for number in range(25))]
        assert sampled(*new, before=kept(500, *old)).vanished(500) == 0


def test_a_row_that_was_there_before_is_found_among_any_number_of_new_ones() -> None:
    before = kept(20, *range(20))
    assert sampled(*range(5_000), before=before).vanished(5_000) == 0
    assert sampled(*range(20, 5_000), before=before).vanished(5_000) == pytest.approx(100)


def test_a_first_read_has_nothing_that_could_vanish() -> None:
    assert sampled(1, 2).vanished(2) == 0


def test_the_sample_is_the_same_for_the_same_rows_in_any_order() -> None:
    assert sampled(*reversed(range(100))).text == sampled(*range(100)).text
    assert len(sampled(*range(100)).text) == 16 * 8


@given(st.lists(st.integers(0, 60)), st.lists(st.integers(0, 60)))
def test_the_sample_is_the_smallest_of_all_whatever_comes_twice(
    some: list[int], more: list[int]
) -> None:
    every = sorted({*sample(*some), *sample(*more)})
    assert sample(*some, *more) == every[:16]
    assert len(every) >= min(16, len({*some, *more}))


def test_a_long_read_takes_no_more_memory_than_a_short_one() -> None:
    sampled(*range(100))
    tracemalloc.start()
    found = sampled(*range(20_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.text
    assert held < 10_000
