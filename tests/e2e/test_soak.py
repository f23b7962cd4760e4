"""The soak of benchmarks/soak.py, made small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


SMALL = ["--devices", "200", "--limit", "6000", "--broken", "422"]


def test_a_sync_through_bad_weather_loses_nothing_but_what_a_broken_device_has() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *SMALL],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
        timeout=120,
    )
    figures = json.loads(done.stdout)
    assert done.returncode == 0, figures
    assert figures["wrong"] == []
    assert figures["faults"] > 10
    assert figures["records"] > 10_000
