"""Progress: what is told of a long sync, when, and that its estimates are of what they name."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_MINUTE = 100


class Telling:
    """A progress, the time that passes for it, and the lines that it has told."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 1_000.0
        self.counters = Counters()
        self.limiter = RateLimiter(PER_MINUTE, self.clock)
        self.progress = Progress(lambda: (self.limiter.used, self.limiter.ceiling), self.clock)
        self._log = caplog

    def clock(self) -> float:
        return self.now

    @property
    def lines(self) -> list[str]:
        return self._log.messages

    def begin(self, name: str) -> None:
        self.counters.calls = 0
        self.progress.begin(name, self.counters)

    def does(self, steps: int, *, seconds: float, calls: int = 0) -> None:
        """So many steps, the last of them when the seconds are over."""
        for _ in range(steps - 1):
            self.progress.step()
        self.now += seconds
        self.counters.calls += calls
        self.progress.step()


@pytest.fixture
def telling(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # no terminal, wherever the tests run
    with caplog.at_level("INFO", "tap-datto-rmm"):
        yield Telling(caplog)


def test_a_line_tells_stream_share_rate_budget_and_time_left(telling: Telling) -> None:
    telling.begin("device_audits")
    telling.progress.expect(9_830)
    for _ in range(98):
        telling.limiter.count()
    telling.does(4_120, seconds=10, calls=89)
    assert telling.lines == [
        "device_audits 4,120/9,830 (42 %), 8.9 calls/s, budget 98 % used, about 13 s left"
    ]


def test_a_list_of_unknown_length_has_no_share_and_no_time_left(telling: Telling) -> None:
    telling.begin("activity_logs")
    telling.does(12_000, seconds=20, calls=48)
    assert telling.lines == ["activity_logs 12,000, 2.4 calls/s, budget 0 % used"]


def test_there_is_a_line_every_ten_seconds_and_none_between(telling: Telling) -> None:
    telling.begin("devices")
    told_at = []
    for second in range(1, 45):
        before = len(telling.lines)
        telling.does(100, seconds=1)
        if len(telling.lines) > before:
            told_at.append(second)
    assert told_at == [10, 20, 30, 40]
    assert len(telling.lines) == 4


def test_a_stream_that_takes_less_than_ten_seconds_is_not_told(telling: Telling) -> None:
    for name in ("sites", "devices", "users"):
        telling.begin(name)
        telling.progress.expect(200)
        telling.does(200, seconds=9.9)
        telling.progress.end()
    assert telling.lines == []


@pytest.mark.parametrize(
    ("total", "left"),
    [
        (109, "9 s"),
        (189, "89 s"),
        (190, "2 min"),
        (760, "11 min"),
        (3_800, "1 h 2 min"),
        (1_279_000, "355 h 15 min"),
    ],
)
def test_the_time_left_is_told_in_seconds_then_minutes_then_hours(
    telling: Telling, total: int, left: str
) -> None:
    telling.begin("devices")
    telling.progress.expect(total)
    telling.does(100, seconds=100)
    assert telling.lines[0].endswith(f"about {left} left")


def test_the_list_of_parents_is_told_while_it_is_read(telling: Telling) -> None:
    telling.begin("device_audits")
    with telling.progress.aside("devices"):
        telling.now += 1
        telling.progress.expect(100_000)
        telling.does(12_000, seconds=15, calls=48)
    (line,) = telling.lines
    told = "device_audits: devices 12,000/100,000 (12 %), 3.2 calls/s, budget 0 % used, "
    assert line == told + "about 2 min left"


def test_the_time_that_the_list_of_parents_took_is_not_that_of_the_parents(
    telling: Telling,
) -> None:
    telling.begin("device_audits")
    with telling.progress.aside("devices"):
        telling.progress.expect(100_000)
        telling.does(100_000, seconds=120, calls=400)
    telling.progress.expect(9_830)
    telling.does(1, seconds=1, calls=9)
    telling.does(89, seconds=9, calls=80)
    assert telling.lines[1:] == [
        "device_audits 90/9,830 (1 %), 8.9 calls/s, budget 0 % used, about 18 min left"
    ]


def test_time_before_the_first_parent_counts_for_none_whatever_it_went_into(
    telling: Telling,
) -> None:
    telling.begin("jobs")
    telling.now += 3_600
    telling.counters.calls += 4_000
    telling.progress.expect(200)
    telling.does(100, seconds=10, calls=100)
    assert telling.lines == ["jobs 100/200 (50 %), 10.0 calls/s, budget 0 % used, about 10 s left"]


def test_a_list_that_grows_while_it_is_read_keeps_what_was_done(telling: Telling) -> None:
    telling.begin("devices")
    telling.progress.expect(1_000)
    telling.does(500, seconds=5, calls=2)
    telling.progress.expect(2_000)
    telling.does(500, seconds=5, calls=2)
    assert telling.lines == [
        "devices 1,000/2,000 (50 %), 0.4 calls/s, budget 0 % used, about 10 s left"
    ]


def test_what_a_list_needs_meanwhile_leaves_its_own_share_alone(telling: Telling) -> None:
    telling.begin("devices")
    telling.progress.expect(90_000)
    telling.does(60_000, seconds=5)
    with telling.progress.aside("sites"):
        telling.progress.expect(400)
        telling.does(400, seconds=1)
    telling.does(20_000, seconds=14)
    assert telling.lines == [
        "devices 80,000/90,000 (89 %), 0.0 calls/s, budget 0 % used, about 2 s left"
    ]


def test_a_list_with_more_rows_than_it_says_is_whole_and_has_no_time_left(
    telling: Telling,
) -> None:
    telling.begin("devices")
    telling.progress.expect(60)
    telling.does(70, seconds=10)
    assert telling.lines == ["devices 70/60 (100 %), 0.0 calls/s, budget 0 % used"]


def test_the_budget_that_is_told_is_what_other_clients_of_the_account_leave(
    telling: Telling,
) -> None:
    telling.limiter.leave_room_for(560, account_limit=600, slow_from=600)
    for _ in range(30):
        telling.limiter.count()
    telling.begin("devices")
    telling.does(1, seconds=10)
    assert telling.lines == ["devices 1, 0.0 calls/s, budget 75 % used"]
