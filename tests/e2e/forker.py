"""Runs the tap's `main()` in forks of this process, which has imported it: 50 ms instead of 800.

Each run is a process of its own, as it is for a user, from `main()` to the interpreter's end. Reads
one JSON object a line from stdin, and answers each with a line that holds the exit code and the
memory that the run took at most, in KiB.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from tap_datto_rmm.__main__ import main
from tap_datto_rmm.tap import TapDattoRMM
from tap_datto_rmm.telemetry.screen import LivingLine, LogLines


def serve() -> None:
    """Fork once for each line, wait for the end, tell how it ended."""
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            become(job)
            main()
        _, status, used = os.wait4(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss}\n")
        sys.stdout.flush()


def become(job: dict[str, Any]) -> None:
    """Take on the arguments, folder, environment and output files of a run."""
    signal.alarm(job["timeout"])
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    TapDattoRMM.retry_policy = replace(TapDattoRMM.retry_policy, **job["patience"])
    if job["tells_often"]:
        LogLines.seconds = LivingLine.seconds = 0.01
    sys.argv = ["tap-datto-rmm", *job["arguments"]]
    for descriptor, path in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


if __name__ == "__main__":
    serve()
