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
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Self

from rehearsal import processes
from rehearsal.engine import ASK_SECONDS, DATABASE, Engine
from rehearsal.world import World

TICKS = os.sysconf("SC_CLK_TCK")
KIB, MIB = 1024, 1024 * 1024
SAMPLE_SECONDS = 0.2
REST_SECONDS = 60

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
        try:
            stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        total += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return total / TICKS


@dataclass(frozen=True, slots=True)
class Used:
    """Processor seconds so far, or between two moments."""

    dagster: float
    database: float
    clock: float

    @classmethod
    def so_far(cls, engine: Engine) -> Used:
        """Look."""
        daemon = processes.wait_for("the daemon", lambda: engine.daemon)
        database = processor_seconds(engine.world.postgres.pid)
        return cls(processor_seconds(daemon.pid), database, time.monotonic())

    def __sub__(self, other: Used) -> Used:
        """What was used since then."""
        return Used(
            self.dagster - other.dagster, self.database - other.database, self.clock - other.clock
        )

    def less_rest(self, rest: Used) -> Used:
        """What was used beside what is used at rest, in the same time."""
        share = self.clock / rest.clock
        dagster = self.dagster - share * rest.dagster
        return Used(dagster, self.database - share * rest.database, self.clock)


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
            processes.wait_for("its tables", lambda: engine.is_ready() or None, ASK_SECONDS)
            time.sleep(REST_SECONDS)  # to its rest
            start = Used.so_far(engine)
            time.sleep(REST_SECONDS)
            size, before = database_bytes(world), Used.so_far(engine)
            rest = before - start
            names = [add_account(world, number) for number in range(runs)]
            world.write_accounts()
            processes.wait_for(
                "the queue", lambda: len(engine.count()) == runs or None, ASK_SECONDS
            )
            queued = time.monotonic() - before.clock
            results = engine.wait_for_round(names, Counter())
            used = Used.so_far(engine) - before
            busy, grown = used.less_rest(rest), database_bytes(world) - size
        print(Counter(results.values()))
        print(f"all were queued after {queued:.0f} s and over after {used.clock:.0f} s")
        print("processor seconds of Dagster with the syncs, and of PostgreSQL:")
        print(f"  a run: {busy.dagster / runs:.2f} and {busy.database / runs:.2f}")
        print(f"  a minute at rest: {rest.dagster:.1f} and {rest.database:.1f}")
        print(f"{grown / runs / KIB:.0f} KiB of Dagster's database a run")
        for kind, peak in sorted(memory.peaks.items()):
            print(f"{kind}: {peak / MIB:.0f} MiB at most")
    return int(set(results.values()) != {"SUCCESS"})


if __name__ == "__main__":
    sys.exit(main())
