"""The commands as a user runs them: what they are given, what they print, how they end."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

DISCOVERED: dict[str, str] = {}
"""Catalogs as text, by the settings that they were discovered with."""

SECRETS = ("sandbox-secret", "sandbox-key")
"""What must never be printed."""


@dataclass(frozen=True)
class Run:
    """One run of a command: what it printed, and how it ended."""

    code: int
    out: str
    err: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages in order."""
        return [msgspec.json.decode(line) for line in self.out.splitlines()]

    @cached_property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The records by stream, in order."""
        found = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The SCHEMA messages by stream."""
        return {m["stream"]: m for m in self.messages if m["type"] == "SCHEMA"}

    @cached_property
    def state(self) -> dict[str, Any]:
        """The last state."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else {}

    def bookmark(self, stream: str) -> str | None:
        """A stream's bookmark in the last state."""
        value: str | None = self.state["bookmarks"][stream].get("replication_key_value")
        return value


@dataclass
class TapCommand:
    """Runs `tap-datto-rmm` as a user would: config, catalog and state in files."""

    folder: Path
    module: str = "tap_datto_rmm"
    """Or another of the commands."""
    subcommand: tuple[str, ...] = ()
    runs: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def arguments(
        self,
        config: Mapping[str, Any] | None,
        *arguments: str,
        state: Mapping[str, Any] | None = None,
        catalog: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Write the files and give the command line."""
        self.runs += 1
        command = [sys.executable, "-m", self.module, *self.subcommand]
        for option, content in (("config", config), ("state", state), ("catalog", catalog)):
            if content is not None:
                file = self.folder / f"{option}-{self.runs}.json"
                file.write_text(json.dumps(content), encoding="utf-8")
                command += [f"--{option}", str(file)]
        return [*command, *arguments]

    def __call__(
        self,
        config: Mapping[str, Any] | None,
        *arguments: str,
        state: Mapping[str, Any] | None = None,
        catalog: Mapping[str, Any] | None = None,
        timeout: float = 120,
        **environment: str,
    ) -> Run:
        """Run to the end; whatever it prints is searched for secrets."""
        command = self.arguments(config, *arguments, state=state, catalog=catalog)
        run = self.execute(command, {**os.environ, **self.environment, **environment}, timeout)
        for secret in (*SECRETS, "Bearer ", "access_token"):
            assert secret not in run.out + run.err
        return run

    def execute(self, command: list[str], environment: dict[str, str], timeout: float) -> Run:
        """Run a command line in the folder."""
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            env=environment,
            cwd=self.folder,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def catalog(self, config: Mapping[str, Any], *streams: str) -> dict[str, Any]:
        """Discover, and select these streams only."""
        key = json.dumps({**config, "api_url": None})  # what there is to read is not asked there
        if key not in DISCOVERED:
            DISCOVERED[key] = self(config, "--discover").out
        catalog: dict[str, Any] = json.loads(DISCOVERED[key])
        for entry in catalog["streams"]:
            select(entry, selected=entry["stream"] in streams)
        return catalog

    def sync(self, config: Mapping[str, Any], *streams: str, **options: Any) -> Run:
        """Sync these streams only."""
        return self(config, catalog=self.catalog(config, *streams), **options)


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
    """The same without the time that the imports take."""

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
                "module": self.module,
                "arguments": command[3:],  # without `python -m module`
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


@contextmanager
def forking() -> Generator[Forker]:
    """Run a process that has imported the commands."""
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


def select(entry: dict[str, Any], *path: str, selected: bool) -> None:
    """Select or deselect a catalog entry's stream, or a property of it, nested ones too."""
    breadcrumb = [part for name in path for part in ("properties", name)]
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == breadcrumb:
            metadata["metadata"]["selected"] = selected
            return
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": {"selected": selected}})
