"""What the tests share: a sandbox to ask, and the tap's command line to ask it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from datto_rmm_sandbox import Sandbox
from hypothesis import settings
from typing_extensions import override
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from datto_rmm_sandbox.journal import Entry
    from xdist.remote import Producer

os.environ.pop("PYTHONUNBUFFERED", None)  # it would hide messages that nobody flushes
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each command would compile all that it imports

settings.register_profile("no timing", deadline=None)
settings.load_profile("no timing")  # a busy machine is no failure


class OneForMeltano(LoadFileScheduling):  # type: ignore[misc] # has no types
    """Gives each module to one worker, and those that run Meltano to the same one.

    They need it to themselves (`demo.pipeline.alone_in_this_clone`): no worker waits for its turn.
    """

    @override
    def _split_scope(self, nodeid: str) -> str:
        module = super()._split_scope(nodeid)
        return "meltano" if "test_meltano" in module else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneForMeltano | None:
    """Take that one for `--dist=loadfile`."""
    return OneForMeltano(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: much of what the tests do is waiting."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) * 3 // 2


NOW = 1_795_000_000_000
"""The sandbox account's clock in tests: 2026-11-18, epoch milliseconds."""

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
        command = [sys.executable, "-m", "tap_datto_rmm"]
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


def select(entry: dict[str, Any], *path: str, selected: bool) -> None:
    """Select or deselect a catalog entry's stream, or a property of it, nested ones too."""
    breadcrumb = [part for name in path for part in ("properties", name)]
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == breadcrumb:
            metadata["metadata"]["selected"] = selected
            return
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": {"selected": selected}})


@pytest.fixture
def tap(tmp_path: Path) -> TapCommand:
    """The tap's command line."""
    return TapCommand(tmp_path)


def _sandboxes() -> Iterator[Callable[..., Sandbox]]:
    with ExitStack() as stack:

        def start(**options: Any) -> Sandbox:
            options = {"devices": 60, "seed": 7, "now": NOW, "rate_limit": 0, **options}
            return stack.enter_context(Sandbox(**options))

        yield start


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes that live as long as the module: no rate limit, a fixed clock."""
    yield from _sandboxes()


@pytest.fixture
def sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes that live as long as the test: no rate limit, a fixed clock."""
    yield from _sandboxes()


def fast(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """A config for a sandbox without a rate limit."""
    return {**sandbox.settings, "max_requests_per_minute": 1_000_000, **settings}


def taken(sandbox: Sandbox) -> list[Entry]:
    """Requests since the last look."""

    def take() -> list[Entry]:
        journal = sandbox.state.journal
        entries = list(journal.entries)
        journal.reset()
        return entries

    return sandbox.call(take)


def calls(sandbox: Sandbox) -> Counter[str]:
    """Requests since the last look, by endpoint template; the tap's own housekeeping aside."""
    return Counter(
        entry.endpoint
        for entry in taken(sandbox)
        if not entry.path.startswith(("/auth/", "/_sandbox/"))
        and not entry.path.endswith("/system/request_rate")
    )
