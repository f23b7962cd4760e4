"""The OAuth token: one for the whole tap, in memory, renewed before it expires."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from tap_datto_rmm.errors import ApiError, AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105 - a path
"""Lies outside `/api`: below it, the vendor answers 404 (docs/datto-rmm-api.md §1)."""

REFRESH_SECONDS_BEFORE_EXPIRY = 300
DEFAULT_LIFETIME_SECONDS = 360_000
"""The vendor's help page: a token lives 100 hours."""

CLIENT = ("public-client", "public")
"""HTTP Basic identity of every API client, published by the vendor; not a secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the moment from which it is to be renewed."""

    value: str = field(repr=False)
    renew_at: float
    """`time.monotonic()` seconds."""
    lifetime: float
    """Seconds it was issued for."""


class TokenSource:
    """Hands out the current token to any number of threads; asks for a new one when due.

    Args:
        api_key: API key of a Datto RMM user.
        api_secret: the secret that belongs to it.
        post: sends the token form and gives the decoded answer.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        post: Callable[[Mapping[str, str]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask for nothing yet."""
        self._form = {"grant_type": "password", "username": api_key, "password": api_secret}
        self._post = post
        self._clock = clock
        self._lock = Lock()
        self._token: Token | None = None
        self._refusal: AuthenticationError | None = None
        self.signed_in = False
        """Whether there has ever been a token."""

    def current(self) -> Token:
        """Give a token with more than five minutes to live, asking for a new one when needed.

        However many threads ask at once, one request is made.

        Raises:
            AuthenticationError: the key pair is not accepted.
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
                except AuthenticationError as error:
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
        answer = self._post(self._form)
        value = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(value, str) or not value:
            message = "The token URL answered without an access token. Check `platform`/`api_url`."
            raise ApiError(message, path=TOKEN_PATH, status=200)
        lifetime = _seconds(answer.get("expires_in")) if isinstance(answer, dict) else 0
        lifetime = lifetime or DEFAULT_LIFETIME_SECONDS
        # A token that lives less than ten minutes is renewed half-way instead.
        self.signed_in = True
        margin = min(REFRESH_SECONDS_BEFORE_EXPIRY, lifetime / 2)
        return Token(value, asked_at + lifetime - margin, lifetime)


def _seconds(given: object) -> float:
    try:
        seconds = float(str(given))
    except ValueError:
        return 0
    return seconds if 0 < seconds < math.inf else 0


def refused(status: int) -> AuthenticationError:
    """Say what to check when the token URL answers 4xx."""
    message = (
        f"Datto RMM refused the credentials (HTTP {status}). Check `api_key`, `api_secret` and "
        "`platform`: a key works only on the platform it was made on, and only while API access "
        "is enabled for its user."
    )
    return AuthenticationError(message, path=TOKEN_PATH, status=status)
