"""The client as a whole: what it asks, what it gives, and what one answer means for all threads."""

from __future__ import annotations

import re
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.errors import (
    ApiError,
    AuthenticationError,
    CredentialsError,
    NotAvailableError,
    OutageError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    TransportError,
    UnreachableError,
)
from tap_datto_rmm.http.closing import Closed
from tap_datto_rmm.http.decoding import NO_CONTENT
from tap_datto_rmm.http.retry import RetryPolicy
from tap_datto_rmm.http.transport import Cause, Response
from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.waits import ANSWERS, BLOCK, RATE_LIMIT, RETRIES, Wait
from tests.http.fakes import HOST, POLICY, SERVICE, TOKEN, Bench, Reply, bench, lost, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.http.client import Client

PATH = "/v2/things"


def in_turn(*replies: Reply) -> Callable[[str], Reply]:
    """These replies, the last one again and again."""
    coming = list(replies)
    return lambda _: coming.pop(0) if len(coming) > 1 else coming[0]


def error_of(made: Bench, path: str = PATH, **options: Any) -> RequestError:
    with pytest.raises(RequestError) as raised:
        made.client.get(path, **options)
    return raised.value


# Answers


def test_an_answer_is_fetched_with_the_token_and_read() -> None:
    made = bench(in_turn(said({"rows": 7})))
    assert made.client.get(PATH, {"max": 2}, lambda answer: answer["rows"]) == 7
    token, asked = made.transport.requests
    assert (token.method, token.url, token.form) == ("POST", f"{HOST}/token", SERVICE.token_form)
    assert (asked.method, asked.url, asked.params) == ("GET", f"{HOST}/api{PATH}", {"max": 2})
    assert asked.headers == {"Authorization": "Bearer t0k3n"}


@pytest.mark.parametrize(
    ("nothing", "means"),
    [(said(None), None), (Response(204, {}, b""), NO_CONTENT)],
    ids=["null", "no content"],
)
def test_null_and_no_content_are_for_the_reader_to_judge(nothing: Reply, means: object) -> None:
    assert bench(in_turn(nothing)).client.get(PATH, read=lambda answer: answer is means)


def test_an_answer_that_the_reader_finds_damaged_is_asked_for_again() -> None:
    def read(answer: dict[str, int]) -> int:
        if "rows" not in answer:
            raise ApiError("no rows", path=PATH)
        return answer["rows"]

    made = bench(in_turn(said({}), said({}), said({"rows": 7})))
    assert made.client.get(PATH, read=read) == 7
    assert made.client.counters.retries == 2
    assert made.closing.lines == ["no rows Trying again."] * 2


def test_an_empty_200_is_damaged() -> None:
    made = bench(in_turn(Response(200, {}, b""), said(1)))
    assert made.client.get(PATH) == 1
    made = bench(in_turn(Response(200, {}, b"")))
    assert isinstance(error_of(made), ApiError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, NotAvailableError),
        (403, PermissionDeniedError),
        (404, NotAvailableError),
        (405, ApiError),
        (410, NotAvailableError),
        (422, ApiError),
    ],
)
def test_a_failure_that_stays_costs_one_call(status: int, kind: type[RequestError]) -> None:
    made = bench(in_turn(said(status=status)))
    error = error_of(made)
    assert type(error) is kind
    assert (error.path, error.status) == (PATH, status)
    assert made.transport.asked.count(PATH) == 1
    assert not error.ends_the_run


def test_a_failure_that_lasts_is_told_after_a_minute_with_its_last_words() -> None:
    made = bench(in_turn(said(status=500), said({"message": "still ill"}, status=503)))
    made.client.token()
    seconds = made.took(lambda: error_of(made))
    assert POLICY.patience <= seconds <= 60
    made = bench(in_turn(said({"message": "still ill"}, status=503)))
    assert "HTTP 503 (still ill)" in str(error_of(made))


