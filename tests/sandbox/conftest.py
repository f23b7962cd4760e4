"""A client of the sandbox that knows nothing of the tap: requests over HTTP."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from datto_rmm_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = 1_795_000_000_000
"""2026-11-18, epoch milliseconds."""

SECRET = "sandbox-secret"


class Client:
    """Asks a sandbox over HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.token: str | None = None

    def log_in(self, secret: str = SECRET, **changed: object) -> requests.Response:
        form = {"grant_type": "password", "username": "sandbox-key", "password": secret}
        return self.session.post(
            f"{self.sandbox.url}/auth/oauth/token",
            **cast("Any", {"data": form, "auth": ("public-client", "public"), **changed}),
            timeout=10,
        )

    def get(self, path: str, **query: object) -> requests.Response:
        if self.token is None:
            self.token = self.log_in().json()["access_token"]
        url = path if path.startswith("http") else f"{self.sandbox.url}/api{path}"
        return self.session.get(
            url,
            params=cast("dict[str, str]", query),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
        )

    def pages(self, path: str, key: str, **query: object) -> list[list[Any]]:
        found: list[list[Any]] = []
        url = None
        while url or not found:
            answer = self.get(url or path, **({} if url else query))
            assert answer.status_code == 200
            found.append(answer.json()[key])
            url = answer.json()["pageDetails"]["nextPageUrl"]
        return found

    def rows(self, path: str, key: str, **query: object) -> list[Any]:
        return [row for page in self.pages(path, key, **query) for row in page]

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = self.session.request(
            method, f"{self.sandbox.url}/_sandbox{path}", json=body, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def expected(self, stream: str) -> list[dict[str, Any]]:
        answer = self.session.get(f"{self.sandbox.url}/_sandbox/expected/{stream}", timeout=30)
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Start a sandbox and a client for it; both end with the test."""
    with ExitStack() as stack:

        def start(**options: object) -> Client:
            given: dict[str, Any] = {"devices": 60, "now": NOW, "rate_limit": 0, **options}
            found = Client(stack.enter_context(Sandbox(**given)))
            stack.callback(found.session.close)
            return found

        yield start


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """One sandbox for the tests of a module that change nothing."""
    with Sandbox(devices=600, now=NOW, rate_limit=0) as sandbox:
        found = Client(sandbox)
        yield found
        found.session.close()
