"""Runs of the tap's command line that start in 50 ms."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.conftest import SECRETS, Run, TapCommand
from tests.e2e.scene import IMPATIENT, START, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from datto_rmm_sandbox import Sandbox


@dataclass
class Forker:
    """The process that forks; one run at a time."""

    requests: IO[str]
    answers: IO[str]
    lock: Lock

    def run(self, job: dict[str, object]) -> tuple[int, int]:
        """Run a job to its end; give its exit code, and the KiB that it took at most."""
        with self.lock:
            self.requests.write(json.dumps(job) + "\n")
            self.requests.flush()
            code, peak = self.answers.readline().split()
            return int(code), int(peak)


@dataclass
class QuickTapCommand(TapCommand):
    """The tap's command line without the time that its imports take."""

    forker: Forker | None = None
    patience: dict[str, float] = field(default_factory=dict)
    """How the tap's retry policy differs from its own, so that no test waits minutes."""
    tells_often: bool = False
    """Whether progress is told all the time, so that no test waits ten seconds."""
    peak: int = 0
    """KiB of memory that the last run took at most, with what it shares with the others."""
    screen: str | None = None
    """Path of the terminal that standard error goes to; None: to a file, and into the `Run`."""

    @override
    def execute(self, command: list[str], environment: dict[str, str], timeout: float) -> Run:
        assert self.forker
        out, err = (self.folder / f"{name}-{self.runs}.txt" for name in ("out", "err"))
        code, self.peak = self.forker.run(
            {
                "arguments": command[3:],  # without `python -m tap_datto_rmm`
                "environment": environment,
                "folder": str(self.folder),
                "out": str(out),
                "err": self.screen or str(err),
                "timeout": math.ceil(timeout),
                "patience": self.patience,
                "tells_often": self.tells_often,
            }
        )
        log = "" if self.screen else err.read_text(encoding="utf-8")
        return Run(code, out.read_text(encoding="utf-8"), log)


@dataclass(frozen=True)
class Shell:
    """Runs scripts as a user types them: pipes, redirections, `$TAP` for the command."""

    folder: Path

    def __call__(
        self,
        script: str,
        *,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        module: str = "tap_datto_rmm",
    ) -> Run:
        """Run a script to its end; whatever it prints is searched for secrets and tracebacks."""
        bash = shutil.which("bash")
        assert bash
        # A way to .venv without a space, which `$TAP` could not hold: the clone may be anywhere.
        link = self.folder.parent / f"{self.folder.name}-venv"
        if not link.exists():
            link.symlink_to(sys.prefix)
        done = subprocess.run(
            [bash, "-c", script],
            input=given,
            capture_output=True,
            cwd=self.folder,
            env={
                **os.environ,
                "TAP": f"{link}/bin/python -m {module}",
                **(environment or {}),
            },
            timeout=120,
            check=False,
        )
        run = Run(done.returncode, done.stdout.decode(), done.stderr.decode())
        for word in (*SECRETS, "Traceback"):
            assert word not in run.out + run.err
        return run


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in a folder of its own."""
    return Shell(tmp_path)


@contextmanager
def forking() -> Generator[Forker]:
    """Run a process that has imported the tap."""
    script = Path(__file__).with_name("forker.py")
    process = subprocess.Popen(
        [sys.executable, "-P", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        assert process.stdin
        assert process.stdout
        yield Forker(process.stdin, process.stdout, Lock())
        process.stdin.close()


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """The process that has imported the tap."""
    with forking() as process:
        yield process


@pytest.fixture
def quick(forker: Forker, tmp_path: Path) -> QuickTapCommand:
    """The tap's command line, started in 50 ms."""
    return QuickTapCommand(tmp_path, forker=forker)


@pytest.fixture
def scene(sandbox: Callable[..., Sandbox], quick: QuickTapCommand) -> Callable[..., Scene]:
    """Start an account with an empty target; runs give requests up soon."""
    quick.patience = IMPATIENT

    def start(**options: object) -> Scene:
        return Scene(sandbox(**{"udf": "absent", "now": START, **options}), quick)

    return start


@pytest.fixture(scope="module")
def quickly(
    forker: Forker, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], QuickTapCommand]:
    """Make such command lines that live as long as the module, each with a folder of its own."""

    def make(name: str) -> QuickTapCommand:
        return QuickTapCommand(tmp_path_factory.mktemp(name), forker=forker)

    return make


@pytest.fixture
def user_agents() -> Iterator[tuple[str, list[str]]]:
    """Run a server that refuses every token and keeps the User-Agent headers; give its URL."""
    seen: list[str] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers["User-Agent"])
            self.send_error(401)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()