# Signing in


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refused_credentials_cost_one_call_for_all_threads(status: int) -> None:
    made = bench(
        lambda path: said() if path == SERVICE.public_path else said(status=status),
        everywhere=True,
    )
    for error in (error_of(made), error_of(made, "/v2/other")):
        assert isinstance(error, CredentialsError)
        assert error.ends_the_run
        assert (error.path, error.status) == (SERVICE.token_path, status)
    refused = [SERVICE.token_path, *[SERVICE.public_path] * (status == 403)]
    assert made.transport.asked == refused
    assert not made.client.signed_in


def test_a_token_url_of_another_kind_is_told_at_once() -> None:
    made = bench(in_turn(said({"hello": "world"})), everywhere=True)
    assert "/token: the answer has no access token. Check the URL." in str(error_of(made))
    assert made.transport.asked == ["/token"]


def test_nothing_that_the_token_url_says_is_quoted() -> None:
    made = bench(in_turn(said({"message": "you sent the-secret"}, status=500)), everywhere=True)
    assert "the-secret" not in str(error_of(made))
    assert "the-secret" not in " ".join(made.closing.lines)


def test_a_401_brings_a_new_token_and_no_wait() -> None:
    made = bench(in_turn(said(status=401), said(1)))
    assert made.client.get(PATH) == 1
    assert made.transport.asked == ["/token", PATH, "/token", PATH]
    assert made.client.counters.tokens == 2
    assert made.client.counters.retries == 0
    assert made.closing.slept == []


def test_a_401_twice_in_a_row_is_a_failure() -> None:
    made = bench(in_turn(said(status=401)))
    error = error_of(made)
    assert type(error) is AuthenticationError
    assert not error.ends_the_run
    assert made.transport.asked.count(PATH) == 2
    # with another answer in between it is none
    made = bench(in_turn(said(status=401), said(status=500), said(status=401), said(1)))
    assert made.client.get(PATH) == 1


# Without a response


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.passes])
def test_a_host_that_cannot_be_reached_is_named_at_once(cause: Cause) -> None:
    made = bench(in_turn(lost(cause)), everywhere=True)
    error = error_of(made)
    assert isinstance(error, UnreachableError)
    assert error.ends_the_run
    assert made.transport.asked == ["/token"]
    assert made.closing.slept == []
    if cause is not Cause.NO_SOCKS:
        assert "api.example" in str(error)


