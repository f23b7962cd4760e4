"""What a response means for the request that it answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.errors import ApiError, NotAvailableError
from tap_datto_rmm.http.clock import date_of
from tap_datto_rmm.http.decoding import NO_CONTENT, NOT_JSON, decode, decode_answer, one_line
from tap_datto_rmm.http.failures import not_json, not_permitted, redirected
from tap_datto_rmm.http.retry import Again, Failed, Outcome, Success

if TYPE_CHECKING:
    from tap_datto_rmm.http.service import Service
    from tap_datto_rmm.http.transport import Response

LONGEST_RETRY_AFTER: Final = 600.0

PASSING_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
)
"""4xx that speak of the moment, not of the request."""

GONE: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

LONGEST_ERROR: Final = 10_000
"""Bytes of an error's body that are looked at."""


def outcome_of(
    response: Response, where: str, service: Service, *, quotes: bool = True
) -> Outcome[Any]:
    """Tell what a response means: an answer, a failure that may pass, or one that stays.

    A response without content (204) is an answer, `NO_CONTENT`. An empty 200 is none.

    Args:
        response: whole; 401 and 429 are for others to heed first.
        where: path, for the error.
        service: whose response it is.
        quotes: whether the error may quote what the server says. Not where it was sent a secret:
            it might quote that.
    """
    status = response.status
    if status == HTTPStatus.OK:
        return _answer_of(response, where, service, quotes=quotes)
    if status == HTTPStatus.NO_CONTENT:
        return Success(NO_CONTENT)
    return _failure_of(response, where, service, quotes=quotes)


def _failure_of(
    response: Response, where: str, service: Service, *, quotes: bool
) -> Again | Failed:
    status = response.status
    error = _worded(response, where, quotes=quotes)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING_STATUSES:
        return Again(error, retry_after(response) or 0.0, response.seconds)
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Again(error, seconds=response.seconds)
    if status < HTTPStatus.BAD_REQUEST:
        return Failed(redirected(where, status, service.advice))
    if status in GONE:
        return Failed(NotAvailableError(str(error), path=where, status=status))
    forbidden = status == HTTPStatus.FORBIDDEN
    return Failed(not_permitted(where, service.advice) if forbidden else error)


def _answer_of(response: Response, where: str, service: Service, *, quotes: bool) -> Outcome[Any]:
    answer = decode_answer(response.body, service.pages_have)
    if answer is NOT_JSON:
        kind = one_line(response.headers.get("Content-Type", "no type").split(";")[0])
        error = not_json(where, len(response.body), kind, service.advice)
        return Again(error, seconds=response.seconds)
    said = answer.get("error") if isinstance(answer, dict) else None
    if said and isinstance(said, (str, dict)):
        message = f"{where}: HTTP 200 with the error {one_line(said) if quotes else '…'!r}."
        error = ApiError(message, path=where, status=response.status)
        return Again(error, seconds=response.seconds)
    return Success(answer)


def _worded(response: Response, where: str, *, quotes: bool) -> ApiError:
    """Word an error status, with the API's own message where its body has one."""
    answer = decode(response.body[:LONGEST_ERROR]) if quotes else None
    said = ""
    if isinstance(answer, dict):
        told = answer.get("errorMessage") or answer.get("message") or answer.get("error") or ""
        said = one_line(told)
    text = f"{where}: HTTP {response.status}" + (f" ({said})" if said else "") + "."
    return ApiError(text, path=where, status=response.status)


def retry_after(response: Response) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; at most ten minutes."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until, sent = date_of(text), date_of(response.headers.get("Date", ""))
        if until is None:
            return None
        seconds = (until - (sent or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None
