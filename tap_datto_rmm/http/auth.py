"""The OAuth token: one for all threads, in memory, renewed before it expires."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

REFRESH_SECONDS_BEFORE_EXPIRY: Final = 300


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token URL hands out."""

    value: str = field(repr=False)
    lifetime: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the moment from which it is to be renewed."""

    value: str = field(repr=False)
    renew_at: float
    """`time.monotonic()` seconds."""
    lifetime: float
    """Seconds it was issued for."""

    @property
    def headers(self) -> dict[str, str]:
        """What shows it to the server."""
        return {"Authorization": f"Bearer {self.value}"}


class TokenSource:
    """Hands out the current token to any number of threads; asks for a new one when due.

    Args:
        post: asks for a token.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, post: Callable[[], Grant], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask for nothing yet."""
        self._post = post
        self._clock = clock
        self._lock = Lock()
        self._token: Token | None = None
        self._refusal: CredentialsError | None = None
        self.signed_in = False
        """Whether there has ever been a token."""

    def current(self) -> Token:
        """Give a token with more than five minutes to live, asking for a new one when needed.

        However many threads ask at once, one request is made.

        Raises:
            CredentialsError: the key pair is not accepted.
            RequestError: the token could not be fetched for another reason.
        """
        token = self._token
        if token is not None and self._clock() < token.renew_at:
            return token
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            token = self._token
            if token is None or self._clock() >= token.renew_at:
                try:
                    token = self._token = self._fetch()
                except CredentialsError as error:
                    self._refusal = error
                    raise
            return token

    def discard(self, token: Token) -> bool:
        """Forget a token that the API refused; tell whether nobody had done so before."""
        with self._lock:
            is_news = self._token is token
            if is_news:
                self._token = None
            return is_news

    def _fetch(self) -> Token:
        asked_at = self._clock()
        grant = self._post()
        self.signed_in = True
        # A token that lives less than ten minutes is renewed half-way instead.
        margin = min(REFRESH_SECONDS_BEFORE_EXPIRY, grant.lifetime / 2)
        return Token(grant.value, asked_at + grant.lifetime - margin, grant.lifetime)


def grant_of(answer: object, default_lifetime: float) -> Grant | None:
    """Read the answer to a token request (RFC 6749, section 5.1).

    Args:
        answer: decoded JSON.
        default_lifetime: seconds that a token lives where the answer does not tell.

    Returns:
        None where there is no token in it.
    """
    told = answer if isinstance(answer, dict) else {}
    value = told.get("access_token")
    if not isinstance(value, str) or not value:
        return None
    return Grant(value, _seconds(told.get("expires_in")) or default_lifetime)


def _seconds(given: object) -> float:
    try:
        seconds = float(str(given))
    except ValueError:
        return 0
    return seconds if 0 < seconds < math.inf else 0
