"""`meltano run` that is stopped early: what is kept, and that the next run makes good."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.pipeline import ROOT, TAP, Pipeline, alone_in_this_clone
from demo.postgres import Postgres
from tests.conftest import calls
from tests.e2e.test_meltano_postgres import settings, warehouse
from tests.e2e.warehouse import true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from datto_rmm_sandbox import Sandbox

AUDIT = "/v2/audit/device/{device_uid}"
DEVICES = 300
AUDITS = 100
"""After so many the run is stopped."""
MOST_ASKED_TWICE = 80
"""What was asked for ahead, and devices that have never been audited."""
SECONDS = 90
RUN = [f"--env-file={os.devnull}", "run", TAP, "target-postgres"]
MELTANO = Path(sys.executable).with_name("meltano")


def script(folder: Path) -> Path:
    """Write the script of docs/meltano.md into a file."""
    text = (ROOT / "docs" / "meltano.md").read_text(encoding="utf-8")
    found = re.search(r"```sh\n(#!/bin/sh\n# meltano run, .*?)```", text, re.DOTALL)
    assert found
    path = folder / "run-datto"
    path.write_text(found[1].replace('.venv/bin/meltano run "$@"', f'"{MELTANO}" "$@"'))
    path.chmod(0o700)
    return path


@contextmanager
def running(pipeline: Pipeline, *command: Path | str) -> Generator[subprocess.Popen[bytes]]:
    """Start a command that runs Meltano, in a process group of its own."""
    with (
        (pipeline.folder / "stopped.log").open("wb") as log,
        subprocess.Popen(
            [*command, *RUN],
            cwd=ROOT,
            env=pipeline.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for_audits(account: Sandbox, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while account.state.journal.by_endpoint[AUDIT] < AUDITS:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("way", ["the script of the docs", "SIGTERM to Meltano"])
def test_a_stopped_run_loses_no_row_and_the_script_of_the_docs_no_call(
    sandbox: Callable[..., Sandbox], tmp_path: Path, way: str
) -> None:
    account = sandbox(devices=DEVICES, udf="absent", latency_ms=60)
    with alone_in_this_clone(), Postgres(tmp_path / "postgres") as postgres:
        pipeline = Pipeline(tmp_path, settings(account, postgres.settings, tmp_path))
        pipeline.environment["TAP_DATTO_RMM__SELECT"] = json.dumps(["devices.*", "device_audits.*"])
        pipeline.install()
        command = script(tmp_path) if way.startswith("the script") else MELTANO
        with running(pipeline, command) as process:
            wait_for_audits(account, process)
            process.terminate()
            assert process.wait(SECONDS) == (143 if way.startswith("SIGTERM") else 1)
        asked = calls(account)[AUDIT]
        pipeline.meltano(*RUN[1:])
        again = asked + calls(account)[AUDIT] - len(true_rows(account, "device_audits"))
        assert warehouse(postgres)["device_audits"] == true_rows(account, "device_audits")
        assert warehouse(postgres)["devices"].keys() == true_rows(account, "devices").keys()
    if command != MELTANO:
        assert again <= MOST_ASKED_TWICE
