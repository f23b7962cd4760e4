"""Settings: how each is read, apart from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tap_datto_rmm.settings import (
    CONFIG_SCHEMA,
    Settings,
    as_utc,
    host_url,
    problems,
)
from tap_datto_rmm.settings.parsing import from_texts

KEYS = {"api_key": "k", "api_secret": "s"}


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"platform": "syrah"}, "https://syrah-api.centrastage.net"),
        ({"platform": "syrah", "api_url": ""}, "https://syrah-api.centrastage.net"),
        ({"platform": "syrah", "api_url": "https://a.example"}, "https://a.example"),
        ({"api_url": "https://a.example/"}, "https://a.example"),
        ({"api_url": "https://a.example/api"}, "https://a.example"),
        ({"api_url": " https://a.example/api/ "}, "https://a.example"),
        ({"api_url": "https://api"}, "https://api"),
        ({"api_url": "http://127.0.0.1:8080/api"}, "http://127.0.0.1:8080"),
        ({"api_url": "http://[::1]:8080"}, "http://[::1]:8080"),
    ],
    ids=str,
)
def test_the_host_follows_from_the_platform_or_the_url(config: dict[str, str], url: str) -> None:
    assert host_url(config) == url
    assert list(problems(KEYS | config, CONFIG_SCHEMA)) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert list(problems(KEYS | {"api_url": f"http://{host}:8080"}, CONFIG_SCHEMA)) == []


@pytest.mark.parametrize("host", ["10.0.0.1", "example.net", "127.0.0.1.example.net", "localhost."])
def test_plain_http_is_for_no_other_machine(host: str) -> None:
    (problem,) = problems(KEYS | {"api_url": f"http://{host}:8080"}, CONFIG_SCHEMA)
    assert problem.setting == "api_url"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-01", datetime(2026, 8, 1, tzinfo=UTC)),
        ("2026-08-01T02:00:00Z", datetime(2026, 8, 1, 2, tzinfo=UTC)),
        ("2026-08-01T02:00:00+02:00", datetime(2026, 8, 1, tzinfo=UTC)),
        (" 2026-08-01 02:00 ", datetime(2026, 8, 1, 2, tzinfo=UTC)),
    ],
)
def test_a_start_date_without_an_offset_is_utc(text: str, moment: datetime) -> None:
    assert as_utc(text) == moment
    config = KEYS | {"platform": "merlot", "start_date": text}
    assert list(problems(config, CONFIG_SCHEMA)) == []
    assert Settings.from_config(config).start_date == moment


def test_defaults_are_filled_in_for_what_is_missing_or_null() -> None:
    settings = Settings.from_config({**KEYS, "platform": "merlot", "page_size": None})
    assert settings.page_size == 250
    assert settings.max_requests_per_minute == 540
    assert settings.request_timeout == 60
    assert settings.start_date is None
    assert settings.user_agent.startswith("tap-datto-rmm/")


def test_a_fraction_becomes_a_float_as_sockets_want_it() -> None:
    config = {**KEYS, "platform": "merlot", "request_timeout": Decimal("2.5")}
    timeout = Settings.from_config(config).request_timeout
    assert (type(timeout), timeout) == (float, 2.5)


def test_no_secret_is_shown_by_repr() -> None:
    settings = Settings.from_config({"api_key": "kkk", "api_secret": "sss", "platform": "merlot"})
    assert "kkk" not in repr(settings)
    assert "sss" not in repr(settings)
    assert "merlot" in repr(settings)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("page_size", "50", 50),
        ("page_size", " 50 ", 50),
        ("page_size", "fifty", "fifty"),
        ("page_size", "5.5", 5.5),
        ("request_timeout", "2.5", 2.5),
        ("request_timeout", "60", 60),
        ("keep_unknown_properties", "true", True),
        ("keep_unknown_properties", "True", True),
        ("keep_unknown_properties", "1", True),
        ("keep_unknown_properties", "off", False),
        ("keep_unknown_properties", "0", False),
        ("keep_unknown_properties", "perhaps", "perhaps"),
        ("custom_streams", '[{"name": "a"}]', [{"name": "a"}]),
        ("custom_streams", "a,b", "a,b"),
        ("api_secret", "12345", "12345"),
        ("api_secret", " with spaces ", "with spaces"),
        ("platform", "merlot", "merlot"),
        ("start_date", "2026-08-01", "2026-08-01"),
    ],
)
def test_settings_given_as_text_are_read_by_their_type(name: str, text: str, value: object) -> None:
    got = from_texts({name: text}, CONFIG_SCHEMA)[name]
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize("text", ["", "  "])
def test_a_setting_given_as_empty_text_is_not_given(text: str) -> None:
    assert from_texts({"page_size": text, "platform": text}, CONFIG_SCHEMA) == {}
