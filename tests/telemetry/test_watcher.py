"""The thread that watches: it stops when the sync ends, whatever the screen does."""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.telemetry.counters import Counters
from tap_datto_rmm.telemetry.progress import Progress
from tap_datto_rmm.telemetry.screen import LivingLine, LogLines, open_screen
from tap_datto_rmm.telemetry.waits import brief
from tap_datto_rmm.telemetry.watch import Sources, Watch, Watcher, watching
from tap_datto_rmm.telemetry.wording import span, whole_span

if TYPE_CHECKING:
    from tap_datto_rmm.telemetry.screen import Screen


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


class Shows:
    """A screen that says when it shows something, or cannot."""

    seconds: ClassVar[float] = 0.001
    columns = 80

    def __init__(self, error: OSError | None = None) -> None:
        self.shown = threading.Event()
        self.cleared = False
        self._error = error

    def show(self, text: str) -> None:
        assert text
        self.shown.set()
        if self._error:
            raise self._error

    def clear(self) -> None:
        self.cleared = True


def sources() -> Sources:
    return Sources(Progress(), Counters(), RateLimiter(540), [])


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("error", [None, OSError("the terminal has gone")], ids=["well", "gone"])
def test_the_thread_ends_with_the_sync_and_takes_its_line_away(error: OSError | None) -> None:
    screen: Screen
    screen = shows = Shows(error)
    watcher = Watcher(Watch(sources(), screen), screen)
    watcher.start()
    assert shows.shown.wait(30)
    watcher.stop()
    assert shows.cleared
    assert "watch" not in threads()


def test_a_sync_that_fails_is_watched_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    watched = []

    def fail() -> None:
        with watching(sources()):
            watched.append("watch" in threads())
            raise ValueError("the sync failed")

    with pytest.raises(ValueError, match="the sync failed"):
        fail()
    assert watched == [True]
    assert "watch" not in threads()


@pytest.mark.parametrize(
    ("out", "err", "term", "kind"),
    [
        (io.StringIO, Terminal, "xterm", LivingLine),
        (io.StringIO, Terminal, "dumb", LogLines),
        (io.StringIO, io.StringIO, "xterm", LogLines),
        (Terminal, Terminal, "xterm", LogLines),
    ],
    ids=["a terminal", "a dumb one", "a log", "one for messages too"],
)
def test_a_line_rewrites_itself_only_where_nothing_else_is_written(
    monkeypatch: pytest.MonkeyPatch,
    out: type[io.StringIO],
    err: type[io.StringIO],
    term: str,
    kind: type[Screen],
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stdout", out())
    monkeypatch.setattr(sys, "stderr", err())
    assert type(open_screen()) is kind


def test_lines_of_the_log_stand_above_the_line_that_rewrites_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", terminal)
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    screen = open_screen()
    screen.show("users 1/7")
    logging.getLogger("tap-datto-rmm").error("a line of the log")
    screen.clear()
    shown = terminal.getvalue()
    assert shown.index("users 1/7") < shown.index("a line of the log\n") < shown.rindex("users 1/7")


def test_spans_have_as_many_digits_as_matter() -> None:
    told = [span(seconds) for seconds in (0.04, 9.94, 89.4, 599, 700, 3_720, 1_279_000)]
    assert told == ["0.0 s", "9.9 s", "89 s", "599 s", "12 min", "1 h 2 min", "355 h 17 min"]
    assert [whole_span(seconds) for seconds in (0.4, 89, 90, 3_600)] == [
        *("0 s", "89 s", "2 min", "1 h 0 min"),
    ]


def test_a_path_is_as_short_as_it_can_be_told() -> None:
    uid = "8f14e45f-ceea-467f-a8f3-92c1b1a5d7f0"
    assert brief(f"/v2/site/{uid}/settings?page=2") == "/v2/site/8f14e45f.../settings"
    assert brief("/v2/account/dnet-site-mappings") == "/v2/account/dnet-site-mappings"
