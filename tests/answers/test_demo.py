"""What `make demo` adds to the pipeline: the nights before, and tables that fit a terminal."""

from __future__ import annotations

import json
import os
import subprocess
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from demo.nights import NIGHTS_BETWEEN_AUDITS, Nights
from demo.page.data import collect
from demo.pictures import answers_of
from demo.pipeline import ROOT
from demo.run import AGEING, DISKS, NEXT, SYSTEMS
from demo.tables import answer, scorecard
from tests.answers.test_page import fill
from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.answers.tables import Tables

TERMINAL = 80
LONG = "A customer with a name that is longer than any terminal should have to show in one line"


def test_each_night_is_a_day_of_the_account_and_nothing_but_history_is_written(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    account = sandbox(devices=12, udf="absent")
    number = NIGHTS_BETWEEN_AUDITS + 1
    done = subprocess.run(
        Nights(account.url, fast(account), number, {"added": 0, "removed": 0}).command(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    records = [message for message in messages if message["type"] == "RECORD"]
    assert {message["stream"] for message in records} == {"devices_daily", "disks_by_audit"}
    days = [r["record"]["day"] for r in records if r["stream"] == "devices_daily"]
    assert sorted(set(days)) == ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]
    assert len(days) == number * 12
    computers = [device for device in account.account.devices if device.is_computer]
    audits = [record for record in records if record["stream"] == "disks_by_audit"]
    assert len(computers) < len(audits) <= 2 * len(computers)


def test_the_tables_fit_80_columns_and_lose_no_number(tables: Tables) -> None:
    fill(tables)
    tables.add("sites", uid="long", name=LONG, onDemand=False)
    tables.device(siteUid="long")
    fleet = collect(tables.postgres.uri)
    console = Console(width=TERMINAL, record=True, file=StringIO())
    console.print(scorecard(fleet, 8))
    for name, columns in (
        ("patch_ageing", AGEING),
        ("full_disks", DISKS),
        ("unsupported_systems", SYSTEMS),
    ):
        console.print(answer(fleet, name, columns, fleet[name][:5]))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= TERMINAL
    head = next(line for line in lines if "computers" in line and "antivirus" in line)
    assert "…" not in head
    (total,) = [line for line in lines if line.strip().startswith("all sites")]
    assert total.split()[2:5] == ["17", "85", "%"]
    assert "output/demo/fleet.html" in NEXT


def test_the_picture_of_the_terminal_has_the_steps_and_the_answers() -> None:
    screen = (
        "<html><head></head><body><pre><code>Run 1\n<span>Rows in PostgreSQL</span> 1\n"
        "<span>How does each site stand, in one row?</span> 2\nOpen fleet.html\n\nWhat next?\n Done"
    )
    shown = answers_of(screen)
    assert "Run 1" in shown
    assert "in one row?</span> 2\nOpen fleet.html" in shown
    assert "Rows in" not in shown
    assert "What next" not in shown
