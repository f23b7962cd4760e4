"""The OAuth token call: a password grant of the client `public-client`, outside /api.

Source: the vendor's help page on the API, and every client in production.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLIENT = "public-client:public"


@dataclass(slots=True)
class Tokens:
    """The tokens that are good now; a new one does not end the others.

    Attributes:
        key: The API key of the only user.
        secret: Its secret.
        seconds: How long a token lasts.
        issued: How many were handed out.
        clock: Seconds that only go forward.
    """

    key: str
    secret: str
    seconds: float
    issued: int = 0
    clock: Callable[[], float] = time.monotonic
    _good: dict[str, float] = field(default_factory=dict)

    def issue(self, authorization: str, form: Mapping[str, object]) -> dict[str, object] | None:
        """Answer a token call.

        Args:
            authorization: The request's Authorization header.
            form: Its form fields.

        Returns:
            The answer's body, in which a fresh token has a second less than its full life, or None
            where client, key or secret are wrong.
        """
        right = (
            _basic(authorization) == CLIENT
            and form.get("grant_type") == "password"
            and form.get("username") == self.key
            and form.get("password") == self.secret
        )
        if not right:
            return None
        token = secrets.token_urlsafe(48)
        self._good[token] = self.clock() + self.seconds
        self.issued += 1
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": max(int(self.seconds) - 1, 0),
            "scope": "read write",
            "jti": secrets.token_hex(16),
        }

    def accepts(self, authorization: str) -> bool:
        """Whether a request carries a token that is good now.

        Args:
            authorization: The request's Authorization header.

        Returns:
            True for a known token that is neither too old nor revoked.
        """
        return self._good.get(_bearer(authorization), 0.0) > self.clock()

    def revoke(self, authorization: str | None = None) -> int:
        """End tokens before their time.

        Args:
            authorization: The header that carries the token to end; left out, all of them.

        Returns:
            How many were ended.
        """
        if authorization is not None:
            return 0 if self._good.pop(_bearer(authorization), None) is None else 1
        count = len(self._good)
        self._good.clear()
        return count


def _bearer(authorization: str) -> str:
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _basic(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
