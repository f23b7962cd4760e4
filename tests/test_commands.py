"""The commands as processes: how they begin, and how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

BIN: Final = Path(sys.executable).parent
COMMANDS: Final = ("tap-datto-rmm", *(f"tap-datto-rmm-{n}" for n in ("doctor", "select", "spec")))

BESIDE_A_THREAD: Final = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from tap_datto_rmm.console import run_command
def work():
    ThreadPoolExecutor(1).submit(time.sleep, 600)
    print("done")
    sys.exit({code})
run_command("a-command", work)
"""


def started(*command: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def catches_interrupts(process: subprocess.Popen[str]) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught & 1 << (signal.SIGINT - 1))


def interrupted(command: str) -> tuple[int, str, str]:
    """Send SIGINT when the imports have begun; on a busy machine they may have ended by then."""
    with started(BIN / command, "--help") as process:
        while not catches_interrupts(process):  # Python has not begun
            time.sleep(0.001)
        while process.poll() is None and catches_interrupts(process):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    return process.returncode, out, err


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_while_a_command_imports_ends_it_without_a_word(command: str) -> None:
    ends = [interrupted(command)]
    while ends[-1][0] != -signal.SIGINT and len(ends) < 9:
        ends.append(interrupted(command))
    assert ends[-1] == (-signal.SIGINT, "", "")
    assert "Traceback" not in str(ends)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["tap-datto-rmm-doctor", "tap-datto-rmm-spec probe"])
def test_a_signal_ends_what_asks_the_api_with_one_line(
    sandbox: Callable[..., Sandbox], tmp_path: Path, command: str, signum: signal.Signals
) -> None:
    account = sandbox(devices=20, latency_ms=3_000)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(fast(account)))
    name, *further = command.split()
    with started(BIN / name, *further, "--config", str(config)) as process:
        while not account.requests:
            time.sleep(0.01)
        process.send_signal(signum)
        _, err = process.communicate(timeout=20)
    assert err.splitlines()[-1] == f"{name}: Stopped by {signum.name}"
    assert "Traceback" not in err
    assert process.returncode == 128 + signum


@pytest.mark.parametrize(("code", "found"), [("", 0), ("0", 0), ("3", 3), ("'why'", 1)])
def test_a_command_that_is_done_waits_for_no_thread(code: str, found: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BESIDE_A_THREAD.format(code=code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (found, "done\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written_is_one_line(command: str) -> None:
    options = {"tap-datto-rmm": ["--about"], "tap-datto-rmm-select": ["sites"]}
    arguments = options.get(command, ["check"] if command.endswith("spec") else ["--help"])
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BIN / command, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    said = "standard output cannot be written: No space left on device."
    assert done.stderr.splitlines() == [f"{command}: {said}"]
    assert done.returncode == 1
