"""`tap-datto-rmm-doctor`: what a user learns of an account, a key, a network."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.doctor.costs import minutes
from tests import truth
from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, TapCommand


@dataclass
class Doctor:
    """The command."""

    command: QuickTapCommand

    def __call__(self, config: Mapping[str, Any], *arguments: str) -> tuple[int, str, str]:
        """Run it; whatever it prints is searched for secrets."""
        run = self.command(config, *arguments)
        assert "Traceback" not in run.err
        return run.code, run.out, run.err

    def findings(self, config: Mapping[str, Any], *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run it for a machine."""
        code, out, _ = self(config, "--format", "json", *arguments)
        found: dict[str, Any] = json.loads(out)
        assert found["ok"] == (code == 0)
        return code, found

    def selecting(self, tap: TapCommand, account: Sandbox, *names: str) -> str:
        """Write a catalog of some streams; give the file."""
        file = self.command.folder / "catalog.json"
        catalog = tap.catalog(fast(account), *names)
        file.write_text(json.dumps(catalog), encoding="utf-8")
        return str(file)


@pytest.fixture
def doctor(quick: QuickTapCommand) -> Doctor:
    """The command."""
    return Doctor(replace(quick, module="tap_datto_rmm.doctor"))


def check(found: dict[str, Any], name: str) -> dict[str, Any]:
    one: dict[str, Any] = next(one for one in found["checks"] if one["check"] == name)
    return one


def stream(found: dict[str, Any], name: str) -> dict[str, Any]:
    one: dict[str, Any] = next(one for one in found["streams"] if one["stream"] == name)
    return one


def test_of_a_healthy_account_everything_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    healthy = sandbox(devices=600, rate_limit=600)
    healthy.call(lambda: healthy.state.limit.set_other(120))
    code, found = doctor.findings(healthy.settings)
    assert code == 0
    assert check(found, "platform")["message"] == f"{healthy.url} answers"
    assert check(found, "key")["message"] == "accepted"
    assert check(found, "token")["message"] == "good for 100 hours"
    assert check(found, "quota")["message"] == (
        "121 of the account's 600 requests a minute are used, 120 by other tools or runs; the tap "
        "may make 420"
    )
    assert "Build 235" in check(found, "specification")["message"]
    assert found["account"]["devices"] == 600
    assert found["account"]["sites"] == len(healthy.account.sites)
    assert found["account"]["open_alerts"] == len(healthy.account.open_alerts)
    by_default = [name for name, stream in truth.STREAMS.items() if stream.by_default]
    assert sorted(one["stream"] for one in found["streams"]) == sorted(by_default)
    assert all(one["ok"] for one in found["streams"])
    assert found["calls_made"] == len(healthy.requests) <= 32


