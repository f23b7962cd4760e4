"""What a user reads of a request without a response: the cause, the host, and what to do."""

from __future__ import annotations

import pytest

from tap_datto_rmm.http.failures import Advice, no_response, unreachable
from tap_datto_rmm.http.transport import Cause, Lost

ADVICE = Advice(
    address="`url`", outbound="HTTPS to *.example", timeout="`timeout`", socks="install it[socks]"
)


def text(cause: Cause, proxy: str | None = None) -> str:
    return str(no_response(Lost(cause, "api.example:8443", proxy, timeout=60.0), "/v2/x", ADVICE))


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_words_of_its_own(cause: Cause) -> None:
    assert text(cause).startswith("/v2/x: ")
    assert text(cause).endswith(".")
    others = {text(other) for other in Cause if other is not cause}
    assert text(cause) not in others


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.passes])
def test_what_needs_somebody_to_act_says_what_to_check(cause: Cause) -> None:
    assert "check" in text(cause)
    if cause is not Cause.NO_SOCKS:
        assert "api.example:8443" in text(cause)


def test_the_settings_are_named_as_the_caller_names_them() -> None:
    assert "check `url`, DNS and firewall" in text(Cause.NO_NAME)
    assert "check HTTPS to *.example, and `url`" in text(Cause.CONNECTION_REFUSED)
    assert "no answer within 60 s (`timeout`)" in text(Cause.TIME_OUT)
    assert "install it[socks]" in text(Cause.NO_SOCKS)


def test_a_proxy_is_named_where_there_is_one() -> None:
    assert "the proxy squid:3128 refused" in text(Cause.PROXY, "squid:3128")
    assert "the proxy tor:9050 is a SOCKS proxy" in text(Cause.NO_SOCKS, "tor:9050")


def test_the_error_knows_the_path() -> None:
    error = unreachable(Lost(Cause.NO_NAME, "api.example"), "/v2/x", ADVICE)
    assert (error.path, error.status) == ("/v2/x", None)
