"""What the benchmarks share: the work, the stub as a process, a measured command, tables.

This module imports only what is small: a child's peak memory is never reported below that of the
process that started it (Linux counts the moment between fork and exec).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tools.sections import with_section

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

ROOT: Final = Path(__file__).parent.parent
README: Final = ROOT / "benchmarks" / "README.md"
PYTHON: Final = sys.executable
TAP: Final = Path(PYTHON).with_name("tap-datto-rmm")
PEERS_PYTHON: Final = ROOT / ".benchmarks" / "venv" / "bin" / "python"

KEY: Final = "benchmark-key"
SECRET: Final = "benchmark-secret"  # noqa: S105 - made up
NOW: Final = 1_795_000_000_000
"""The account's clock: 2026-11-18, epoch milliseconds."""
BOOKMARK_MS: Final = NOW - 86_400_000
"""Audits after this moment are the changed ones."""
PAGE_SIZE: Final = 250
UNLIMITED: Final = 1_000_000
PYCACHE: Final = ROOT / ".benchmarks" / "pycache"
MIB: Final = 1024
"""KiB in a MiB: the kernel counts memory in KiB."""
LONGEST: Final = 1_800.0
"""Seconds after which a command is ended: one that hangs shall not hold up all others."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a command took.

    Attributes:
        wall: seconds.
        cpu: seconds, user and system, the command's children included.
        peak: MiB of the largest process.
        code: exit code.
        err: the end of what it said on stderr.
        out: what it wrote to stdout, where that was kept.
        memory: MiB resident, each with the second of its sampling.
    """

    wall: float
    cpu: float
    peak: float
    code: int
    err: str = ""
    out: str = ""
    memory: Sequence[tuple[float, float]] = ()

    def check(self) -> Usage:
        """Stop the benchmark where the command failed."""
        if self.code:
            raise SystemExit(f"exit code {self.code}:\n{self.err}")
        return self


def run(
    command: Sequence[str | Path],
    *,
    keep: bool = False,
    sample_every: float = 0.0,
    cwd: Path | None = None,
    **environment: str,
) -> Usage:
    """Run a command to its end and measure it.

    Args:
        command: words of the command line.
        keep: keep stdout; otherwise it goes to /dev/null.
        sample_every: seconds between two looks at its resident memory; 0 for none.
        cwd: where it runs.
        environment: variables to add.
    """
    with tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=out if keep else subprocess.DEVNULL,
            stderr=err,
            cwd=cwd or ROOT,
            env={**surroundings(), **environment},
        )
        memory: list[tuple[float, float]] = []
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, sample_every, memory, over))
        if sample_every:
            watch.start()
        end = threading.Timer(LONGEST, process.kill)
        end.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        end.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        if sample_every:
            watch.join()
        return Usage(
            wall=wall,
            cpu=used.ru_utime + used.ru_stime,
            peak=used.ru_maxrss / MIB,
            code=process.returncode,
            err=_text(err)[-4000:],
            out=_text(out),
            memory=memory,
        )


