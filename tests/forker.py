"""Runs commands in forks of this process, which has imported them: 25 ms instead of 800.

Each run is a process of its own, as it is for a user, from `main()` to the flush of what it wrote.
Only the interpreter's end is left out: to take all objects apart costs as long again, as a fork
copies each page that it touches. Reads one JSON object a line from stdin, and answers each with a
line that holds the exit code and the memory that the run took at most, in KiB.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_datto_rmm import __main__ as tap
from tap_datto_rmm.doctor import cli as doctor
from tap_datto_rmm.spec_tools import cli as spec_tools
from tap_datto_rmm.tap import TapDattoRMM
from tap_datto_rmm.telemetry.screen import LivingLine, LogLines

if TYPE_CHECKING:
    from collections.abc import Callable

MAINS: dict[str, Callable[[], object]] = {
    "tap_datto_rmm": tap.main,
    "tap_datto_rmm.doctor": doctor.main,
    "tap_datto_rmm.spec_tools.cli": spec_tools.main,
}
FLUSH_FAILED = 120
"""Exit code of an interpreter that cannot write out what was printed."""


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
    """Run the command as the interpreter does, and give the exit code."""
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is
        sys.excepthook(*sys.exc_info())
    threading._shutdown()  # type: ignore[attr-defined] # waits for the threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = FLUSH_FAILED
    return code


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
