"""Requests of somebody who has signed in: with the token, a new one where it is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tap_datto_rmm.errors import ApiError
from tap_datto_rmm.http.auth import TokenSource, grant_of
from tap_datto_rmm.http.failures import no_token, refused_credentials, refused_token
from tap_datto_rmm.http.responses import PASSING_STATUSES, outcome_of
from tap_datto_rmm.http.retry import REFUSED, Again, Failed, Success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_datto_rmm.errors import RequestError
    from tap_datto_rmm.http.auth import Grant, Token
    from tap_datto_rmm.http.closing import Closing
    from tap_datto_rmm.http.exchange import Exchanges
    from tap_datto_rmm.http.outage import HostWatch
    from tap_datto_rmm.http.persistence import Persistence
    from tap_datto_rmm.http.retry import Outcome, Refused
    from tap_datto_rmm.http.service import Service
    from tap_datto_rmm.http.transport import Response
    from tap_datto_rmm.telemetry.counters import Counters

Answer = TypeVar("Answer")

CREDENTIALS_REFUSED: Final = frozenset(range(400, 500)) - PASSING_STATUSES
"""What a token URL answers for good."""


@dataclass(slots=True)
class Question(Generic[Answer]):
    """One request, through all its attempts."""

    path: str
    params: Mapping[str, Any] | None
    read: Callable[[Any, Response], Answer]
    """Makes sense of the decoded answer; raises `ApiError` where it is damaged."""
    counted: Sequence[Counters]
    """What counts its calls."""
    renewed: bool = False
    """Whether the last attempt was refused for its token."""


class Asker:
    """Asks for what is at a path, as whoever the service's token form names.

    Args:
        service: that is asked.
        exchanges: send what is asked.
        persistence: tries again.
        watch: is told what succeeded.
        closing: writes to the log.
        counted: what counts requests for tokens.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        service: Service,
        exchanges: Exchanges,
        persistence: Persistence,
        *,
        watch: HostWatch,
        closing: Closing,
        counted: Sequence[Counters],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask for nothing yet."""
        self.tokens = TokenSource(self._fetch_token, clock)
        self._service = service
        self._exchanges = exchanges
        self._persistence = persistence
        self._watch = watch
        self._closing = closing
        self._counted = counted

    def ask(self, question: Question[Answer], patience: float | None = None) -> Answer:
        """Ask until there is an answer, as `Persistence.until_answered`."""
        return self._persistence.until_answered(
            lambda: self._attempt(question),
            lambda error: self._note_retry(error, question.counted),
            patience,
        )

    def _attempt(self, question: Question[Answer]) -> Outcome[Answer]:
        token = self.tokens.current()
        request = self._service.request(question.path, question.params, token.headers)
        sent = self._exchanges.send(request, question.path, question.counted)
        if not isinstance(sent, Success):
            return sent
        if sent.value.status == HTTPStatus.UNAUTHORIZED:
            return self._renew(token, question)
        question.renewed = False
        return self._understand(sent.value, question.path, question.read)

    def _renew(self, token: Token, question: Question[Answer]) -> Refused | Failed:
        """Drop a token that was refused; twice in a row for one request is a failure."""
        is_news = self.tokens.discard(token)  # otherwise it was known to be bad
        if question.renewed and is_news:
            return Failed(refused_token(question.path, self._service.advice))
        question.renewed = True
        return REFUSED

    def _understand(
        self,
        response: Response,
        where: str,
        read: Callable[[Any, Response], Answer],
        *,
        quotes: bool = True,
    ) -> Outcome[Answer]:
        outcome = outcome_of(response, where, self._service, quotes=quotes)
        if isinstance(outcome, Success):
            try:
                outcome = Success(read(outcome.value, response))
            except ApiError as error:
                return Again(error, seconds=response.seconds)
        if not isinstance(outcome, Again):
            self._watch.succeeded()
        return outcome

    def _fetch_token(self) -> Grant:
        return self._persistence.until_answered(
            self._attempt_for_token, lambda error: self._note_retry(error, self._counted)
        )

    def _attempt_for_token(self) -> Outcome[Grant]:
        service, where = self._service, self._service.token_path
        for counters in self._counted:
            counters.add(tokens=1)
        sent = self._exchanges.send(service.token_request(), where, self._counted)
        if not isinstance(sent, Success):
            return sent
        if sent.value.status in CREDENTIALS_REFUSED:
            return Failed(refused_credentials(where, sent.value.status, service.advice))
        outcome = self._understand(sent.value, where, lambda answer, _: answer, quotes=False)
        if not isinstance(outcome, Success):
            return outcome
        grant = grant_of(outcome.value, service.token_seconds)
        return Success(grant) if grant else Failed(no_token(where, service.advice))

    def _note_retry(self, error: RequestError, counted: Sequence[Counters]) -> None:
        for counters in counted:
            counters.add(retries=1)
        self._closing.warn(f"{error} Trying again.")
