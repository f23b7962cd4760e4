"""Time that passes only when somebody waits, and a server that says what a test wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from tap_datto_rmm.http.client import Client
from tap_datto_rmm.http.closing import Closing
from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.http.retry import RetryPolicy
from tap_datto_rmm.http.service import Service
from tap_datto_rmm.http.transport import Cause, Lost, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.http.transport import Request

HOST = "https://api.example"
SERVICE = Service(
    host_url=HOST,
    base_path="/api",
    token_path="/token",
    token_form={"password": "the-secret"},
    token_headers={"Authorization": "Basic abc"},
    token_seconds=3600.0,
    public_path="/public",
    pages_have="details",
)
POLICY = RetryPolicy(jitter=lambda seconds: seconds)
"""Waits as long as it may: nothing by chance."""

TOKEN = {"access_token": "t0k3n", "expires_in": 36_000}


class Looks(Protocol):
    """Looks on while time passes."""

    @property
    def pause(self) -> float:
        """Seconds until the next look."""

    def look(self) -> None:
        """Look."""


class Clock:
    """Seconds that never run backwards."""

    def __init__(self) -> None:
        self.now = 5_000.0
        self._watch: Looks | None = None
        self._looks_at = 0.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass; who watches looks when it is time to."""
        until = self.now + seconds
        while self._watch and self._looks_at <= until:
            self.now = self._looks_at
            self._watch.look()
            self._looks_at += self._watch.pause
        self.now = until

    def show(self, watch: Looks) -> None:
        """Let somebody watch."""
        self._watch = watch
        self._looks_at = self.now + watch.pause


class Waiting(Condition):
    """Waiting moves the clock instead of taking time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._moved = clock

    @override
    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert timeout > 0
        self._moved.move(timeout)
        return False


class Sleepless(Closing):
    """Sleeping moves the clock; what is told is kept."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._moved = clock
        self.slept: list[float] = []
        self.lines: list[str] = []
        self.while_asleep: Callable[[], None] = lambda: None

    @override
    def sleep(self, seconds: float) -> None:
        self.check()
        self.while_asleep()
        self.slept.append(seconds)
        self._moved.move(seconds)

    @override
    def warn(self, line: str) -> None:
        self.check()
        self.lines.append(line)


def said(answer: object = None, status: int = 200, **headers: str) -> Response:
    """A response with this JSON."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, names, json.dumps(answer).encode())


def lost(cause: Cause = Cause.CUT) -> Lost:
    """No response."""
    return Lost(cause, "api.example", timeout=60.0)


Reply = Response | Lost


@dataclass
class Scripted:
    """A transport that answers by a function of the path; tokens and the public path by itself."""

    answer: Callable[[str], Reply]
    clock: Clock = field(default_factory=Clock)
    seconds: float = 0.0
    """That an exchange takes."""
    asked: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    everywhere: bool = False
    """Whether `answer` decides for tokens and the public path too."""
    closed: bool = False

    def send(self, request: Request) -> Reply:
        """Answer."""
        path = request.url.removeprefix(HOST).removeprefix("/api")
        self.asked.append(path)
        self.requests.append(request)
        self.clock.move(self.seconds)
        if not self.everywhere and path == SERVICE.token_path:
            return said(TOKEN)
        if not self.everywhere and path == SERVICE.public_path:
            return said({"status": "up"})
        return self.answer(path)

    def close(self) -> None:
        """Note it."""
        self.closed = True


@dataclass
class Bench:
    """A client that asks a script, and whose time passes only when it waits."""

    transport: Scripted
    client: Client
    closing: Sleepless

    @property
    def clock(self) -> Clock:
        """The time of all parts."""
        return self.transport.clock

    def took(self, act: Callable[[], Any]) -> float:
        """Seconds by the clock."""
        started = self.clock.now
        act()
        return self.clock.now - started


def bench(
    answer: Callable[[str], Reply],
    *,
    policy: RetryPolicy = POLICY,
    per_minute: int = 1000,
    **options: Any,
) -> Bench:
    """Make one."""
    transport = Scripted(answer, **options)
    clock, closing = transport.clock, Sleepless(transport.clock)
    limiter = RateLimiter(per_minute, clock, policy.window, Waiting(clock))
    client = Client(
        SERVICE, transport, limiter, policy=policy, parallel=4, closing=closing, clock=clock
    )
    return Bench(transport, client, closing)
