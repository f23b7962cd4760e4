"""The README says what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast
from tools.sections import section

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.conftest import TapCommand

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code_and_of_the_benchmarks() -> None:
    check = [sys.executable, "-m", "tools.readme", "--check"]
    run = subprocess.run(check, check=False, capture_output=True, cwd=ROOT, encoding="utf-8")
    assert run.returncode == 0, f"run `make docs`\n{run.stderr}"


def test_the_custom_streams_of_the_readme_work(
    sandbox: Callable[..., Sandbox], tap: TapCommand
) -> None:
    (example,) = re.findall(r"```json\n(\{\"custom_streams\".*?)```", README, re.DOTALL)
    declared = json.loads(example)
    names = [stream["name"] for stream in declared["custom_streams"]]
    run = tap.sync(fast(sandbox(), **declared), *names)
    assert run.code == 0, run.err
    assert names
    assert set(run.records) == set(names)


@pytest.mark.parametrize("folder", ["", "benchmarks"])
def test_what_a_readme_links_to_is_there(folder: str) -> None:
    readme = ROOT / folder / "README.md"
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", readme.read_text("utf-8"))
    assert links
    files = [(readme.parent / path if path else readme, anchor) for path, anchor in links]
    assert [file for file, anchor in files if not file.exists()] == []
    assert [(file, a) for file, a in files if a and a not in anchors(file)] == []


def anchors(file: Path) -> set[str]:
    """Give the names by which GitHub lets one link to a file's headings."""
    headings = re.findall(r"^#+ (.*)", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_published_result_says_when_and_on_what_it_was_measured() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    names = re.findall(r"<!-- ([\w-]+): written by", text)
    origin = r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC · \d+ cores, \S.* · Python 3\.\d+\.\d+ · load"
    assert {"table", "limit", "start", "calls"} < set(names)
    for name in names:
        content = section(text, name)
        if "|" not in content:
            continue  # not measured on a quiet machine yet: nothing is claimed
        assert re.search(origin, content, re.MULTILINE), name
        assert "\n| " in content, name
