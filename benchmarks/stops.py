"""What Meltano and a target keep of a first sync that is stopped: the calls that are asked twice.

`--devices 6000 --after 4600 --latency-ms 600` stops after six minutes, when target-postgres has
passed the state on once; it takes twelve minutes for each way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from datto_rmm_sandbox import Sandbox

from benchmarks.measure import (
    NOW,
    PYTHON,
    ROOT,
    UNLIMITED,
    folder,
    machine,
    options,
    publish,
    table,
)
from benchmarks.processes import children
from demo.pipeline import TAP, Pipeline, alone_in_this_clone
from demo.postgres import Postgres

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

AUDIT: Final = "/v2/audit/device/{device_uid}"
WAYS: Final = {
    "SIGTERM to the tap": (signal.SIGTERM, "tap"),
    "SIGKILL to the tap": (signal.SIGKILL, "tap"),
    "SIGTERM to Meltano": (signal.SIGTERM, "Meltano"),
    "Ctrl-C": (signal.SIGINT, "all"),
    "SIGKILL to the target": (signal.SIGKILL, "target"),
    "SIGKILL to all": (signal.SIGKILL, "all"),
}
TARGETS: Final = ("target-postgres", "target-jsonl")
MINUTES_BLOCKED: Final = 6
"""Meltano takes a run that was killed for a running one for so long, at most."""


def stop(process: subprocess.Popen[bytes], signum: int, whom: str) -> None:
    """Send a signal to one of the processes, or to all as a terminal does."""
    if whom == "all":
        os.killpg(process.pid, signum)
        return
    for pid, words in children(process.pid):
        if f"bin/{whom}" in words:
            os.kill(pid, signum)
    if whom == "Meltano":
        process.send_signal(signum)


def once(target: str, way: str, given: argparse.Namespace, place: Path) -> list[object]:
    """Stop a first sync, run it again; give the table's row."""
    signum, whom = WAYS[way]
    names = {"tap": TAP, "target": target}
    with (
        Postgres(place / "postgres") as server,
        Sandbox(
            devices=given.devices, now=NOW, rate_limit=0, latency_ms=given.latency_ms, udf="absent"
        ) as api,
    ):
        (place / "files").mkdir()
        tap = {**api.settings, "max_requests_per_minute": str(UNLIMITED)}
        targets = {
            "target-postgres": server.settings,
            "target-jsonl": {"destination_path": str(place / "files")},
        }
        pipeline = Pipeline(place, {TAP: tap, **targets})
        pipeline.environment["TAP_DATTO_RMM__SELECT"] = json.dumps(["devices.*", "device_audits.*"])
        process = _start(pipeline, target)
        asked = api.state.journal.by_endpoint
        while asked[AUDIT] < given.after and process.poll() is None:
            time.sleep(0.05)
        started = time.monotonic()
        stop(process, signum, names.get(whom, whom))
        code = process.wait()
        seconds = time.monotonic() - started
        first = asked[AUDIT]
        until = time.monotonic() + 60 * MINUTES_BLOCKED
        while (again := _start(pipeline, target).wait()) and time.monotonic() < until:
            time.sleep(10)
        never = sum(d.is_computer and d.audited is None for d in api.account.devices)
        twice = asked[AUDIT] - sum(d.is_computer for d in api.account.devices) - never
        return [f"{way}, {target}", code, f"{seconds:.1f}", first, max(0, twice), again]


def _start(pipeline: Pipeline, target: str) -> subprocess.Popen[bytes]:
    with (pipeline.folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [Path(PYTHON).with_name("meltano"), f"--env-file={os.devnull}", "run", TAP, target],
            cwd=ROOT,
            env=pipeline.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table."""
    given = _parser().parse_args(arguments)
    began_on = machine()
    rows = []
    with alone_in_this_clone(), folder() as base:
        Pipeline(base, {}).install()
        for target in given.target:
            for way in given.way:
                place = base / f"{target}-{way}".replace(" ", "-")
                place.mkdir()
                rows.append(once(target, way, given, place))
                print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    head = ["first sync, stopped", "exit code", "s to the end", "audits asked for", "asked twice"]
    words = (
        f"{given.devices:,} devices, stopped when {given.after:,} audits were asked for; the last "
        "column is the exit code of the next run, which completes the sync.\n"
    )
    publish(given, "stops", "Stopped runs", began_on, words, table([*head, "next run"], rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    main = options("benchmarks.stops", __doc__)
    main.add_argument("--devices", type=int, default=3_000)
    main.add_argument("--after", type=int, default=2_000, help="audits")
    main.add_argument("--latency-ms", type=float, default=50.0)
    main.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    main.add_argument("--target", nargs="+", choices=TARGETS, default=TARGETS)
    return main


if __name__ == "__main__":
    sys.exit(main())
