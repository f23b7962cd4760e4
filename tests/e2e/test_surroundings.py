"""Where a tap is run: containers, services and cron give it a locale, a zone, a home, or none."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.commands import Run, select
from tests.conftest import fast
from tests.e2e.conftest import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
STATE = {
    "bookmarks": {
        "alerts": {
            "replication_key": "resolvedOn",
            "replication_key_value": "2026-11-18 10:00:00",
            "full_sweep": "2026-11-18T10:00:00",
            "newest_first": True,
        }
    }
}
"""Dates without a zone: they are UTC, wherever the machine is."""


@pytest.fixture(scope="module")
def account(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=20)


@pytest.fixture(scope="module")
def sync(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """A sync in the shell, by a command line and variables that may be unusual."""
    shell = Shell(tmp_path_factory.mktemp("surroundings"))
    config = fast(account, start_date="2026-11-17", user_agent="Ümläut")
    catalog = json.loads(shell("$TAP --discover 2>/dev/null").out)
    for entry in catalog["streams"]:
        select(entry, selected=entry["stream"] in {"alerts", "users", "activity_logs"})
    for name, content in {"config": config, "catalog": catalog, "state": STATE}.items():
        text = json.dumps(content, ensure_ascii=False)
        (shell.folder / f"{name}.json").write_text(text, encoding="utf-8")
    folder = shlex.quote(str(shell.folder))
    files = " ".join(f"--{n} {folder}/{n}.json" for n in ("config", "catalog", "state"))

    def run(script: str = "TAP", **environment: str) -> Run:
        return shell(script.replace("TAP", f"$TAP {files}"), environment=environment)

    return run


@pytest.fixture(scope="module")
def usual(sync: Callable[..., Run]) -> Run:
    """What it gives where nothing is unusual."""
    return sync()


@pytest.mark.parametrize(
    ("script", "environment"),
    [
        ("TAP", NO_UTF8),
        ("TAP 2>/dev/null", {"PYTHONIOENCODING": "utf-16"}),
        ("TAP 2>/dev/null", {"LC_ALL": "xx_YY.nonsense"}),
        ("TAP", {"TZ": "Asia/Kathmandu"}),
        ("TAP", {"TZ": "nonsense"}),
        ("TAP", {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "none"}),
        ("TAP", {"TMPDIR": "/nowhere", "HOME": "/nowhere"}),
        ("unset $(compgen -e | grep -v ^TAP$); TAP", {}),
        ("cd /proc; TAP", {}),
        ("ulimit -n 24; TAP", {}),
        ("TAP", {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"}),
    ],
    ids=str,
)
def test_the_same_is_written_wherever_the_tap_runs(
    sync: Callable[..., Run], usual: Run, script: str, environment: dict[str, str]
) -> None:
    run = sync(script, **environment)
    assert run.code == 0, run.err
    assert run.records == usual.records
    assert all(usual.records[stream] for stream in ("alerts", "users", "activity_logs"))
    assert "\x1b" not in run.out + run.err
