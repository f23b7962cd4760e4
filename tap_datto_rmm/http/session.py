"""Requests of somebody who has signed in: with the token, a new one where it is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
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
    from tap_datto_rmm.http.health import HostHealth
    from tap_datto_rmm.http.retry import Outcome, Refused
    from tap_datto_rmm.http.retrying import Retrying
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


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """Asks for what is at a path, as whoever the service's token form names."""

    service: Service
    """That is asked."""
    exchanges: Exchanges
    """Send what is asked."""
    retrying: Retrying
    """Tries again."""
    health: HostHealth
    """Is told what succeeded."""
    closing: Closing
    """Writes to the log."""
    counted: Sequence[Counters]
    """What counts requests for tokens."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that never run backwards."""
    tokens: TokenSource = field(init=False)

    def __post_init__(self) -> None:
        """Ask for nothing yet."""
        self.tokens = TokenSource(self._fetch_token, self.clock)

    def ask(self, question: Question[Answer], patience: float | None = None) -> Answer:
        """Ask until there is an answer, as `Retrying.until_answered`."""
        return self.retrying.until_answered(
            lambda: self._attempt(question),
            lambda error: self._note_retry(error, question.counted),
            patience,
        )

    def _attempt(self, question: Question[Answer]) -> Outcome[Answer]:
        token = self.tokens.current()
        request = self.service.request(question.path, question.params, token.headers)
        sent = self.exchanges.send(request, question.path, question.counted)
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
            return Failed(refused_token(question.path, self.service.advice))
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
        outcome = outcome_of(response, where, self.service, quotes=quotes)
        if isinstance(outcome, Success):
            try:
                outcome = Success(read(outcome.value, response))
            except ApiError as error:
                return Again(error, seconds=response.seconds)
        if not isinstance(outcome, Again):
            self.health.succeeded()
        return outcome

    def _fetch_token(self) -> Grant:
        return self.retrying.until_answered(
            self._attempt_for_token, lambda error: self._note_retry(error, self.counted)
        )

    def _attempt_for_token(self) -> Outcome[Grant]:
        service, where = self.service, self.service.token_path
        for counters in self.counted:
            counters.add(tokens=1)
        sent = self.exchanges.send(service.token_request(), where, self.counted)
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
        self.closing.warn(f"{error} Trying again.")
