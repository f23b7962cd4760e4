"""Into a real PostgreSQL, piped as in a shell: ten syncs in a row, and every time zone."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.pipeline import MELTANO_FOLDER, ROOT
from demo.postgres import DATABASE, Postgres
from tests.answers.living import install_targets
from tests.commands import TapCommand
from tests.conftest import calls, fast
from tests.e2e.test_meltano_postgres import warehouse
from tests.e2e.warehouse import selection, true_rows, without_left_devices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

AUDITS = ("device_audits", "esxi_host_audits", "printer_audits")
STREAMS = ("account", "sites", "devices", "alerts", "activity_logs", *AUDITS)
SYNCS = 4

DATES = ("devices", "alerts", "activity_logs", "device_audits")
"""Streams that are full of date-times."""
AFTER_THE_HOUR_CAME_TWICE = datetime(2026, 10, 25, 1, 50, tzinfo=UTC)
"""In Berlin it was 02:00 to 03:00 twice that night: from 00:00 UTC, and from 01:00 UTC."""


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL, and the target that Meltano has installed."""
    install_targets(tmp_path)
    with Postgres(tmp_path / "postgres") as server:
        yield server


def target_command(folder: Path, postgres: Postgres, **settings: object) -> list[str]:
    """The target's command line, configured as in meltano.yml."""
    loaders = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"][
        "loaders"
    ]
    config = next(loader["config"] for loader in loaders if loader["name"] == "target-postgres")
    own = {**postgres.settings, "port": postgres.port, "default_target_schema": "datto_rmm"}
    path = folder / "target.json"
    path.write_text(json.dumps({**config, **own, **settings}), encoding="utf-8")
    program = MELTANO_FOLDER / "loaders/target-postgres/venv/bin/target-postgres"
    return [os.fspath(program), "--config", os.fspath(path)]


def piped(folder: Path, tap: list[str], target: list[str]) -> dict[str, Any]:
    """Run `tap | target`; give the last state that the target has confirmed."""
    with (folder / "log.txt").open("wb") as log:
        reader = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=log, cwd=folder)
        writer = subprocess.run(
            target, stdin=reader.stdout, stdout=subprocess.PIPE, stderr=log, check=False
        )
        assert reader.stdout
        reader.stdout.close()
    said = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-3000:]
    assert (reader.wait(), writer.returncode) == (0, 0), said
    state: dict[str, Any] = json.loads(writer.stdout.splitlines()[-1])
    return state


def test_after_each_sync_postgresql_equals_the_account_at_the_cost_of_what_changed(
    sandbox: Callable[..., Sandbox], postgres: Postgres, tmp_path: Path
) -> None:
    account = sandbox(devices=160, udf="30")
    target = target_command(tmp_path, postgres, hard_delete=True)
    tap = TapCommand(tmp_path)
    config = fast(account, emit_activate_version_messages=True, deletion_guard_percent=50)
    state: dict[str, Any] | None = None
    for sync in range(1 + SYNCS):
        happened = account.advance(900, added=3, removed=2) if sync else None
        calls(account)
        command = tap.arguments(config, state=state, catalog=selection(*STREAMS))
        state = piped(tmp_path, command, target)
        made = calls(account)
        found = warehouse(postgres)
        for stream in STREAMS:
            wanted, got = true_rows(account, stream), found[stream]
            got = without_left_devices(account, stream, got)
            assert got.keys() == wanted.keys(), (sync, stream)
            for key, row in wanted.items():
                assert {name: got[key].get(name) for name in row} == row, (sync, stream, key)
        if happened:
            audited = set(happened.audited)
            changed = sum(
                device.uid in audited or device.audited is None
                for device in account.account.devices
                if device.system.device_class in {"device", "esxihost", "printer"}
            )
            audits = sum(number for path, number in made.items() if "{" in path)
            assert changed <= audits <= 1.1 * changed, (sync, made)
            assert sum(made.values()) - audits <= 6 + 2 * 8, (sync, made)


@pytest.mark.parametrize("time_zone", ["UTC", "Australia/Sydney", "Europe/Berlin"])
def test_the_same_instants_are_stored_whatever_the_time_zone_of_the_database(
    sandbox: Callable[..., Sandbox], postgres: Postgres, tmp_path: Path, time_zone: str
) -> None:
    account = sandbox(now=int(AFTER_THE_HOUR_CAME_TWICE.timestamp() * 1000))
    with postgres.connect() as connection:
        connection.execute(f"ALTER DATABASE {DATABASE} SET timezone TO '{time_zone}'".encode())
    tap = TapCommand(tmp_path).arguments(fast(account), catalog=selection(*DATES))
    piped(tmp_path, tap, target_command(tmp_path, postgres))
    found = warehouse(postgres)
    moments = set()
    for stream in DATES:
        wanted, got = true_rows(account, stream), found[stream]
        assert got.keys() == wanted.keys()
        for key, row in wanted.items():
            assert {name: got[key].get(name) for name in row} == row
            moments |= {value[:13] for value in row.values() if isinstance(value, str)}
    assert {"2026-10-25T00", "2026-10-25T01"} <= moments
