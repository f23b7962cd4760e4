"""The account's request limit, which other tools use too: the tap takes what they leave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.e2e.conftest import QuickTapCommand

STATUS = "/v2/system/request_rate"
LIMIT, SLOW_FROM, OTHERS = 120, 108, 36
WINDOW = 2.0
"""A vendor's minute that lasts two seconds."""


def shared_account(sandbox: Callable[..., Sandbox], **options: object) -> Sandbox:
    """An account of whose limit another tool takes 30 %."""
    return sandbox(
        devices=150,
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
        r"Other clients made (\d+) of the account's 120 .*: the tap uses (\d+)", run.err
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
