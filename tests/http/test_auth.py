"""The token: renewed in time, once for all threads, and refused for good."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tap_datto_rmm.errors import ApiError, CredentialsError, TransportError
from tap_datto_rmm.http.auth import Grant, TokenSource, grant_of


@dataclass
class TokenUrl:
    """Answers every request with a new token; the clock stands until it is moved."""

    lifetime: object = 360_000
    now: float = 1_000.0
    asked: int = 0
    seconds: float = 0.0

    def __call__(self) -> Grant:
        time.sleep(self.seconds)
        self.asked += 1
        grant = grant_of(
            {"access_token": f"token-{self.asked}", "expires_in": self.lifetime}, 360_000
        )
        assert grant
        return grant

    def clock(self) -> float:
        return self.now

    def source(self) -> TokenSource:
        return TokenSource(self, self.clock)


def test_a_token_is_used_until_300_seconds_before_it_expires() -> None:
    url = TokenUrl(lifetime=360_000)
    source = url.source()
    first = source.current()
    url.now += 360_000 - 300 - 0.001
    assert source.current() is first
    url.now += 0.002
    assert source.current().value == "token-2"
    assert url.asked == 2


def test_a_token_that_lives_shortly_is_renewed_half_way() -> None:
    url = TokenUrl(lifetime=10)
    source = url.source()
    source.current()
    url.now += 4.9
    assert source.current().value == "token-1"
    url.now += 0.2
    assert source.current().value == "token-2"


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -1, "nan", [], {}])
def test_without_a_usable_lifetime_a_token_is_taken_to_live_as_long_as_usual(
    lifetime: object,
) -> None:
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
    assert url.asked == 2


def test_a_refusal_discards_the_token_that_was_used_and_no_newer_one() -> None:
    url = TokenUrl()
    source = url.source()
    old = source.current()
    source.discard(old)
    new = source.current()
    source.discard(old)  # a slower thread, which used the old one too
    assert source.current() is new
    assert url.asked == 2


def test_refused_credentials_are_not_tried_again() -> None:
    asked = []

    def refuse() -> Grant:
        asked.append(1)
        raise CredentialsError("refused")

    source = TokenSource(refuse)
    for _ in range(3):
        with pytest.raises(CredentialsError):
            source.current()
    assert len(asked) == 1
    assert not source.signed_in


def test_any_other_failure_is_tried_again() -> None:
    errors = [TransportError("cut"), ApiError("HTTP 502")]

    def post() -> Grant:
        if errors:
            raise errors.pop()
        return Grant("at last", 60)

    source = TokenSource(post)
    for kind in (ApiError, TransportError):
        with pytest.raises(kind):
            source.current()
    assert source.current().value == "at last"
    assert source.signed_in


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}, [], None, "t"])
def test_an_answer_without_a_token_is_none(answer: object) -> None:
    assert grant_of(answer, 3600) is None


def test_no_token_is_shown_by_repr() -> None:
    token = TokenUrl().source().current()
    assert token.value == "token-1"
    assert "token-1" not in repr(token)
