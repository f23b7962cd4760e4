"""A whole sync on a scripted clock: at the vendor's limit, in trouble, and never silent."""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tap_datto_rmm.api.connection import POLICY, service_of
from tap_datto_rmm.api.quota import QuotaMonitor
from tap_datto_rmm.http.client import Client
from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.http.requests_transport import RequestsTransport
from tap_datto_rmm.http.transport import Lost, Request, Response
from tap_datto_rmm.tap import TapDattoRMM
from tap_datto_rmm.telemetry.screen import LogLines
from tap_datto_rmm.telemetry.waits import ANSWERS, BLOCK, HOST, RATE_LIMIT, RETRIES
from tap_datto_rmm.telemetry.watch import Sources, Watch
from tests.http.fakes import Clock, Sleepless, Waiting
from tests.telemetry.looking import Paper

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from datto_rmm_sandbox import Sandbox

SECONDS_PER_CALL = 0.05
"""By the scripted clock: eight at once take 0.4 s each, of the vendor."""


Trouble = Callable[[float, str], "Response | Lost | None"]
"""By the seconds that have passed and the URL: what comes instead of the account's answer."""


class Timed(RequestsTransport):
    """Real exchanges, which take no time but that of the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("tests", 30.0, 2)
        self.trouble: Trouble = lambda _, __: None
        self._clock = clock
        self._began = clock.now

    @override
    def send(self, request: Request) -> Response | Lost:
        self._clock.move(SECONDS_PER_CALL)
        instead = self.trouble(self._clock.now - self._began, request.url)
        return instead or super().send(request)


class ScriptedTap(TapDattoRMM):
    """The tap, whose time passes only where somebody waits, and who tells on paper."""

    config_jsonschema: ClassVar = TapDattoRMM.config_jsonschema

    @cached_property
    def clock(self) -> Clock:
        return Clock()

    @cached_property
    def paper(self) -> Paper:
        return Paper(self.clock, LogLines.columns)

    @cached_property
    def transport(self) -> Timed:
        return Timed(self.clock)

    @cached_property
    @override
    def client(self) -> Client:
        clock, budget = self.clock, self.settings.max_requests_per_minute
        client = Client(
            service_of(self.settings),
            self.transport,
            RateLimiter(budget, clock, changed=Waiting(clock)),
            policy=POLICY,
            parallel=1,
            closing=Sleepless(clock),
            clock=clock,
        )
        client.before_each_get(QuotaMonitor(client, clock=clock).look_when_due)
        return client

    @contextmanager
    def _shown(self) -> Generator[None]:
        progress = self.report.progress
        progress.clock = self.clock
        sources = Sources(
            progress, self.client.counters, self.client.limiter, [self.client.waits_for]
        )
        self.clock.show(Watch(sources, self.paper))
        yield

    watched = _shown


@pytest.fixture
def sync(
    sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ScriptedTap]]:
    """Sync an account to the end, through some trouble."""

    def run(devices: int, trouble: Callable[[Clock], Trouble] | None = None) -> ScriptedTap:
        account = sandbox(devices=devices, udf="absent")
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
        tap = ScriptedTap(config={**account.settings, "max_parallel_requests": 1})
        if trouble:
            tap.transport.trouble = trouble(tap.clock)
        tap.sync_all()
        return tap

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def told(tap: ScriptedTap, pattern: str) -> list[str]:
    """Lines of the progress that match."""
    return [line for line in tap.paper.lines if re.search(pattern, line)]


def test_at_the_limit_there_is_a_line_every_ten_seconds(sync: Callable[..., ScriptedTap]) -> None:
    tap = sync(devices=500)
    minutes = (tap.clock.now - tap.paper.began) / 60
    calls = tap.client.counters.calls
    assert calls > 2 * tap.settings.max_requests_per_minute
    assert minutes > 2
    assert tap.paper.longest_silence <= 10
    assert max(map(len, tap.paper.lines)) + len("00:00:00 | ") <= 80
    assert told(tap, r"^device_audits.*, waiting \d+ s for the rate limit")
    assert told(tap, r"left in all")
    waits = tap.client.counters.waits
    assert waits.keys() == {RATE_LIMIT}
    assert waits[RATE_LIMIT] == pytest.approx(60 * minutes - calls * SECONDS_PER_CALL, abs=15)


def outage(_: Clock) -> Trouble:
    """The host answers nobody for two minutes."""
    gateway = Response(502, {}, b"<html>")
    return lambda now, _: gateway if 5 < now < 125 else None


def block(_: Clock) -> Trouble:
    """The vendor blocks this address for five minutes."""
    return lambda now, _: Response(403, {}, b"") if 5 < now < 305 else None


def refusals(_: Clock) -> Trouble:
    """Other clients use up the limit for two minutes."""
    return lambda now, _: Response(429, {"Retry-After": "20"}, b"") if 5 < now < 125 else None


def slow_token(clock: Clock) -> Trouble:
    """The first token takes 45 seconds."""
    return lambda now, _: clock.move(45) if now < 1 else None


def slow_list(clock: Clock) -> Trouble:
    """The page of devices takes 45 seconds."""
    return lambda _, url: clock.move(45) if url.endswith("/v2/account/devices") else None


def bad_device(_: Clock) -> Trouble:
    """A path fails for good, and nothing else is to be asked for meanwhile."""
    gateway = Response(502, {}, b"<html>")
    return lambda now, url: gateway if url.endswith("/users") and now < 40 else None


@pytest.mark.parametrize(
    ("trouble", "says", "cause"),
    [
        (outage, r"waiting for the host, since \d+ s", HOST),
        (block, r"waiting \d+ s for the IP block", BLOCK),
        (refusals, r"waiting \d+ s for the rate limit", RATE_LIMIT),
        (slow_token, r"^signing in, waiting for /auth/oauth/token, since 10 s", ANSWERS),
        (slow_list, r"waiting for /v2/account/devices, since \d+ s", ANSWERS),
        (bad_device, r"^users, retrying /v2/account/users after HTTP 502", RETRIES),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_in_trouble_there_is_a_line_every_ten_seconds_that_says_which(
    sync: Callable[..., ScriptedTap],
    trouble: Callable[[Clock], Trouble],
    says: str,
    cause: str,
) -> None:
    tap = sync(120, trouble)
    assert told(tap, says), tap.paper.lines
    assert tap.paper.longest_silence <= 10
    assert tap.client.counters.waits[cause] > 10
    assert {stream.status for stream in tap.report.streams.values()} == {"complete"}
