"""CONTRIBUTING.md, followed word by word in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, blocks, read

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "CONTRIBUTING.md"
NEEDED = [
    *("tap_datto_rmm", "sandbox", "specs", "tests", "tools", "docs", "benchmarks"),
    *("README.md", "pyproject.toml"),
]
"""What the steps change and the tests read."""

OF_ALL_STREAMS = [
    "tests/sandbox/test_answers.py::test_every_stream_has_its_truth",
    "tests/docs/test_pages.py::test_the_readme_is_short",
    "tests/e2e/test_command_line.py",
    "tests/e2e/test_custom_streams.py::test_it_is_discovered_beside_the_built_in_streams",
    "tests/e2e/test_log.py",
    "tests/e2e/test_select_command.py::test_patterns_name_streams",
]
"""Tests that one more stream might break, and whose names do not say so."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the example pasted into it."""
    folder = tmp_path_factory.mktemp("project")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            # What is compiled goes with it: a file keeps its date, and is compiled anew if changed.
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.png"))
        else:
            shutil.copy(ROOT / name, folder)
    for fenced in re.findall(r"^ *```python\n(.*?)^ *```$", read(PAGE), re.MULTILINE | re.DOTALL):
        where, _, code = textwrap.dedent(fenced).partition("\n")
        paste(folder, where, code)
    return folder


def paste(folder: Path, where: str, code: str) -> None:
    """Put an example where its first line says."""
    found = re.fullmatch(r"# (?:at the end|(into) (\w+)) of (\S+)", where)
    assert found, where
    file = folder / found[3]
    text = file.read_text(encoding="utf-8")
    if not found[1]:
        file.write_text(f"{text}\n\n{code}", encoding="utf-8")
        return
    before, end, after = re.split(rf"(?<=\n)({found[2]}: .*?\n)(?=[)}}])", text, flags=re.DOTALL)
    file.write_text(f"{before}{end}{code}{after}", encoding="utf-8")


def run(copy: Path, *command: str) -> None:
    """Run a Python module in the copy, as the targets of make do."""
    path = os.pathsep.join(map(str, (copy, copy / "sandbox")))
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_a_stream_with_all_that_belongs_to_it(copy: Path) -> None:
    typed = "".join(block.text for block in blocks(PAGE))
    assert "make snapshots docs\n" in typed
    (name,) = re.findall(r"make pytest PYTEST_ARGS='-k (\w+)'", typed)
    run(copy, "pytest", "-q", "tests/test_schemas.py", "--snapshot-update")
    run(copy, "tools.tables")
    assert f"| `{name}` |" in (copy / "README.md").read_text(encoding="utf-8")
    assert (copy / "tests" / "schemas" / f"{name}.json").exists()
    tests = ["tests/test_schemas.py", "tests/e2e/test_streams.py", "tests/e2e/test_selection.py"]
    run(copy, "pytest", "-q", "-k", name, *tests)
    run(copy, "pytest", "-q", *OF_ALL_STREAMS)