def test_whose_account_a_key_opens_is_told_by_name_and_uid(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    acme, bolt = sandbox(account_name="Acme IT"), sandbox(seed=2)
    assert bolt.account.name not in {"", acme.account.name}
    assert bolt.account.uid != acme.account.uid
    for one in (acme, bolt):
        _, found = doctor.findings(one.settings)
        assert found["account"]["name"] == one.account.name
        assert found["account"]["uid"] == one.account.uid
        _, out, _ = doctor(one.settings)
        for label, value in (("name", one.account.name), ("uid", one.account.uid)):
            assert re.search(rf" {label} +{re.escape(value)} *\n", out)


def test_each_stream_is_tried_on_one_of_its_parents_of_whatever_kind(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand
) -> None:
    account = sandbox(devices=240, alert_total_count="number")
    file = doctor.command.folder / "catalog.json"
    catalog = tap.catalog(fast(account), *truth.STREAMS)
    file.write_text(json.dumps(catalog), encoding="utf-8")
    _, found = doctor.findings(fast(account), "--catalog", str(file))
    assert {one["stream"] for one in found["streams"]} == truth.STREAMS.keys()
    assert [one["stream"] for one in found["streams"] if "not asked" in one["message"]] == []
    assert [one["stream"] for one in found["streams"] if one["calls"]["full"] is None] == []


def test_the_cost_is_close_to_what_a_sync_then_takes(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand
) -> None:
    account = sandbox(devices=240, alert_total_count="number")
    names = ["sites", "devices", "alerts", "site_settings", "device_audits", "device_software"]
    catalog = tap.catalog(fast(account), *names)
    file = doctor.command.folder / "catalog.json"
    file.write_text(json.dumps(catalog), encoding="utf-8")
    _, found = doctor.findings(fast(account), "--catalog", str(file))
    assert [one["stream"] for one in found["streams"]] == names
    assert found["sync"]["full"]["at_least"] is False
    account.call(account.state.journal.reset)
    assert tap(fast(account), catalog=catalog).code == 0
    taken = len(account.requests)
    assert taken * 0.9 <= found["sync"]["full"]["calls"] <= taken * 1.1
    assert found["sync"]["hourly"]["calls"] < taken / 2
    counted = sum(e.endpoint == "/v2/audit/device/{device_uid}" for e in account.requests)
    assert stream(found, "device_audits")["calls"]["full"] == counted


def test_for_people_there_are_tables(sandbox: Callable[..., Sandbox], doctor: Doctor) -> None:
    code, out, _ = doctor(sandbox().settings)
    assert code == 0
    assert "accepted" in out
    assert "device_software" in out
    assert "The first sync: at least" in out
    assert re.search(r"alerts +1\+ +1\+ +readable; the API does not", out)
    assert "?" not in out


def test_a_clock_that_is_wrong_is_no_failure_but_to_be_seen_to(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(date_ahead=48)
    code, found = doctor.findings(account.settings)
    clock = check(found, "clock")
    assert (code, clock["ok"], clock["advice"]) == (0, True, True)
    assert clock["message"].endswith("the API's, which counts; set it right")
    code, out, _ = doctor(account.settings)
    assert re.search(r"(?m)^see to +clock ", out)
    assert (code, out.splitlines()[-1]) == (0, "A sync would work; see to: clock.")


@pytest.mark.parametrize("start", [None, "2026-10-01"])
def test_the_log_is_measured_at_some_places_and_close_to_what_it_holds(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand, start: str | None
) -> None:
    account = sandbox(devices=600)
    settings = {"page_size": 50, **({"start_date": start} if start else {})}
    catalog = tap.catalog(fast(account), "activity_logs", "jobs")
    file = doctor.command.folder / "catalog.json"
    file.write_text(json.dumps(catalog), encoding="utf-8")
    _, found = doctor.findings(fast(account, **settings), "--catalog", str(file))
    run = tap(fast(account, **settings), catalog=catalog)
    entries = len(run.records["activity_logs"])
    calls = stream(found, "activity_logs")["calls"]["full"]
    assert entries / 50 / 2 <= calls <= entries / 50 * 2
    assert found["sync"]["full"]["estimated"] is True
    jobs = len(run.records["jobs"])
    assert jobs / 2 <= stream(found, "jobs")["calls"]["full"] <= jobs * 2


def test_what_is_due_once_a_day_costs_a_part_of_it_each_hour(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(devices=600)
    sites = len(list(account.account.listed_sites()))
    _, found = doctor.findings(fast(account, refresh_hours={"site_*": 24, "site_filters": 0}))
    settings, filters = (stream(found, name) for name in ("site_settings", "site_filters"))
    assert settings["calls"] == {"full": sites, "hourly": -(-sites // 24)}
    assert settings["message"] == "readable; due every 24 hours"
    assert filters["calls"] == {"full": sites, "hourly": sites}


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [(0, 0), (540, 0.9), (541, 1), (1_080, 1.9), (1_116, 2.06), (6_000, 11.1)],
)
def test_minutes_are_those_of_a_budget_for_any_60_seconds(calls: int, wanted: float) -> None:
    """540 leave as fast as the API answers; the next when those are a minute old."""
    assert minutes(calls, 540, 0.1) == pytest.approx(wanted, abs=0.02)


def test_where_each_answer_takes_its_time_that_counts() -> None:
    assert minutes(600, 540, 2.0) == pytest.approx(20)


def test_a_wrong_secret_is_told_after_one_call(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox()
    code, found = doctor.findings({**account.settings, "api_secret": "wrong-but-secret"})
    assert code == 1
    assert check(found, "platform")["ok"]
    assert not check(found, "key")["ok"]
    assert "Check `api_key`, `api_secret` and `platform`" in check(found, "key")["message"]
    assert "wrong-but-secret" not in json.dumps(found)
    assert len(account.requests) == 1


def test_a_wrong_platform_is_told(sandbox: Callable[..., Sandbox], doctor: Doctor) -> None:
    code, found = doctor.findings(
        {**sandbox().settings, "api_url": "https://nowhere-api.centrastage.invalid"}
    )
    assert code == 1
    assert not check(found, "platform")["ok"]
    assert "does not resolve; check `platform`/`api_url`" in check(found, "platform")["message"]


def test_a_host_that_is_no_platform_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(faults=("status=404:path=/auth/",))
    code, found = doctor.findings(account.settings)
    assert code == 1
    assert "(HTTP 404)" in check(found, "key")["message"]
    assert "`platform`" in check(found, "key")["message"]


def test_streams_that_the_key_may_not_read_are_named_with_what_they_need(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(forbid=("/v2/account/users", "/v2/activity-logs"))
    code, found = doctor.findings(account.settings)
    assert code == 1
    refused = [one["stream"] for one in found["streams"] if not one["ok"]]
    assert refused == ["users", "activity_logs", "jobs"]
    assert "needs: Setup > Users" in stream(found, "users")["message"]
    assert "needs: the Administrator security level" in stream(found, "activity_logs")["message"]
    assert stream(found, "device_audits")["ok"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"forbid": ("/v2/account/devices", "/v2/account/sites")}, "HTTP 403"),
        (
            {
                "faults": (
                    "status=500:path=/v2/account/devices",
                    "status=500:path=/v2/account/sites",
                )
            },
            "HTTP 500",
        ),
    ],
)
def test_what_is_asked_for_one_by_one_fails_where_its_list_does(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand, options: Any, why: str
) -> None:
    account = sandbox(devices=20, **options)
    names = ("device_audits", "site_settings")
    code, found = doctor.findings(
        account.settings, "--catalog", doctor.selecting(tap, account, *names)
    )
    assert code == 1
    for name in names:
        assert not stream(found, name)["ok"]
        assert why in stream(found, name)["message"]
    _, out, _ = doctor(account.settings)
    assert re.search(rf"devices +not known: .*{re.escape(why)}", " ".join(out.split()))


@pytest.mark.parametrize(
    "settings", [{"account_uid": "zzz"}, {"account_uid": "zzz", "account_column": True}]
)
@pytest.mark.parametrize("forbid", [(), ("/v2/account$",)])
def test_a_key_of_another_account_than_the_settings_name_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor, settings: Any, forbid: tuple[str, ...]
) -> None:
    account = sandbox(devices=20, forbid=forbid)
    code, found = doctor.findings({**account.settings, **settings})
    assert code == 1
    assert "`account_uid`" in check(found, "account")["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda catalog: catalog["streams"].clear(), "Nothing to read"),
        (
            lambda catalog: catalog["streams"][0].update(tap_stream_id="acount"),
            "Did you mean `account`?",
        ),
    ],
)
def test_a_catalog_that_the_tap_would_refuse_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand, change: Any, said: str
) -> None:
    account = sandbox(devices=20)
    catalog = tap.catalog(fast(account), "account")
    catalog["streams"] = [one for one in catalog["streams"] if one["tap_stream_id"] == "account"]
    change(catalog)
    file = doctor.command.folder / "catalog.json"
    file.write_text(json.dumps(catalog), encoding="utf-8")
    code, found = doctor.findings(account.settings, "--catalog", str(file))
    assert code == 1
    assert said in check(found, "selection")["message"]


