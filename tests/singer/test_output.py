"""Writing messages: a signal divides none of them, and who watches is told of a late target."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_datto_rmm.singer import output
from tap_datto_rmm.singer.output import MessageWriter, Stopped, TargetWait
from tap_datto_rmm.telemetry.waits import TARGET, Wait
from tests.http.fakes import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

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


class Signal:
    """Stops the run as a signal would, before the bytecode of a given number.

    Args:
        writer: writes the run's messages.
        after: so many bytecodes.
    """

    def __init__(self, writer: MessageWriter, after: int) -> None:
        self._undivided = writer.undivided
        self._left = after

    @property
    def has_come(self) -> bool:
        return self._left <= 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Signal | None:
        if frame.f_code.co_filename not in {__file__, output.__file__}:
            return None
        frame.f_trace_opcodes = True
        if event in {"opcode", "line"}:  # Python 3.12 gives the lines only
            self._left -= 1
            if self._left == 0:
                self._undivided.stop(Stopped("Stopped by SIGTERM", 143))
        return self

    def during(self, write: Callable[[], None]) -> None:
        before = sys.gettrace()
        sys.settrace(self)
        with suppress(Stopped):
            write()
        sys.settrace(before)


def write_and_note(writer: MessageWriter, noted: list[int]) -> None:
    for number in range(3):
        with writer.undivided:
            writer.write_message(RecordMessage(stream="sites", record={"id": number}))
            noted.append(number)


def test_wherever_a_signal_comes_what_is_written_is_noted(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    seen = set()
    for after in count(1):
        writer, noted = MessageWriter(), list[int]()
        signal = Signal(writer, after)
        signal.during(partial(write_and_note, writer, noted))
        lines = capsysbinary.readouterr().out.splitlines()
        assert len(lines) == len(noted), f"a signal before bytecode {after}"
        seen.add(len(noted))
        if not signal.has_come:
            break
    assert seen == {0, 1, 2, 3}


def test_wherever_a_signal_comes_the_last_line_can_be_a_state(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    for after in count(1):
        writer = MessageWriter()
        writer.write_message(StateMessage(value={"bookmarks": {}}))
        signal = Signal(writer, after)
        signal.during(partial(writer.write_message, RecordMessage("sites", {"id": 1})))
        with suppress(Stopped):
            writer.repeat_state()
        lines = capsysbinary.readouterr().out.splitlines()
        assert b'"STATE"' in lines[-1], f"a signal before bytecode {after}"
        if not signal.has_come:
            break
