"""What a response means: an answer, a failure that may pass, or one that stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tap_datto_rmm.errors import ApiError, NotAvailableError, PermissionDeniedError
from tap_datto_rmm.http.decoding import NO_CONTENT, Items
from tap_datto_rmm.http.responses import outcome_of, retry_after
from tap_datto_rmm.http.retry import Again, Failed, Success
from tap_datto_rmm.http.transport import Response
from tests.http.fakes import SERVICE, said

WHERE = "/v2/things"


def failure(response: Response) -> tuple[type, type, str]:
    """How an unsuccessful response is taken: outcome, error, message."""
    outcome = outcome_of(response, WHERE, SERVICE)
    assert isinstance(outcome, (Again, Failed))
    assert outcome.error.path == WHERE
    assert outcome.error.status == response.status
    return type(outcome), type(outcome.error), str(outcome.error)


@pytest.mark.parametrize("answer", [{"a": 1}, [], "text", 0, None])
def test_json_of_any_kind_is_an_answer(answer: object) -> None:
    assert outcome_of(said(answer), WHERE, SERVICE) == Success(answer)


def test_a_response_without_content_is_an_answer_and_an_empty_200_is_not() -> None:
    assert outcome_of(Response(204, {}, b""), WHERE, SERVICE) == Success(NO_CONTENT)
    outcome, error, text = failure(Response(200, {}, b""))
    assert (outcome, error) == (Again, ApiError)
    assert "HTTP 200 with 0 bytes that are not JSON (no type)" in text


def test_the_arrays_of_a_page_are_decoded_when_they_are_looked_at() -> None:
    page = outcome_of(said({"details": {}, "rows": [1, 2]}), WHERE, SERVICE)
    assert isinstance(page, Success)
    assert isinstance(page.value["rows"], Items)
    other = outcome_of(said({"rows": [1, 2]}), WHERE, SERVICE)
    assert other == Success({"rows": [1, 2]})


@pytest.mark.parametrize("status", [400, 404, 410])
def test_what_is_not_there_is_no_fault_of_the_api(status: int) -> None:
    assert failure(said(status=status))[:2] == (Failed, NotAvailableError)


@pytest.mark.parametrize("status", [402, 405, 406, 422, 451])
def test_other_client_errors_stay(status: int) -> None:
    assert failure(said(status=status))[:2] == (Failed, ApiError)


def test_403_is_a_missing_permission() -> None:
    assert failure(said(status=403))[:2] == (Failed, PermissionDeniedError)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 409, 425, 202, 206])
def test_what_may_pass_is_worth_another_try(status: int) -> None:
    assert failure(said(status=status))[:2] == (Again, ApiError)


def test_a_redirect_stays_and_says_why() -> None:
    outcome, error, text = failure(said(status=302, Location="https://elsewhere"))
    assert (outcome, error) == (Failed, ApiError)
    assert "redirects are not followed" in text
    assert "elsewhere" not in text


def test_html_instead_of_json_may_pass() -> None:
    response = Response(200, {"Content-Type": "text/html; charset=x"}, b"<html>")
    outcome, _, text = failure(response)
    assert outcome is Again
    assert "6 bytes that are not JSON (text/html)" in text


@pytest.mark.parametrize("error", ["java.sql.SQLException", {"code": 7}])
def test_an_error_in_a_200_may_pass(error: object) -> None:
    outcome, _, text = failure(said({"rows": [], "error": error}))
    assert outcome is Again
    assert "HTTP 200 with the error" in text


@pytest.mark.parametrize("nothing", [None, "", {}, 0, False])
def test_an_empty_error_in_a_200_is_none(nothing: object) -> None:
    assert outcome_of(said({"error": nothing}), WHERE, SERVICE) == Success({"error": nothing})


def test_the_time_that_a_5xx_asks_for_is_kept() -> None:
    outcome = outcome_of(said(status=503, Retry_After="7"), WHERE, SERVICE)
    assert isinstance(outcome, Again)
    assert outcome.wait == 7


@pytest.mark.parametrize("name", ["errorMessage", "message", "error"])
def test_the_servers_own_words_are_told_but_where_it_was_sent_a_secret(name: str) -> None:
    response = said({name: "no such thing"}, status=500)
    assert "HTTP 500 (no such thing)" in failure(response)[2]
    for one in (response, said({"error": "no such thing"})):
        quiet = outcome_of(one, WHERE, SERVICE, quotes=False)
        assert isinstance(quiet, Again)
        assert "no such thing" not in str(quiet.error)


# Retry-After

THEIRS = datetime.now(UTC).replace(microsecond=0) - timedelta(days=4)
"""What the API's clock says: nothing like ours."""


def seconds(value: str | None) -> float | None:
    headers = {"Date": format_datetime(THEIRS, usegmt=True)}
    given = headers if value is None else {**headers, "Retry-After": value}
    return retry_after(Response(429, given, json.dumps({}).encode()))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("7", 7),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("-3", 0),
        ("86400", 600),
    ],
)
def test_seconds_are_taken_as_they_are_within_reason(
    value: str | None, wanted: float | None
) -> None:
    assert seconds(value) == wanted


@pytest.mark.parametrize(("ahead", "wanted"), [(42, 42), (-9, 0), (7200, 600)])
def test_a_date_counts_from_the_moment_of_the_answer(ahead: int, wanted: float) -> None:
    moment = THEIRS + timedelta(seconds=ahead)
    assert seconds(format_datetime(moment, usegmt=True)) == wanted
    assert seconds(f"{moment:%a, %d %b %Y %H:%M:%S} -0000") == wanted
