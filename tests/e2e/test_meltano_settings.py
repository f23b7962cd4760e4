"""Settings through Meltano: it passes on what meltano.yml declares, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.pipeline import OURS, ROOT, TAP
from tap_datto_rmm.settings.parsing import kinds
from tap_datto_rmm.settings.sources import variable
from tap_datto_rmm.tap import TapDattoRMM

if TYPE_CHECKING:
    from tests.commands import QuickTapCommand

KNOWN: dict[str, dict[str, Any]] = TapDattoRMM.known_settings()["properties"]
VALUES: dict[str, Any] = {
    "api_secret": "another",
    "platform": "merlot",
    "api_url": "https://merlot-api.centrastage.net",
    "start_date": "2026-01-01",
    "refresh_hours": {"site_*": 24},
    "account_column": True,
    "emit_activate_version_messages": False,  # excluded by `account_column`
    "report_path": "report.json",
    "custom_streams": [
        {
            "name": "status",
            "path": "/v2/system/status",
            "primary_keys": ["version"],
            "component": "StatusResponse",
        }
    ],
    "stream_maps": {"users": {"__alias__": "people", "shouted": "username.upper()"}},
    "stream_map_config": {"hash_seed": "x"},
    "faker_config": {"seed": 7},
    "flattening_max_depth": 1,
    "flattening_max_key_length": 60,
    "flattening_separator": "___",
}
"""What is set; where nothing is said, a value by its type."""
BY_TYPE: dict[str, Any] = {"boolean": True, "integer": 7, "number": 7, "string": "text"}


def value_of(name: str) -> Any:
    return VALUES.get(name, BY_TYPE.get(kinds(KNOWN[name])[0]))


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The config that Meltano gives the tap where every setting is a variable."""
    folder = tmp_path_factory.mktemp("meltano")
    shutil.copy(ROOT / "meltano.yml", folder)
    given = {name: value_of(name) for name in KNOWN if name != "spec_path"}
    texts = {
        variable(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
    }
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    meltano = str(Path(sys.executable).with_name("meltano"))
    done = subprocess.run(
        [meltano, "invoke", "--no-install", "--dump=config", TAP],
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        env={**inherited, **texts, "MELTANO_CLI_DISABLE_VERSION_CHECK": "true"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    config: dict[str, Any] = json.loads(done.stdout)
    return config


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "spec_path"])
def test_meltano_passes_each_setting_as_it_was_given(passed: dict[str, Any], name: str) -> None:
    assert passed[name] == value_of(name)


def test_the_tap_takes_what_meltano_passes(quick: QuickTapCommand, passed: dict[str, Any]) -> None:
    run = quick({**passed, "report_path": str(quick.folder / "report.json")}, "--test=schema")
    assert run.code == 0, run.err
    assert "is not known" not in run.err
    assert run.schemas["people"]["schema"]["properties"]["shouted"]
    assert "users" not in run.schemas
    assert "descriptor___timeZone" in run.schemas["account"]["schema"]["properties"]
    assert "status" in run.schemas
