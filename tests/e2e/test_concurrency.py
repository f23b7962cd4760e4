"""However many requests are under way at once, the output is the same and memory is bounded."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run, TapCommand

FAULTS = (
    "status=503:path=/api/v2:rate=0.02",
    "reset:path=/api/v2:rate=0.02",
    "html:path=/api/v2:rate=0.02",
    "cut:path=/api/v2:rate=0.02",
    "revoke:path=/api/v2:rate=0.005",
    "status=429:path=/api/v2:rate=0.005",
)
"""By chance; which requests they strike depends on the order in which the requests arrive."""

NO_BACK_OFF = {"longest_wait": 0.01, "window": 0.1}
SMALL_PAGES = 15


def without_times(run: Run) -> str:
    """What a run wrote, but for the moments at which its records were extracted."""
    return re.sub(r'"time_extracted":"[^"]+"', "", run.out)


def read(quick: QuickTapCommand, sandbox: Sandbox, requests: int) -> Run:
    """Read everything that is selected by default, so many requests at once."""
    quick.patience = NO_BACK_OFF
    run = quick(fast(sandbox, max_parallel_requests=requests, page_size=SMALL_PAGES))
    assert run.code == 0, run.err
    return run


@pytest.mark.parametrize("total", ["number", "absent"])
def test_the_output_is_the_same_for_any_number_of_parallel_requests(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], total: str
) -> None:
    outputs = []
    for seed, requests in enumerate((1, 3, 16)):
        account = sandbox(
            devices=60,
            list_total_count=total,
            jitter_ms=8,
            faults=FAULTS,
            retry_after="none",
        )
        account.state.dice.seed(seed)
        run = read(quick, account, requests)
        assert sum(fault.struck for fault in account.state.faults.faults) > 5
        outputs.append(without_times(run))
    assert outputs[0].count('"type":"RECORD"') > 1_000
    for one, other in pairwise(outputs):
        assert one == other


def test_the_next_short_lists_are_asked_for_early_and_none_before_a_long_read(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=60, latency_ms=3)
    streams = ("sites", "devices", "alerts", "users", "account_variables", "components")
    run = quick.sync(fast(account, page_size=3), *streams)
    assert run.code == 0, run.err
    paths = [entry.path.rpartition("/")[2] for entry in account.requests]
    assert paths.index("devices") < last(paths, "sites")
    assert paths.index("resolved") < paths.index("users")
    assert paths.index("components") < last(paths, "variables")


def last(paths: list[str], path: str) -> int:
    """Where a path was asked for the last time."""
    return len(paths) - 1 - paths[::-1].index(path)


@pytest.mark.parametrize("requests", [1, 3, 16])
def test_no_more_requests_are_under_way_than_the_setting_says(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], requests: int
) -> None:
    account = sandbox(devices=60, latency_ms=5)
    read(quick, account, requests)
    assert account.state.journal.peak <= requests


def test_a_target_that_does_not_read_holds_the_requests_back(
    tap: TapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=1_500)
    config = fast(account, max_parallel_requests=4, page_size=SMALL_PAGES)
    command = tap.arguments(config, catalog=tap.catalog(config, "devices"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        while b'"RECORD"' not in process.stdout.readline():
            pass
        asked = settled(lambda: len(account.requests))
        process.kill()
    assert asked <= 20  # of 100 pages: what fits into the pipe, and the window


def settled(count: Callable[[], int]) -> int:
    """Wait until a number is above zero and stays the same for a while."""
    last, since = 0, time.monotonic()
    while not last or time.monotonic() - since < 0.5:
        time.sleep(0.02)
        if count() != last:
            last, since = count(), time.monotonic()
    return last
