"""Finds the processes of a sync in /proc, so that one can be killed in the middle."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

PROC = Path("/proc")
PAUSE = 0.02
PATIENCE = 900.0
"""Seconds: far more than anything here takes on a busy machine."""

Kind = Literal["sync", "tap", "target", "worker"]
PROGRAMS = {"tap": "tap-datto-rmm", "target": "target-postgres"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine."""

    number: int
    parent: int
    command: tuple[str, ...]

    def syncs(self, account: str) -> bool:
        """Whether it is the sync of an account."""
        return self.command[-3:] == ("-m", "fleet.sync", account) and len(self.command) < 6  # noqa: PLR2004 - longer: still on the way to be it

    def runs(self, program: str) -> bool:
        """Whether it runs a program."""
        return any(Path(part).name == program for part in self.command[:2])


def wait_for(what: str, look: Callable[[], T | None], pause: float = PAUSE) -> T:
    """Look again and again until there is something, every `pause` seconds.

    Raises:
        TimeoutError: it does not come.
    """
    deadline = time.monotonic() + PATIENCE
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s in vain for {what}")
        time.sleep(pause)
    return found


def find(account: str, kind: Kind) -> int | None:
    """The number of a process of an account's sync that we have started, however indirectly."""
    ours = {process.number: process for process in descendants(os.getpid())}
    for sync in ours.values():
        if not sync.syncs(account):
            continue
        if kind == "sync":
            return sync.number
        if kind == "worker":
            return sync.parent
        for process in ours.values():
            if process.parent == sync.number and process.runs(PROGRAMS[kind]):
                return process.number
    return None


def kill(account: str, kind: Kind) -> int:
    """Kill a process of an account's sync, as soon as there is one; give its number."""
    number = wait_for(f"the {kind} of {account}", lambda: find(account, kind))
    os.kill(number, signal.SIGKILL)
    return number


def kill_all_below(number: int) -> None:
    """Kill a process and all that it has started, at once: the machine is gone."""
    kill_all([number, *(process.number for process in descendants(number))])


def kill_all(numbers: Iterable[int]) -> None:
    """Kill those of these processes that are still there."""
    for number in numbers:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def descendants(ancestor: int) -> list[Process]:
    """The processes that a process has started, however indirectly."""
    everybody = _processes()
    found: list[Process] = []
    generation = {ancestor}
    while generation:
        children = [process for process in everybody if process.parent in generation]
        found += children
        generation = {process.number for process in children}
    return found


def _processes() -> list[Process]:
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has ended meanwhile
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            found.append(Process(int(folder.name), parent, tuple(command.split("\0")[:-1])))
    return found
