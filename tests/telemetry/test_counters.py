"""Counters: many threads add to them, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tap_datto_rmm.telemetry.counters import Counters


def test_what_many_threads_count_is_all_there() -> None:
    counters = Counters()

    def count(_: int) -> None:
        for _ in range(500):
            counters.add(calls=1, waited=0.5)

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(count, range(8)))
    assert counters == Counters(calls=4_000, waited=2_000.0)
