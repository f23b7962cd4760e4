"""`metadata` and `schema` in meltano.yml: what the tap follows, and what it says of the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.pipeline import OURS, ROOT, TAP
from tests import truth
from tests.conftest import fast
from tests.e2e.test_catalogs import assert_fits, entry_of, root_of, warnings

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand

METADATA = {
    "devices": {"replication-method": "INCREMENTAL", "replication-key": "lastSeen"},
    "sites": {"replication-method": "INCREMENTAL", "replication-key": "updated_at"},
    "alerts": {"replication-method": "FULL_TABLE"},
    "users": {"table-key-properties": ["email"]},
}
SCHEMA = {
    "devices": {
        "udf": {"type": ["string", "null"]},
        "hostname": {"type": ["string", "null"], "maxLength": 3},
        "rack": {"type": "string"},
    }
}
NO_CHANGES = "the API cannot be asked what has changed, so that each run reads everything"
IN_VAIN = [
    (
        "sites: the catalog asks in vain for replication method INCREMENTAL, replication key "
        f"`updated_at`: {NO_CHANGES}"
    ),
    (
        "devices: the catalog asks in vain for replication method INCREMENTAL, replication key "
        f"`lastSeen`, columns `rack`: {NO_CHANGES}; the API does not have them; they are null"
    ),
    (
        "users: the catalog asks in vain for key `email`: `username` tells rows apart; "
        "`__key_properties__` in `stream_maps` gives others"
    ),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    patterns = [f"{stream}.*" for stream in METADATA]
    folder = tmp_path_factory.mktemp("meltano")
    return catalog_of_meltano(folder, patterns, metadata=METADATA, schema=SCHEMA)


def catalog_of_meltano(
    folder: Path, patterns: list[str], **of_the_tap: dict[str, Any]
) -> dict[str, Any]:
    """Give the catalog that Meltano gives the tap."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    tap = next(one for one in project["plugins"]["extractors"] if one["name"] == TAP)
    del tap["pip_url"]  # without it Meltano runs the executable as it is
    tap["executable"] = str(Path(sys.executable).with_name(TAP))
    tap |= of_the_tap
    (folder / "meltano.yml").write_text(yaml.safe_dump(project), encoding="utf-8")
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(
        [
            Path(sys.executable).with_name("meltano"),
            "invoke",
            "--no-install",
            "--dump=catalog",
            TAP,
        ],
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        env={
            **inherited,
            "TAP_DATTO_RMM__SELECT": json.dumps(patterns),
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        },
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    passed: dict[str, Any] = json.loads(done.stdout)
    return passed


def test_what_meltano_overrides_in_vain_is_told_and_the_rest_is_followed(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], catalog: dict[str, Any]
) -> None:
    assert root_of(entry_of(catalog, "alerts"))["replication-method"] == "FULL_TABLE"
    config = fast(sandbox(devices=20))
    first = quick.sync(config, *METADATA)
    run = quick(config, catalog=catalog, state=first.state)
    assert run.code == 0, run.err
    assert_fits(run)
    assert warnings(run) == IN_VAIN
    for stream in METADATA:  # alerts too, whose first run had set a bookmark
        assert run.schemas[stream]["key_properties"] == list(truth.STREAMS[stream].keys)
        assert len(run.records[stream]) == len(first.records[stream])
    assert all(isinstance(device["udf"], str | None) for device in run.records["devices"])
