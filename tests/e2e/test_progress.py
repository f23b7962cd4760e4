"""Progress on the command line: lines in a log, a living line on a terminal, messages untouched."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from threading import Thread, Timer
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast
from tests.e2e.warehouse import selection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, TapCommand

START = """\
from tap_datto_rmm import __main__
from tap_datto_rmm.telemetry.screen import LivingLine, LogLines
LogLines.seconds = LivingLine.seconds = 0.01
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

    def so_far(self) -> str:
        """What can be seen now."""
        return self._written.decode(errors="replace")

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
    """What the log tells of a stream's progress, such as `sites 1/6`; what is told twice, once."""
    found = re.findall(rf"({stream}(?:: \w+)? [\d,]+/[\d,]+)", log)
    return list(dict.fromkeys(found))


def counted(what: str, total: int) -> list[str]:
    return [f"{what} {number}/{total}" for number in range(total + 1)]


def in_order(found: list[str], wanted: list[str]) -> bool:
    """Whether what was found is part of what is wanted, in its order."""
    return found == [each for each in wanted if each in found]


def test_a_log_has_lines_for_the_list_of_devices_and_for_each_that_is_asked_for(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=100, latency_ms=40)
    quick.tells_often = True
    run = quick.sync(fast(account, page_size=25, max_parallel_requests=1), "printer_audits")
    printers = len(run.records["printer_audits"])
    devices, audits = counted("printer_audits: devices", 100), counted("printer_audits", printers)
    lines = told(run.err, "printer_audits")
    assert set(lines) & set(devices)
    assert set(lines) & set(audits)
    assert in_order(lines, [*devices, *audits])
    assert "stream 1 of 1" in run.err
    assert "\x1b" not in run.err


def test_a_log_counts_devices_of_the_sites_lists_on_top_of_those_of_the_accounts(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=60, device_list="subset", latency_ms=40)
    quick.tells_often = True
    run = quick.sync(fast(account, page_size=20, max_parallel_requests=1), "devices")
    found, sites = len(run.records["devices"]), len(account.account.sites)
    lines = told(run.err, "devices")
    assert set(lines) <= {*counted("devices", 60), *counted("devices: sites", sites)} | {
        *(f"devices {number}/{total}" for number in range(60) for total in range(60))
    }
    numbers = [int(line.split()[1].split("/")[0]) for line in lines if ": sites" not in line]
    assert numbers == sorted(numbers)
    assert 40 < max(numbers) <= found


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_metrics_of_the_sdk_and_what_it_tells_of_itself_are_for_engineers(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], level: str
) -> None:
    quick.environment = {"LOGLEVEL": level}
    run = quick.sync(fast(sandbox()), "users")
    assert run.code == 0
    for chatter in ("METRIC: ", "Beginning sync of 'users'"):
        lines = [line for line in run.err.splitlines() if chatter in line]
        assert all("| DEBUG " in line for line in lines)
        assert bool(lines) == (level == "DEBUG")


def test_who_sets_up_the_log_has_the_metrics_as_the_sdk_writes_them(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"short": {"format": "%(levelname)s %(message)s"}},
        "handlers": {"log": {"class": "logging.StreamHandler", "formatter": "short"}},
        "root": {"level": "INFO", "handlers": ["log"]},
    }
    file = quick.folder / "logging.yml"
    file.write_text(json.dumps(config), encoding="utf-8")
    quick.environment = {"SINGER_SDK_LOG_CONFIG": str(file)}
    run = quick.sync(fast(sandbox()), "users")
    lines = re.findall(r"^INFO METRIC: (.*)", run.err, re.MULTILINE)
    metrics = [json.loads(line) for line in lines]
    values = {metric["metric"]: metric["value"] for metric in metrics}
    assert values["record_count"] == len(run.records["users"]) > 0
    assert "sync_duration" in values
    assert "INFO Beginning sync of 'users'" in run.err


def test_a_terminal_has_one_line_that_rewrites_itself_and_is_gone_at_the_end(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], screen: Screen
) -> None:
    quick.tells_often, quick.screen = True, screen.path
    quick.environment = TERMINAL
    account = sandbox(latency_ms=40)
    run = quick(
        fast(account, max_parallel_requests=1), catalog=selection("users", "printer_audits")
    )
    shown = screen.text()
    assert run.code == 0, shown
    assert {message["type"] for message in run.messages} == {"SCHEMA", "RECORD", "STATE"}
    for what in ("looking up the account", r"printer_audits: devices", r"printer_audits \d+/\d+"):
        assert re.search(rf"(\r\x1b\[2K|^)\S {what}", shown, re.MULTILINE), what
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor stays hidden"
    stays = left_on(shown)
    (table,) = [number for number, line in enumerate(stays) if "Done after " in line]
    assert all(re.fullmatch(r"(\d{4}-\d\d-\d\d )?[\d:]{8} \| .*", line) for line in stays[:table])
    assert [line.split()[0] for line in stays[table + 1 : table + 4]] == [
        "stream",
        "users",
        "printer_audits",
    ]
    assert not told(" ".join(stays), ".*")


def test_a_terminal_that_cannot_rewrite_a_line_has_lines_as_in_a_log(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], screen: Screen
) -> None:
    quick.tells_often, quick.screen = True, screen.path
    quick.environment = {"TERM": "dumb"}
    account = sandbox(latency_ms=40)
    run = quick(fast(account, max_parallel_requests=1), catalog=selection("site_settings"))
    shown = screen.text()
    sites = len(run.records["site_settings"])
    lines = told(shown, "site_settings")
    assert in_order(lines, counted("site_settings", sites))
    assert lines
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
        while not told(screen.so_far(), "site_settings"):  # a watchdog ends what never tells
            assert process.poll() is None, screen.so_far()
            time.sleep(0.05)


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
