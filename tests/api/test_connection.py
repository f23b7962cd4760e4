"""The connection: what the general client is told of Datto RMM."""

from __future__ import annotations

import base64
import re
from dataclasses import asdict

from tap_datto_rmm.api.connection import ADVICE, connect, service_of
from tap_datto_rmm.settings import CONFIG_SCHEMA, Settings

SETTINGS = Settings.from_config(
    {"platform": "merlot", "api_key": "the-key", "api_secret": "the-secret"}
    | {"max_requests_per_minute": 300, "max_parallel_requests": 3}
)


def test_the_token_is_asked_for_as_the_vendor_wants_it() -> None:
    request = service_of(SETTINGS).token_request()
    assert request.method == "POST"
    assert request.url == "https://merlot-api.centrastage.net/auth/oauth/token"
    assert request.form == {
        "grant_type": "password",
        "username": "the-key",
        "password": "the-secret",
    }
    kind, _, client = request.headers["Authorization"].partition(" ")
    assert (kind, base64.b64decode(client)) == ("Basic", b"public-client:public")


def test_everything_else_lies_below_api() -> None:
    request = service_of(SETTINGS).request("/v2/account")
    assert request.url == "https://merlot-api.centrastage.net/api/v2/account"


def test_what_errors_advise_names_settings_that_there_are() -> None:
    named = {name for text in asdict(ADVICE).values() for name in re.findall("`(\\w+)`", text)}
    assert {"platform", "api_url", "api_key", "api_secret", "request_timeout"} <= named
    assert named <= CONFIG_SCHEMA["properties"].keys()


def test_the_client_keeps_to_the_settings() -> None:
    client = connect(SETTINGS)
    assert client.host_url == "https://merlot-api.centrastage.net"
    assert client.limiter.ceiling == 300
    assert client.parallel == 3
    assert not client.signed_in
    client.close()
