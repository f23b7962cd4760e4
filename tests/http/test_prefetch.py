"""Ordered concurrency: the order of the questions, and never more than the window."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.http.prefetch import ordered_prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_results_come_in_the_order_of_the_questions(threads: ThreadPoolExecutor) -> None:
    def fetch(number: int) -> int:
        time.sleep((number * 7 % 5) / 1000)
        return number * number

    got = list(ordered_prefetch(threads, fetch, range(60), 8))
    assert got == [(number, number * number) for number in range(60)]


def test_as_many_are_under_way_as_the_window_and_no_more(threads: ThreadPoolExecutor) -> None:
    together = threading.Barrier(4)  # breaks unless four are under way at once
    lock = threading.Lock()
    now, most = 0, 0

    def fetch(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(5)
        with lock:
            now -= 1
        return number

    assert len(list(ordered_prefetch(threads, fetch, range(20), 4))) == 20
    assert most == 4


def test_items_are_taken_only_as_the_window_moves(threads: ThreadPoolExecutor) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    results = ordered_prefetch(threads, lambda number: number, items(), 3)
    assert taken == []
    for given in range(10):
        assert next(results) == (given, given)
        assert len(taken) == given + 3
    del results


def test_items_may_depend_on_results_given_before(threads: ThreadPoolExecutor) -> None:
    last = [99]

    def items() -> Iterator[int]:
        for number in count():
            if number > last[0]:
                return
            yield number

    got = []
    for number, _ in ordered_prefetch(threads, lambda number: number, items(), 2):
        got.append(number)
        last[0] = 5
    assert got == [0, 1, 2, 3, 4, 5]


def test_no_items_give_nothing(threads: ThreadPoolExecutor) -> None:
    assert list(ordered_prefetch(threads, str, [], 4)) == []


def test_an_error_stands_where_its_result_would_have_stood(threads: ThreadPoolExecutor) -> None:
    def fetch(number: int) -> int:
        if number == 5:
            raise ValueError(number)
        time.sleep(0.01 if number < 5 else 0)  # the error is there long before its turn
        return number

    results = ordered_prefetch(threads, fetch, range(100), 8)
    assert [number for number, _ in islice(results, 5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="5"):
        next(results)


def test_what_has_not_started_never_does_once_the_reader_stops() -> None:
    started: list[int] = []
    release = threading.Event()

    def fetch(number: int) -> int:
        started.append(number)
        if number:
            release.wait(5)
        return number

    with ThreadPoolExecutor(1) as one_thread:
        results = ordered_prefetch(one_thread, fetch, range(100), 8)
        assert next(results) == (0, 0)
        while len(started) < 2:
            time.sleep(0.001)
        del results
        release.set()
    assert started == [0, 1]


def test_a_ramp_doubles_with_each_result(threads: ThreadPoolExecutor) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    results = ordered_prefetch(threads, lambda number: number, items(), 8, ramp=True)
    ahead = [len(taken) for _ in islice(results, 6)]
    del results
    assert ahead == [1, 1 + 2, 2 + 4, 3 + 8, 4 + 8, 5 + 8]


def test_a_result_is_let_go_once_it_was_given(threads: ThreadPoolExecutor) -> None:
    alive = 0
    lock = threading.Lock()

    class Watched:
        def __init__(self) -> None:
            nonlocal alive
            with lock:
                alive += 1

        def __del__(self) -> None:
            nonlocal alive
            with lock:
                alive -= 1

    most = 0
    for _, rows in ordered_prefetch(threads, lambda _: Watched(), range(50), 4):
        del rows
        most = max(most, alive)
    assert most <= 4 + 1
