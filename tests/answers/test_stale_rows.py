"""43 missing patches are 43, in both tables, whatever was superseded between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.answers import install
from tests.answers.living import DAY, loading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from demo.postgres import Postgres

STREAMS = ("sites", "devices", "device_patches", "site_patches")


@pytest.mark.parametrize("marks", [True, False], ids=["deletion marks", "no deletion marks"])
def test_superseded_rows_do_not_count(
    sandbox: Callable[..., Sandbox], server: Postgres, tmp_path: Path, *, marks: bool
) -> None:
    with server.connect() as connection:
        for schema in ("datto_answers", "datto_answers_absent", "datto_rmm"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
    account = sandbox(devices=40, udf="absent")
    for days in (0, 4, 4):
        if days:
            account.advance(days * DAY, audited_percent=100, added=0, removed=0)
        with loading(account, server, tmp_path) as loader:
            loader.sync(*STREAMS, emit_activate_version_messages=marks)
    with server.connect() as connection:
        install(connection)

        def count(query: str) -> int:
            return int(connection.execute(query.encode()).fetchall()[0][0])

        truth = sum(
            (device.patches.pending | device.patches.refused).bit_count()
            for device in account.account.devices
        )
        listed = sum(
            (device.patches.pending | device.patches.refused).bit_count()
            for site in account.account.listed_sites()
            for device in site.devices.values()
        )
        raw = (
            """SELECT count(*) FROM datto_rmm.device_patches WHERE "installStatus" <> 'INSTALLED'"""
        )
        assert count(raw) > truth
        raw = """
            SELECT sum("totalDevices") FROM datto_rmm.site_patches
            WHERE "installStatus" <> 'INSTALLED'
        """
        assert count(raw) > listed
        assert count("SELECT count(*) FROM datto_answers.current_patches WHERE is_missing") == truth
        assert count("SELECT sum(computers) FROM datto_answers.missing_patches") == listed
