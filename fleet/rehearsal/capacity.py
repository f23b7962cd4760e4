"""`python -m rehearsal.capacity DEVICES...`: what the hourly sync of one account costs.

A first sync, then an hour of the account's life, then the sync that is measured. Processor seconds
do not depend on how busy the machine is.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fleet.sync import Outcome
from rehearsal import processes
from rehearsal.benchmark import processor_seconds
from rehearsal.world import World

CORES, LOAD, HOUR = 2, 0.85, 3600


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds so far."""

    syncs: float
    database: float

    @classmethod
    def so_far(cls) -> Cost:
        """Look."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        servers = [
            process.number
            for process in processes.descendants(os.getpid())
            if process.parent == os.getpid() and process.runs("postgres")
        ]
        return cls(used.ru_utime + used.ru_stime, sum(map(processor_seconds, servers)))


def sync(world: World, name: str) -> Outcome:
    """Sync an account."""
    done = subprocess.run(
        world.sync_command(name), env=world.environment, check=True, capture_output=True
    )
    return Outcome.model_validate_json(done.stdout.splitlines()[-1])


def measure(devices: int) -> str:
    """Measure an hourly sync, and say it in a line."""
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        member = world.add("acme", devices=devices)
        sync(world, "acme")
        member.sandbox.advance(60)
        before, asked = Cost.so_far(), len(member.sandbox.requests)
        sync(world, "acme")
        after, calls = Cost.so_far(), len(member.sandbox.requests) - asked
    syncs, database = after.syncs - before.syncs, after.database - before.database
    accounts = CORES * LOAD * HOUR / (syncs + database)
    return (
        f"{devices:,} devices: {syncs:.1f} s tap, target and sync, {database:.1f} s PostgreSQL, "
        f"{calls} calls; {accounts:,.0f} accounts an hour on {CORES} cores"
    )


if __name__ == "__main__":
    for size in sys.argv[1:]:
        print(measure(int(size)), flush=True)
