"""What the tests of whole commands share: a shell, a scene, a server that refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.commands import SECRETS, Run
from tests.e2e.scene import IMPATIENT, START, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand


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


@pytest.fixture
def scene(sandbox: Callable[..., Sandbox], quick: QuickTapCommand) -> Callable[..., Scene]:
    """Start an account with an empty target; runs give requests up soon."""
    quick.patience = IMPATIENT

    def start(**options: object) -> Scene:
        return Scene(sandbox(**{"udf": "absent", "now": START, **options}), quick)

    return start


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
