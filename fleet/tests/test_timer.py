"""The timer of the docs: a sync that is killed keeps no other account from its turn."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from rehearsal.world import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import SmallFleet

PYTHON = """#!/bin/sh
case "$*" in *"fleet.sync acme") kill -9 $$;; esac
exec {python} "$@"
"""


def run_the_timers_line(fleet: SmallFleet, folder: Path) -> int:
    """Run the line, with a `python` on the path that is killed when it syncs acme."""
    docs = (PROJECT.parent / "docs/fleet.md").read_text()
    line = docs.partition("\nExecStart=")[2].partition("\n")[0]
    python = folder / "python"
    python.write_text(PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    path = f"{folder}:{fleet.environment['PATH']}"
    return subprocess.run(
        shlex.split(line), env={**fleet.environment, "PATH": path}, check=False
    ).returncode


def test_a_sync_that_is_killed_keeps_no_other_from_its_turn(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    assert run_the_timers_line(fleet, tmp_path) == 123
    assert fleet.entry("bolt")["message"] == "complete"


def test_a_file_that_is_wrong_is_no_success(fleet: SmallFleet, tmp_path: Path) -> None:
    fleet.lines.clear()
    fleet.write_accounts(accounts=[7])
    assert run_the_timers_line(fleet, tmp_path) not in {0, 123}
