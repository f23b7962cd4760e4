"""Dagster with the fleet's definitions, as it runs on one machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

from rehearsal import processes
from rehearsal.world import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rehearsal.world import World

DATABASE = "dagster"
DEFINITIONS = ["-m", "fleet.engine.definitions"]
STOP_SECONDS = 30
ASK_SECONDS = 0.5
"""Between two questions to the database, for which each new connection is work."""

LAST_RUNS = """
    SELECT DISTINCT ON (partition) partition, status, will_retry.value = 'true'
    FROM runs
    LEFT JOIN run_tags AS will_retry
        ON will_retry.run_id = runs.run_id AND will_retry.key = 'dagster/will_retry'
    WHERE partition IS NOT NULL
    ORDER BY partition, runs.id DESC
"""


class Engine:
    """Dagster's daemon, and its web server where it is wanted, as a context manager.

    Args:
        world: whose fleet it runs.
    """

    def __init__(self, world: World) -> None:
        """Start nothing yet."""
        self.world = world
        self.home = world.folder / "dagster"
        self.daemon: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Make Dagster's database and folder; start the daemon."""
        with self.world.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        self.home.mkdir()
        shutil.copy(PROJECT / "dagster.yaml", self.home)
        with ExitStack() as stack:
            stack.callback(self._stop_daemon)
            self.start_daemon()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it all."""
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of Dagster's processes."""
        url = self.world.postgres.uri.rpartition("/")[0].replace("://", "+psycopg2://")
        return {
            **self.world.environment,
            "DAGSTER_HOME": str(self.home),
            "FLEET_DAGSTER_URL": f"{url}/{DATABASE}",
            "FLEET_EVERY_MINUTES": "1440",  # rounds are asked for, so that they can be counted
            "HOME": os.environ["HOME"],
        }

    @property
    def log(self) -> Path:
        """What Dagster says."""
        return self.home / "dagster.log"

    def start_daemon(self) -> None:
        """Start the daemon, which starts what runs the syncs."""
        self.daemon = self._start("dagster-daemon", "run", *DEFINITIONS)

    def lose_the_machine(self) -> None:
        """Kill the daemon and all that it has started, at once."""
        if self.daemon:
            processes.kill_all_below(self.daemon.pid)
            self.daemon.wait()

    def lose_the_code_server(self) -> None:
        """Kill what loads the definitions and starts the runs; the daemon starts another one."""
        below = processes.descendants(self.daemon.pid) if self.daemon else []
        servers = [one.number for one in below if "grpc" in one.command]
        processes.kill_all(servers)

    def serve(self, port: int) -> None:
        """Start the web server on the loopback interface."""
        where = ["--host", "127.0.0.1", "--port", str(port)]
        server = self._start("dagster-webserver", *where, *DEFINITIONS)
        self._stack.callback(_stop, server)

    def ask_for(self, accounts: Iterable[str]) -> None:
        """Ask for a sync of each of these accounts: one that Dagster does not know is new to it."""
        with psycopg.connect(self.world.postgres.uri, dbname=DATABASE) as connection:
            query = "DELETE FROM dynamic_partitions WHERE partition = ANY(%s)"
            connection.execute(query, [list(accounts)])

    def count(self) -> Counter[str]:
        """Syncs so far, by account."""
        rows = self._rows("SELECT partition FROM runs WHERE partition IS NOT NULL")
        return Counter(account for (account,) in rows)

    def results(self) -> dict[str, str] | None:
        """How each account's last run ended; None while one is under way or will be retried."""
        rows = self._rows(LAST_RUNS)
        ended = {
            name: status for name, status, again in rows if not (again and status == "FAILURE")
        }
        are_over = set(ended.values()) <= {"SUCCESS", "FAILURE", "CANCELED"}
        return ended if are_over and len(ended) == len(rows) else None

    def wait_for_round(self, accounts: Iterable[str], before: Counter[str]) -> dict[str, str]:
        """Wait until each account has had a run since then, and none is under way."""

        def over() -> dict[str, str] | None:
            now = self.count()
            all_ran = all(now[name] > before[name] for name in accounts)
            return self.results() if all_ran else None

        return processes.wait_for("the end of the round", over, ASK_SECONDS)

    def is_ready(self) -> bool:
        """Whether Dagster has made its tables."""
        with psycopg.connect(self.world.postgres.uri, dbname=DATABASE) as connection:
            return connection.execute("SELECT to_regclass('runs')").fetchone() != (None,)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        if not self.is_ready():
            return []
        with psycopg.connect(self.world.postgres.uri, dbname=DATABASE) as connection:
            return connection.execute(query.encode()).fetchall()

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [_program(program), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )

    def _stop_daemon(self) -> None:
        if self.daemon:
            _stop(self.daemon)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it, and its code server, which would outlive it and wait for a database that is gone."""
    below = [one.number for one in processes.descendants(process.pid)]
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    processes.kill_all(below)
