"""Settings: each wrong one is named, with what it may be, before the first request."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from tests.commands import SECRETS
from tests.conftest import calls, fast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand

PLATFORMS = "pinotage, merlot, concord, vidal, zinfandel, syrah"
FINE = {"api_key": SECRETS[1], "api_secret": SECRETS[0], "platform": "merlot"}

WRONG: list[tuple[str, object, str]] = [
    ("platform", "merlo", f"one of {PLATFORMS}"),
    ("platform", "Merlot", f"one of {PLATFORMS}"),
    ("platform", 7, f"one of {PLATFORMS}"),
    ("api_url", "merlot-api.centrastage.net", "https://merlot-api.centrastage.net"),
    ("api_url", "ftp://merlot-api.centrastage.net", "https"),
    ("api_url", "http://merlot-api.centrastage.net", "https, except on this machine"),
    ("api_url", "http://127.0.0.1.example.net", "https, except on this machine"),
    ("api_url", "http://127.0.0.1@example.net", "https, except on this machine"),
    ("api_url", "https://merlot-api.centrastage.net/api/v2", "such as https://"),
    ("api_url", "https://key:secret@merlot-api.centrastage.net", "such as https://"),
    ("api_url", "https://merlot-api.centrastage.net/?a=b", "such as https://"),
    ("api_url", "https://merlot:port", "such as https://"),
    ("api_url", "https://", "such as https://"),
    ("start_date", "yesterday", "2026-01-01T00:00:00Z"),
    ("start_date", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("start_date", 20260101, "2026-01-01T00:00:00Z"),
    ("start_date", "now", "2026-01-01T00:00:00Z"),
    ("start_date", "12:00", "2026-01-01T00:00:00Z"),
    ("start_date", "P7D", "2026-01-01T00:00:00Z"),
    ("start_date", "0026-01-01", "from 1970 on"),
    ("start_date", "9999-12-31T23:59:59-14:00", "from 1970 on"),
    ("start_date", "2999-01-01", "is in the future (this machine's clock says 20"),
    ("page_size", 0, "from 1 to 250"),
    ("page_size", 251, "from 1 to 250"),
    ("page_size", 2.5, "from 1 to 250"),
    ("page_size", "many", "from 1 to 250"),
    ("page_size", True, "from 1 to 250"),
    ("max_requests_per_minute", 0, "1 or more"),
    ("max_requests_per_minute", "fast", "1 or more"),
    ("max_parallel_requests", 0, "1 or more"),
    ("max_parallel_requests", -3, "1 or more"),
    ("request_timeout", 0, "from 0.1 to 3600"),
    ("request_timeout", -1, "from 0.1 to 3600"),
    ("request_timeout", "long", "from 0.1 to 3600"),
    ("request_timeout", 0.001, "No answer is that fast"),
    ("request_timeout", 86400, "from 0.1 to 3600"),
    ("lookback_minutes", -1, "0 or more"),
    ("lookback_minutes", 1.5, "0 or more"),
    ("full_sweep_days", 0, "1 or more"),
    ("audit_sweep_days", -1, "0 (never) or more"),
    ("audit_sweep_days", 4000, "at most 3650"),
    ("audit_sweep_days", 0.5, "a whole number of days"),
    ("refresh_hours", 24, "an object of hours by stream name or pattern"),
    ("refresh_hours", {"site_*": "daily"}, "an object of hours by stream name or pattern"),
    ("refresh_hours", {"site_*": -1}, "hours from 0 to 8760"),
    ("refresh_hours", {"site_*": 10_000}, "hours from 0 to 8760"),
    ("refresh_hours", {"site_*": True}, "hours from 0 to 8760"),
    ("refresh_hours", {"Site settings": 24}, "stream name or pattern"),
    ("refresh_hours", {"": 24}, "stream name or pattern"),
    ("emit_activate_version_messages", "perhaps", "true or false"),
    ("deletion_guard_percent", -1, "from 0 to 100"),
    ("deletion_guard_percent", 101, "from 0 to 100"),
    ("keep_unknown_properties", 1, "true or false"),
    ("user_agent", "two\r\nlines: 1", "without line breaks"),
    ("user_agent", 7, "text"),
    ("user_agent", "\u4e2d\u6587", "in Latin letters"),
    ("account_uid", 7, "the uid of an account"),
    ("account_uid", "two words", "without spaces"),
    ("account_column", "yes", "true or false"),
    ("report_path", 7, "the path of a file"),
    ("report_path", "/", "is a folder"),
    ("report_path", "/dev/null", "is a stream or a device"),
    ("report_path", "/dev/stderr", "is a stream or a device"),
    ("report_path", "/nowhere/report.json", "is in a folder that does not exist"),
    ("report_path", "/proc/report.json", "is in a folder that cannot be written"),
    ("stream_maps", {"devices": {"x": "foo("}}, "cannot be followed: Failed to parse expression"),
    ("stream_maps", {"users": {"__filtre__": "email"}}, "Did you mean `__filter__`?"),
    ("stream_maps", {"users": {"__else__": "null"}}, "an object of maps by stream name"),
    ("stream_maps", {"__else__": "drop"}, "an object of maps by stream name"),
    ("stream_maps", {"devices": "x"}, "an object of maps by stream name"),
    ("flattening_enabled", "perhaps", "true or false"),
    ("batch_config", {"encoding": {}}, "is not supported"),
    ("custom_streams", "alerts", "a list of {name, path, primary_keys"),
    ("custom_streams", [7], "an object {name, path, primary_keys"),
    ("spec_path", 7, "the path of an OpenAPI document"),
    ("api_url", "https://merlot.centrastage.net", "The API of this platform is at https://merlot-"),
    ("api_url", "https://vidalrmm.centrastage.net/", "at https://vidal-api.centrastage.net"),
    ("api_key", '"a-secret-in-a-list"', "is in quotation marks"),
    ("api_key", "'a-secret-in-a-list", "is in quotation marks"),
    ("api_secret", "\u201ca-secret-in-a-list\u201d", "is in quotation marks"),
    ("api_secret", "a-secret-in-a-list a-secret", "has white space inside"),
    ("api_secret", "a-secret-in-a-list\r\na-secret", "has white space inside"),
    ("api_key", "", "the API key of a Datto RMM user"),
    ("api_key", "  \n", "the API key of a Datto RMM user"),
    ("api_key", ["a-secret-in-a-list"], "the API key of a Datto RMM user"),
    ("api_secret", "", "the API secret key"),
    ("api_secret", None, "the API secret key"),
    ("api_secret", 975318642, "the API secret key"),
]


def in_environment(settings: dict[str, Any]) -> dict[str, str]:
    return {f"TAP_DATTO_RMM_{name.upper()}": str(value) for name, value in settings.items()}


def errors(err: str) -> list[str]:
    return [line.split(" | ")[-1] for line in err.splitlines() if " ERROR " in line]


@pytest.fixture(scope="module")
def tiny(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=5)


@pytest.fixture
def only_users(quick: QuickTapCommand, tiny: Sandbox) -> dict[str, Any]:
    calls(tiny)
    return quick.catalog(fast(tiny), "users")


@pytest.mark.parametrize(("name", "value", "may_be"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_setting_is_named_with_what_it_may_be(
    quick: QuickTapCommand, name: str, value: object, may_be: str
) -> None:
    run = quick(FINE | {name: value})
    assert run.code == 1
    assert run.out == ""
    assert "Traceback" not in run.err
    (line,) = [line for line in errors(run.err) if "`" in line]
    assert re.match(rf"Setting `{name}[^`]*` ", line)
    assert may_be in line
    assert "a-secret-in-a-list" not in run.err
    assert "975318642" not in run.err


@pytest.mark.parametrize("name", ["api_key", "api_secret", "platform"])
def test_a_missing_setting_is_named(quick: QuickTapCommand, name: str) -> None:
    run = quick({key: value for key, value in FINE.items() if key != name})
    assert run.code == 1
    (line,) = [line for line in errors(run.err) if "`" in line]
    assert line.startswith(f"Setting `{name}` is missing")
    assert "Traceback" not in run.err


def test_all_wrong_settings_are_told_at_once(quick: QuickTapCommand) -> None:
    run = quick({"api_key": "k", "page_size": 0, "lookback_minutes": -1})
    assert run.code == 1
    named = [line.split("`")[1] for line in errors(run.err) if "`" in line]
    assert sorted(named) == ["api_secret", "lookback_minutes", "page_size", "platform"]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("api_kee", "api_key"),
        ("apikey", "api_key"),
        ("page_sise", "page_size"),
        ("max_request_per_minute", "max_requests_per_minute"),
        ("costum_streams", "custom_streams"),
    ],
)
def test_a_typo_in_a_settings_name_gets_the_name_that_was_meant(
    quick: QuickTapCommand, typo: str, meant: str
) -> None:
    run = quick(FINE | {typo: "x"})
    assert run.code == 1
    (line,) = [line for line in errors(run.err) if "`" in line]
    assert line == f"Setting `{typo}` is not known. Did you mean `{meant}`?"


@pytest.mark.parametrize("option", ["--test=schema", "--discover"])
def test_what_is_like_no_setting_is_told_and_does_no_harm(
    quick: QuickTapCommand, option: str
) -> None:
    others = ["add_record_metadata", "lookback", "parallel", "rate_limit", "timeout", "url"]
    notes = {"_comment": "x", "$schema": "x", "//": "x", "nothing": None, "empty": ""}
    run = quick(FINE | dict.fromkeys(others, 7) | notes, option)
    assert run.code == 0, run.err
    assert [line.split(" | ")[-1] for line in run.err.splitlines() if " WARNING " in line] == [
        f"Setting `{name}` is not known; nothing reads it." for name in others
    ]


def test_of_two_files_the_one_that_sets_what_is_like_no_setting_is_named(
    quick: QuickTapCommand,
) -> None:
    more = quick.folder / "more.json"
    more.write_text('{"timeout": 5}', encoding="utf-8")
    run = quick(FINE, f"--config={more}", "--test=schema")
    assert run.code == 0, run.err
    said = f"Setting `timeout` is not known; nothing reads it. It is set in {more}."
    assert said in run.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "Cannot read"),
        ("{", "is not valid JSON"),
        ("[]", "is no OpenAPI 3 document"),
        ('{"openapi": "3.1.0"}', "is no OpenAPI 3 document"),
        ('{"swagger": "2.0", "paths": {}}', "is no OpenAPI 3 document"),
    ],
)
def test_a_spec_that_cannot_be_used_is_refused_with_what_to_do(
    quick: QuickTapCommand, tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "spec.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    run = quick(FINE | {"spec_path": str(path)})
    assert run.code == 1
    (line,) = errors(run.err)
    assert says in line
    assert str(path) in line
    assert "Remove `spec_path`" in line
    assert "Traceback" not in run.err


def test_the_spec_of_another_api_is_refused(quick: QuickTapCommand, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text('{"openapi": "3.1.0", "paths": {}, "components": {"schemas": {}}}', "utf-8")
    run = quick(FINE | {"spec_path": str(path)})
    assert run.code == 1
    (line,) = errors(run.err)
    assert line == f"{path} describes another API: it has no stream's path."


# Credentials


@pytest.mark.parametrize(
    "wrong", [{"api_secret": "wrong-secret"}, {"api_key": "wrong-key"}], ids=lambda w: next(iter(w))
)
@pytest.mark.parametrize("status", ["401", "400"])
def test_wrong_credentials_end_the_run_at_once_and_say_what_to_check(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], wrong: dict[str, str], status: str
) -> None:
    sandbox_ = sandbox(devices=5, token_failure=status)
    run = quick(fast(sandbox_, **wrong))
    assert run.code == 1
    assert run.records == {}
    line = errors(run.err)[-1]
    assert f"HTTP {status}" in line
    for setting in ("`api_key`", "`api_secret`", "`platform`"):
        assert setting in line
    assert "Traceback" not in run.err
    assert "wrong-" not in run.out + run.err
    assert [entry.path for entry in sandbox_.requests] == ["/auth/oauth/token"]


@pytest.mark.parametrize("status", [403, 404, 422])
def test_any_refusal_at_the_token_url_is_final(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], status: int
) -> None:
    sandbox_ = sandbox(devices=5, faults=(f"status={status}:path=/auth/oauth/token",))
    run = quick(fast(sandbox_))
    assert run.code == 1
    assert f"HTTP {status}" in errors(run.err)[-1]
    assert "`platform`" in errors(run.err)[-1]
    assert sum(entry.method == "POST" for entry in sandbox_.requests) == 1


# Well formed and most likely not meant

TOLD: list[tuple[dict[str, object], str]] = [
    ({"page_size": 1}, "1,000 devices take 1,000 requests instead of 4"),
    ({"max_requests_per_minute": 6000}, "the vendor allows 600"),
    ({"max_requests_per_minute": 1}, "the audits of 1,000 devices take 17 hours"),
    ({"max_parallel_requests": 100_000}, "100 are made at once"),
    ({"request_timeout": 1.5}, "longer than 1.5 s"),
    ({"lookback_minutes": 525_600}, "each run reads the last 365 days again"),
    ({"start_date": "1980-01-01"}, "nothing is that old"),
    ({"api_url": "https://vidal-api.centrastage.net/api"}, "`api_url` counts, not `platform`"),
    ({"api_secret": FINE["api_key"]}, "are the same text"),
]


@pytest.mark.parametrize(("settings", "told"), TOLD, ids=str)
def test_a_setting_that_is_most_likely_not_meant_is_told_with_what_happens(
    quick: QuickTapCommand, settings: dict[str, object], told: str
) -> None:
    run = quick(FINE | settings, "--test=schema")
    assert run.code == 0
    (line,) = [line for line in run.err.splitlines() if " WARNING " in line]
    assert "Setting `" in line
    assert told in line
    assert quick(FINE | settings, "--discover").err.count("WARNING") == 0


def test_sensible_settings_are_not_commented(quick: QuickTapCommand) -> None:
    sensible = {"page_size": 100, "request_timeout": 30, "start_date": "2026-01-01"}
    assert " WARNING " not in quick(FINE | sensible, "--test=schema").err


def test_a_start_date_that_is_past_somewhere_is_read_as_the_moment_it_is(
    quick: QuickTapCommand,
) -> None:
    now = pendulum.now("UTC")
    for hours, code in ((-1, 0), (1, 1)):
        start = now.add(hours=hours).in_timezone("Pacific/Auckland").isoformat()
        assert quick({**FINE, "start_date": start}, "--test=schema").code == code, start


def test_refresh_hours_of_no_stream_are_told_with_the_nearest_name(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    hours = {"site_*": 24, "divices": 24, "sitefilters": 6, "alerts": 24, "users": 0}
    run = quick(fast(tiny, refresh_hours=hours), catalog=only_users)
    assert run.code == 0, run.err
    assert run.records["users"]
    said = [line.split(" | ")[-1] for line in run.err.splitlines() if " WARNING " in line]
    assert said == [
        "Setting `refresh_hours`: no stream matches `divices`. Did you mean `devices`?",
        "Setting `refresh_hours`: no stream matches `sitefilters`. Did you mean `site_filters`?",
        (
            "Setting `refresh_hours`: `alerts` has no effect, as alerts reads only what has "
            "changed, in each run."
        ),
    ]


def test_marks_and_tables_of_several_accounts_exclude_each_other(quick: QuickTapCommand) -> None:
    both = {"account_column": True, "emit_activate_version_messages": True}
    run = quick(FINE | both)
    assert run.code == 1
    (line,) = errors(run.err)
    assert line.startswith(
        "Setting `account_column` and `emit_activate_version_messages` exclude each other"
    )
    for name in both:
        assert quick(FINE | {name: True}, "--test=schema").code == 0


def test_white_space_around_key_and_secret_is_no_part_of_them(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    config = fast(tiny)
    for name in ("api_key", "api_secret"):
        config[name] = f"\ufeff {config[name]}\u200b\r\n"
    run = quick(config, catalog=only_users)
    assert run.code == 0, run.err
    assert run.records["users"]


@pytest.mark.parametrize("option", ["--discover", "--test=schema"])
def test_what_is_given_is_checked_in_discovery_too(quick: QuickTapCommand, option: str) -> None:
    run = quick({**FINE, "page_size": 0}, option)
    assert run.code == 1
    assert run.out == ""
    assert len(errors(run.err)) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"platform": None, "api_url": "https://merlot-api.centrastage.net"},
        {"page_size": None, "account_uid": None, "report_path": ""},
        {"stream_maps": None, "custom_streams": None, "refresh_hours": None, "faker_config": None},
        {"flattening_enabled": None, "flattening_max_depth": None, "stream_map_config": None},
        {"page_size": 250.0, "max_parallel_requests": 8.0},
    ],
    ids=str,
)
def test_null_is_not_given_and_a_whole_number_may_have_a_point(
    quick: QuickTapCommand, settings: dict[str, object]
) -> None:
    assert quick(FINE | settings, "--test=schema").code == 0


def test_a_page_size_with_a_point_is_asked_for_without(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    run = quick(fast(tiny, page_size=3.0), catalog=only_users)
    assert run.code == 0
    assert "max=3" in {entry.query for entry in tiny.requests}


# Ways in which settings reach the tap


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
def test_the_url_of_the_api_works_with_and_without_its_base_path(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any], suffix: str
) -> None:
    run = quick(fast(tiny, api_url=tiny.url + suffix), catalog=only_users)
    assert run.code == 0
    assert run.records["users"]
    assert calls(tiny) == {"/v2/account": 1, "/v2/account/users": 1}


def test_settings_can_come_from_the_environment(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    quick.environment = in_environment(fast(tiny, page_size=3))
    run = quick(None, "--config=ENV", catalog=only_users)
    assert run.code == 0
    assert len(run.records["users"]) > 3
    assert {entry.query for entry in tiny.requests} >= {"max=3", "max=3&page=1"}


def test_switches_and_numbers_can_come_from_the_environment(quick: QuickTapCommand) -> None:
    quick.environment = in_environment(
        FINE | {"keep_unknown_properties": "true", "request_timeout": "2.5", "page_size": "7"}
    )
    run = quick(None, "--config=ENV", "--test=schema")
    assert run.code == 0
    for stream in ("account", "device_audits", "activity_logs"):
        assert "_unknown" in run.schemas[stream]["schema"]["properties"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page_size", "251"),
        ("page_size", "many"),
        ("max_parallel_requests", "2.5"),
        ("request_timeout", "soon"),
        ("keep_unknown_properties", "perhaps"),
        ("custom_streams", "[{"),
    ],
)
def test_a_wrong_setting_from_the_environment_is_named_too(
    quick: QuickTapCommand, name: str, text: str
) -> None:
    quick.environment = in_environment({name: text})
    run = quick(FINE, "--config=ENV")
    assert run.code == 1
    (line,) = [line for line in errors(run.err) if "`" in line]
    assert line.startswith(f"Setting `{name}` must be: ")
    assert "Traceback" not in run.err


def test_a_setting_left_empty_in_the_environment_counts_as_not_given(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    empty = dict.fromkeys(("platform", "page_size", "start_date", "spec_path", "user_agent"), "")
    quick.environment = in_environment(empty)
    run = quick(fast(tiny), "--config=ENV", catalog=only_users)
    assert run.code == 0
    assert run.records["users"]


def test_the_environment_wins_over_the_file(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    run = quick(
        fast(tiny, page_size=4),
        "--config=ENV",
        catalog=only_users,
        TAP_DATTO_RMM_PAGE_SIZE="3",
    )
    assert run.code == 0
    assert "max=3" in {entry.query for entry in tiny.requests}
    assert "max=4" not in {entry.query for entry in tiny.requests}


def test_a_custom_stream_can_come_from_the_environment(quick: QuickTapCommand) -> None:
    stream = {
        "name": "status",
        "path": "/v2/system/status",
        "primary_keys": ["version"],
        "component": "StatusResponse",
    }
    run = quick(
        FINE, "--config=ENV", "--discover", TAP_DATTO_RMM_CUSTOM_STREAMS=json.dumps([stream])
    )
    assert run.code == 0
    assert "status" in {entry["stream"] for entry in json.loads(run.out)["streams"]}


@pytest.mark.parametrize(
    ("settings", "header"),
    [({}, "tap-datto-rmm/"), ({"user_agent": "msp-reports/7"}, "msp-reports/7")],
    ids=["default", "own"],
)
def test_the_tap_says_who_it_is(
    quick: QuickTapCommand,
    only_users: dict[str, Any],
    settings: dict[str, str],
    header: str,
    user_agents: tuple[str, list[str]],
) -> None:
    url, seen = user_agents
    run = quick({**FINE, "api_url": url, **settings}, catalog=only_users)
    assert run.code == 1
    assert len(seen) == 1
    assert seen[0].startswith(header)


def test_a_timeout_may_have_a_fraction(
    quick: QuickTapCommand, tiny: Sandbox, only_users: dict[str, Any]
) -> None:
    run = quick(fast(tiny, request_timeout=2.5), catalog=only_users)
    assert run.code == 0
    assert run.records["users"]


@pytest.mark.parametrize("start", ["2026-11-17", "2026-11-17T06:00:00+06:00", "2026-11-17 00:00"])
def test_nothing_older_than_the_start_date_is_read(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], start: str
) -> None:
    sandbox_ = sandbox(devices=40)
    streams = ("activity_logs", "alerts")
    everything = quick.sync(fast(sandbox_), *streams)
    run = quick.sync(fast(sandbox_, start_date=start), *streams)
    assert run.code == 0
    midnight = "2026-11-17T00:00:00.000000+00:00"
    for stream, date in (("activity_logs", "date"), ("alerts", "resolvedOn")):
        wanted = [r for r in everything.records[stream] if (r[date] or "9") >= midnight]
        assert 0 < len(wanted) < len(everything.records[stream])
        assert run.records[stream] == wanted


# keep_unknown_properties

UNKNOWN: dict[str, object] = {
    "brandNew": 1,
    "brandNewObject": {"inner": [None, "ünknown"], "brandNewInside": "x"},
    "brand.new key": None,
}
"""What the sandbox's fault adds to every row."""


