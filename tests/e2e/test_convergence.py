"""Whatever happens to account, tap, network and clocks: the target ends up equal to the account.

And exit code 0 is never given to a run that lacks a row which was there throughout. Long runs:
`make convergence EXAMPLES=500 SEED=1`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

import pytest
from datto_rmm_sandbox import Sandbox
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from typing_extensions import override

from tap_datto_rmm.api.connection import POLICY
from tap_datto_rmm.tap import TapDattoRMM
from tests.e2e.scene import FAN_OUT, HOUR, IMPATIENT, MINUTE, MOST_STATE, START
from tests.e2e.warehouse import Warehouse, assert_equal, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.records import Device

    from tests.e2e.warehouse import Key, Sync

EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "6"))
SEED = os.environ.get("CONVERGENCE_SEED", "")

AUDITS = ("device_audits", "device_software", "printer_audits")
STREAMS = (
    "account",
    "sites",
    "devices",
    "users",
    "alerts",
    "activity_logs",
    "site_settings",
    *AUDITS,
    "jobs",
    "job_results",
)
SETTINGS: dict[str, Any] = {
    "emit_activate_version_messages": True,
    "deletion_guard_percent": 100,
    "lookback_minutes": 15,
    "audit_sweep_days": 1,
    "full_sweep_days": 1,
    "page_size": 5,
    "max_parallel_requests": 2,
}
COUNT = st.integers(0, 3)
NUMBER = st.integers(0, 30)
MOMENT = st.integers(1, 400)
"""Messages written; a whole run of this account writes about so many."""
BAD_ANSWERS = ("status=500", "status=403", "status=405", "status=422", "cut-json", "reset", "empty")
PARENTS = ("device_audits", "device_software", "printer_audits", "site_settings", "jobs")
PAGES = (
    "/v2/account/devices",
    "/v2/account/sites",
    "/v2/account/users",
    "/v2/account/alerts/open",
    "/v2/account/alerts/resolved",
)
COUNTED = "/v2/account/(devices|sites|users)"
"""Lists that tell their `totalCount`: where it is missing, a row that moves may wait for a run."""


class _AnyDatetime(type):
    """Lets every date and time be an instance of a class that is put in the place of theirs."""

    @override
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class MachineClock(datetime, metaclass=_AnyDatetime):
    """The clock of the machine that the tap runs on; right, it shows what the account's does."""

    account: Account
    ahead = timedelta()

    @classmethod
    @override
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(cls.account.now / 1000, tz or UTC) + cls.ahead


