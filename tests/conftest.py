"""What the tests share: a sandbox to ask, and the tap's command line to ask it with."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox import Sandbox
from hypothesis import settings
from typing_extensions import override
from xdist.scheduler import LoadFileScheduling

from tests.commands import QuickTapCommand, TapCommand, forking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from datto_rmm_sandbox.journal import Entry
    from xdist.remote import Producer

    from tests.commands import Forker

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
    """Twice as many workers as there are cores: much of what the tests do is waiting."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) * 2


NOW = 1_795_000_000_000
"""The sandbox account's clock in tests: 2026-11-18, epoch milliseconds."""


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """The process that has imported the commands."""
    with forking() as process:
        yield process


@pytest.fixture
def quick(forker: Forker, tmp_path: Path) -> QuickTapCommand:
    """The tap's command line, started in 25 ms."""
    return QuickTapCommand(tmp_path, forker=forker)


@pytest.fixture(scope="module")
def quickly(
    forker: Forker, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], QuickTapCommand]:
    """Make such command lines that live as long as the module, each with a folder of its own."""

    def make(name: str) -> QuickTapCommand:
        return QuickTapCommand(tmp_path_factory.mktemp(name), forker=forker)

    return make


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
