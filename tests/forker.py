"""Runs commands in forks of this process, which has imported them: 25 ms instead of 800.

Each run is a process of its own, as it is for a user, from `main()` to its end. Reads one JSON
object a line from stdin, and answers each with a line that holds the exit code and the memory that
the run took at most, in KiB.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_datto_rmm import __main__ as tap
from tap_datto_rmm.doctor import __main__ as doctor
from tap_datto_rmm.spec_tools import __main__ as spec_tools
from tap_datto_rmm.tap import TapDattoRMM
from tap_datto_rmm.telemetry.screen import LivingLine, LogLines

if TYPE_CHECKING:
    from collections.abc import Callable

MAINS: dict[str, Callable[[], object]] = {
    "tap_datto_rmm": tap.main,
    "tap_datto_rmm.doctor": doctor.main,
    "tap_datto_rmm.spec_tools": spec_tools.main,
}


def serve() -> None:
    """Fork once for each line, wait for the end, tell how it ended."""
    gc.enable()  # the tap's own start, of which the imports were a part, switches it off
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            become(job)
            os._exit(run(MAINS[job["module"]]))
        _, status, used = os.wait4(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss}\n")
        sys.stdout.flush()


def run(main: Callable[[], object]) -> int:
    """Run the command, which ends the process itself; give the exit code where it does not."""
    try:
        main()
    except BaseException:  # noqa: BLE001 - whatever it is
        sys.excepthook(*sys.exc_info())
    return 1


def become(job: dict[str, Any]) -> None:
    """Take on the arguments, folder, environment and output files of a run."""
    signal.alarm(job["timeout"])
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    TapDattoRMM.retry_policy = replace(TapDattoRMM.retry_policy, **job["patience"])
    if job["tells_often"]:
        LogLines.seconds = LivingLine.seconds = 0.01
    sys.argv = [job["module"], *job["arguments"]]
    for descriptor, path in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


if __name__ == "__main__":
    serve()
