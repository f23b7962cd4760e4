"""The README's script for a pipe without Meltano: state and exit code, run by run."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.pipeline import ROOT
from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.conftest import Run
    from tests.e2e.conftest import Shell

TARGET = """#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "STATE":
        print(json.dumps(message["value"]), flush=True)
"""
"""Loads nothing, and tells the states as a target does."""


def test_the_script_keeps_state_and_exit_code(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```bash\n(set -o pipefail.*?)```", readme, re.DOTALL)
    target = shell.folder / "target-postgres"
    target.write_text(TARGET, encoding="utf-8")
    target.chmod(0o700)
    folders = [str(shell.folder), str(Path(sys.executable).parent), os.environ["PATH"]]
    config, good = shell.folder / "config.json", fast(sandbox(devices=5))

    def run(settings: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
        config.write_text(json.dumps(settings), encoding="utf-8")
        done = shell(script, environment={"PATH": os.pathsep.join(folders)})
        return done, json.loads((shell.folder / "state.json").read_text(encoding="utf-8"))

    wrong = good | {"api_secret": "wrong"}
    failed, state = run(wrong)  # the first run of all
    assert (failed.code, state) == (1, {})
    done, state = run(good)
    assert done.code == 0, done.err
    assert "alerts" in state["bookmarks"]
    failed, kept = run(wrong)
    assert (failed.code, kept) == (1, state)
    done, _ = run(good)
    assert done.code == 0, done.err
