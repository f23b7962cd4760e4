"""The rate limiter: threads wait for their turn, and learn at once when there will be none."""

from __future__ import annotations

import threading

import pytest

from tap_datto_rmm.http.closing import Closed
from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.http.sliding_window import GUARD_SECONDS, WINDOW_SECONDS
from tests.http.fakes import Clock, Waiting


def limiter_of(requests: int) -> tuple[RateLimiter, Clock]:
    clock = Clock()
    return RateLimiter(requests, clock, changed=Waiting(clock)), clock


def take(limiter: RateLimiter, times: int = 1) -> list[float]:
    """Make requests one after the other; give the seconds that each waited."""
    waited = []
    for _ in range(times):
        with limiter.turn() as turn:
            waited.append(round(turn.waited, 6))
    return waited


def test_a_full_window_is_waited_out() -> None:
    limiter, clock = limiter_of(2)
    assert take(limiter, 2) == [0, 0]
    assert (limiter.used, limiter.ceiling) == (2, 2)
    clock.now += 10
    assert take(limiter) == [WINDOW_SECONDS + GUARD_SECONDS - 10]


def test_what_leaves_out_of_turn_is_counted() -> None:
    limiter, _ = limiter_of(2)
    limiter.count()
    assert take(limiter, 2) == [0, WINDOW_SECONDS + GUARD_SECONDS]


def test_a_refusal_makes_the_next_turn_wait() -> None:
    limiter, clock = limiter_of(100)
    with limiter.turn():
        seconds = limiter.refuse(7.0)
    assert take(limiter) == [pytest.approx(seconds)]
    assert limiter.refused_for == 0
    limiter.pause(300)
    clock.now += 300
    assert limiter.refused_for == 300


def test_room_for_others_counts_at_once() -> None:
    limiter, _ = limiter_of(540)
    assert limiter.leave_room_for(400, 600, 540)
    assert limiter.ceiling == 140


def test_after_a_pause_one_request_tries_alone() -> None:
    limiter = RateLimiter(100_000)
    limiter.pause(0)
    let_in, go_on = threading.Event(), threading.Event()

    def follow() -> None:
        with limiter.turn():
            let_in.set()
            go_on.wait(5)

    follower = threading.Thread(target=follow)
    with limiter.turn():
        follower.start()
        assert not let_in.wait(0.05)
    assert let_in.wait(5)
    with limiter.turn() as turn:  # the trial went well: nobody waits for anybody
        assert not turn.is_trial
    go_on.set()
    follower.join()


@pytest.mark.parametrize("why", [None, ValueError("gone")])
def test_whoever_waits_learns_at_once_that_the_run_has_ended(why: Exception | None) -> None:
    limiter = RateLimiter(1)
    take(limiter)
    ended: list[BaseException] = []

    def wait_long() -> None:
        try:
            take(limiter)
        except (Closed, ValueError) as error:
            ended.append(error)

    waiting = threading.Thread(target=wait_long)
    waiting.start()
    limiter.close(why)
    waiting.join(5)
    assert not waiting.is_alive()
    assert [type(error) for error in ended] == [type(why) if why else Closed]
    with pytest.raises(Closed if why is None else ValueError):
        take(limiter)
