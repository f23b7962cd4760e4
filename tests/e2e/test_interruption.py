"""Runs that end before their time: by a signal, by a target that is gone, by SIGKILL."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.singer.output import SECONDS_TO_END
from tests.commands import TapCommand
from tests.conftest import fast
from tests.e2e.test_incremental import asked
from tests.e2e.warehouse import Warehouse, assert_equal, selection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

Json = dict[str, Any]

BOTH = pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
SECONDS = 8.0
"""Within which a run must have ended, on a busy machine; on an idle one it takes none."""


@dataclass
class Running:
    """A tap under way, its output in a pipe."""

    process: subprocess.Popen[bytes]
    err: Path

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout
        return self.process.stdout

    def read(self, lines: int) -> list[Json]:
        """Read so many messages."""
        return [json.loads(self.out.readline()) for _ in range(lines)]

    def read_rest(self) -> list[Json]:
        """Read to the end; a line that SIGKILL cut in two is none."""
        return [json.loads(line) for line in self.out if line.endswith(b"\n")]

    def ends(self, within: float = SECONDS) -> int:
        """Wait for the end; give the exit code."""
        return self.process.wait(within)

    def log(self) -> str:
        return self.err.read_text(encoding="utf-8")

    def logs(self, text: str) -> None:
        """Wait until the log holds a text."""
        until = time.monotonic() + 20
        while text not in self.log():
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)


@contextmanager
def running(
    folder: Path,
    account: Sandbox,
    *streams: str,
    state: Json | None = None,
    **settings: Any,
) -> Generator[Running]:
    """Start the tap's command line."""
    config = fast(account, **settings)
    tap = TapCommand(folder)
    command = tap.arguments(config, state=state, catalog=selection(*streams))
    err = folder / "err.txt"
    with (
        err.open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder) as process,
    ):
        try:
            yield Running(process, err)
        finally:
            process.kill()


@BOTH
def test_a_signal_ends_the_run_with_whole_lines_and_a_state_that_covers_what_was_written(
    sandbox: Callable[..., Sandbox], tmp_path: Path, signum: int, code: int
) -> None:
    account, warehouse = sandbox(devices=300, udf="absent", latency_ms=2), Warehouse()
    with running(tmp_path, account, "device_audits") as run:
        messages = run.read(100)
        run.process.send_signal(signum)
        messages += run.read_rest()
        assert run.ends() == code
    assert messages[-1]["type"] == "STATE"
    assert messages[-2]["type"] == "RECORD"
    assert len(messages) < 250
    newest = messages[-2]["record"]["lastAuditDate"]
    bookmark = messages[-1]["value"]["bookmarks"]["device_audits"]["replication_key_value"]
    dates = sorted({m["record"]["lastAuditDate"] or "" for m in messages if m["type"] == "RECORD"})
    assert bookmark in {newest, dates[-2]}
    assert f"Stopped by {signal.Signals(signum).name}" in run.log()
    assert "Traceback" not in run.log()
    warehouse.take(messages)
    warehouse.sync(account, "device_audits")
    assert_equal(warehouse, account, "device_audits")


@BOTH
def test_a_run_that_waits_for_its_budget_ends_at_once(
    sandbox: Callable[..., Sandbox], tmp_path: Path, signum: int, code: int
) -> None:
    with running(tmp_path, sandbox(), "device_audits", max_requests_per_minute=5) as run:
        run.read(1)
        run.process.send_signal(signum)
        assert run.ends() == code
    assert "Traceback" not in run.log()


def test_a_run_that_waits_for_an_answer_ends_at_once_and_keeps_the_state_that_it_was_given(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, "alerts")
    account.call(lambda: account.state.faults.replace(["hang=60:path=alerts/resolved"]))
    with running(tmp_path, account, "alerts", state=warehouse.state) as run:
        while json.loads(run.out.readline())["type"] != "RECORD":
            pass
        run.process.send_signal(signal.SIGTERM)
        messages = run.read_rest()
        assert run.ends() == 143
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    assert not states or states[-1] == warehouse.state


