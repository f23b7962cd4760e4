"""Much of one kind: state in time, and memory that does not grow with a long history."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.conftest import fast
from tests.e2e.test_interruption import running
from tests.e2e.warehouse import Warehouse, assert_equal, selection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.e2e.scene import Scene

HISTORY, MOST_MIB = 300_000, 120
"""With so many resolved alerts a run may take so much memory."""


def test_software_lists_that_are_long_lose_nothing_by_a_sigkill_in_the_middle(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    account, warehouse = sandbox(devices=20, udf="absent", software_rows=700), Warehouse()
    for lines in (1_000, 4_000):
        state = warehouse.state or None
        with running(tmp_path, account, "device_software", state=state) as run:
            messages = run.read(lines)
            run.process.kill()
            messages += run.read_rest()
            assert run.ends() == -signal.SIGKILL
        warehouse.take(messages)
        assert 0 < len(warehouse.tables["device_software"]) < 10_000
    assert warehouse.sync(account, "device_software").failure is None
    assert_equal(warehouse, account, "device_software")


def test_a_long_history_of_alerts_takes_no_memory_of_its_own(scene: Callable[..., Scene]) -> None:
    """Of two histories the longer takes so little more that the longest of all would fit."""
    peaks = {}
    for number in (4_000, 44_000):
        at = scene(devices=50, resolved_alerts=number)
        run = at.tap(fast(at.account), catalog=selection("alerts"))
        assert run.code == 0, run.err
        assert run.out.count('"RECORD"') > number
        peaks[number] = at.tap.peak / 1024
    each = (peaks[44_000] - peaks[4_000]) / 40_000
    assert peaks[4_000] + each * HISTORY < MOST_MIB, peaks
