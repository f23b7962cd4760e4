"""The account's quota: looked at now and then, and what others use is left to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_datto_rmm.api.quota import CALLS_PER_LOOK, RATE_STATUS_PATH, QuotaMonitor, quota_of
from tap_datto_rmm.errors import ApiError, NotAvailableError, PermissionDeniedError, RequestError
from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.http.transport import Response
from tap_datto_rmm.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_datto_rmm.http.client import Client

STATUS = {"accountCount": 137, "accountRateLimit": 600, "accountCutOffRatio": 0.9}


def response(before: int = 0) -> Response:
    return Response(200, {}, b"", before=before)


@dataclass
class Script:
    """Answers the question for the rate status; other calls are made by saying so."""

    answer: object = field(default_factory=lambda: STATUS)
    before: int = 0
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(540))
    counters: Counters = field(default_factory=Counters)
    looks: list[float | None] = field(default_factory=list)
    submitted: int = 0
    now: float = 1_000.0

    def ask(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        read: Callable[[Any, Response], Any],
        *,
        patience: float | None,
    ) -> object:
        assert path == RATE_STATUS_PATH
        assert params is None
        self.looks.append(patience)
        self.counters.add(calls=1)
        if isinstance(self.answer, RequestError):
            raise self.answer
        return read(self.answer, response(self.before))

    def submit(self, look: Callable[[], None]) -> None:
        self.submitted += 1
        look()

    def monitor(self) -> QuotaMonitor:
        return QuotaMonitor(cast("Client", self), 60.0, lambda: self.now)


@pytest.mark.parametrize(
    ("status", "before", "wanted"),
    [
        (STATUS, 0, (600, 540, 137, 137)),
        (STATUS, 100, (600, 540, 137, 37)),
        (STATUS, 200, (600, 540, 137, 0)),
        ({"accountCount": 1, "accountRateLimit": 300}, 0, (300, 300, 1, 1)),
        ({**STATUS, "accountWriteCount": 3, "operationWriteStatus": {}}, 0, (600, 540, 137, 137)),
    ],
)
def test_what_the_tap_did_itself_is_no_use_of_others(
    status: dict[str, Any], before: int, wanted: tuple[int, ...]
) -> None:
    assert quota_of(status, response(before)) == wanted


@pytest.mark.parametrize(
    "status", [None, [], {}, {**STATUS, "accountRateLimit": None}, {**STATUS, "accountCount": "1"}]
)
def test_an_answer_without_the_numbers_is_damaged(status: object) -> None:
    with pytest.raises(ApiError, match="no `accountRateLimit` and `accountCount`"):
        quota_of(status, response())


def test_a_look_leaves_others_their_room(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(before=37)
    with caplog.at_level("INFO"):
        assert script.monitor().look().others == 100
    assert script.limiter.ceiling == 440
    assert caplog.messages == [
        "Other clients or runs made 100 of the account's 600 requests a minute: the tap uses 440"
    ]


def test_what_hardly_changes_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(before=137 - 4)
    monitor = script.monitor()
    with caplog.at_level("INFO"):
        monitor.look()
        assert (script.limiter.ceiling, caplog.messages) == (536, [])
        script.before = 37
        monitor.look()
        script.before = 34
        monitor.look()
        assert (script.limiter.ceiling, len(caplog.messages)) == (437, 1)
        script.before = 137
        monitor.look()
    assert caplog.messages[1:] == [
        "Other clients or runs made 0 of the account's 600 requests a minute: the tap uses 540"
    ]


def test_the_first_look_is_waited_for_and_later_ones_are_not() -> None:
    script = Script()
    monitor = script.monitor()
    monitor.look_when_due()
    assert (script.looks, script.submitted) == ([0], 0)
    script.counters.add(calls=CALLS_PER_LOOK)
    script.now += 20
    monitor.look_when_due()
    assert (script.looks, script.submitted) == ([0, 0], 1)


@pytest.mark.parametrize(("calls", "seconds"), [(CALLS_PER_LOOK - 2, 60), (1_000, 19)])
def test_looks_are_rare_by_calls_and_by_time(calls: int, seconds: float) -> None:
    script = Script()
    monitor = script.monitor()
    monitor.look_when_due()
    script.counters.add(calls=calls)
    script.now += seconds
    monitor.look_when_due()
    assert len(script.looks) == 1


def test_a_tap_that_others_leave_little_looks_once_a_minute_whether_they_are_done() -> None:
    script = Script(answer={**STATUS, "accountCount": 500})
    monitor = script.monitor()
    monitor.look_when_due()
    assert script.limiter.ceiling == 54  # a tenth, at least
    script.answer = STATUS
    for seconds, looks in ((59, 1), (1, 2), (60, 2)):  # then there is room, and it is patient again
        script.now += seconds
        script.counters.add(calls=1)
        monitor.look_when_due()
        assert len(script.looks) == looks
    assert script.limiter.ceiling == 403


@pytest.mark.parametrize(
    ("error", "looks"),
    [
        (ApiError("HTTP 500"), 2),
        (PermissionDeniedError("HTTP 403"), 1),
        (NotAvailableError("HTTP 404"), 1),
    ],
)
def test_a_failing_look_changes_nothing_and_is_not_tried_for_ever(
    error: RequestError, looks: int
) -> None:
    script = Script(answer=error)
    monitor = script.monitor()
    for _ in range(2):
        monitor.look_when_due()
        script.counters.add(calls=CALLS_PER_LOOK)
        script.now += 60
    assert len(script.looks) == looks
    assert script.limiter.ceiling == 540
