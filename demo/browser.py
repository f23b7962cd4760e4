"""A headless Chromium, told what to do over its own debugging pipe: no driver, no port, no package.

On Debian: `apt-get install chromium`.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from io import RawIOBase
    from pathlib import Path
    from typing import IO, Self

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
END: Final = b"\0"
STARTER: Final = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4);"
    "os.execv(sys.argv[3], sys.argv[3:])"
)
"""The browser reads commands from its file 3 and writes answers to 4."""
STOP_SECONDS: Final = 10


class BrowserError(Exception):
    """The browser is missing, has ended, or refuses a command."""


def chromium() -> str | None:
    """Where a Chromium is installed, if one is."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass
class Browser:
    """One page in a browser, as a context manager.

    Attributes:
        problems: what the page has written to its console, and what the browser says went wrong.
    """

    problems: list[str] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _commands: RawIOBase | None = None
    _answers: IO[bytes] | None = None
    _last: int = 0
    _session: str = ""
    _events: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start it, with a profile of its own.

        Raises:
            BrowserError: there is none, or it does not start.
        """
        program = chromium()
        if program is None:
            raise BrowserError("There is no Chromium here; on Debian: apt-get install chromium")
        with ExitStack() as stack:
            profile = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
            )
            read_command, write_command = os.pipe()
            read_answer, write_answer = os.pipe()
            theirs = [_moved_up(read_command), _moved_up(write_answer)]
            starter = [sys.executable, "-c", STARTER, *map(str, theirs)]
            process = subprocess.Popen(
                [*starter, program, *OPTIONS, f"--user-data-dir={profile}"],
                pass_fds=theirs,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(_stop, process)
            for file in theirs:
                os.close(file)
            self._answers = stack.enter_context(os.fdopen(read_answer, "rb"))
            self._commands = stack.enter_context(os.fdopen(write_command, "wb", buffering=0))
            target = self.tell("Target.createTarget", url="about:blank")["targetId"]
            attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                self.tell(f"{domain}.enable")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self._stack.close()

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command of the Chrome DevTools Protocol; wait for its answer.

        Raises:
            BrowserError: the browser refuses it, or has ended.
        """
        if not self._commands:
            raise BrowserError("the browser is not running")
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + END)
        while (answer := self._next()).get("id") != self._last:
            self._notice(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        found: dict[str, Any] = answer["result"]
        return found

    def open(
        self, page: Path | str, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> None:
        """Open a page, and wait until it is there.

        Args:
            page: a file, HTML, or an address.
            width: of the window, CSS pixels.
            height: of the window, CSS pixels.
            dark: whether the user prefers dark pages.
        """
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,  # noqa: PLR2004 - a phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self._events.clear()
        address = page if isinstance(page, str) else page.absolute().as_uri()
        self.tell("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._notice(self._next())

    def evaluate(self, expression: str) -> Any:
        """Give the value of a JavaScript expression on the page."""
        return self.tell("Runtime.evaluate", expression=expression, returnByValue=True)["result"][
            "value"
        ]

    def picture(self, file: Path, *, height: int | None = None) -> None:
        """Save what the page looks like, as PNG.

        Args:
            file: where it goes.
            height: CSS pixels from its top; the whole page where left out.
        """
        metrics = self.tell("Page.getLayoutMetrics")
        size, window = metrics["cssContentSize"], metrics["cssVisualViewport"]
        clip = {"x": 0, "y": 0, "scale": 1, "width": size["width"]}
        clip["height"] = min(height or size["height"], size["height"])
        beyond = clip["height"] > window["clientHeight"]  # a page may draw itself anew for it
        taken = self.tell("Page.captureScreenshot", clip=clip, captureBeyondViewport=beyond)
        file.write_bytes(base64.b64decode(taken["data"]))

    def _next(self) -> dict[str, Any]:
        """The next message, whatever it is about."""
        if not self._answers:
            raise BrowserError("the browser is not running")
        message = bytearray()
        while (byte := self._answers.read(1)) != END:
            if not byte:
                raise BrowserError("the browser has ended")
            message += byte
        found: dict[str, Any] = json.loads(message)
        return found

    def _notice(self, message: dict[str, Any]) -> None:
        """Keep an event; remember those that tell of a problem."""
        if "method" not in message:
            return
        self._events.append(message)
        match message["method"], message.get("params", {}):
            case "Runtime.consoleAPICalled", {"args": arguments}:
                self.problems.append(f"console: {arguments}")
            case "Runtime.exceptionThrown", {"exceptionDetails": details}:
                self.problems.append(f"exception: {details}")
            case "Log.entryAdded", {"entry": entry}:
                self.problems.append(f"log: {entry.get('text')}")


def _moved_up(file: int) -> int:
    """A copy with a number that the starter does not overwrite; the original is closed."""
    copy = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(file)
    return copy


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
