"""The rate limit: a rolling window, a slow-down, refusals, the block, another client's calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from datto_rmm_sandbox.limits import RateLimit, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def limit(clock: Clock, other_rate: float = 0.0) -> RateLimit:
    return RateLimit(
        limit=600,
        window=60,
        slow_down_seconds=1,
        block_after=100,
        block_seconds=300,
        other_rate=other_rate,
        clock=clock,
    )


def test_600_calls_in_any_minute_are_served_the_last_tenth_slowly() -> None:
    clock = Clock()
    rate = limit(clock)
    verdicts = [rate.arrive() for _ in range(601)]
    assert verdicts == [Verdict.FREE] * 540 + [Verdict.SLOW] * 60 + [Verdict.REFUSED]
    clock.now += 59.9
    assert rate.arrive() is Verdict.REFUSED
    clock.now += 0.2
    assert rate.arrive() is Verdict.FREE


def test_the_window_rolls() -> None:
    clock = Clock()
    rate = limit(clock)
    for _ in range(300):
        rate.arrive()
    clock.now += 40
    for _ in range(300):
        rate.arrive()
    assert rate.arrive() is Verdict.REFUSED
    clock.now += 20
    assert rate.count() == 300


def test_who_goes_on_after_refusals_is_blocked_for_five_minutes() -> None:
    clock = Clock()
    rate = limit(clock)
    verdicts = [rate.arrive() for _ in range(600 + 100 + 5)]
    assert verdicts[600:] == [Verdict.REFUSED] * 100 + [Verdict.BLOCKED] * 5
    clock.now += 299
    assert rate.arrive() is Verdict.BLOCKED
    clock.now += 1
    assert rate.arrive() is Verdict.FREE


def test_another_clients_calls_count() -> None:
    rate = limit(Clock(), other_rate=180)
    assert rate.count() == 180
    verdicts = [rate.arrive() for _ in range(421)]
    assert verdicts.count(Verdict.REFUSED) == 1


def test_calls_are_slowed_then_refused_then_blocked(client: Callable[..., Client]) -> None:
    one = client(rate_limit=10, rate_window=600, slow_down_seconds=0.05, block_after=3)
    began = time.perf_counter()
    assert [one.get("/v2/system/pagination").status_code for _ in range(9)] == [200] * 9
    assert one.sandbox.requests[-1].milliseconds < 50
    slow = one.get("/v2/system/pagination")
    assert slow.status_code == 200
    assert slow.elapsed.total_seconds() >= 0.05
    assert time.perf_counter() - began < 5
    refused = [one.get("/v2/system/pagination") for _ in range(3)]
    assert [answer.status_code for answer in refused] == [429] * 3
    assert "retry-after" not in refused[0].headers
    assert one.get("/v2/system/pagination").status_code == 403
    assert one.log_in().status_code == 403
    one.control("POST", "/limits", {"reset": True})
    assert one.get("/v2/system/pagination").status_code == 200
    counted = one.control("GET", "/requests")
    assert counted["refused"] == 3
    assert counted["by_status"]["403"] == 2


def test_the_block_passes(client: Callable[..., Client]) -> None:
    one = client(
        rate_limit=1, rate_window=0.1, slow_down_seconds=0, block_after=1, block_seconds=0.2
    )
    statuses = [one.get("/v2/account").status_code for _ in range(3)]
    assert statuses == [200, 429, 403]
    time.sleep(0.25)
    assert one.get("/v2/account").status_code == 200


def test_failed_calls_count_and_the_token_call_does_not(client: Callable[..., Client]) -> None:
    one = client(rate_limit=600)
    one.get("/v2/nothing")
    one.get("/v2/device/nobody")
    answer = one.get("/v2/system/request_rate").json()
    assert answer["accountCount"] == 3
    assert answer["accountRateLimit"] == 600
    assert answer["slidingTimeWindowSizeSeconds"] == 60
    assert answer["accountCutOffRatio"] == 0.9
    assert answer["operationWriteStatus"]["alert-resolve"] == {"limit": 100, "count": 0}


def test_limits_are_changed_while_it_runs(client: Callable[..., Client]) -> None:
    one = client(rate_limit=600)
    one.control("POST", "/limits", {"other_client_rate": 120})
    assert one.get("/v2/system/request_rate").json()["accountCount"] == 121
    one.control("POST", "/limits", {"rate_limit": 0, "other_client_rate": 0})
    assert one.get("/v2/system/request_rate").json()["accountRateLimit"] == 1_000_000
    for wrong in ({"rate_limit": -1}, {"rate_window": "long"}, {"jitter_ms": -5, "rate_limit": 9}):
        answer = one.session.post(f"{one.sandbox.url}/_sandbox/limits", json=wrong, timeout=5)
        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.json()["error"]
    assert one.get("/v2/system/request_rate").json()["accountRateLimit"] == 1_000_000
    one.control("POST", "/limits", {"latency_ms": 40, "page_latency_ms": 40})
    assert one.get("/v2/account").elapsed.total_seconds() >= 0.04
    assert one.get("/v2/account/sites").elapsed.total_seconds() >= 0.08