class AnAccountAndItsCopy(RuleBasedStateMachine):
    """Runs that succeed, fail and die, between changes of the account, the network and clocks."""

    @initialize(number=st.integers(0, 3), order=st.sampled_from(["newest", "oldest", "unordered"]))
    def begin(self, number: int, order: str) -> None:
        note(f"make convergence EXAMPLES={EXAMPLES} SEED={SEED}")
        self.warehouse = Warehouse()
        self.unseen: set[str] = set()
        """Devices whose audits may be missing until a sweep, or until the list shows their date."""
        self.box = Sandbox(
            devices=12,
            seed=number,
            now=START,
            rate_limit=0,
            udf="absent",
            alert_order=order,
            resolved_alerts=14,
        )
        self.box.__enter__()
        MachineClock.account = self.box.account
        MachineClock.ahead = timedelta()

    # Runs

    @rule()
    def runs_twice(self) -> None:
        """In good health, and with the sweep between where only that can find something."""
        MachineClock.ahead = timedelta()
        self.attempt()
        if self.unseen:
            self.box.call(lambda: self.box.account.later(25 * HOUR))
            self.unseen.clear()
        assert self.attempt().failure is None
        assert_equal(self.warehouse, self.box, *STREAMS)

    @rule(moment=MOMENT)
    def dies(self, moment: int) -> None:
        self.attempt(most=moment)

    @rule(moment=MOMENT, minutes=st.integers(1, 30), number=COUNT)
    def runs_while_the_account_lives(self, moment: int, minutes: int, number: int) -> None:
        def after_line(line: int) -> None:
            if line == moment:
                self.change(minutes, number, number, number, number)

        self.attempt(after_line=after_line)

    @rule(stream=st.sampled_from(PARENTS), number=NUMBER, answer=st.sampled_from(BAD_ANSWERS))
    def runs_with_one_bad_parent(self, stream: str, number: int, answer: str) -> None:
        if path := self.path_of_one(stream, number):
            self.attempt(f"{answer}:path={path}")

    @rule(number=NUMBER, status=st.sampled_from([404, 410]))
    def runs_with_one_audit_gone(self, number: int, status: int) -> None:
        device = self.device(number)
        self.unseen.add(device.uid)
        self.attempt(f"status={status}:path=/v2/audit/device/{device.uid}")

    @rule(path=st.sampled_from(["/audit/device/", "/settings", "/v2/job/"]))
    def runs_behind_a_gateway_that_calls_all_gone(self, path: str) -> None:
        self.unseen |= {device.uid for device in self.box.account.devices}
        gone = {("jobs", "/v2/job/"), ("job_results", "/v2/job/"), ("site_settings", "/settings")}
        streams = {stream for stream, found in gone if found == path}
        self.attempt(f"gateway=404:path={path}", unpromised=streams)

    @rule(path=st.sampled_from(PAGES), page=st.integers(0, 3), answer=st.sampled_from(BAD_ANSWERS))
    def runs_with_one_bad_page(self, path: str, page: int, answer: str) -> None:
        self.attempt(f"{answer}:path={path}.*page={page}([^0-9]|$)")

    @rule(after=st.integers(0, 3), answer=st.sampled_from(BAD_ANSWERS))
    def runs_with_a_log_that_ends_badly(self, after: int, answer: str) -> None:
        self.attempt(f"{answer}:path=/v2/activity-logs:after={after}")

    @rule(number=NUMBER, everywhere=st.booleans())
    def runs_with_one_bad_device_row(self, number: int, everywhere: bool) -> None:  # noqa: FBT001
        device = self.device(number)
        self.unseen.add(device.uid)
        path = "/devices([?]|$)" if everywhere else "/v2/account/devices"
        self.attempt(f'status=500:path={path}:holds="uid":"{device.uid}"')

    @rule(rows=st.integers(1, 4))
    def runs_over_lists_that_lack_rows(self, rows: int) -> None:
        """A list that lacks the same row twice is one whose total is wrong."""
        self.unseen |= {device.uid for device in self.box.account.devices}
        lists = ("devices", "sites", "users", "site_settings")
        self.attempt(f"lose-rows={rows}:path={COUNTED}", unpromised=lists)

    @rule(after=st.integers(0, 90), seconds=st.sampled_from([0.05, 0.2, 30]))
    def runs_into_an_outage(self, after: int, seconds: float) -> None:
        self.attempt(f"status=502:after={after}:seconds={seconds}")

    @rule()
    def runs_while_rows_change_places(self) -> None:
        self.turn(drift="reorder", drift_path=COUNTED)
        self.attempt()
        self.turn(drift="none")

    @rule(hours=st.sampled_from([-50, -2, 2, 50]))
    def runs_while_the_apis_clock_is_wrong(self, hours: int) -> None:
        MachineClock.ahead = timedelta()
        self.turn(date_ahead=hours)
        self.attempt(unpromised=STREAMS if hours < 0 else ())
        self.turn(date_ahead=0)

    # What happens to the account

    @rule(minutes=st.integers(1, 200), audited=COUNT, alerts=COUNT, devices=COUNT, logged=COUNT)
    def change(self, minutes: int, audited: int, alerts: int, devices: int, logged: int) -> None:
        self.box.advance(
            minutes,
            audited_percent=audited * 10,
            opened=alerts,
            resolved=alerts,
            added=devices,
            removed=min(devices, 1),
            activities=logged,
        )

    @rule(number=NUMBER, days=st.sampled_from([0, 0.01, 1, 4000]))
    def audit(self, number: int, days: float) -> None:
        """By a clock that is right, or ahead."""
        device = self.device(number)
        self.happens(lambda account: account.audit(device, account.now + int(days * 24 * HOUR)))

    @rule(number=NUMBER, minutes=st.integers(1, 10))
    def audit_that_the_list_shows_late(self, number: int, minutes: int) -> None:
        device = self.device(number)
        self.unseen.add(device.uid)
        self.happens(lambda account: account.audit(device, account.now, late=minutes * MINUTE))

    @rule(number=NUMBER)
    def remove(self, number: int) -> None:
        if len(self.box.account.devices) > 1:
            device = self.device(number)
            self.happens(lambda account: account.remove_device(device))

    @precondition(lambda self: self.box.account.removed)
    @rule(number=NUMBER)
    def restore(self, number: int) -> None:
        gone = list(self.box.account.removed.values())
        device = gone[number % len(gone)]
        self.unseen.add(device.uid)
        self.happens(lambda account: account.restore_device(device))

    @rule(number=NUMBER)
    def run_a_job(self, number: int) -> None:
        devices = [self.device(number), self.device(number + 1)]
        self.happens(lambda account: account.run_job(devices, account.now))

    @rule(number=NUMBER)
    def finish_a_job(self, number: int) -> None:
        active = [j for j in self.box.account.jobs.values() if j.is_active(self.box.account.now)]
        if active:
            self.happens(lambda account: account.finish_job(active[number % len(active)]))

    @rule(hours=st.sampled_from([-50, -1, 0, 1, 50]))
    def set_the_clock_of_this_machine(self, hours: int) -> None:
        MachineClock.ahead = timedelta(hours=hours)

    @precondition(lambda self: self.warehouse.state)
    @rule()
    def lose_the_state(self) -> None:
        self.warehouse.state = {}

    # How it is done

    def attempt(
        self,
        *faults: str,
        unpromised: tuple[str, ...] | set[str] = (),
        most: int | None = None,
        after_line: Callable[[int], None] = lambda _: None,
    ) -> Sync:
        """Run the tap, and hold it to the promise of exit code 0.

        Args:
            faults: in force while it runs.
            unpromised: streams that a vendor's lie keeps from being complete.
            most: the tap is killed when it writes more messages.
            after_line: called with the number of each message.
        """
        before = self.keys()
        self.box.call(lambda: self.box.state.faults.replace(faults))
        sync = self.warehouse.sync(self.box, *STREAMS, most=most, after_line=after_line, **SETTINGS)
        self.box.call(lambda: self.box.state.faults.replace(()))
        assert len(json.dumps(self.warehouse.state)) <= MOST_STATE
        late_clock = MachineClock.ahead < timedelta()
        if sync.failure is None and not late_clock:
            after = self.keys()
            for stream in set(STREAMS) - set(unpromised):
                lost = (before[stream] & after[stream]) - self.warehouse.tables[stream].keys()
                if stream in AUDITS:
                    lost = {key for key in lost if key[0] not in self.unseen}
                assert not lost, ("exit code 0", stream, len(lost), sorted(map(str, lost))[:3])
        return sync

    def keys(self) -> dict[str, set[Key]]:
        return {stream: set(true_rows(self.box, stream)) for stream in STREAMS}

    def happens(self, change: Callable[[Account], object]) -> None:
        def happens() -> None:
            self.box.account.later(1000)
            change(self.box.account)

        self.box.call(happens)

    def turn(self, **quirks: object) -> None:
        def turn() -> None:
            self.box.state.quirks = self.box.state.quirks.changed(quirks)
            self.box.state.moves.clear()

        self.box.call(turn)

    def device(self, number: int) -> Device:
        devices = self.box.account.devices
        return devices[number % len(devices)]

    def path_of_one(self, stream: str, number: int) -> str:
        """The path of one parent of a stream; empty where it has none."""
        rows = true_rows(self.box, stream).values()
        fan_out = FAN_OUT[stream]
        parents = sorted({tuple(row[name] for name in fan_out.parent) for row in rows})
        return fan_out.path_of(parents[number % len(parents)]) if parents else ""

    @override
    def teardown(self) -> None:
        try:
            self.runs_twice()
        finally:
            self.box.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every module of the tap the machine's clock, and the client little patience."""
    monkeypatch.setattr(TapDattoRMM, "retry_policy", replace(POLICY, **IMPATIENT))
    for name, module in list(sys.modules.items()):
        if name.startswith("tap_datto_rmm") and vars(module).get("datetime") is datetime:
            monkeypatch.setattr(module, "datetime", MachineClock)
    yield
    MachineClock.ahead = timedelta()


if SEED:
    seed(int(SEED))(AnAccountAndItsCopy)
TestConvergence = AnAccountAndItsCopy.TestCase
TestConvergence.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    derandomize=not SEED,
    database=None,
    suppress_health_check=list(HealthCheck),
)
