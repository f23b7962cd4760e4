"""Whatever happens to account, tap and clocks: the target ends up equal to the account."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

import pytest
from datto_rmm_sandbox import Sandbox
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from typing_extensions import override

from tap_datto_rmm.http import clock
from tests.conftest import NOW
from tests.e2e.warehouse import Warehouse, assert_equal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.records import Device

STREAMS = (
    "account",
    "devices",
    "alerts",
    "activity_logs",
    "device_audits",
    "esxi_host_audits",
    "printer_audits",
)
SETTINGS: dict[str, Any] = {
    "emit_activate_version_messages": True,
    "deletion_guard_percent": 100,
    "lookback_minutes": 0,
    "page_size": 5,
    "max_parallel_requests": 2,
}
COUNT = st.integers(0, 3)
MOMENT = st.integers(1, 160)
"""Messages written; a whole run of this account writes about so many."""
FAULTS = ("status=405:path=/audit/device/:after=3", "status=405:path=alerts/resolved.*page=2")


class SkewedClock(datetime):
    """The clock of the machine that the tap runs on."""

    ahead = timedelta()

    @classmethod
    @override
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + cls.ahead


class AnAccountAndItsCopy(RuleBasedStateMachine):
    """Syncs that succeed, fail and die, between changes of the account and of clocks."""

    @initialize(seed=st.integers(0, 3), order=st.sampled_from(["newest", "oldest", "unordered"]))
    def begin(self, seed: int, order: str) -> None:
        self.warehouse = Warehouse()
        self.account = Sandbox(
            devices=12, seed=seed, now=NOW, rate_limit=0, udf="absent", alert_order=order
        )
        self.account.__enter__()

    @rule()
    def sync(self) -> None:
        assert self.warehouse.sync(self.account, *STREAMS, **SETTINGS).failure is None
        assert_equal(self.warehouse, self.account, *STREAMS)

    @rule(moment=MOMENT)
    def sync_and_die(self, moment: int) -> None:
        self.warehouse.sync(self.account, *STREAMS, most=moment, **SETTINGS)

    @rule(fault=st.sampled_from(FAULTS))
    def sync_and_fail(self, fault: str) -> None:
        self.account.call(lambda: self.account.state.faults.replace([fault]))
        self.warehouse.sync(self.account, *STREAMS, **SETTINGS)
        self.account.call(lambda: self.account.state.faults.replace([]))

    @rule(moment=MOMENT, minutes=st.integers(1, 30), number=COUNT)
    def sync_while_the_account_lives(self, moment: int, minutes: int, number: int) -> None:
        def after_line(line: int) -> None:
            if line == moment:
                self.change(minutes, number, number, number, number)

        self.warehouse.sync(self.account, *STREAMS, after_line=after_line, **SETTINGS)

    @rule(minutes=st.integers(1, 200), audited=COUNT, alerts=COUNT, devices=COUNT, logged=COUNT)
    def change(self, minutes: int, audited: int, alerts: int, devices: int, logged: int) -> None:
        self.account.advance(
            minutes,
            audited_percent=audited * 10,
            opened=alerts,
            resolved=alerts,
            added=devices,
            removed=min(devices, 1),
            activities=logged,
        )

    @rule(number=st.integers(0, 30), days=st.sampled_from([0.01, 1, 4000]))
    def audit_by_a_clock_that_is_ahead(self, number: int, days: float) -> None:
        self.audit(number, int(days * 86_400_000))

    @rule(number=st.integers(0, 30))
    def audit_by_a_clock_that_is_right(self, number: int) -> None:
        self.audit(number, 0)

    @rule(hours=st.sampled_from([-50, -1, 0, 1, 50]))
    def set_the_clock_of_this_machine(self, hours: int) -> None:
        SkewedClock.ahead = timedelta(hours=hours)

    @precondition(lambda self: self.warehouse.state)
    @rule()
    def lose_the_state(self) -> None:
        self.warehouse.state = {}

    def audit(self, number: int, ahead: int) -> None:
        def happens() -> None:
            account = self.account.account
            device: Device = account.devices[number % len(account.devices)]
            account.later(1000)
            account.audit(device, account.now + ahead)

        self.account.call(happens)

    @override
    def teardown(self) -> None:
        try:
            self.sync()
        finally:
            SkewedClock.ahead = timedelta()
            self.account.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _skewed_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "datetime", SkewedClock)
    yield
    SkewedClock.ahead = timedelta()


TestConvergence = AnAccountAndItsCopy.TestCase
TestConvergence.settings = settings(
    max_examples=12,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
