"""`python -m rehearsal.benchmark RUNS`: what the engine itself costs, by runs that do nothing.

The tap and the target are stubs, so that what is measured is Dagster, its database and the sync
command. Processor seconds are those of all processes below Dagster's daemon: they do not depend on
how busy the machine is, as the time on the clock does.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from typing import Self

from rehearsal import processes
from rehearsal.engine import DATABASE, Engine
from rehearsal.world import World

TICKS = os.sysconf("SC_CLK_TCK")
KIB, MIB = 1024, 1024 * 1024
SAMPLE_SECONDS = 0.2

TAP = f"""#!{sys.executable} -IS
import json, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if "--config" not in options:
    account = dict(tap_stream_id="account", metadata=[dict(breadcrumb=[], metadata=dict())])
    print(json.dumps(dict(streams=[account])))
    sys.exit()
config = json.load(open(options["--config"]))
if "--catalog" in options:
    row = dict(uid=config["api_key"], name=config["api_key"])
    print(json.dumps(dict(type="RECORD", stream="account", record=row)))
    sys.exit()
streams = dict()
for number in range(21):
    streams["stream_%d" % number] = dict(status="complete", records=number, calls=1)
report = dict(exit_code=0, complete=True, calls=21, streams=streams)
json.dump(report, open(config["report_path"], "w"))
"""
TARGET = "#!/bin/sh\ncat >/dev/null\n"
"""Its own output stays open until the tap has ended, as a target's does."""


def add_account(world: World, number: int) -> str:
    """Add an account without a sandbox; give its name."""
    name = f"account-{number:03}"
    secrets = {"api_key": f"KEY_{number}", "api_secret": f"SECRET_{number}"}
    for secret in secrets.values():
        world.write_secret(secret, secret)
    line = {"name": name, "platform": "merlot", "schema": f"datto_{number}", **secrets}
    world.lines[name] = line
    return name


def stub(folder: Path, name: str, text: str) -> str:
    """Write a program that does nothing."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def processor_seconds(number: int) -> float:
    """What a process and all that it has started and seen end have used."""
    total = 0
    for process in [number, *(one.number for one in processes.descendants(number))]:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += sum(map(int, stat[11:15]))
    return total / TICKS


class Memory:
    """The most that any process of each kind has used, sampled in the background."""

    def __init__(self, number: int) -> None:
        """Sample nothing yet."""
        self.number = number
        self.peaks: Counter[str] = Counter()
        self._end = Event()
        self._thread = Thread(target=self._sample)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            for process in processes.descendants(self.number):
                kind = _kind(process.command)
                self.peaks[kind] = max(self.peaks[kind], _resident(process.number))


def _kind(command: tuple[str, ...]) -> str:
    text = " ".join(command)
    marks = {
        "dagster-daemon": "daemon",
        "api grpc": "code server",
        "spawn_main": "run worker",
        "-m fleet.sync": "fleet.sync",
    }
    return next((kind for mark, kind in marks.items() if mark in text), "others")


def _resident(number: int) -> int:
    try:
        pages = Path(f"/proc/{number}/statm").read_text(encoding="utf-8").split()[1]
    except OSError:  # it has ended meanwhile
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def database_bytes(world: World) -> int:
    """The size of Dagster's database."""
    with world.connect() as connection:
        [(size,)] = connection.execute("SELECT pg_database_size(%s)", [DATABASE])
    return int(size)


def main() -> int:
    """Measure, and print.

    Returns:
        The exit code: 0 where all runs succeeded, so that it was they that were measured.
    """
    runs = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        os.environ["FLEET_TAP"] = stub(world.folder, "tap", TAP)
        os.environ["FLEET_TARGET"] = stub(world.folder, "target", TARGET)
        world.write_accounts()
        with Engine(world) as engine, Memory(os.getpid()) as memory:
            daemon = processes.wait_for("the daemon", lambda: engine.daemon)
            processes.wait_for("its tables", lambda: engine.is_ready() or None)
            time.sleep(60)  # to its rest
            idle_started, idle_used = time.monotonic(), processor_seconds(daemon.pid)
            time.sleep(60)
            idle = (processor_seconds(daemon.pid) - idle_used) / (time.monotonic() - idle_started)
            size, used, started = (
                database_bytes(world),
                processor_seconds(daemon.pid),
                time.monotonic(),
            )
            names = [add_account(world, number) for number in range(runs)]
            world.write_accounts()
            processes.wait_for("the queue", lambda: len(engine.count()) == runs or None)
            queued = time.monotonic() - started
            results = engine.wait_for_round(names, Counter())
            took = time.monotonic() - started
            busy = processor_seconds(daemon.pid) - used - idle * took
            grown = database_bytes(world) - size
        print(f"{Counter(results.values())} in {took:.0f} s; all were queued after {queued:.0f} s")
        print(f"{busy / runs:.2f} processor seconds a run; {idle:.3f} a second at rest")
        print(f"{grown / runs / KIB:.0f} KiB of Dagster's database a run")
        for kind, peak in sorted(memory.peaks.items()):
            print(f"{kind}: {peak / MIB:.0f} MiB at most")
    return int(set(results.values()) != {"SUCCESS"})


if __name__ == "__main__":
    sys.exit(main())
