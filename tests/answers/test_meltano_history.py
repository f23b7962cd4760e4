"""The history that meltano.yml offers, switched on as a user does, through Meltano."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from demo.answers import install
from demo.history import MELTANO_YML, stream_maps
from demo.pipeline import TAP, Pipeline, alone_in_this_clone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from demo.postgres import Postgres


def test_without_its_comment_signs_the_block_is_a_setting_of_the_tap() -> None:
    text = MELTANO_YML.read_text(encoding="utf-8")
    before, _, block = text.partition("      # stream_maps:\n")
    lines = block.splitlines()
    end = next(n for n, line in enumerate(lines) if not line.startswith("      #   "))
    used = ["      stream_maps:", *(line.replace("# ", "", 1) for line in lines[:end])]
    project = yaml.safe_load("\n".join([before, *used, *lines[end:]]))
    config = project["plugins"]["extractors"][0]["config"]
    assert config["stream_maps"] == stream_maps()
    assert "stream_maps" not in yaml.safe_load(text)["plugins"]["extractors"][0]["config"]


def test_meltano_loads_it_and_the_answers_find_it(
    sandbox: Callable[..., Sandbox], server: Postgres, tmp_path: Path
) -> None:
    with server.connect() as connection:
        for schema in ("datto_answers", "datto_answers_absent", "datto_rmm"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
    account = sandbox(devices=20)
    given = {
        **account.settings,
        "max_requests_per_minute": "1000000",
        "stream_maps": json.dumps(stream_maps("2026-11-17")),
    }
    selected = ["sites.*", "devices.*", "device_audits.*", "site_patches.*"]
    with alone_in_this_clone():
        pipeline = Pipeline(tmp_path, {TAP: given, "target-postgres": server.settings})
        pipeline.install()
        pipeline.run("target-postgres", select=selected)
    computers = [d for d in account.account.devices if d.is_computer]
    with server.connect() as connection:
        install(connection)
        (days,) = connection.execute(
            "SELECT json_agg(json_build_array(day, computers) ORDER BY day)"
            " FROM datto_answers.trend_computers"
        ).fetchall()
        (audits,) = connection.execute("SELECT count(*) FROM datto_rmm.disks_by_audit").fetchall()
        (backlog,) = connection.execute(
            "SELECT sum(missing) FROM datto_answers.trend_patches"
        ).fetchall()
        (missing,) = connection.execute(
            "SELECT sum(computers) FROM datto_answers.missing_patches"
        ).fetchall()
    assert days[0] == [["2026-11-17", len(computers)], ["2026-11-18", len(computers)]]
    assert audits[0] == sum(device.audited is not None for device in computers)
    assert backlog[0] == missing[0] > 0
