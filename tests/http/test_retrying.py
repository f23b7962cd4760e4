"""The loop around a request: how long a failure is worth another try, and who else is failing."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.errors import ApiError, OutageError, RequestError, TransportError
from tap_datto_rmm.http.closing import Closed
from tap_datto_rmm.http.health import HostHealth
from tap_datto_rmm.http.retry import REFUSED, Again, Failed, RetryPolicy, Success
from tap_datto_rmm.http.retrying import Retrying
from tests.http.fakes import POLICY, Clock, Sleepless

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.http.retry import Outcome

DOWN = Again(ApiError("/p: HTTP 502.", path="/p", status=502))
CUT = Again(TransportError("/p: cut.", path="/p"))
BUSY = Again(ApiError("/p: HTTP 503.", path="/p", status=503), wait=40.0)


class Loop:
    """A loop whose attempts and probes go as a test says."""

    def __init__(self, policy: RetryPolicy = POLICY, *, succeeded: bool = True) -> None:
        self.clock = Clock()
        self.closing = Sleepless(self.clock)
        self.health = HostHealth(policy, self.closing, self.clock)
        self.probes: list[float] = []
        self.probe: Callable[[], Again | None] = lambda: None
        self.retried: list[RequestError] = []
        self.retrying = Retrying(policy, self.health, self._probe, self.closing.sleep, self.clock)
        self.health.answered = True
        if succeeded:
            self.health.succeeded()
        self.clock.now += 1

    def _probe(self) -> Again | None:
        self.probes.append(self.clock.now)
        return self.probe()

    def ask(
        self, attempt: Callable[[], Outcome[str]], patience: float | None = None
    ) -> tuple[str | RequestError, float]:
        """The answer or the error, and the seconds that it took."""
        started = self.clock.now
        try:
            answer: str | RequestError = self.retrying.until_answered(
                attempt, self.retried.append, patience
            )
        except RequestError as error:
            answer = error
        return answer, self.clock.now - started


def script(*outcomes: Outcome[str]) -> Callable[[], Outcome[str]]:
    """These outcomes, the last one again and again."""
    coming = chain(outcomes, repeat(outcomes[-1]))
    return lambda: next(coming)


def test_an_answer_is_given_at_once() -> None:
    loop = Loop()
    assert loop.ask(script(Success("yes"))) == ("yes", 0)


def test_a_failure_that_stays_is_raised_at_once() -> None:
    loop, error = Loop(), ApiError("/p: HTTP 422.", path="/p", status=422)
    assert loop.ask(script(Failed(error))) == (error, 0)
    assert loop.closing.slept == []


def test_waits_grow_exponentially_up_to_the_longest() -> None:
    loop = Loop()
    assert loop.ask(script(*[DOWN] * 6, Success("yes")))[0] == "yes"
    assert loop.closing.slept == [1, 2, 4, 8, 15, 15]
    assert loop.retried == [DOWN.error] * 6


def test_a_refusal_is_sent_again_without_a_wait_of_its_own() -> None:
    loop = Loop()
    assert loop.ask(script(*[REFUSED] * 100, Success("yes"))) == ("yes", 0)
    assert loop.retried == []


def test_the_servers_wait_is_the_least() -> None:
    loop = Loop()
    loop.ask(script(BUSY, Success("yes")))
    assert loop.closing.slept == [40]


@pytest.mark.parametrize("took", [0.0, 2.0, 20.0])
def test_while_others_succeed_a_failing_request_costs_a_minute_at_most(took: float) -> None:
    loop = Loop()

    def attempt() -> Outcome[str]:
        loop.clock.now += took
        loop.health.succeeded()  # another request
        return Again(DOWN.error, seconds=took)

    error, seconds = loop.ask(attempt)
    assert error is DOWN.error
    assert seconds - took <= POLICY.patience + took  # from the first failure to the last
    assert seconds >= POLICY.patience


def test_a_request_that_hangs_gets_one_more_try() -> None:
    loop, attempts = Loop(), []

    def attempt() -> Outcome[str]:
        attempts.append(1)
        loop.clock.now += 60
        loop.health.succeeded()
        return Again(CUT.error, seconds=60)

    assert loop.ask(attempt)[0] is CUT.error
    assert len(attempts) == 2


def test_what_the_rate_limiter_takes_costs_no_patience() -> None:
    loop = Loop()

    def attempt() -> Outcome[str]:
        loop.clock.now += 300  # for a turn
        loop.health.succeeded()
        return DOWN

    loop.ask(attempt)
    assert sum(loop.closing.slept) == POLICY.patience


@pytest.mark.parametrize(("patience", "slept"), [(0, []), (5, [1, 2, 2])])
def test_the_caller_may_have_less_patience(patience: float, slept: list[float]) -> None:
    loop = Loop()

    def attempt() -> Outcome[str]:
        loop.clock.now += 0.1
        loop.health.succeeded()  # another request
        return DOWN

    error, _ = loop.ask(attempt, patience)
    assert error is DOWN.error
    assert loop.closing.slept == slept
    assert loop.probes == []


def test_without_any_patience_an_outage_is_waited_out_all_the_same() -> None:
    loop = Loop()
    back_at = loop.clock.now + 300
    loop.probe = lambda: None if loop.clock.now >= back_at else CUT
    assert loop.ask(lambda: Success("yes") if loop.clock.now >= back_at else DOWN, 0)[0] == "yes"
    assert loop.ask(script(DOWN), 0)[0] is DOWN.error


def test_a_wait_that_is_longer_than_the_patience_is_not_begun() -> None:
    loop = Loop()
    assert loop.ask(script(BUSY), patience=30) == (BUSY.error, 0)
    assert len(loop.probes) == 1


# Nothing has succeeded yet


@pytest.mark.parametrize("failure", [CUT, Again(ApiError("/p: no JSON.", path="/p", status=200))])
def test_at_the_first_contact_patience_is_short(failure: Again) -> None:
    loop = Loop(succeeded=False)
    assert loop.ask(script(failure)) == (failure.error, POLICY.first_patience)
    assert loop.probes == []


def test_a_host_that_starts_with_an_outage_is_waited_for() -> None:
    loop = Loop(succeeded=False)
    assert loop.ask(script(*[DOWN] * 12, Success("yes")))[0] == "yes"


def test_a_host_that_starts_with_an_outage_is_not_waited_for_for_ever() -> None:
    loop = Loop(succeeded=False)
    error, seconds = loop.ask(script(DOWN))
    assert isinstance(error, OutageError)
    assert "No request has succeeded for 10 minutes" in str(error)
    assert "HTTP 502" in str(error)
    assert seconds == POLICY.outage


# Is it the request, or the host?


def test_where_nothing_else_is_asked_a_probe_tells_that_the_host_is_up() -> None:
    loop = Loop()
    error, seconds = loop.ask(script(DOWN))
    assert error is DOWN.error
    assert seconds == POLICY.patience
    assert len(loop.probes) == 2  # at the second failure, and before it gives up


def test_one_failure_is_no_reason_to_probe() -> None:
    loop = Loop()
    loop.ask(script(DOWN, Success("yes")))
    assert loop.probes == []


def test_an_outage_is_waited_out_and_patience_begins_anew() -> None:
    loop = Loop()
    back_at = loop.clock.now + 300
    loop.probe = lambda: None if loop.clock.now >= back_at else CUT

    def attempt() -> Outcome[str]:
        return Success("yes") if loop.clock.now >= back_at + 40 else DOWN

    answer, seconds = loop.ask(attempt)
    assert answer == "yes"
    assert 340 <= seconds < 400
    assert "an outage. All requests wait for its end, 10 minutes at most" in loop.closing.lines[0]
    assert "The outage is over, after 5 minutes" in loop.closing.lines[1]


def test_an_outage_that_begins_while_a_request_fails_is_noticed_before_it_is_given_up() -> None:
    loop = Loop()
    went_down_at, back_at = loop.clock.now + 10, loop.clock.now + 200
    loop.probe = lambda: CUT if went_down_at < loop.clock.now < back_at else None
    answer, _ = loop.ask(lambda: Success("yes") if loop.clock.now >= back_at else DOWN)
    assert answer == "yes"


def test_an_outage_that_does_not_end_ends_the_run() -> None:
    loop = Loop()
    loop.probe = lambda: CUT
    error, seconds = loop.ask(script(DOWN))
    assert isinstance(error, OutageError)
    assert error.ends_the_run
    assert (error.path, error.status) == ("/p", 502)
    assert POLICY.outage <= seconds <= POLICY.outage + POLICY.longest_wait + 1
    assert loop.ask(script(Success("yes")))[0] is error  # nobody tries after that


def test_the_time_that_a_probe_is_asked_for_is_kept() -> None:
    loop, found = Loop(), iter([BUSY, None])
    loop.probe = lambda: next(found)
    loop.ask(script(DOWN, DOWN, Success("yes")))
    assert loop.probes[1] - loop.probes[0] == BUSY.wait


def test_closing_ends_the_wait() -> None:
    loop = Loop()
    loop.probe = lambda: CUT

    def attempt() -> Outcome[str]:
        if len(loop.closing.slept) == 1:
            loop.closing.close()
        return DOWN

    with pytest.raises(Closed):
        loop.ask(attempt)
