"""The report: what a run did, in a file that is there however the run ends."""

from __future__ import annotations

import json
import signal
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.e2e.scene import FAN_OUT, HOUR, Scene
from tests.e2e.test_interruption import running
from tests.e2e.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import Run

Json = dict[str, Any]

SCHEMA: Json = json.loads(
    files("tap_datto_rmm").joinpath("telemetry/report.schema.json").read_text(encoding="utf-8")
)
STREAMS = ("users", "site_settings", "device_audits", "alerts")


def read(path: Path) -> Json:
    """Read a report that has the form that its schema promises."""
    report: Json = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(report)
    assert datetime.fromisoformat(report["started_at"]).utcoffset() is not None
    began, ended = (datetime.fromisoformat(report[name]) for name in ("started_at", "ended_at"))
    assert began <= ended
    assert report["tap"] == version("tap-datto-rmm")
    return report


def report_of(at: Scene, *streams: str, **settings: Any) -> tuple[Run, Json]:
    """Run, and read the report; nothing else is left beside it."""
    folder = at.tap.folder / "reports"
    folder.mkdir(exist_ok=True)
    run = at.run(*streams, report_path=str(folder / "report.json"), **settings)
    assert [file.name for file in folder.iterdir()] == ["report.json"]
    report = read(folder / "report.json")
    assert report["exit_code"] == run.code
    return run, report


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_a_run_in_which_all_went_well(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    run, report = report_of(at, *STREAMS)
    assert run.code == 0, run.err
    account = at.account.account
    assert report["account"] == {"uid": account.uid, "name": account.name}
    assert report["complete"] is True
    assert report["streams"].keys() == set(STREAMS)
    for name, stream in report["streams"].items():
        assert stream["status"] == "complete"
        assert stream["records"] == len(run.records[name]) > 0
        assert stream["calls"] > 0
        assert stream["outstanding"] == stream["retries"] == 0
        assert stream["reasons"] == []
        assert stream["bookmark"] == (at.position(name) or None)
    sent = [entry for entry in at.entries if not entry.path.startswith("/auth/")]
    assert len(sent) <= report["calls"] <= len(at.entries)
    assert sum(stream["calls"] for stream in report["streams"].values()) <= report["calls"]


def test_a_run_that_is_incomplete_says_where_and_why(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    bad = at.devices()[20].uid
    at.inject(f"status=500:path={FAN_OUT['device_audits'].path_of([bad])}")
    run, report = report_of(at, *STREAMS)
    assert run.code == 1
    assert report["complete"] is False
    audits = report["streams"].pop("device_audits")
    assert audits["status"] == "incomplete"
    assert audits["outstanding"] == 1
    assert audits["retries"] > 0
    assert audits["records"] == len(run.records["device_audits"])
    assert any("500" in reason for reason in audits["reasons"])
    assert {stream["status"] for stream in report["streams"].values()} == {"complete"}

    at.rests(25 * HOUR)
    run, report = report_of(at, *STREAMS, excepted={(bad,)})
    assert run.code == 0, run.err
    assert report["streams"]["device_audits"]["outstanding"] == 1
    assert any(bad in reason for reason in report["streams"]["device_audits"]["reasons"])

    at.inject()
    run, report = report_of(at, *STREAMS)
    assert run.code == 0, run.err
    assert report["complete"] is True
    assert report["streams"]["device_audits"]["outstanding"] == 0


def test_a_stream_that_may_not_be_read_has_failed(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    at.forbid("/v2/account/users")
    run, report = report_of(at, *STREAMS)
    assert run.code == 1
    assert report["complete"] is False
    assert report["streams"]["users"]["status"] == "failed"
    assert any("403" in reason for reason in report["streams"]["users"]["reasons"])
    assert report["streams"]["alerts"]["status"] == "complete"


def test_what_is_gone_is_left_out_and_the_run_is_complete(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    gone = at.devices()[20].uid
    at.inject(f"status=404:path={FAN_OUT['device_audits'].path_of([gone])}")
    run, report = report_of(at, "device_audits", excepted={(gone,)})
    assert run.code == 0, run.err
    assert report["streams"]["device_audits"]["left_out"] == 1


def test_a_stream_that_is_not_due_says_so(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    settings: Json = {"refresh_hours": {"site_*": 24}}
    report_of(at, *STREAMS, **settings)
    at.rests(HOUR)
    run, report = report_of(at, *STREAMS, **settings)
    assert run.code == 0, run.err
    assert report["streams"]["site_settings"]["status"] == "not_due"
    assert report["streams"]["site_settings"]["records"] == 0
    assert report["complete"] is True


def test_wrong_credentials_leave_a_report_too(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    run, report = report_of(at, *STREAMS, api_secret="wrong")
    assert run.code == 1
    assert report["complete"] is False
    assert {stream["status"] for stream in report["streams"].values()} <= {"failed", "not_reached"}
    assert "wrong" not in json.dumps(report)


def test_the_wrong_account_leaves_a_report_that_names_the_one_it_found(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    run, report = report_of(at, *STREAMS, account_uid="cst-nordwind-08")
    assert run.code == 1
    assert report["complete"] is False
    assert report["account"]["uid"] == at.account.account.uid


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_signal_leaves_a_report_of_what_was_done(
    sandbox: Callable[..., Sandbox], tmp_path: Path, signum: int, code: int
) -> None:
    account, warehouse = sandbox(devices=300, udf="absent", latency_ms=2), Warehouse()
    path = tmp_path / "report.json"
    streams = ("users", "device_audits", "alerts", "activity_logs")
    with running(tmp_path, account, *streams, report_path=str(path)) as run:
        messages = run.read(100)
        run.process.send_signal(signum)
        messages += run.read_rest()
        assert run.ends() == code
    report = read(path)
    assert report["exit_code"] == code
    assert report["complete"] is False
    warehouse.take(messages)
    for name, stream in report["streams"].items():
        assert stream["records"] == len(warehouse.tables[name])
    statuses = {stream["status"] for stream in report["streams"].values()}
    assert "not_reached" in statuses
    assert statuses & {"incomplete", "failed"}


def test_a_report_replaces_the_one_before_in_one_step(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    _, first = report_of(at, "users")
    folder = at.tap.folder / "reports"
    before = (folder / "report.json").stat().st_ino
    _, second = report_of(at, "alerts")
    assert (folder / "report.json").stat().st_ino != before
    assert (list(first["streams"]), list(second["streams"])) == (["users"], ["alerts"])


def test_a_path_that_no_report_can_be_written_to_is_an_error_of_the_setting(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    run = at.run("users", report_path=str(at.tap.folder / "nowhere" / "report.json"))
    assert "report_path" in run.err
    assert "Traceback" not in run.err
    assert run.code == 1


def test_a_report_behind_a_link_is_written_where_the_link_leads(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=5)
    folder = at.tap.folder / "elsewhere"
    folder.mkdir()
    link = at.tap.folder / "report.json"
    link.symlink_to(folder / "today.json")
    run = at.run("users", report_path=str(link))
    assert run.code == 0
    assert link.is_symlink()
    assert [file.name for file in folder.iterdir()] == ["today.json"]
    assert read(folder / "today.json")["complete"] is True
