"""Meltano as a user runs it, in this clone, with nothing of the user's own settings or state."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
MELTANO_FOLDER = ROOT / ".meltano"
STAMP = MELTANO_FOLDER / ".demo-installed"
TAP = "tap-datto-rmm"
SCHEMA = "datto_rmm"
"""Where the tables of the streams go, by `load_schema` in meltano.yml."""
LAST_LINES = 25
STOP_SECONDS = 15
OURS = ("MELTANO_", "TAP_DATTO_RMM_", "TARGET_JSONL_", "TARGET_POSTGRES_")


class PipelineError(Exception):
    """A Meltano command failed; the message names it and holds the end of its log."""


@contextmanager
def alone_in_this_clone() -> Generator[None]:
    """Wait until no other process works here: Meltano hands files to its plugins in one place."""
    MELTANO_FOLDER.mkdir(exist_ok=True)
    with (MELTANO_FOLDER / ".demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another demo or test is at work in this clone; waiting for it.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Pipeline:
    """Meltano with a state of its own.

    Args:
        folder: for logs and for Meltano's database; there is no state where that is missing.
        settings: of the plugins, by plugin and name.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Run nothing yet."""
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            # relative to the clone, whose own path may hold what has a meaning in a URL
            "MELTANO_DATABASE_URI": f"sqlite:///{os.path.relpath(folder / 'meltano.db', ROOT)}",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "MELTANO_CLI_LOG_FORMAT": "uncolored",
            "XDG_STATE_HOME": str(folder / "state"),  # where Meltano logs once more
            "NO_COLOR": "1",
            "TERM": "dumb",
            **{
                _variable(plugin, name): value
                for plugin, of_plugin in settings.items()
                for name, value in of_plugin.items()
            },
        }
        self._commands = 0

    def set(self, plugin: str, name: str, value: str) -> None:
        """Give a plugin another setting from now on."""
        self.environment[_variable(plugin, name)] = value

    def is_installed(self) -> bool:
        """Whether Meltano has its plugins, as meltano.yml names them now."""
        return STAMP.exists() and STAMP.read_text() == _fingerprint()

    def install(self) -> bool:
        """Let Meltano install its plugins, unless it has them.

        Returns:
            Whether there was anything to install.

        Raises:
            PipelineError: it failed.
        """
        if self.is_installed():
            return False
        STAMP.unlink(missing_ok=True)
        self.meltano("install", "--clean")
        STAMP.write_text(_fingerprint())
        return True

    def run(self, target: str, *, select: Sequence[str] = ()) -> Path:
        """Run the tap into a target.

        Args:
            target: its name.
            select: which streams and properties, if not those that meltano.yml selects.

        Returns:
            The log.

        Raises:
            PipelineError: the tap or the target failed.
        """
        environment = {_variable(TAP, "_select"): json.dumps(select)} if select else {}
        return self.meltano("run", TAP, target, **environment)

    def meltano(self, *arguments: str, **environment: str) -> Path:
        """Run a command of Meltano's, to its end.

        Args:
            arguments: without `meltano` itself.
            environment: further variables.

        Returns:
            The log of all that it said.

        Raises:
            PipelineError: it ended with another exit code than 0.
        """
        self._commands += 1
        log = self.folder / "logs" / f"{self._commands}-meltano-{arguments[0]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        # An empty file instead of .env, which may name the user's own account.
        command = [str(Path(sys.executable).with_name("meltano")), f"--env-file={os.devnull}"]
        with log.open("wb") as file:
            code = _wait_for(
                subprocess.Popen(
                    [*command, *arguments],
                    cwd=ROOT,
                    env={**self.environment, **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            )
        if code:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
            what = f"`meltano {' '.join(arguments)}` ended with exit code {code}"
            message = f"{what}; the end of {log}:\n{tail}"
            raise PipelineError(message)
        return log


def target_postgres(folder: Path, settings: Mapping[str, str]) -> list[str]:
    """The command line of the target that Meltano has installed, to be piped into without Meltano.

    Args:
        folder: for its configuration.
        settings: that reach the server.
    """
    config = folder / "target-postgres.json"
    config.touch(mode=0o600)
    given = {**settings, "port": int(settings["port"]), "default_target_schema": SCHEMA}
    config.write_text(json.dumps({**given, "use_copy": True, "validate_records": False}))
    program = MELTANO_FOLDER / "loaders/target-postgres/venv/bin/target-postgres"
    return [str(program), "--config", str(config)]


def _variable(plugin: str, setting: str) -> str:
    """The environment variable that Meltano reads a setting from."""
    return f"{plugin}_{setting}".replace("-", "_").upper()


def _wait_for(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end; where we are stopped before, stop the process and all that it started."""
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise


def _fingerprint() -> str:
    """What decides which packages the plugins need, and where they are."""
    parts = [str(ROOT), sys.executable, sys.version]
    parts += [(ROOT / name).read_text() for name in ("meltano.yml", "pyproject.toml")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
