"""The rate budget: never more in a window than allowed, whatever happens."""

from __future__ import annotations

import threading
from threading import Condition
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_datto_rmm.http.rate_limit import GUARD_SECONDS, WINDOW_SECONDS, Closed, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Iterable

WHOLE_WINDOW = WINDOW_SECONDS + GUARD_SECONDS


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


class Waiting(Condition):
    """Waiting moves the clock instead of taking time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._moved = clock

    @override
    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert timeout > 0
        self._moved.now += timeout
        return False


def budget_of(per_minute: int) -> tuple[RateLimiter, Clock]:
    clock = Clock()
    budget = RateLimiter(per_minute, clock)
    budget._changed = Waiting(clock)
    return budget, clock


def take(budget: RateLimiter, times: int = 1) -> list[float]:
    """Make requests one after the other; give the seconds that each waited."""
    waited = []
    for _ in range(times):
        with budget.turn() as turn:
            waited.append(round(turn.waited, 6))
    return waited


def most_in_a_window(moments: Iterable[float]) -> int:
    moments = list(moments)
    return max(sum(start <= m < start + WINDOW_SECONDS for m in moments) for start in moments)


def test_a_short_sync_is_one_burst() -> None:
    budget, _ = budget_of(540)
    assert take(budget, 540) == [0.0] * 540
    assert budget.used == 540


def test_the_next_request_waits_until_the_oldest_has_left_the_window() -> None:
    budget, clock = budget_of(3)
    take(budget)
    clock.now += 10
    take(budget, 2)
    assert take(budget) == [WHOLE_WINDOW - 10]
    assert take(budget) == [10]
    assert take(budget) == [0]


def test_what_has_left_the_window_is_forgotten() -> None:
    budget, clock = budget_of(10)
    take(budget, 4)
    clock.now += 30
    take(budget, 2)
    assert budget.used == 6
    clock.now += 31
    assert budget.used == 2
    clock.now += 60
    assert budget.used == 0


def test_a_turn_counts_what_the_vendor_counts_and_not_what_the_guard_adds() -> None:
    budget, clock = budget_of(10)
    take(budget, 4)
    clock.now += WINDOW_SECONDS - 0.1
    take(budget, 2)
    clock.now += 0.2  # the four are out of the vendor's window, and still in ours
    assert budget.used == 6
    with budget.turn() as turn:
        assert turn == (0, 2)


@given(
    per_minute=st.integers(1, 8),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("sleep"), st.floats(0, 40)),
            st.tuples(st.just("pause"), st.floats(0, 90)),
            st.tuples(st.just("others"), st.floats(0, 700)),
        ),
        max_size=30,
    ),
)
def test_no_rolling_window_ever_holds_more_than_the_budget(
    per_minute: int, steps: list[tuple[str, float]]
) -> None:
    budget, clock = budget_of(per_minute)
    moments = []
    for kind, value in steps:
        match kind:
            case "sleep":
                clock.now += value
            case "pause":
                budget.pause(value)
            case _:
                budget.leave_room_for(int(value), 600, 540)
        take(budget)
        moments.append(clock.now)
    if moments:
        assert most_in_a_window(moments) <= per_minute


def test_a_pause_holds_everybody_back() -> None:
    budget, _ = budget_of(100)
    assert budget.pause(42) is True
    assert take(budget, 2) == [42, 0]


def test_a_longer_pause_is_news_and_a_shorter_one_is_not() -> None:
    budget, clock = budget_of(100)
    assert budget.pause(30) is True
    clock.now += 5
    assert budget.pause(20) is False
    assert budget.pause(60) is True
    assert take(budget) == [60]


def test_a_refusal_slows_down_and_success_speeds_up_again_slowly() -> None:
    budget, clock = budget_of(500)
    assert budget.ceiling == 500
    budget.pause(10)
    assert budget.ceiling == 400
    budget.pause(10)  # of what was still under way
    assert budget.ceiling == 400
    clock.now += 10
    take(budget)
    before = budget.ceiling
    clock.now += WINDOW_SECONDS
    assert before < budget.ceiling < 500
    clock.now += 10 * WINDOW_SECONDS
    assert budget.ceiling == 500


def test_refusal_after_refusal_never_stops_the_tap() -> None:
    budget, clock = budget_of(540)
    for _ in range(60):
        budget.pause(1)
        clock.now += 1
    assert budget.ceiling == 54


def test_it_is_known_for_how_long_requests_have_been_refused() -> None:
    budget, clock = budget_of(100)
    assert budget.refused_for == 0
    budget.pause(60)
    clock.now += 60
    with budget.turn():
        budget.pause(60)  # refused again
    assert budget.refused_for == 60
    clock.now += 60
    take(budget)
    assert budget.refused_for == 0


def test_after_a_pause_one_request_tries_alone() -> None:
    budget = RateLimiter(100)
    budget.pause(0)
    let_in, go_on = threading.Event(), threading.Event()

    def follow() -> None:
        with budget.turn():
            let_in.set()
            go_on.wait(5)

    follower = threading.Thread(target=follow)
    with budget.turn():
        follower.start()
        assert not let_in.wait(0.05)
    assert let_in.wait(5)
    with budget.turn() as turn:  # the trial went well: nobody waits for anybody
        assert turn.waited < 1
    go_on.set()
    follower.join()


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
    budget, _ = budget_of(per_minute)
    changed = budget.leave_room_for(others, account_limit=600, slow_from=540)
    assert budget.ceiling == ceiling
    assert changed is (ceiling < per_minute)
    budget.leave_room_for(0, account_limit=600, slow_from=540)
    assert budget.ceiling == per_minute


def test_a_lower_ceiling_counts_what_has_left_already() -> None:
    budget, _ = budget_of(540)
    take(budget, 300)
    budget.leave_room_for(400, 600, 540)
    assert take(budget) == [WHOLE_WINDOW]


def test_a_request_that_cannot_wait_is_counted_all_the_same() -> None:
    budget, _ = budget_of(2)
    budget.count()
    assert budget.used == 1
    assert take(budget, 2) == [0, WHOLE_WINDOW]


@pytest.mark.parametrize("why", [None, ValueError("gone")])
def test_whoever_waits_learns_at_once_that_the_tap_has_ended(why: Exception | None) -> None:
    budget = RateLimiter(1)
    take(budget)
    ended: list[BaseException] = []

    def wait_long() -> None:
        try:
            take(budget)
        except (Closed, ValueError) as error:
            ended.append(error)

    waiting = threading.Thread(target=wait_long)
    waiting.start()
    budget.close(why)
    waiting.join(5)
    assert not waiting.is_alive()
    assert [type(error) for error in ended] == [type(why) if why else Closed]
    with pytest.raises(Closed if why is None else ValueError):
        take(budget)