def test_a_signal_before_the_first_message_writes_nothing(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    account = sandbox(faults=("hang=60:path=/auth/",))
    with running(tmp_path, account, "alerts") as run:
        run.logs("tap-datto-rmm")
        time.sleep(0.3)
        run.process.send_signal(signal.SIGTERM)
        assert run.read_rest() == []
        assert run.ends() == 143
    assert "Traceback" not in run.log()


def test_a_target_that_does_not_read_cannot_keep_the_run_from_ending(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    with running(tmp_path, sandbox(devices=100), "device_software") as run:
        run.read(2)  # whose account it is, and the SCHEMA
        time.sleep(1)  # the pipe is full now
        run.process.send_signal(signal.SIGTERM)
        assert run.ends(within=SECONDS_TO_END + SECONDS) == 143
        *whole, last = run.out.read().split(b"\n")
    assert "Stopped by SIGTERM; the target did not read what was written" in run.log()
    assert [json.loads(line)["type"] for line in whole] == ["RECORD"] * len(whole)
    assert not last.endswith(b"}")


def test_a_target_that_is_slow_still_gets_whole_lines_and_the_state(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    account, warehouse = sandbox(devices=100), Warehouse()
    with running(tmp_path, account, "device_software") as run:
        messages = run.read(1)
        time.sleep(1)
        for _ in range(3):  # impatience changes nothing
            run.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        messages += run.read_rest()
        assert run.ends() == 143
    assert messages[-1]["type"] == "STATE"
    warehouse.take(messages)
    warehouse.sync(account, "device_software")
    assert_equal(warehouse, account, "device_software")


def test_an_output_that_nobody_reads_any_more_ends_the_run_quietly_and_not_as_a_success(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    with running(tmp_path, sandbox(devices=100), "device_software", "alerts") as run:
        run.read(3)
        run.out.close()
        assert run.ends() == 141
    assert "Stopped: nobody reads the output any more" in run.log()
    assert "Traceback" not in run.log()
    assert "Exception ignored" not in run.log()
    assert "ERROR" not in run.log()


def test_an_output_that_nobody_reads_from_the_start_ends_likewise(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    with running(tmp_path, sandbox(), "sites") as run:
        run.out.close()
        assert run.ends(within=60) == 141  # it has yet to start
    assert "Traceback" not in run.log()


# Random moments


@pytest.mark.parametrize(
    ("signum", "runs", "most"),  # after SIGKILL, what followed the last STATE is read again
    [(signal.SIGTERM, 10, 300), (signal.SIGKILL, 3, 700)],
    ids=["SIGTERM", "SIGKILL"],
)
def test_a_sync_of_2000_devices_that_dies_at_random_moments_loses_nothing_and_repeats_little(
    sandbox: Callable[..., Sandbox], tmp_path: Path, signum: signal.Signals, runs: int, most: int
) -> None:
    account, warehouse = sandbox(devices=2000, udf="absent"), Warehouse()
    streams = ("activity_logs", "device_audits")
    chance = random.Random(signum)  # noqa: S311 - moments, not secrets
    before = Counter[str]()
    repeated = []
    for _ in range(runs):
        state = warehouse.state or None
        with running(tmp_path, account, *streams, state=state, lookback_minutes=5) as run:
            messages = read_some(run, chance.randint(1, most), chance.random() * 0.02)
            run.process.send_signal(signum)
            messages += run.read_rest()
            assert run.ends() == (143 if signum is signal.SIGTERM else -signum)
        warehouse.take(messages)
        now = Counter(asked(account))
        repeated.append((before & now).total())
        before = now
    assert len(warehouse.tables["device_audits"]) > 500
    warehouse.sync(account, *streams)
    repeated.append((before & Counter(asked(account))).total())
    assert max(repeated) <= most + 300, repeated
    assert_equal(warehouse, account, *streams)


def read_some(run: Running, audits: int, more_seconds: float) -> list[Json]:
    """Read until so many audits have come, and a moment longer."""
    messages = []
    while audits:
        messages += run.read(1)
        audits -= messages[-1].get("stream") == "device_audits" and messages[-1]["type"] == "RECORD"
    time.sleep(more_seconds)
    return messages


def test_a_state_is_told_after_at_most_500_records(sandbox: Callable[..., Sandbox]) -> None:
    account, warehouse = sandbox(devices=1000, udf="absent"), Warehouse()
    sync = warehouse.sync(account, "device_audits")
    kinds = "".join(message["type"][0] + message["type"][1] for message in sync.messages)
    assert re.fullmatch(r"STSC((RE){1,500}ST){2,}", kinds)
