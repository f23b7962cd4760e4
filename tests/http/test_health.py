"""An outage, seen by many threads: one probes, all others wait."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest

from tap_datto_rmm.errors import ApiError, OutageError
from tap_datto_rmm.http.closing import Closing
from tap_datto_rmm.http.health import HostHealth
from tap_datto_rmm.http.retry import Again, RetryPolicy

WORKERS = 8
DOWN = Again(ApiError("/p: HTTP 502.", path="/p", status=502))
QUICK = RetryPolicy(longest_wait=0.001, outage=60)


class Probe:
    """Finds the host down until it is let go; nobody else may probe meanwhile."""

    def __init__(self) -> None:
        self.back = Event()
        self.begun = Event()
        self.probes = 0
        self._lock = Lock()

    def __call__(self) -> Again | None:
        assert self._lock.acquire(blocking=False)
        self.probes += 1
        self.begun.set()
        self._lock.release()
        return None if self.back.is_set() else DOWN


def test_one_thread_probes_and_all_go_on_when_the_host_is_back() -> None:
    health, probe, together = HostHealth(QUICK, Closing()), Probe(), Barrier(WORKERS)
    failed_at = time.monotonic()

    def fail(_: int) -> bool:
        together.wait()
        return health.outlast(failed_at, DOWN, probe)

    with ThreadPoolExecutor(WORKERS) as threads:
        waiting = threads.map(fail, range(WORKERS))
        assert probe.begun.wait(5)
        probe.back.set()
        assert all(waiting)
    assert health.down_since is None


def test_a_request_that_has_not_failed_yet_waits_too() -> None:
    health, probe, sent = HostHealth(QUICK, Closing()), Probe(), Event()

    def send() -> None:
        health.wait_while_down()
        sent.set()

    with ThreadPoolExecutor(2) as threads:
        threads.submit(health.outlast, time.monotonic(), DOWN, probe)
        assert probe.begun.wait(5)
        while health.down_since is None:
            time.sleep(0.001)
        threads.submit(send)
        assert not sent.wait(0.05)
        probe.back.set()
        assert sent.wait(5)


def test_what_succeeded_meanwhile_needs_no_probe() -> None:
    health = HostHealth(QUICK, Closing())
    health.succeeded()
    assert health.outlast(0.0, DOWN, lambda: pytest.fail("probed")) is False


def test_all_threads_learn_that_the_outage_does_not_end() -> None:
    health = HostHealth(RetryPolicy(longest_wait=0.001, outage=0.05), Closing())
    together = Barrier(WORKERS)

    def fail(_: int) -> str:
        together.wait()
        try:
            health.outlast(time.monotonic(), DOWN, lambda: DOWN)
        except OutageError as error:
            return str(error)
        return "it ended"

    with ThreadPoolExecutor(WORKERS) as threads:
        said = set(threads.map(fail, range(WORKERS)))
    assert len(said) == 1
    with pytest.raises(OutageError):
        health.wait_while_down()
