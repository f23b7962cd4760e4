"""What the tests share: a fleet in small, and the command that syncs an account."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from fleet.sync import Outcome
from rehearsal.truth import Difference, difference
from rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECRETS = ("k3y-of-", "s3cret-of-")
"""What must never be printed."""


@dataclass(frozen=True)
class Done:
    """How a sync ended."""

    code: int
    outcome: Outcome
    log: str


class SmallFleet(World):
    """Accounts that are synced by the command."""

    def start(
        self, name: str, *, prefix: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*prefix, *self.sync_command(name)],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sync(self, name: str, **environment: str) -> Done:
        return self.ended(self.start(name, **environment))

    @staticmethod
    def ended(process: subprocess.Popen[str]) -> Done:
        out, log = process.communicate()
        for secret in SECRETS:
            assert secret not in out + log
        return Done(process.returncode, Outcome.model_validate_json(out.splitlines()[-1]), log)

    def entry(self, name: str) -> dict[str, Any]:
        query = "SELECT to_jsonb(accounts) FROM fleet.accounts WHERE schema = %s"
        with self.connect() as connection:
            found = connection.execute(query, [self.members[name].schema]).fetchone()
        assert found
        row: dict[str, Any] = found[0]
        return row

    def wrong_rows(self, name: str) -> Difference:
        with self.connect() as connection:
            return difference(connection, self.members[name])


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallFleet]:
    with SmallFleet(tmp_path_factory.mktemp("fleet")) as world:
        yield world


@pytest.fixture
def fleet(world: SmallFleet) -> SmallFleet:
    world.members.clear()
    world.lines.clear()
    for name in ("acme", "bolt"):
        world.add(name, devices=24)
    return world
