"""The token: renewed in time, once for all threads, and refused for good."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tap_datto_rmm.errors import ApiError, AuthenticationError
from tap_datto_rmm.http.auth import TokenSource, refused

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class TokenUrl:
    """Answers every form with a new token; the clock stands until it is moved."""

    lifetime: object = 360_000
    now: float = 1_000.0
    forms: list[Mapping[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def __call__(self, form: Mapping[str, str]) -> object:
        time.sleep(self.seconds)
        self.forms.append(form)
        return {"access_token": f"token-{len(self.forms)}", "expires_in": self.lifetime}

    def clock(self) -> float:
        return self.now

    def source(self) -> TokenSource:
        return TokenSource("the-key", "the-secret", self, self.clock)


def test_the_form_is_the_vendors_password_grant() -> None:
    url = TokenUrl()
    url.source().current()
    assert url.forms == [
        {"grant_type": "password", "username": "the-key", "password": "the-secret"}
    ]


def test_a_token_is_used_until_300_seconds_before_it_expires() -> None:
    url = TokenUrl(lifetime=360_000)
    source = url.source()
    first = source.current()
    url.now += 360_000 - 300 - 0.001
    assert source.current() is first
    url.now += 0.002
    assert source.current().value == "token-2"
    assert len(url.forms) == 2


def test_a_token_that_lives_shortly_is_renewed_half_way() -> None:
    url = TokenUrl(lifetime=10)
    source = url.source()
    source.current()
    url.now += 4.9
    assert source.current().value == "token-1"
    url.now += 0.2
    assert source.current().value == "token-2"


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -1, "nan", [], {}])
def test_without_a_usable_lifetime_a_token_is_taken_to_live_100_hours(lifetime: object) -> None:
    url = TokenUrl(lifetime=lifetime)
    source = url.source()
    source.current()
    url.now += 359_000
    assert source.current().value == "token-1"
    url.now += 1_000
    assert source.current().value == "token-2"


def test_sixteen_threads_that_ask_at_once_make_one_request() -> None:
    url = TokenUrl(seconds=0.05)
    source = url.source()
    together = threading.Barrier(16)

    def ask(_: int) -> str:
        together.wait()
        return source.current().value

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(ask, range(16))) == {"token-1"}
        source.discard(source.current())
        assert set(threads.map(ask, range(16))) == {"token-2"}
    assert len(url.forms) == 2


def test_a_refusal_discards_the_token_that_was_used_and_no_newer_one() -> None:
    url = TokenUrl()
    source = url.source()
    old = source.current()
    source.discard(old)
    new = source.current()
    source.discard(old)  # a slower thread, which used the old one too
    assert source.current() is new
    assert len(url.forms) == 2


def test_refused_credentials_are_not_tried_again() -> None:
    asked = []

    def refuse(form: Mapping[str, str]) -> object:
        asked.append(form)
        raise refused(401)

    source = TokenSource("k", "s", refuse)
    for _ in range(3):
        with pytest.raises(AuthenticationError, match=r"api_key.*api_secret.*platform"):
            source.current()
    assert len(asked) == 1


def test_any_other_failure_is_tried_again() -> None:
    answers: list[object] = [{}, {"access_token": ""}, {"access_token": 7}, [], None]

    def post(_: Mapping[str, str]) -> object:
        return answers.pop(0) if answers else {"access_token": "at last"}

    source = TokenSource("k", "s", post)
    for _ in range(5):
        with pytest.raises(ApiError, match="without an access token"):
            source.current()
    assert source.current().value == "at last"


def test_no_token_is_shown_by_repr() -> None:
    token = TokenUrl().source().current()
    assert token.value == "token-1"
    assert "token-1" not in repr(token)
