"""The account's request limit, which other tools use too: the tap takes what they leave."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from tests.commands import QuickTapCommand, forking
from tests.conftest import fast, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

STATUS = "/v2/system/request_rate"
LIMIT, SLOW_FROM, OTHERS = 60, 54, 18
WINDOW = 2.0
"""A vendor's minute that lasts two seconds."""


def shared_account(sandbox: Callable[..., Sandbox], **options: object) -> Sandbox:
    """An account of whose limit another tool takes 30 %."""
    return sandbox(
        devices=90,
        rate_limit=LIMIT,
        rate_window=WINDOW,
        slow_down_seconds=0,
        other_client_rate=OTHERS * 60 / WINDOW,
        latency_ms=2,
        **options,
    )


@pytest.mark.parametrize("shape", ["current", "legacy"])
def test_other_tools_are_left_their_room_and_nothing_is_refused(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], shape: str
) -> None:
    account = shared_account(sandbox, rate_status=shape)
    quick.patience = {"window": WINDOW}
    run = quick.sync(fast(account, max_requests_per_minute=SLOW_FROM), "device_audits")
    assert run.code == 0, run.err
    assert len(run.records["device_audits"]) > LIMIT
    assert account.state.journal.by_status[429] == 0
    told = re.search(
        r"Other clients or runs made (\d+) of the account's 60 .*: the tap uses (\d+)", run.err
    )
    assert told
    assert int(told[1]) == pytest.approx(OTHERS, abs=4)
    assert int(told[1]) + int(told[2]) == SLOW_FROM


def test_without_that_knowledge_the_same_run_is_refused_and_loses_nothing(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = shared_account(sandbox, faults=(f"status=500:path={STATUS}",), retry_after="none")
    quick.patience = {"window": WINDOW}
    run = quick.sync(fast(account, max_requests_per_minute=SLOW_FROM), "device_audits")
    assert run.code == 0, run.err
    assert len(run.records["device_audits"]) > LIMIT
    assert account.state.journal.by_status[429] > 0


def test_retry_after_1_again_and_again_is_refused_less_and_less(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    busy = sandbox(rate_limit=60, other_client_rate=10_000, block_after=1000, retry_after="1")
    quick.patience = {"window": 2.0, "refused": 6.0}
    run = quick.sync(fast(busy), "users")
    assert run.code == 1
    assert "Other tools use up the account's request limit" in run.err.splitlines()[-1]
    waits = [int(found) for found in re.findall(r"all requests wait (\d) s", run.err)]
    assert waits == [1, 2, 2]
    assert busy.state.journal.by_status[429] == 1 + len(waits)


def test_two_taps_on_one_account_settle_beside_each_other(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    """Refused together at first; then each makes room for the other, and nobody is blocked."""
    account = sandbox(
        devices=90, rate_limit=LIMIT, rate_window=WINDOW, slow_down_seconds=0, latency_ms=5
    )
    config = fast(account, max_requests_per_minute=SLOW_FROM)
    (quick.folder / "other").mkdir()
    with forking() as forker, ThreadPoolExecutor(2) as both:
        other = QuickTapCommand(quick.folder / "other", forker=forker)
        for tap in (quick, other):
            tap.patience = {"window": WINDOW}
        runs = list(both.map(lambda tap: tap.sync(config, "device_audits"), (quick, other)))
    asked = [entry for entry in account.requests if "/audit/" in entry.path]
    served = [entry for entry in asked if entry.status == HTTPStatus.OK]
    refused = [entry.status == HTTPStatus.TOO_MANY_REQUESTS for entry in asked]
    for run in runs:
        assert run.code == 0, run.err
        assert len(run.records["device_audits"]) == len(served) / 2
    assert account.state.journal.by_status[HTTPStatus.FORBIDDEN] == 0
    half = len(refused) // 2
    few = len(refused) // 20  # on a busy machine the first half may well be without any
    assert sum(refused[half:]) <= max(few, sum(refused[:half]))
    assert sum(refused) < len(served) / 10


@pytest.mark.parametrize("fault", ["status=500", "html", "reset", "status=403"])
def test_a_status_that_fails_costs_no_more_than_one_call_in_a_hundred(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], fault: str
) -> None:
    account = sandbox(devices=400, faults=(f"{fault}:path={STATUS}",))
    quick.patience = {"window": 0.1}
    run = quick.sync(fast(account), "device_audits")
    assert run.code == 0, run.err
    asked = taken(account)
    looks = sum(entry.path.endswith(STATUS) for entry in asked)
    assert 1 <= looks <= 1 + len(asked) / 100
    assert "Trying again" not in run.err
