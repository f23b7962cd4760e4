"""Progress on the command line: lines in a log, a living line on a terminal, messages untouched."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from threading import Thread, Timer
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast
from tests.e2e.warehouse import selection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from datto_rmm_sandbox import Sandbox

    from tests.conftest import TapCommand
    from tests.e2e.conftest import QuickTapCommand

START = """\
from tap_datto_rmm import __main__
from tap_datto_rmm.telemetry.progress import Progress
Progress.seconds_per_line = Progress.seconds_per_redraw = 0
__main__.main()
"""
TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "200"}
SECONDS = 20.0
"""Within which what was written can be read, on a busy machine; on an idle one it takes none."""

CONTROL = r"(\n|\r|\x1b\[\?25[lh]|\x1b\[1A|\x1b\[2K)"
"""What moves the cursor, hides or shows it, or erases its line."""


class Screen:
    """A terminal, and what is written to it."""

    def __init__(self) -> None:
        self._master, self.terminal = pty.openpty()
        self._written = b""
        self._thread = Thread(target=self._read)
        self._thread.start()

    @property
    def path(self) -> str:
        return os.ttyname(self.terminal)

    def text(self) -> str:
        """Everything; nobody else may have the terminal open any more."""
        if self._thread.is_alive():
            os.close(self.terminal)
            self._thread.join()
            os.close(self._master)
        return self._written.decode().replace("\r\n", "\n")

    def _read(self) -> None:
        with suppress(OSError):  # nobody has it open any more
            while some := os.read(self._master, 65_536):
                self._written += some


@pytest.fixture
def screen() -> Iterator[Screen]:
    found = Screen()
    yield found
    found.text()


def left_on(shown: str) -> list[str]:
    """The lines that a user sees in the end."""
    lines, row = [""], 0
    for part in re.split(CONTROL, shown):
        match part:
            case "\n":
                row += 1
                lines += [""] * (row == len(lines))
            case "\x1b[1A":
                row -= 1
            case "\x1b[2K":
                lines[row] = ""
            case "\r" | "\x1b[?25l" | "\x1b[?25h":
                pass
            case _:
                lines[row] += part
    return lines


def told(log: str, stream: str) -> list[str]:
    """What the log tells of a stream's progress, such as `sites 1/6`."""
    return re.findall(rf"({stream}(?:: \w+)? [\d,]+/[\d,]+) \(\d+ %\), [\d,.]+ calls/s", log)


def counted(what: str, total: int, upto: int | None = None) -> list[str]:
    return [f"{what} {number}/{total}" for number in range(1, (upto or total) + 1)]


def test_a_log_has_a_line_for_the_list_of_devices_and_one_for_each_that_is_asked_for(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=60)
    quick.tells_every_step = True
    run = quick.sync(fast(account, page_size=20), "printer_audits")
    printers = len(run.records["printer_audits"])
    assert told(run.err, "printer_audits") == [
        *counted("printer_audits: devices", 60),
        *counted("printer_audits", printers),
    ]
    assert "\x1b" not in run.err


def test_a_log_counts_devices_of_the_sites_lists_on_top_of_those_of_the_accounts(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=60, device_list="subset")
    quick.tells_every_step = True
    run = quick.sync(fast(account, page_size=20), "devices")
    found = len(run.records["devices"])
    sites = len(account.account.sites)
    lines = told(run.err, "devices")
    listed = lines.index(f"devices: sites 1/{sites}")
    assert 0 < listed < found < 60
    assert lines == [
        *counted("devices", listed),
        *counted("devices: sites", sites),
        *counted("devices", 60, found)[listed:],
    ]


def test_a_log_has_the_metrics_of_the_sdk_beside_the_progress(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    quick.tells_every_step = True
    run = quick.sync(fast(sandbox()), "users")
    metrics = [json.loads(line) for line in re.findall(r"INFO .* METRIC: (.*)", run.err)]
    values = {metric["metric"]: metric["value"] for metric in metrics}
    assert values["record_count"] == len(run.records["users"]) > 0
    assert "sync_duration" in values
    assert told(run.err, "users")


def test_a_terminal_has_one_line_that_rewrites_itself_and_is_gone_at_the_end(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], screen: Screen
) -> None:
    quick.tells_every_step, quick.screen = True, screen.path
    quick.environment = TERMINAL
    run = quick(fast(sandbox()), catalog=selection("users", "printer_audits"))
    shown = screen.text()
    assert run.code == 0, shown
    assert {message["type"] for message in run.messages} == {"SCHEMA", "RECORD", "STATE"}
    for what in ("users", "printer_audits: devices", "printer_audits"):
        assert re.search(rf"\r\x1b\[2K\S {what} \d+/\d+ .* calls/s", shown), what
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor stays hidden"
    stays = left_on(shown)
    assert sum(" METRIC: {" in line for line in stays) >= 4
    assert [line for line in stays if not re.fullmatch(r"\d{4}-\d\d-\d\d .* \| .*", line)] == [""]
    assert not told(" ".join(stays), ".*")


def test_a_terminal_that_cannot_rewrite_a_line_has_lines_as_in_a_log(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], screen: Screen
) -> None:
    quick.tells_every_step, quick.screen = True, screen.path
    quick.environment = {"TERM": "dumb"}
    run = quick(fast(sandbox()), catalog=selection("users"))
    shown = screen.text()
    users = len(run.records["users"])
    assert told(shown, "users") == counted("users", users)
    assert "\x1b" not in shown


def test_each_message_can_be_read_at_once_while_the_living_line_is_shown(
    sandbox: Callable[..., Sandbox], tap: TapCommand, screen: Screen
) -> None:
    account = sandbox(faults=("hang=60:path=/settings:after=3",))
    with started(tap, account, screen, "users", "site_settings") as process:
        messages = []
        assert process.stdout
        for line in process.stdout:  # more come only once the API no longer hangs
            messages.append(json.loads(line))
            if sum(message.get("stream") == "site_settings" for message in messages) == 1 + 3:
                break
        else:
            raise AssertionError(messages[-1:], screen.text())
    assert told(screen.text(), "site_settings")


@contextmanager
def started(
    tap: TapCommand, account: Sandbox, screen: Screen, *streams: str
) -> Generator[subprocess.Popen[bytes]]:
    """Start the tap with its output in a pipe; it is killed in the end, or after a while."""
    config = fast(account, max_parallel_requests=1)
    arguments = tap.arguments(config, catalog=selection(*streams))[3:]
    with subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        stdout=subprocess.PIPE,
        stderr=screen.terminal,
        cwd=tap.folder,
        env={**os.environ, **TERMINAL},
    ) as process:
        watchdog = Timer(SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()