@pytest.mark.parametrize("cause", [Cause.NO_NAME, Cause.CONNECTION_REFUSED, Cause.NOT_TRUSTED])
def test_a_host_that_was_reached_before_is_waited_for(cause: Cause) -> None:
    made = bench(in_turn(said(1), lost(cause), lost(cause), lost(cause), said(2)))
    assert [made.client.get(PATH) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("cause", [Cause.NO_SOCKS, Cause.NO_REQUEST])
def test_what_only_a_setting_changes_is_never_tried_again(cause: Cause) -> None:
    made = bench(in_turn(said(1), lost(cause)))
    made.client.get(PATH)
    assert isinstance(error_of(made), UnreachableError)
    assert made.transport.asked.count(PATH) == 2


def test_a_cut_answer_is_asked_for_again() -> None:
    made = bench(in_turn(lost(Cause.CUT), lost(Cause.TIME_OUT), said(1)))
    assert made.client.get(PATH) == 1
    assert made.client.counters.retries == 2
    made = bench(in_turn(lost(Cause.TIME_OUT)))
    error = error_of(made)
    assert isinstance(error, TransportError)
    assert not error.ends_the_run
    assert "no answer within 60 s (the time-out)" in str(error)


def test_an_outage_in_mid_run_is_waited_out() -> None:
    made = bench(in_turn(said(1)))
    made.client.get(PATH)
    made.transport.everywhere = True
    back_at = made.clock.now + 400
    made.transport.answer = lambda _: said(2) if made.clock.now >= back_at else said(status=502)
    assert made.client.get(PATH) == 2
    assert 400 <= made.clock.now - back_at + 400 <= 400 + POLICY.longest_wait


def test_an_outage_that_does_not_end_is_told_to_all() -> None:
    made = bench(in_turn(said(1)))
    made.client.get(PATH)
    made.transport.everywhere = True
    made.transport.answer = in_turn(said(status=502))
    for path in (PATH, "/v2/other"):
        error = error_of(made, path)
        assert isinstance(error, OutageError)
        assert error.ends_the_run


def test_one_path_that_fails_for_good_is_no_outage() -> None:
    made = bench(lambda path: said(status=502) if path == PATH else said(1))
    made.client.get("/v2/other")
    assert type(error_of(made)) is ApiError
    assert made.client.get("/v2/other") == 1


# The rate limit, and the block


def test_a_429_is_sent_again_when_the_server_allows_it() -> None:
    made = bench(in_turn(said(status=429, Retry_After="7"), said(1)))
    seconds = made.took(lambda: made.client.get(PATH))
    assert 7 <= seconds <= 7.7
    assert (made.client.counters.refusals, made.client.counters.retries) == (1, 0)
    (told,) = made.closing.lines
    assert re.fullmatch(f"HTTP 429 on {PATH}: all requests wait [78] s, then go slower", told)


def test_a_429_that_goes_on_ends_the_run_for_all() -> None:
    policy = RetryPolicy(refused=300, jitter=lambda seconds: seconds)
    made = bench(in_turn(said(1), said(status=429)), policy=policy)
    made.client.get(PATH)
    for path in (PATH, "/v2/other"):
        error = error_of(made, path)
        assert isinstance(error, RateLimitError)
        assert error.ends_the_run
        assert "HTTP 429 for 4 minutes" in str(error)
    assert made.client.counters.refusals < 10


def test_a_block_is_told_from_a_missing_permission_and_waited_out() -> None:
    made = bench(in_turn(said(1)))
    made.client.get(PATH)
    made.transport.everywhere = True
    unblocked_at = made.clock.now + 290
    made.transport.answer = lambda path: (
        said(status=403)
        if made.clock.now < unblocked_at
        else said(TOKEN if path == SERVICE.token_path else 2)
    )
    assert made.client.get(PATH) == 2
    assert "the IP address is blocked: all requests wait 300 s" in made.closing.lines[0]
    assert made.transport.asked[2:] == [PATH, SERVICE.public_path, PATH]


def test_an_address_that_was_never_let_in_is_not_waited_for() -> None:
    made = bench(in_turn(said(status=429)), everywhere=True, policy=RetryPolicy(refused=0))
    assert isinstance(error_of(made), RateLimitError)
    made = bench(in_turn(said(status=403)), everywhere=True)
    error = error_of(made)
    assert isinstance(error, RateLimitError)
    assert "this IP address is blocked" in str(error)
    assert made.closing.slept == []


# What somebody who watches is told


def test_a_pause_for_the_limit_is_told() -> None:
    made = bench(in_turn(said(1)))
    made.client.get(PATH)
    assert made.client.waits_for() is None
    made.client.limiter.pause(41)
    assert made.client.waits_for() == Wait(RATE_LIMIT, "waiting 41 s for the rate limit")


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (said(status=502), f"retrying {PATH} after HTTP 502"),
        (lost(), f"retrying {PATH} after a failure"),
    ],
)
def test_a_retry_is_told_while_it_waits(failure: Reply, told: str) -> None:
    made, heard = bench(in_turn(failure, said(1))), []
    made.closing.while_asleep = lambda: heard.append(made.client.waits_for())
    made.client.get(PATH)
    assert heard == [Wait(RETRIES, told)]
    assert made.client.waits_for() is None


def test_an_outage_is_told_while_it_lasts() -> None:
    made, heard = bench(in_turn(said(1))), []
    made.client.get(PATH)
    made.transport.everywhere = True
    made.transport.answer = in_turn(*[said(status=502)] * 5, said(1))
    made.closing.while_asleep = lambda: heard.append(made.client.waits_for())
    made.client.get(PATH)
    told = [f"waiting for the host, since {seconds} s" for seconds in (1, 2, 4)]
    assert heard[1:4] == [Wait("the host", words) for words in told]


class Hears:
    """Asks each second what is waited for."""

    pause = 1.0

    def __init__(self, client: Client, heard: list[Wait | None]) -> None:
        self._client = client
        self._heard = heard

    def look(self) -> None:
        self._heard.append(self._client.waits_for())


