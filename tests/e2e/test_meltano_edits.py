"""What a user changes by Meltano's own commands, and what of meltano.yml is still there then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demo.pipeline import ROOT, Pipeline

MELTANO = Path(sys.executable).with_name("meltano")
EDITS = {
    "a costly stream as well": "select --rm --exclude tap-datto-rmm device_patches *",
    "one stream less": "select --exclude tap-datto-rmm components *",
    "one column less": "select --exclude tap-datto-rmm devices udf",
    "a setting of the tap": "config set tap-datto-rmm page_size 100",
    "a setting of the target": "config set target-postgres hard_delete true",
}
"""What the docs tell to do, by what it is for."""


def comments(text: str) -> list[str]:
    """All of them, those behind a value too."""
    return re.findall(r"(?:^|[ \t])(#.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Meltano.yml after all of these edits."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "meltano.yml", project)
    environment = Pipeline(project, {}).environment
    environment["MELTANO_DATABASE_URI"] = f"sqlite:///{project / 'meltano.db'}"
    for edit in EDITS.values():
        subprocess.run(
            [MELTANO, f"--env-file={os.devnull}", *edit.split()],
            cwd=project,
            env=environment,
            check=True,
            capture_output=True,
        )
    return (project / "meltano.yml").read_text(encoding="utf-8")


def test_no_comment_is_lost(edited: str) -> None:
    assert comments(edited) == comments((ROOT / "meltano.yml").read_text(encoding="utf-8"))


def test_a_comment_is_found_before_and_behind_a_value() -> None:
    text = "# one\na: 1  # two # still\nb: x#y\n  # three\n"
    assert comments(text) == ["# one", "# two # still", "# three"]


def test_each_comment_stands_before_what_it_speaks_of(edited: str) -> None:
    before = (ROOT / "meltano.yml").read_text(encoding="utf-8")

    def followed(text: str) -> list[tuple[str, str]]:
        return re.findall(r"^ *(#.*)\n *([^#\s][^:\n]*)", text, re.MULTILINE)

    assert followed(edited) == followed(before)


def test_what_was_asked_for_is_there(edited: str) -> None:
    plugins = yaml.safe_load(edited)["plugins"]
    tap = plugins["extractors"][0]
    target = next(loader for loader in plugins["loaders"] if loader["name"] == "target-postgres")
    assert "!device_patches.*" not in tap["select"]
    assert "!components.*" in tap["select"]
    assert "!devices.udf" in tap["select"]
    assert tap["config"]["page_size"] == 100
    assert target["config"]["hard_delete"] is True
