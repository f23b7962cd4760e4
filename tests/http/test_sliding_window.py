"""The rate limit's arithmetic: never more in a window than allowed, and room for others."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.http.sliding_window import (
    GUARD_SECONDS,
    JITTER,
    WINDOW_SECONDS,
    SlidingWindow,
)

WHOLE_WINDOW = WINDOW_SECONDS + GUARD_SECONDS
LIMIT = 600


class Sender:
    """Sends as soon as it may, one request after the other."""

    def __init__(self, requests: int) -> None:
        self.window = SlidingWindow(requests, jitter=lambda _: 0.0)
        self.now = 5_000.0
        self.sent: list[float] = []

    def send(self, times: int = 1) -> list[float]:
        """Give the seconds that each waited."""
        waited = []
        for _ in range(times):
            waited.append(round(self.window.delay(self.now), 6))
            self.now += waited[-1]
            self.window.leave(self.now)
            self.window.end_trial(self.now)
            self.sent.append(self.now)
        return waited

    @property
    def most_in_a_window(self) -> int:
        return max(sum(at <= m < at + WINDOW_SECONDS for m in self.sent) for at in self.sent)


def test_a_short_sync_is_one_burst() -> None:
    sender = Sender(540)
    assert sender.send(540) == [0.0] * 540
    assert sender.window.used(sender.now) == 540


def test_the_next_request_waits_until_the_oldest_has_left_the_window() -> None:
    sender = Sender(3)
    sender.send()
    sender.now += 10
    sender.send(2)
    assert sender.send() == [WHOLE_WINDOW - 10]
    assert sender.send() == [10]
    assert sender.send() == [0]


def test_what_has_left_the_window_is_forgotten() -> None:
    sender = Sender(10)
    sender.send(4)
    sender.now += 30
    sender.send(2)
    assert sender.window.used(sender.now) == 6
    sender.now += 30 + GUARD_SECONDS
    assert sender.window.used(sender.now) == 2
    sender.now += 30
    assert sender.window.used(sender.now) == 0


def test_a_turn_counts_what_the_server_counts_and_not_what_the_guard_adds() -> None:
    sender = Sender(10)
    sender.send(4)
    sender.now += WINDOW_SECONDS - 10
    sender.send(2)
    sender.now += 10 + GUARD_SECONDS / 2
    assert sender.window.used(sender.now) == 6
    assert sender.window.leave(sender.now).before == 2


def test_a_request_that_cannot_wait_is_counted_all_the_same() -> None:
    sender = Sender(2)
    sender.window.count(sender.now)
    assert sender.window.used(sender.now) == 1
    assert sender.send(2) == [0, WHOLE_WINDOW]


@given(
    st.integers(1, 30),
    st.lists(
        st.one_of(
            st.tuples(st.just("idle"), st.floats(0, 90)),
            st.tuples(st.just("pause"), st.floats(0, 90)),
            st.tuples(st.just("refuse"), st.floats(0, 90)),
            st.tuples(st.just("others"), st.integers(0, 700)),
        ),
        max_size=150,
    ),
)
def test_no_rolling_window_ever_holds_more_than_allowed(
    requests: int, events: list[tuple[str, float]]
) -> None:
    sender = Sender(requests)
    for what, value in events:
        match what:
            case "idle":
                sender.now += value
            case "pause":
                sender.window.pause(sender.now, value)
            case "refuse":
                sender.window.refuse(sender.now, None if value < 1 else value)
            case _:
                sender.window.leave_room_for(int(value), LIMIT, 540)
        sender.send()
    if sender.sent:
        assert sender.most_in_a_window <= requests


@pytest.mark.parametrize(
    ("per_minute", "others", "ceiling"),
    [
        (540, 0, 540),
        (540, 100, 440),
        (300, 100, 300),
        (540, 540, 54),
        (540, 5_000, 54),
        (600, 0, 600),  # the user wants more than the vendor gives at full speed
        (600, 100, 500),
        (5, 600, 1),
    ],
)
def test_other_clients_of_the_account_are_left_their_room(
    per_minute: int, others: int, ceiling: int
) -> None:
    window = SlidingWindow(per_minute)
    changed = window.leave_room_for(others, account_limit=600, slow_from=540)
    assert window.ceiling(0) == ceiling
    assert changed is (ceiling < per_minute)
    window.leave_room_for(0, account_limit=600, slow_from=540)
    assert window.ceiling(0) == per_minute


def test_a_lower_ceiling_counts_what_has_left_already() -> None:
    sender = Sender(540)
    sender.send(300)
    sender.window.leave_room_for(400, 600, 540)
    assert sender.send() == [WHOLE_WINDOW]


# Refusals


def test_a_pause_holds_everything_back() -> None:
    sender = Sender(100)
    assert sender.window.pause(sender.now, 42) == 42
    assert sender.send() == [42]


def test_a_longer_pause_is_news_and_a_shorter_one_is_not() -> None:
    sender = Sender(100)
    assert sender.window.pause(sender.now, 30) == 30
    sender.now += 5
    assert sender.window.pause(sender.now, 20) == 0
    assert sender.window.pause(sender.now, 60) == 60
    assert sender.send() == [60]


def test_the_server_is_obeyed_but_never_for_less_than_a_second() -> None:
    assert SlidingWindow(100, jitter=lambda _: 0.0).refuse(0, 0.0) == 1
    assert SlidingWindow(100, jitter=lambda _: 0.0).refuse(0, 7.0) == 7
    assert SlidingWindow(100, jitter=lambda _: 0.0).refuse(0, 300.0) == 300


def test_a_pause_is_drawn_a_little_longer_never_shorter() -> None:
    window = SlidingWindow(100)
    seconds = window.refuse(0, 40.0)
    assert 40 <= seconds <= 40 * (1 + JITTER)


def test_each_refusal_in_a_row_waits_twice_as_long_up_to_a_window() -> None:
    sender = Sender(540)
    pauses = []
    for _ in range(9):
        pauses.append(sender.window.refuse(sender.now, 1.0))
        sender.send()  # let in
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    sender.now += 3 * WINDOW_SECONDS
    assert sender.window.refuse(sender.now, 1.0) == 1


def test_refusals_of_what_was_under_way_count_once() -> None:
    sender = Sender(540)
    first = sender.window.refuse(sender.now, 1.0)
    before = sender.window.ceiling(sender.now)
    later = [sender.window.refuse(sender.now + 0.01 * n, 1.0) for n in range(16)]
    assert first == 1
    assert set(later) == {0}
    assert sender.window.ceiling(sender.now) == before


def test_without_a_time_the_pause_lasts_until_there_is_room_then_a_whole_window() -> None:
    sender = Sender(540)
    for _ in range(100):
        sender.now += 0.5
        sender.send()
    seconds = sender.window.refuse(sender.now, None)
    sender.now += seconds
    assert 20 <= seconds <= 21  # a fifth of them left in the first ten of these fifty seconds
    assert sender.window.refuse(sender.now, None) == WINDOW_SECONDS


def test_without_a_time_the_first_request_of_all_waits_a_whole_window() -> None:
    assert SlidingWindow(540, jitter=lambda _: 0.0).refuse(0, None) == WINDOW_SECONDS


def test_a_refusal_lowers_the_ceiling_to_less_than_what_was_in_use() -> None:
    sender = Sender(500)
    sender.send(400)
    sender.window.refuse(sender.now, 1.0)
    assert sender.window.ceiling(sender.now) == 320


def test_one_refusal_never_more_than_halves_the_ceiling() -> None:
    sender = Sender(500)
    sender.send()
    sender.window.refuse(sender.now, 1.0)
    assert sender.window.ceiling(sender.now) == 250


def test_the_ceiling_comes_back_slowly_and_more_slowly_after_each_refusal() -> None:
    sender = Sender(500)
    gained = []
    for _ in range(3):
        sender.send(int(sender.window.ceiling(sender.now)) - sender.window.used(sender.now))
        sender.window.pause(sender.now, 1)
        before = sender.window.ceiling(sender.now)
        sender.now += WINDOW_SECONDS
        sender.send()
        gained.append(sender.window.ceiling(sender.now) - before)
    assert gained == sorted(gained, reverse=True)
    assert gained[0] > gained[-1] > 0
    sender.now += 40 * WINDOW_SECONDS
    assert sender.window.ceiling(sender.now) == 500


def test_refusal_after_refusal_never_stops_the_tap() -> None:
    window = SlidingWindow(540)
    for second in range(0, 6_000, 100):
        window.pause(second, 1)
    assert window.ceiling(6_000) == 54


def test_after_a_refusal_requests_leave_at_even_distances() -> None:
    sender = Sender(100)
    sender.send(10)
    sender.window.pause(sender.now, 5)
    sender.send()
    gaps = sender.send(20)
    assert min(gaps) == pytest.approx(WINDOW_SECONDS / 50, rel=0.05)


def test_after_a_pause_nothing_leaves_until_the_first_has_come_back() -> None:
    window = SlidingWindow(100)
    window.pause(0, 5)
    assert window.leave(5).is_trial
    assert window.delay(5) == float("inf")
    window.refuse(6, 2.0)
    window.end_trial(6)
    assert 4 <= window.delay(6) <= 4 * (1 + JITTER)
    assert window.refused_for(11) == 11
    assert window.leave(11).is_trial
    window.end_trial(11.5)
    assert window.refused_for(11.5) == 0
    assert not window.leave(14).is_trial


# Two clients of one account


@dataclass
class Account:
    """Serves so many requests in a rolling window, and refuses the others."""

    served: deque[float] = field(default_factory=deque)
    refused: list[float] = field(default_factory=list)

    def takes(self, now: float) -> bool:
        while self.served and self.served[0] <= now - WINDOW_SECONDS:
            self.served.popleft()
        if len(self.served) < LIMIT:
            self.served.append(now)
            return True
        self.refused.append(now)
        return False


@dataclass
class Tap:
    """A client with eight threads, each of which always has something to ask."""

    window: SlidingWindow
    free_at: list[float]
    looks: bool
    served: list[float] = field(default_factory=list)
    looked_at: float = 0.0
    latency: float = 0.3

    def next_at(self) -> float:
        free = min(self.free_at)
        delay = self.window.delay(free)
        return free if delay == float("inf") else free + delay

    def act(self, now: float, account: Account, asked: float | None) -> None:
        """Send a request, which comes back at once; its thread is free a little later."""
        self.free_at.remove(min(self.free_at))
        self.free_at.append(now + self.latency)
        turn = self.window.leave(now)
        if account.takes(now):
            self.served.append(now)
        else:
            self.window.refuse(now, asked)
        if turn.is_trial:
            self.window.end_trial(now)
        if self.looks and now - self.looked_at >= 20:
            self.looked_at = now
            own = sum(1 for at in self.served if at > now - WINDOW_SECONDS)
            self.window.leave_room_for(len(account.served) - own, LIMIT, 540)


def share_an_account(
    asked: float | None, *, looks: bool, minutes: int = 20
) -> tuple[Account, list[Tap]]:
    """Let two taps run beside each other."""
    dice, account = random.Random(7), Account()  # noqa: S311
    taps = [
        Tap(
            SlidingWindow(540, jitter=lambda most: dice.uniform(0, most)),
            [start + thread / 1000 for thread in range(8)],
            looks,
        )
        for start in (0.0, 0.05)
    ]
    for _ in count():
        tap = min(taps, key=Tap.next_at)
        now = tap.next_at()
        if now > minutes * 60:
            return account, taps
        tap.act(now, account, asked)
    raise AssertionError


def per_minute(moments: list[float], minutes: int = 20) -> list[int]:
    return [
        sum(1 for at in moments if minute * 60 <= at < minute * 60 + 60)
        for minute in range(minutes)
    ]


@pytest.mark.parametrize("asked", [1.0, None])
def test_two_taps_on_one_account_that_look_at_its_use_settle_after_one_refusal(
    asked: float | None,
) -> None:
    account, taps = share_an_account(asked, looks=True)
    assert account.refused
    assert max(account.refused) < 180
    last = [per_minute(tap.served)[-1] for tap in taps]
    assert sum(last) > 500
    assert min(last) > 150


@pytest.mark.parametrize("asked", [1.0, None])
def test_two_taps_that_cannot_know_of_each_other_are_refused_more_and_more_seldom(
    asked: float | None,
) -> None:
    account, taps = share_an_account(asked, looks=False, minutes=40)
    refused = per_minute(account.refused, 40)
    assert sum(refused[20:]) <= sum(refused[:20])
    assert max(refused[3:]) <= 4
    served = [sum(per_minute(tap.served, 40)[10:]) for tap in taps]
    assert sum(served) > 30 * 480
    assert min(served) > 0.3 * sum(served) / 2


def test_retry_after_1_again_and_again_is_refused_less_and_less() -> None:
    """Others leave nothing: each request is refused, with a second to wait."""
    window, now = SlidingWindow(540, jitter=lambda _: 0.0), 0.0
    refused = []
    while now < 600:
        now += window.delay(now)
        window.leave(now)
        refused.append(now)
        window.refuse(now, 1.0)
        window.end_trial(now)
    assert per_minute(refused, 10)[0] == 6
    assert max(per_minute(refused, 10)[1:]) <= 1
    assert all(b - a <= c - b for (a, b), (_, c) in pairwise(pairwise(refused)))


@given(
    before=st.lists(st.floats(0, 20), max_size=12),
    rest=st.floats(0, 70),
    requests=st.integers(1, 40),
)
def test_the_time_that_so_many_requests_take_is_known_before_they_are_sent(
    before: list[float], rest: float, requests: int
) -> None:
    sender = Sender(5)
    for seconds in before:
        sender.now += seconds
        sender.send()
    sender.now += rest
    began, told = sender.now, sender.window.seconds_for(sender.now, requests)
    sender.send(requests)
    assert sender.now - began == pytest.approx(told, abs=1e-3)


def test_a_pause_is_part_of_the_time_that_requests_take() -> None:
    window = SlidingWindow(600, jitter=lambda _: 0.0)
    window.refuse(5_000, 20)
    assert window.seconds_for(5_000, 1) == 20