def test_the_block_of_the_address_is_told_as_such() -> None:
    made, heard = bench(in_turn(said(1))), list[Wait | None]()
    made.client.get(PATH)
    made.transport.everywhere = True
    made.transport.answer = in_turn(said(status=403), said(status=403), said(1))
    made.clock.show(Hears(made.client, heard))
    made.client.get(PATH)
    told = [f"waiting {seconds} s for the IP block" for seconds in range(299, 1, -1)]
    assert heard[: len(told)] == [Wait(BLOCK, words) for words in told]
    assert made.client.waits_for() is None


def test_an_answer_that_takes_long_is_told_while_it_is_under_way() -> None:
    made, heard = bench(lambda _: said(1)), []

    def answer(path: str) -> Reply:
        for _ in range(3):
            made.clock.now += 4
            heard.append(made.client.waits_for())
        return said(path)

    made.transport.answer = answer
    made.client.get("/v2/site/8f14e45f-ceea-467f-a8f3-92c1b1a5d7f0/settings")
    told = [f"waiting for /v2/site/8f14e45f.../settings, since {seconds} s" for seconds in (8, 12)]
    assert heard == [None, *(Wait(ANSWERS, words) for words in told)]
    assert made.client.waits_for() is None


def test_the_first_token_is_waited_for_like_any_answer() -> None:
    made, heard = bench(lambda _: said(TOKEN), everywhere=True), []

    def answer(_: str) -> Reply:
        made.clock.now += 12
        heard.append(made.client.waits_for())
        return said(TOKEN)

    made.transport.answer = answer
    made.client.token()
    assert heard == [Wait(ANSWERS, "waiting for /token, since 12 s")]


# Views, threads, the end


def test_a_view_counts_for_its_stream_and_for_the_run() -> None:
    made = bench(in_turn(said(status=500), said(1)))
    users, sites = Counters(), Counters()
    made.client.for_stream(users).get(PATH)
    made.client.for_stream(sites).get(PATH)
    assert (users.calls, users.retries, users.tokens) == (2, 1, 0)
    assert (sites.calls, sites.retries) == (1, 0)
    assert (made.client.counters.calls, made.client.counters.tokens) == (4, 1)
    assert made.client.for_stream(users).limiter is made.client.limiter


def test_what_is_submitted_runs_on_another_thread() -> None:
    made = bench(in_turn(said(1)))

    def fetch(path: str) -> tuple[Any, int]:
        return made.client.get(path), threading.get_ident()

    answer, thread = made.client.submit(fetch, PATH).result(5)
    assert answer == 1
    assert thread != threading.get_ident()


def test_housekeeping_is_done_before_each_get() -> None:
    made, done = bench(in_turn(said(1))), []
    made.client.before_each_get(lambda: done.append(1))
    view = made.client.for_stream(Counters())
    view.get(PATH)
    view.ask(PATH, None, lambda answer, _: answer)
    assert done == [1]


def test_a_response_knows_how_many_requests_left_before_it() -> None:
    made = bench(in_turn(said(1)))
    for _ in range(3):
        made.client.get(PATH)
    before = made.client.ask(PATH, None, lambda _, response: response.before)
    assert before == 4  # the token's as well


def test_after_the_end_nothing_is_sent_told_or_waited_for() -> None:
    made = bench(in_turn(said(status=500)))

    def stop_in_mid_run(path: str) -> Reply:
        if made.transport.asked.count(path) == 3:
            made.client.close()
        return said(status=500)

    made.transport.answer = stop_in_mid_run
    with pytest.raises(Closed):
        made.client.get(PATH)
    sent = len(made.transport.asked)
    with pytest.raises(Closed):
        made.client.get(PATH)
    assert len(made.transport.asked) == sent
    assert made.transport.closed
    with pytest.raises((RuntimeError, CancelledError)):
        made.client.submit(made.client.get, PATH).result()


def test_no_repr_holds_a_secret() -> None:
    made = bench(in_turn(said(1)))
    made.client.get(PATH)
    for one in (made.client, SERVICE, *made.transport.requests, made.client.token()):
        for secret in ("the-secret", "t0k3n", "Basic"):
            assert secret not in repr(one)
