"""What the client must know of the API that it asks; all of it comes from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.http.failures import Advice
from tap_datto_rmm.http.transport import Request

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An API: where it is, how to sign in, what to say where it fails."""

    host_url: str
    """`scheme://host[:port]`; no other host is ever asked."""
    base_path: str = ""
    """Before every path, such as `/api`."""
    token_path: str
    """Of the token URL, below the host."""
    token_form: Mapping[str, str] = field(repr=False)
    """What is posted there."""
    token_headers: Mapping[str, str] = field(repr=False)
    """And with which headers."""
    token_seconds: float
    """That a token lives where its answer does not tell."""
    public_path: str
    """What anybody may ask for without a token: only a blocked address is refused there, and only
    a host that is down does not answer."""
    pages_have: str | None = None
    """Name of the member by which a page of a list is known."""
    advice: Advice = field(default_factory=Advice)
    """What a user is told to do next."""

    def token_request(self) -> Request:
        """Ask for a token."""
        url = f"{self.host_url}{self.token_path}"
        return Request("POST", url, self.token_headers, form=self.token_form)

    def request(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """Ask for what is at a path."""
        return Request("GET", f"{self.host_url}{self.base_path}{path}", headers or {}, params)