@pytest.mark.parametrize("expression", ["nosuch(1)", "1 / 0", "hostname.nothing()"])
def test_a_stream_map_that_fails_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor, expression: str
) -> None:
    maps = {"devices": {"more": expression}}
    code, found = doctor.findings({**sandbox(devices=20).settings, "stream_maps": maps})
    assert code == 1
    assert f"`{expression}`" in stream(found, "devices")["message"]
    assert stream(found, "sites")["ok"]


def test_what_settings_ask_for_in_vain_is_told(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    settings = {**sandbox(devices=20).settings, "refresh_hours": {"sitez": 24}}
    _, found = doctor.findings(settings)
    assert any("`sitez`" in warning for warning in found["warnings"])
    _, out, _ = doctor(settings)
    assert "`sitez`" in out


def test_what_it_waits_for_is_told_after_the_settings(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(devices=20, faults=("hang=1:path=/v2/account$",))
    doctor.command = replace(doctor.command, tells_often=True)
    code, out, err = doctor(account.settings)
    assert code == 0
    assert out.startswith("setting ")
    assert all(line.startswith("tap-datto-rmm-doctor: asking the API") for line in err.splitlines())
    assert err


def test_an_account_without_devices_costs_nothing_for_them(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    _, found = doctor.findings(sandbox(devices=0, alert_total_count="number").settings)
    assert stream(found, "device_audits")["calls"] == {"full": 0, "hourly": 0}
    assert found["sync"]["full"]["at_least"] is False


@pytest.mark.parametrize("name", ["esxi_host_audits", "site_settings"])
def test_lists_that_are_read_for_others_and_smaller_pages_count(
    sandbox: Callable[..., Sandbox], doctor: Doctor, tap: TapCommand, name: str
) -> None:
    account = sandbox(devices=600)
    settings = fast(account, page_size=100)
    file = doctor.selecting(tap, account, name)
    _, found = doctor.findings(settings, "--catalog", file)
    account.call(account.state.journal.reset)
    assert tap(settings, catalog=json.loads(Path(file).read_text(encoding="utf-8"))).code == 0
    taken = len(account.requests)
    assert taken * 0.8 <= found["sync"]["full"]["calls"] <= taken * 1.2


def test_a_blocked_address_is_told_apart_from_a_wrong_key(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(rate_limit=1, block_after=1)
    for _ in range(2):
        account.state.limit.arrive()
    code, found = doctor.findings(account.settings)
    assert code == 1
    assert "this IP address is blocked" in check(found, "platform")["message"]
    assert len(account.requests) == 2


def test_a_limit_that_is_used_up_is_told_and_not_waited_for(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    account = sandbox(rate_limit=60, other_client_rate=1000)
    code, found = doctor.findings(account.settings)
    assert code == 1
    assert "use up the account's request limit" in check(found, "requests")["message"]
    assert account.state.journal.by_status[429] < 10


def test_without_a_network_it_takes_seconds(
    sandbox: Callable[..., Sandbox], doctor: Doctor
) -> None:
    started = time.monotonic()
    code, found = doctor.findings({**sandbox().settings, "api_url": "http://127.0.0.1:9"})
    assert code == 1
    assert "check outbound HTTPS" in check(found, "platform")["message"]
    assert time.monotonic() - started < 15


def test_a_setting_that_is_wrong_is_named_before_any_call(doctor: Doctor) -> None:
    code, _, err = doctor({"api_key": "k", "api_secret": "s", "platform": "nowhere"})
    assert code == 1
    assert err.startswith("tap-datto-rmm-doctor: Setting `platform` must be: one of pinotage")
    assert len(err.splitlines()) == 1


def test_the_environment_is_a_config_too(
    sandbox: Callable[..., Sandbox], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox().settings.items():
        monkeypatch.setenv(f"TAP_DATTO_RMM_{name.upper()}", value)
    code, found = doctor.findings({}, "--config", "ENV")
    assert code == 0
    assert check(found, "key")["ok"]
