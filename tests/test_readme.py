"""The README says what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_datto_rmm.sandbox import Sandbox
    from tests.conftest import TapCommand

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_streams_and_settings_are_those_of_the_code() -> None:
    check = [sys.executable, str(ROOT / "tools" / "readme.py"), "--check"]
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0, (
        "run `make docs`"
    )


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


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
