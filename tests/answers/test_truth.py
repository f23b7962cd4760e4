"""Every answer after 24 days of an account's life is what the sandbox knows to be true."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests
from datto_rmm_sandbox.disks import disks
from psycopg import sql
from psycopg.rows import dict_row

from demo.answers import install, question, questions
from demo.history import stream_maps
from demo.postgres import Postgres
from tests.answers.living import DAY, STREAMS, loading
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datto_rmm_sandbox import Sandbox

DAYS = 24
DAY_MS = 86_400_000
WITHOUT_SOFTWARE = [name for name in STREAMS if name != "device_software"]
"""What is read each day; software, which has no history, is read every third one."""
KEYS = {
    "patch_ageing": ("severity",),
    "patch_trouble": ("device_uid",),
    "missing_patches": ("patch_id",),
    "restart_due": ("device_uid",),
    "silent_agents": ("device_uid",),
    "warranty": ("device_uid",),
    "unsupported_systems": ("operating_system",),
    "full_disks": ("device_uid", "disk"),
    "noise_by_monitor": ("monitor",),
    "noise_by_device": ("device_uid",),
    "software": ("name",),
}
"""What a row is about, where it is not a site."""

Row = dict[str, Any]


class Lived:
    """The database after those days, and the truth."""

    def __init__(self, postgres: Postgres, sandbox: Sandbox, marked: set[str]) -> None:
        self.postgres = postgres
        self.sandbox = sandbox
        self.marked = marked
        answer = requests.get(f"{sandbox.url}/_sandbox/answers", timeout=60)
        self.truth: dict[str, list[Row]] = answer.json()

    def ask(self, name: str) -> list[Row]:
        with self.postgres.connect() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            view = sql.Identifier("datto_answers", name)
            rows = cursor.execute(sql.SQL("SELECT * FROM {}").format(view))
            return [{key: plain(value) for key, value in row.items()} for row in rows]

    def count(self, query: str) -> int:
        with self.postgres.connect() as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row
        return int(row[0])


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


@pytest.fixture(scope="module")
def lived(
    sandboxes: Callable[..., Sandbox], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("answers")
    sandbox = sandboxes(devices=56, now=NOW - DAYS * DAY_MS, udf="absent")
    with Postgres(folder / "postgres") as postgres:
        with loading(sandbox, postgres, folder) as loader:
            for day in range(DAYS + 1):
                if day:
                    sandbox.advance(DAY, opened=5, added=1, removed=1)
                daily = STREAMS if day % 3 == 0 else WITHOUT_SOFTWARE
                marked = loader.sync(*daily, stream_maps=stream_maps(loader.today))
        with postgres.connect() as connection:
            install(connection)
        yield Lived(postgres, sandbox, marked)


@pytest.fixture(scope="module")
def answers(lived: Lived) -> dict[str, list[Row]]:
    return {name: lived.ask(name) for name in questions()}


def test_every_answer_that_is_not_a_trend_has_its_truth(lived: Lived) -> None:
    assert set(lived.truth) == {name for name in questions() if not name.startswith("trend_")}
    assert all(question(name).endswith("?") for name in questions())


@pytest.mark.parametrize("name", [name for name in questions() if not name.startswith("trend_")])
def test_the_answer_is_the_truth(lived: Lived, answers: dict[str, list[Row]], name: str) -> None:
    found, wanted = answers[name], lived.truth[name]
    if name == "full_disks":  # the forecast has a test of its own
        found, wanted = ([r for r in rows if r["is_nearly_full"]] for rows in (found, wanted))
    keys = KEYS.get(name, ("site_uid",))
    by_key = {tuple(row[key] for key in keys): row for row in found}
    assert len(by_key) == len(found)
    assert by_key.keys() == {tuple(row[key] for key in keys) for row in wanted}
    assert wanted
    for row in wanted:
        got = by_key[tuple(row[key] for key in keys)]
        expected = {column: value for column, value in row.items() if column != "days_to_full"}
        assert {column: got[column] for column in expected} == pytest.approx(expected), got


def test_the_account_gave_the_answers_something_to_get_wrong(lived: Lived) -> None:
    assert lived.count("SELECT count(*) FROM datto_rmm.devices WHERE _sdc_deleted_at IS NOT NULL")
    current = lived.count("SELECT count(*) FROM datto_answers.current_patches")
    assert lived.count("SELECT count(*) FROM datto_rmm.device_patches") > 1.05 * current
    current = lived.count("SELECT count(*) FROM datto_answers.current_software")
    assert lived.count("SELECT count(*) FROM datto_rmm.device_software") > 1.5 * current
    states = {
        state
        for row in lived.ask("patch_compliance")
        for state in row
        if state not in {"site_uid", "site", "compliance"} and row[state]
    }
    assert states >= {"not_seen", "no_data", "not_patchable", "failing", "pending"}


def test_the_groups_of_each_site_add_up_to_its_computers(answers: dict[str, list[Row]]) -> None:
    unknown = ("not_seen", "no_data", "no_policy", "not_patchable")
    for row in answers["patch_compliance"]:
        known = sum(row[name] for name in ("patched", "restart_due", "pending", "failing"))
        assert row["known"] == known
        assert known + sum(row[name] for name in unknown) == row["computers"]
    for row in answers["antivirus_cover"]:
        known = sum(row[n] for n in ("covered", "outdated", "not_running", "not_detected"))
        assert row["known"] == known
        assert known + row["not_seen"] + row["no_data"] == row["computers"]
    for row in answers["patch_ageing"]:
        ages = [name for name in row if name.startswith("days_") or name == "age_unknown"]
        assert sum(row[name] for name in ages) == row["missing"]


def test_one_number_is_the_same_in_every_answer(answers: dict[str, list[Row]]) -> None:
    def total(name: str, column: str) -> int:
        return sum(row[column] for row in answers[name])

    card = "scorecard"
    assert total(card, "patched") == total("patch_compliance", "patched")
    assert total(card, "severe_patches") == sum(
        row["days_31_90"] + row["days_over_90"]
        for row in answers["patch_ageing"]
        if row["severity"] in {"Critical", "Important"}
    )
    assert total(card, "covered") == total("antivirus_cover", "covered")
    assert total(card, "restart_due") == len(answers["restart_due"])
    assert total(card, "silent") == len(answers["silent_agents"])
    assert total(card, "computers") == total("unsupported_systems", "computers")
    states = Counter(row["state"] for row in answers["warranty"])
    assert total(card, "warranty_ending") == states["ends soon"]
    assert total(card, "warranty_ended") == states["ended"]
    full = sum(row["is_nearly_full"] for row in answers["full_disks"])
    assert total(card, "full_disks") == full


def test_a_forecast_is_within_a_tenth_of_when_the_disk_will_be_full(lived: Lived) -> None:
    account = lived.sandbox.account
    now = max(device.seen for device in account.devices)
    wanted = {
        (device.uid, disk.name): (disk.full_at - now) / DAY_MS
        for device in account.devices
        if device.is_computer
        for disk in disks(account, device)
        if disk.full_at
    }
    with lived.postgres.connect() as connection:
        rows = connection.execute(
            "SELECT device_uid, disk, days_to_full FROM datto_answers.disk_forecast"
        ).fetchall()
    found = {(device, disk): float(days) for device, disk, days in rows}
    proven = {key: days for key, days in wanted.items() if key in found and days > 1}
    assert len(proven) >= 4
    for key, days in proven.items():
        assert found[key] == pytest.approx(days, rel=0.1, abs=1), key


def test_disks_that_do_not_fill_have_no_forecast_that_alarms(
    lived: Lived, answers: dict[str, list[Row]]
) -> None:
    filling = {(row["device_uid"], row["disk"]) for row in lived.truth["full_disks"]}
    soon = [row for row in answers["full_disks"] if not row["is_nearly_full"]]
    for row in soon:
        assert (row["device_uid"], row["disk"]) in filling or row["days_to_full"] > 50


def test_the_trend_has_every_day_and_ends_with_the_number_of_today(
    answers: dict[str, list[Row]],
) -> None:
    trend, card = answers["trend_computers"], answers["scorecard"]
    assert [row["day"] for row in trend] == sorted(row["day"] for row in trend)
    assert len(trend) == DAYS + 1
    for name, column in (
        ("computers", "computers"),
        ("patched", "patched"),
        ("patch_known", "patch_known"),
        ("covered", "covered"),
        ("antivirus_known", "antivirus_known"),
        ("silent", "silent"),
    ):
        assert trend[-1][name] == sum(row[column] for row in card)
    assert len({row["compliance"] for row in trend}) > 3


def test_the_backlog_has_every_day_and_ends_with_what_is_missing_today(
    answers: dict[str, list[Row]],
) -> None:
    trend = answers["trend_patches"]
    days = sorted({row["day"] for row in trend})
    assert len(days) == DAYS + 1
    missing = sum(row["computers"] for row in answers["missing_patches"])
    assert sum(row["missing"] for row in trend if row["day"] == days[-1]) == missing


def test_alerts_of_each_week_add_up_to_all_alerts(
    lived: Lived, answers: dict[str, list[Row]]
) -> None:
    trend = answers["trend_alerts"]
    account = lived.sandbox.account
    total = len(account.open_alerts) + len(account.resolved_alerts)
    assert sum(row["alerts"] for row in trend) == total
    assert all(date.fromisoformat(row["week"]).weekday() == 0 for row in trend)


def test_history_does_not_keep_deletion_marks_from_the_streams_that_it_copies(
    lived: Lived,
) -> None:
    assert {"devices", "site_patches"} <= lived.marked
    assert not lived.marked & {"devices_daily", "disks_by_audit", "patches_daily"}
