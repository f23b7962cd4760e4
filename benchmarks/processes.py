"""What a command and the processes that it starts take, each by its own name."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TICKS: Final = os.sysconf("SC_CLK_TCK")
LOOK_EVERY: Final = 0.25
"""Seconds between two looks at the processes."""


@dataclass(frozen=True, slots=True)
class Stat:
    """A process, as the kernel tells it.

    Attributes:
        session: to which it belongs.
        parent: who started it.
        own: CPU seconds, user and system.
        children: those of children that have ended and were waited for.
    """

    session: int
    parent: int
    own: float
    children: float


@dataclass
class Spent:
    """What a run took.

    Attributes:
        wall: seconds.
        cpu: seconds by the name of the process.
        code: exit code.
        err: the end of what was said.
    """

    wall: float
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    code: int = 0
    err: str = ""


def stat(pid: int) -> Stat | None:
    """Look at a process; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    user, system, children_user, children_system = (int(fields[n]) / TICKS for n in range(11, 15))
    return Stat(int(fields[3]), int(fields[1]), user + system, children_user + children_system)


def tree(pid: int) -> float:
    """Give the CPU seconds of a server: its own, its children's, and those of former children."""
    total = 0.0
    for each in _pids():
        found = stat(each)
        if found and each == pid:
            total += found.own + found.children
        elif found and found.parent == pid:
            total += found.own
    return total


def children(pid: int) -> list[tuple[int, str]]:
    """Give a process's children, with their command lines."""
    return [
        (each, _words(each)) for each in _pids() if (found := stat(each)) and found.parent == pid
    ]


def watched(
    command: Sequence[str | Path],
    *,
    name: Callable[[str], str],
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
) -> Spent:
    """Run a command to its end, and tell what it and its children took.

    The sum is the kernel's; how it is divided is what the looks saw.

    Args:
        command: words of the command line.
        name: gives a process's name from its command line.
        log: what all of them say.
        cwd: where it runs.
        environment: all of it.
    """
    started = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
        seen: dict[int, tuple[str, float]] = {}
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, name, seen, over))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watch.join()
    spent = Spent(time.perf_counter() - started, code=process.returncode)
    whole = used.ru_utime + used.ru_stime
    looked = sum(seconds for _, seconds in seen.values())
    for who, seconds in seen.values():
        spent.cpu[who] += seconds * whole / looked
    spent.err = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    return spent


def _watch(
    session: int,
    name: Callable[[str], str],
    seen: dict[int, tuple[str, float]],
    over: threading.Event,
) -> None:
    while not over.wait(LOOK_EVERY):
        for pid in _pids():
            found = stat(pid)
            if found and found.session == session:
                words = _words(pid)  # none of one that has ended
                seen[pid] = name(words) if words else seen.get(pid, ("",))[0], found.own


def _words(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace")


def _pids() -> Iterable[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
