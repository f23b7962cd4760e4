"""A whole machine that goes away in the middle of a sync: Dagster and all that it started."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from rehearsal.engine import ASK_SECONDS, Engine
from rehearsal.processes import find, wait_for
from rehearsal.show import verdicts
from rehearsal.world import World

if TYPE_CHECKING:
    from pathlib import Path


def test_an_account_is_free_again_after_its_whole_machine_is_gone(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        echo = world.add("echo").sandbox
        with Engine(world) as engine:
            engine.wait_for_round(["echo"], Counter())  # what is new is synced at once
            echo.advance(60)
            echo.state.options = replace(echo.state.options, latency_ms=300)  # time to die in it
            before = engine.count()
            engine.ask_for(["echo"])
            wait_for("its tap", lambda: find("echo", "tap"))
            engine.lose_the_machine()
            engine.start_daemon()
            runs = before["echo"] + 2
            wait_for("the next run", lambda: engine.count()["echo"] == runs or None, ASK_SECONDS)
            assert wait_for("its end", engine.results, ASK_SECONDS) == {"echo": "SUCCESS"}
            (verdict,) = verdicts(world)
            assert not verdict.difference
