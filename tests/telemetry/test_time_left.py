"""The time left: of the whole sync, told once it can be believed, and right at the real limit."""

from __future__ import annotations

import re

import pytest

from tap_datto_rmm.telemetry.waits import HOST, Wait
from tests.telemetry.looking import Played


def minutes_in(line: str) -> int | None:
    found = re.search(r"about (\d+) min left in all", line)
    return int(found[1]) if found else None


def test_it_is_of_all_streams() -> None:
    sync = Played(columns=200)
    sync.progress.turn_to(9, 20, lambda: 6_000)
    sync.begin("device_audits", 3_000)
    sync.does(600, seconds=60.5, calls=600)
    assert sync.lines[-1].endswith("stream 9 of 20, about 14 min left in all")


def test_it_is_not_told_before_the_guesses_agree() -> None:
    sync = Played(columns=200)
    sync.progress.turn_to(1, 2, lambda: 6_000)
    sync.begin("device_audits", 3_000)
    sync.does(300, seconds=30.5, calls=300)
    assert [bool(minutes_in(line)) for line in sync.lines] == [False, True, True]
    sync.clock.move(60)  # nothing comes any more: who knows
    assert minutes_in(sync.lines[-1]) is None


def test_it_is_not_told_where_a_later_stream_does_not_know_how_much_it_has_to_do() -> None:
    sync = Played(columns=200)
    sync.progress.turn_to(9, 20, lambda: None)
    sync.begin("device_audits", 3_000)
    sync.does(600, seconds=60.5, calls=600)
    assert "left" not in sync.lines[-1]


def test_it_is_asked_for_again_when_the_stream_knows_its_own_share() -> None:
    known: list[int | None] = [None, 6_000]
    sync = Played(columns=200)
    sync.progress.turn_to(9, 20, lambda: known.pop(0))
    sync.begin("device_audits")
    with sync.progress.aside("devices"):
        sync.progress.expect(50)
        sync.does(50, seconds=1, calls=1)
    sync.progress.expect(3_000)
    sync.does(600, seconds=60, calls=600)
    assert minutes_in(sync.lines[-1]) == 14


def test_calls_that_were_made_ahead_are_no_reason_to_think_that_each_step_takes_many() -> None:
    sync = Played(columns=200)
    sync.progress.turn_to(1, 1, lambda: 0)
    sync.begin("device_audits")
    sync.progress.expect(2_000, least=1)
    sync.of_stream.add(calls=32)
    sync.does(20, seconds=40, calls=20)
    assert sync.progress.calls_left == 2_000 - 52


def test_an_outage_is_no_pace() -> None:
    waits: list[Wait | None] = [None]
    sync = Played(lambda: waits[0], columns=200)
    sync.progress.turn_to(1, 2, lambda: 6_000)
    sync.begin("device_audits", 3_000)
    sync.does(600, seconds=60.5, calls=600)
    waits[0] = Wait(HOST, "waiting for the host, since 20 s")
    sync.clock.move(300)
    assert all("left" not in line for line in sync.lines[6:])
    waits[0] = None
    sync.does(300, seconds=30, calls=300)
    assert minutes_in(sync.lines[-1]) == 14


@pytest.mark.parametrize("seconds_per_call", [0.005, 0.05, 0.1, 0.3])
def test_at_the_limit_it_is_right_from_the_first_minute_to_the_last(
    seconds_per_call: float,
) -> None:
    """540 calls a minute, that leave in bursts, or evenly, or more slowly than they might."""
    sync = Played(columns=200, per_minute=540)
    calls = 5_000
    sync.progress.turn_to(1, 1, lambda: 0)
    sync.begin("device_audits", calls)
    for _ in range(calls):
        with sync.limiter.turn():
            sync.clock.move(seconds_per_call)
            sync.counters.add(calls=1)
            sync.of_stream.add(calls=1)
            sync.progress.step()
    ended = sync.clock.now - sync.paper.began
    told = [(at, minutes) for at, line in sync.paper.told if (minutes := minutes_in(line))]
    assert sync.paper.longest_silence <= 10
    assert len(told) >= 20
    for at, minutes in told:
        left = (ended - at) / 60
        assert minutes == pytest.approx(left, abs=max(1.0, 0.2 * left))
