"""Writing messages: who watches is told when nobody takes them."""

from __future__ import annotations

import os
import sys
from threading import Thread
from typing import TYPE_CHECKING

from singer_sdk.singerlib import StateMessage

from tap_datto_rmm.singer.output import MessageWriter, TargetWait
from tap_datto_rmm.telemetry.waits import TARGET, Wait
from tests.http.fakes import Clock

if TYPE_CHECKING:
    import pytest


def test_a_target_that_does_not_read_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    takes, gives = os.pipe()
    writer, clock = MessageWriter(), Clock()
    waits = TargetWait(writer, clock)
    assert waits() is None
    with os.fdopen(gives, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        message = StateMessage(value={"bookmarks": "x" * 1_000_000})
        thread = Thread(target=writer.write_message, args=(message,))
        thread.start()
        while not writer.is_writing:
            pass
        assert waits() is None
        clock.move(20)
        assert waits() == Wait(TARGET, "waiting for the target to read, since 20 s")
        with os.fdopen(takes, "rb") as target:
            assert len(target.readline()) > 1_000_000
            thread.join()
        assert waits() is None
    assert writer.messages == 1
