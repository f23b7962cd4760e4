"""Progress: what is told of a long sync, when, and that its estimates are of what they name."""

from __future__ import annotations

import pytest

from tap_datto_rmm.telemetry.waits import (
    HOST,
    RATE_LIMIT,
    RETRIES,
    Wait,
)
from tests.telemetry.looking import Played


def test_a_line_tells_stream_share_rate_budget_and_which_of_how_many() -> None:
    sync = Played(columns=200)
    sync.progress.turn_to(9, 20, lambda: None)
    sync.begin("device_audits", 9_830)
    sync.does(4_120, seconds=9, calls=89)
    sync.clock.move(1)
    assert sync.lines == [
        "device_audits 4,120/9,830 (42 %), 8.9 calls/s, budget 9 % used, stream 9 of 20"
    ]


def test_a_list_of_unknown_length_has_no_share() -> None:
    sync = Played()
    sync.begin("activity_logs")
    sync.does(12_000, seconds=11, calls=48)
    assert sync.lines == ["activity_logs 10,909, 4.3 calls/s, budget 4 % used"]


def test_there_is_a_line_every_ten_seconds_whether_anything_is_done_or_not() -> None:
    sync = Played()
    sync.begin("devices", 10_000)
    sync.does(500, seconds=15)
    sync.clock.move(100)
    sync.does(500, seconds=15)
    assert [at for at, _ in sync.paper.told] == pytest.approx([10 * n for n in range(1, 14)])


def test_what_takes_less_than_ten_seconds_is_not_told_in_a_log() -> None:
    sync = Played()
    for name in ("sites", "devices", "users"):
        sync.begin(name, 200)
        sync.does(200, seconds=3.3)
    assert sync.lines == []


def test_what_comes_before_the_first_stream_is_told() -> None:
    sync = Played()
    sync.clock.move(10)
    sync.progress.begin("looking up the account", None)
    sync.clock.move(10)
    assert sync.lines == ["signing in", "looking up the account"]


def test_the_list_of_parents_is_told_while_it_is_read() -> None:
    sync = Played()
    sync.begin("device_audits")
    with sync.progress.aside("devices"):
        sync.progress.expect(100_000)
        sync.does(12_000, seconds=12, calls=48)
    (line,) = sync.lines
    assert line.startswith("device_audits: devices 9,999/100,000 (10 %), 3.9 calls/s")


def test_what_a_list_needs_meanwhile_leaves_its_own_share_alone() -> None:
    sync = Played()
    sync.begin("devices", 90_000)
    sync.does(60_000, seconds=5)
    with sync.progress.aside("sites"):
        sync.progress.expect(400)
        sync.does(400, seconds=1)
    sync.does(20_000, seconds=4.5)
    (line,) = sync.lines
    assert line.startswith("devices 77,777/90,000 (86 %)")


def test_a_list_that_grows_while_it_is_read_keeps_what_was_done() -> None:
    sync = Played()
    sync.begin("devices", 1_000)
    sync.does(500, seconds=5)
    sync.progress.expect(2_000)
    sync.does(500, seconds=5.5)
    assert sync.lines[0].startswith("devices 954/2,000 (48 %)")


def test_a_list_that_is_read_again_when_all_its_rows_have_come_says_so() -> None:
    sync = Played()
    sync.begin("devices", 60)
    sync.does(60, seconds=5)
    sync.progress.expect(60)
    sync.clock.move(5)
    assert sync.lines == ["devices 60/60 (100 %), once more, 0.0 calls/s, budget 0 % used"]


def test_a_list_that_has_come_and_is_not_read_again_does_not_say_so() -> None:
    sync = Played()
    sync.begin("devices", 60)
    sync.does(60, seconds=5)
    sync.clock.move(5)
    assert sync.lines == ["devices 60/60 (100 %), 0.0 calls/s, budget 0 % used"]


def test_the_budget_that_is_told_is_what_other_clients_of_the_account_leave() -> None:
    sync = Played(per_minute=540)
    sync.limiter.leave_room_for(500, account_limit=600, slow_from=600)
    for _ in range(75):
        sync.limiter.count()
    sync.begin("devices")
    sync.clock.move(10)
    assert sync.lines == ["devices, 0.0 calls/s, budget 75 % used"]


# What is waited for


def test_a_wait_is_told_in_place_of_the_pace() -> None:
    sync = Played(lambda: Wait(RATE_LIMIT, "waiting 41 s for the rate limit"))
    sync.progress.turn_to(9, 20, lambda: None)
    sync.begin("users", 100)
    sync.clock.move(10)
    assert sync.lines == ["users 0/100 (0 %), waiting 41 s for the rate limit, stream 9 of 20"]


def test_of_two_waits_the_first_counts() -> None:
    sync = Played(lambda: None, lambda: Wait(HOST, "host"), lambda: Wait(RATE_LIMIT, "limit"))
    sync.clock.move(20)
    assert sync.lines == ["signing in, host"] * 2
    assert sync.counters.waits == {HOST: 20.0}


def test_waits_count_by_the_clock_for_the_stream_that_they_befall_and_for_the_run() -> None:
    waits = [Wait(RATE_LIMIT)]
    sync = Played(lambda: waits[0])
    sync.clock.move(5)
    sync.begin("users")
    sync.clock.move(30)
    assert sync.of_stream.waits == {RATE_LIMIT: 30.0}
    assert sync.counters.waits == {RATE_LIMIT: 35.0}


def test_the_retry_of_one_request_is_no_wait_while_others_go_on() -> None:
    sync = Played(lambda: Wait(RETRIES, "retrying /v2/account after HTTP 502"))
    sync.begin("devices", 1_000)
    sync.does(100, seconds=10.5, calls=100)
    assert sync.lines[0].startswith("devices 95/1,000 (10 %), ")
    assert sync.counters.waits == {}
    sync.clock.move(10)
    assert "retrying /v2/account after HTTP 502" in sync.lines[1]
    assert sync.counters.waits == {RETRIES: 9.0}


# Columns


@pytest.mark.parametrize("columns", [30, 40, 52, 60, 69, 78, 200])
@pytest.mark.parametrize(
    "waits",
    [
        None,
        Wait(RATE_LIMIT, "waiting 41 s for the rate limit"),
        Wait(RETRIES, "retrying /v2/site/8f14e45f.../devices/network-interface after HTTP 502"),
    ],
)
def test_a_line_has_no_more_columns_than_there_are(waits: Wait | None, columns: int) -> None:
    sync = Played(lambda: waits, columns=columns)
    sync.progress.turn_to(17, 20, lambda: 1_000)
    sync.begin("site_network_interfaces", 12_000)
    sync.does(3_000, seconds=75, calls=3_000)
    assert len(sync.lines) == 7
    assert max(map(len, sync.lines)) <= columns
    assert all(line.startswith("site_network_interfaces") for line in sync.lines)


def test_the_most_that_a_terminal_of_eighty_columns_has_room_for() -> None:
    sync = Played(lambda: Wait(RATE_LIMIT, "waiting 41 s for the rate limit"), columns=78)
    sync.progress.turn_to(17, 20, lambda: 2_000)
    sync.begin("device_audits", 2_000)
    sync.does(401, seconds=40, calls=401)
    assert sync.lines[-1] == (
        "device_audits 400/2,000, waiting 41 s for the rate limit, 6 min left in all"
    )