@pytest.fixture(scope="module")
def grown(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    """An API that has grown since the spec was made."""
    return sandboxes(devices=12, faults=("unknown-keys",))


def test_what_the_spec_does_not_know_is_left_out_and_named_once_a_stream(
    quick: QuickTapCommand, grown: Sandbox
) -> None:
    streams = ("account", "users", "devices", "device_audits")
    run = quick.sync(fast(grown), *streams)
    assert run.code == 0
    assert "brandNew" not in run.out
    assert "brand.new" not in run.out
    warnings = Counter(
        (line.split("`")[1], stream)
        for line in run.err.splitlines()
        for stream in streams
        if f" {stream}: the API sends `" in line
    )
    assert set(warnings.values()) == {1}
    assert warnings.keys() >= {(name, stream) for name in UNKNOWN for stream in streams}
    assert ("descriptor.brandNewInside", "account") in warnings
    assert ("udf.brandNewInside", "devices") in warnings
    assert len(run.records["devices"]) == 12


def test_what_the_spec_does_not_know_can_be_kept(quick: QuickTapCommand, grown: Sandbox) -> None:
    streams = ("account", "users", "devices", "site_settings")
    run = quick.sync(fast(grown, keep_unknown_properties=True), *streams)
    assert run.code == 0
    for stream in streams:
        column = run.schemas[stream]["schema"]["properties"]["_unknown"]
        assert column["type"] == ["object", "null"]
        assert run.records[stream]
        for record in run.records[stream]:
            assert {name: record["_unknown"].get(name, "no") for name in UNKNOWN} == UNKNOWN
    (account,) = run.records["account"]
    inside = {"descriptor.brandNewInside": "x", "devicesStatus.brandNewInside": "x"}
    assert account["_unknown"] == UNKNOWN | inside


def test_nothing_unknown_is_null(quick: QuickTapCommand, tiny: Sandbox) -> None:
    run = quick.sync(fast(tiny, keep_unknown_properties=True), "devices", "sites")
    assert run.records["devices"]
    for record in run.records["devices"] + run.records["sites"]:
        assert record["_unknown"] is None