def surroundings() -> dict[str, str]:
    """Give a user's environment: byte code is kept, output is buffered, no settings leak in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "TAP_DATTO_RMM", "SINGER_SDK", "MALLOC_"))
    }
    return {**kept, "PYTHONPYCACHEPREFIX": str(PYCACHE)}


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


def _watch(
    pid: int, every: float, memory: list[tuple[float, float]], over: threading.Event
) -> None:
    status, started = Path(f"/proc/{pid}/status"), time.perf_counter()
    while not over.wait(every):
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return
        seconds = time.perf_counter() - started
        kib = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        memory.extend((seconds, each / MIB) for each in kib)


@dataclass
class Server:
    """A server in a process of its own.

    Attributes:
        url: scheme, host and port.
        process: the process.
        control: path below which it tells what it was asked.
    """

    url: str
    process: subprocess.Popen[str]
    control: str

    def journal(self) -> dict[str, Any]:
        """Tell what it was asked since it was told to forget."""
        found: dict[str, Any] = self._ask("GET")
        return found

    def forget(self) -> None:
        """Forget what it was asked."""
        self._ask("DELETE")

    def _ask(self, method: str) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, f"{self.control}/requests")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def stub(**options: float) -> AbstractContextManager[Server]:
    """Run the stub; options as on its command line, with underscores."""
    return _serving([PYTHON, "-m", "benchmarks.stub"], "/_stub", options)


def sandbox(**options: float | str) -> AbstractContextManager[Server]:
    """Run the sandbox; options as on its command line, with underscores."""
    options = {"port": 0, **options}
    return _serving([PYTHON, "-m", "datto_rmm_sandbox.cli"], "/_sandbox", options)


@contextmanager
def _serving(
    command: Sequence[str | Path], control: str, options: Mapping[str, float | str]
) -> Generator[Server]:
    words = [str(word) for word in command]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=surroundings()
    ) as process:
        try:
            found = re.search(
                r"http://[\w.:]+", process.stdout.readline() if process.stdout else ""
            )
            if not found:
                raise SystemExit(f"{words[2]} did not start")
            yield Server(found[0], process, control)
        finally:
            process.terminate()


@dataclass
class TapRun:
    """Our tap as a user runs it: the installed command, config, catalog and state in files.

    Attributes:
        folder: where the files go.
        url: of the server.
        streams: what is selected.
        settings: settings besides the address and the key.
        bookmarks: canonical timestamp, by stream; empty for a first run.
    """

    folder: Path
    url: str
    streams: Sequence[str] = ("devices", "device_audits")
    settings: Mapping[str, Any] = field(default_factory=dict)
    bookmarks: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str | Path]:
        """Write the files and give the command line."""
        config = {
            "api_url": self.url,
            "api_key": KEY,
            "api_secret": SECRET,
            "max_requests_per_minute": UNLIMITED,
            **self.settings,
        }
        command: list[str | Path] = [TAP, "--config", self._file("config", config)]
        discovered = run([*command, "--discover"], keep=True).check()
        catalog = json.loads(discovered.out)
        for stream in catalog["streams"]:
            for metadata in stream["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["selected"] = stream["stream"] in self.streams
        command += ["--catalog", self._file("catalog", catalog)]
        if self.bookmarks:
            keys = {
                stream["stream"]: stream.get("replication_key") for stream in catalog["streams"]
            }
            bookmarks = {
                name: {"replication_key": keys[name], "replication_key_value": date}
                for name, date in self.bookmarks.items()
            }
            command += ["--state", self._file("state", {"bookmarks": bookmarks})]
        return command

    def _file(self, name: str, content: object) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


@contextmanager
def folder() -> Generator[Path]:
    """Give a folder on disk (not in memory) that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir="/var/tmp") as path:
        yield Path(path)


def canonical(milliseconds: int) -> str:
    """Write epoch milliseconds as the tap writes dates."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="microseconds")


def median(values: Iterable[float]) -> float:
    """Give the middle one."""
    return statistics.median(values)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def machine() -> str:
    """Say when and on what this runs."""
    model = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        names = [line for line in cpu_info.read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    load = f"{os.getloadavg()[0]:.1f}"
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {os.cpu_count()} cores, {model} · "
        f"{platform.system()} · Python {platform.python_version()} · load at the start {load}"
    )


def options(prog: str, about: str | None) -> argparse.ArgumentParser:
    """Give a parser with the option that all benchmarks share."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=about)
    parser.add_argument("--publish", action="store_true", help="write it into benchmarks/README.md")
    return parser


def publish(given: argparse.Namespace, name: str, title: str, started_on: str, *parts: str) -> None:
    """Print a result and, with `--publish`, write it into its section of `benchmarks/README.md`.

    Args:
        given: the command's options.
        name: of the section.
        title: its heading.
        started_on: `machine()` before the measurement.
        parts: tables and paragraphs.
    """
    text = f"### {title}\n\n{started_on}\n\n" + "\n".join(parts).rstrip() + "\n"
    print(text, flush=True)
    if given.publish:
        before = README.read_text(encoding="utf-8")
        README.write_text(with_section(before, name, text), encoding="utf-8")


def note(line: str) -> None:
    """Tell on stderr how far it is."""
    print(line, file=sys.stderr, flush=True)
