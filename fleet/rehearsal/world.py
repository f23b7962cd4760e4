"""Accounts that are none, a PostgreSQL, the accounts file and the secrets of a fleet."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from datto_rmm_sandbox import Sandbox

from demo.postgres import Postgres

if TYPE_CHECKING:
    from psycopg import Connection

PROJECT = Path(__file__).resolve().parent.parent
TAP = PROJECT.parent / ".venv/bin/tap-datto-rmm"
TARGET = PROJECT / ".venv-target/bin/target-postgres"
ANSWERS = PROJECT.parent / "sql/answers"

WAREHOUSE = "WAREHOUSE_URL"
ENGINE_DATABASE = "dagster"
UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the fleet and the sandbox that plays its API."""

    name: str
    schema: str
    sandbox: Sandbox

    @property
    def secrets(self) -> tuple[str, str]:
        """The names of its two secrets."""
        return f"{self.name.upper()}_KEY", f"{self.name.upper()}_SECRET"

    @property
    def uid(self) -> str:
        """Its account's uid."""
        return self.sandbox.account.uid

    @property
    def line(self) -> dict[str, Any]:
        """Its line of the accounts file."""
        key, secret = self.secrets
        where = {"api_url": self.sandbox.url, "schema": self.schema}
        return {"name": self.name, **where, "api_key": key, "api_secret": secret}


class World:
    """All that a fleet needs but the fleet, as a context manager.

    Args:
        folder: for the database, the accounts file and the secrets.
    """

    def __init__(self, folder: Path) -> None:
        """Start nothing yet."""
        self.folder = folder
        self.members: dict[str, Member] = {}
        self.lines: dict[str, dict[str, Any]] = {}
        self.postgres = Postgres(folder / "postgres")
        self._seeds = count(1)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the database; there are no accounts yet."""
        self._stack.enter_context(self.postgres)
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        self.write_secret(WAREHOUSE, self.postgres.uri)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it all."""
        self._stack.close()

    def add(self, name: str, **options: Any) -> Member:
        """Add an account, with its secrets and its line in the file.

        Args:
            name: the account's; its schema, uid and rows are new ones each time.
            options: of the sandbox.
        """
        seed = next(self._seeds)
        keys = {"api_key": f"k3y-of-{name}", "api_secret": f"s3cret-of-{name}"}
        given: dict[str, Any] = {"devices": 60, "rate_limit": 0, "seed": seed, **keys, **options}
        sandbox = self._stack.enter_context(Sandbox(**given))
        member = Member(name, f"datto_{name}_{seed}", sandbox)
        for secret, value in zip(member.secrets, keys.values(), strict=True):
            self.write_secret(secret, value)
        self.members[name] = member
        self.lines[name] = member.line
        self.write_accounts()
        return member

    @property
    def secrets(self) -> Path:
        """The folder with a file for each secret."""
        return self.folder / "secrets"

    @property
    def accounts(self) -> Path:
        """The accounts file."""
        return self.folder / "accounts.yaml"

    def write_secret(self, name: str, value: str) -> None:
        """Write a secret into its file."""
        path = self.secrets / name
        path.touch(mode=0o600)
        path.write_text(value, encoding="utf-8")

    def write_accounts(self, **more: object) -> None:
        """Write the accounts file from `lines`.

        Args:
            more: further parts of the file.
        """
        defaults = {"settings": {"max_requests_per_minute": UNLIMITED}}
        content = {
            "warehouse": WAREHOUSE,
            "defaults": defaults,
            "accounts": list(self.lines.values()),
            **more,
        }
        self.accounts.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of an engine that syncs this fleet."""
        return {
            "PATH": os.environ["PATH"],
            "FLEET_ACCOUNTS": str(self.accounts),
            "FLEET_ANSWERS": str(ANSWERS),
            "FLEET_SECRETS": str(self.secrets),
            "FLEET_TAP": os.environ.get("FLEET_TAP", str(TAP)),
            "FLEET_TARGET": os.environ.get("FLEET_TARGET", str(TARGET)),
        }

    def sync_command(self, name: str) -> list[str]:
        """The command line that syncs an account."""
        return [sys.executable, "-m", "fleet.sync", name]

    def connect(self) -> Connection[Any]:
        """Open a connection to the warehouse."""
        return self.postgres.connect()
