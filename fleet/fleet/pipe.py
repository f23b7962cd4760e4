"""`tap | target` with a bare environment: no variable and no `.env` of one account reaches another.

Neither program outlives us, and no secret is on a disk: `processes.py` sees to both.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from fleet.errors import PipeError, ProgramKilledError
from fleet.processes import Reader, read_lines, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Generator, Mapping

    from fleet.processes import Files, Lifeline

TAP_VARIABLE, TARGET_VARIABLE = "FLEET_TAP", "FLEET_TARGET"

KEPT_VARIABLES = frozenset(
    {"HOME", "LANG", "LC_ALL", "PATH", "TMPDIR"}
    | {"REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
    | {"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
    | {"all_proxy", "https_proxy", "http_proxy", "no_proxy"}
)
"""All that a run sees of our environment: where it is, and the way out of this network."""

RAISED = re.compile(r"[\w.]+(?:Error|Exception): (?:\([\w.]+\) )?(?P<message>.*\S.*)")
"""How a traceback ends; SQLAlchemy puts the driver's own exception into brackets."""

ERROR = re.compile(r"\b(?:ERROR|CRITICAL)\b")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the tap and the target are."""

    tap: str
    target: str

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> Programs:
        """Find them: where the environment says, else on the path.

        Raises:
            PipeError: one is missing.
        """
        tap = _program(environment, TAP_VARIABLE, "tap-datto-rmm")
        return cls(tap, _program(environment, TARGET_VARIABLE, "target-postgres"))


@dataclass(slots=True)
class Log:
    """What a program says: passed on to our own log, its reason to fail kept."""

    _raised: str = ""
    _error: str = ""
    _last: str = "it said nothing"

    def take(self, line: bytes) -> None:
        """Take a line."""
        sys.stderr.buffer.write(line + b"\n")
        sys.stderr.buffer.flush()
        text = line.decode(errors="replace")
        if raised := RAISED.fullmatch(text):
            self._raised = raised["message"]
        elif ERROR.search(text):
            self._error = text
        elif text.strip():
            self._last = text

    @property
    def last_words(self) -> str:
        """The exception that ended it, or else the last error or line; without time and level."""
        return self._raised or (self._error or self._last).rpartition(" | ")[2].strip()


class Pipe:
    """Runs the tap, into the target or alone.

    Args:
        programs: where they are.
        environment: ours, of which the programs see `KEPT_VARIABLES`.
    """

    def __init__(self, programs: Programs, environment: Mapping[str, str]) -> None:
        """Start nothing yet."""
        self.programs = programs
        kept = {name: value for name, value in environment.items() if name in KEPT_VARIABLES}
        self.environment = {**kept, "PGTZ": "UTC"}
        self._tap: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def ask(self, files: Files, *arguments: str) -> list[bytes]:
        """Run the tap alone; give the lines that it prints.

        Raises:
            PipeError: it failed.
        """
        said: list[bytes] = []
        log = Log()
        try:
            with _ended([self._start_tap(files, *arguments)]) as (tap,):
                out, err = Reader(_of(tap.stdout), said.append), Reader(_of(tap.stderr), log.take)
                read_lines([out, err])
        finally:
            self._tap = None
        if tap.returncode:
            raise _failure("tap", tap.returncode, log)
        return said

    def run(
        self,
        tap_files: Files,
        target_files: Files,
        take_state: Callable[[dict[str, Any]], None],
        lifeline: Lifeline,
    ) -> None:
        """Run the tap into the target.

        Args:
            tap_files: its settings, state and catalog.
            target_files: its settings.
            take_state: given each state that the target confirms.
            lifeline: without it, both programs are killed at once.

        Raises:
            PipeError: one of them failed.
        """
        tap_log, target_log = Log(), Log()
        tap = self._start_tap(tap_files)
        target = start(
            [self.programs.target], self.environment, target_files, stdin=_of(tap.stdout)
        )
        _of(tap.stdout).close()  # the target's alone now: the tap notices when that is gone
        readers = [
            # A tap without a target would notice only at its next row.
            Reader(_of(target.stdout), lambda line: take_state(json.loads(line)), tap.kill),
            Reader(_of(tap.stderr), tap_log.take),
            Reader(_of(target.stderr), target_log.take),
        ]
        with _ended([tap, target]):
            read_lines(readers, lifeline)
        if target.returncode:
            raise _failure("target", target.returncode, target_log)
        if tap.returncode:
            raise _failure("tap", tap.returncode, tap_log)

    def stop(self) -> bool:
        """Let the tap end early, with a state of what it has written; the target drains.

        Returns:
            Whether there is a tap.
        """
        self._is_stopped = True
        if self._tap:
            self._tap.terminate()
        return self._tap is not None

    def _start_tap(self, files: Files, *arguments: str) -> subprocess.Popen[bytes]:
        if self._is_stopped:
            raise PipeError("Stopped before the tap was started.")
        self._tap = start([self.programs.tap, *arguments], self.environment, files)
        return self._tap


@contextmanager
def _ended(
    processes: list[subprocess.Popen[bytes]],
) -> Generator[list[subprocess.Popen[bytes]]]:
    """Wait for their ends; kill them where we cannot wait."""
    try:
        yield processes
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        for process in processes:
            with process:  # waits, and closes its pipes
                pass


def _program(environment: Mapping[str, str], variable: str, name: str) -> str:
    given = environment.get(variable) or name
    program = shutil.which(given, path=environment.get("PATH"))
    if program is None:
        raise PipeError(f"There is no program {given}; {variable} says where it is.")
    return str(Path(program).absolute())


def _of(pipe: IO[bytes] | None) -> IO[bytes]:
    """Give a pipe that `start` has made; only its type says that it may be missing."""
    return cast("IO[bytes]", pipe)


def _failure(what: str, code: int, log: Log) -> PipeError:
    if code < 0:
        return ProgramKilledError(f"The {what} was ended by signal {-code}.", -code)
    return PipeError(f"The {what} ended with exit code {code}: {log.last_words}")
