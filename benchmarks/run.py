"""The table: our tap, the floor and the peers at the same work, each as its user would run it.

`python -m benchmarks.run` runs every contender that is installed, in turns so that the noise of the
machine is shared; `--publish` (as by `make benchmark`) writes the table into README.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import (
    BOOKMARK_MS,
    KEY,
    PAGE_SIZE,
    PEERS_PYTHON,
    PYTHON,
    SECRET,
    TapRun,
    Usage,
    canonical,
    folder,
    machine,
    median,
    note,
    options,
    publish,
    run,
    stub,
    table,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

HERE: Final = Path(__file__).parent
PARALLEL: Final = 10
"""Requests under way at once, for every contender that can."""

Command = list[str | Path]


@dataclass(frozen=True, slots=True)
class Work:
    """One run's surroundings: the server and a folder of its own."""

    url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Contender:
    """Who does the work.

    Attributes:
        name: as the table has it.
        command: gives the command line.
        module: what the peers' venv must have installed; "" where that venv is not needed.
    """

    name: str
    command: Callable[[Work], Command]
    module: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether it can run here."""
        if not self.module:
            return True
        if not PEERS_PYTHON.exists():
            return False
        find = f"import importlib.util as u, sys; sys.exit(not u.find_spec('{self.module}'))"
        return run([PEERS_PYTHON, "-c", find]).code == 0


@dataclass(frozen=True, slots=True)
class Result:
    """One measured run."""

    usage: Usage
    calls: int
    is_complete: bool


def our_tap(work: Work) -> Command:
    """Our command line, a config, a catalog that selects two streams, a state."""
    return TapRun(
        work.folder,
        work.url,
        settings={"max_parallel_requests": PARALLEL},
        bookmarks={"device_audits": canonical(BOOKMARK_MS)},
    ).command()


def floor(mode: str) -> Callable[[Work], Command]:
    """Give the command of a variant of the floor."""
    return lambda work: [PYTHON, HERE / "floor.py", mode, work.url, KEY, SECRET, str(BOOKMARK_MS)]


def dlt(work: Work) -> Command:
    """Give the command of dlt and its REST API source."""
    script = HERE / "peers" / "dlt_rest_api.py"
    return [PEERS_PYTHON, script, work.url, KEY, SECRET, str(BOOKMARK_MS), work.folder]


def airbyte(work: Work) -> Command:
    """Airbyte's declarative source."""
    streams = [
        {
            "stream": {
                "name": name,
                "json_schema": {"type": "object"},
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
        for name in ("devices", "device_audits")
    ]
    config = {"url": work.url, "key": KEY, "secret": SECRET, "since": BOOKMARK_MS}
    files = [
        _json(work.folder / "config.json", config),
        _json(work.folder / "catalog.json", {"streams": streams}),
    ]
    script = HERE / "peers" / "airbyte_cdk_source.py"
    return [PEERS_PYTHON, script, "read", "--config", files[0], "--catalog", files[1]]


def sdk(module: str) -> Callable[[Work], Command]:
    """Give the command of a tap of the Singer SDK: one request after the other."""

    def command(work: Work) -> Command:
        config = {"api_url": work.url, "api_key": KEY, "api_secret": SECRET, "since": BOOKMARK_MS}
        path = _json(work.folder / "config.json", config)
        return [PYTHON, "-m", f"benchmarks.peers.{module}", "--config", path]

    return command


def _json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


CONTENDERS: Final = {
    "drop": Contender("network only: bytes dropped", floor("drop")),
    "floor": Contender("**floor**: bytes cut into RECORD lines", floor("bytes")),
    "orjson": Contender("floor with one parse and one dump a record (orjson)", floor("orjson")),
    "tap": Contender("**tap-datto-rmm**", our_tap),
    "dlt": Contender("dlt 1.31 rest_api, tuned: 10 workers, Parquet", dlt, "dlt"),
    "airbyte": Contender("Airbyte CDK 7.39 declarative, concurrency 10", airbyte, "airbyte_cdk"),
    "sdk": Contender("Singer SDK 0.54 tap, idiomatic, sequential", sdk("singer_sdk_tap")),
    "sdk-fast": Contender(
        "Singer SDK 0.54, sequential, own record writer, one orjson parse",
        sdk("singer_sdk_fast_tap"),
    ),
}
REFERENCE: Final = "floor"


def once(contender: Contender, devices: int, audits: int, latency: float) -> Result:
    """Run a contender against a server of its own."""
    options = {"devices": devices, "audits": audits, "latency_ms": latency}
    with stub(**options) as server, folder() as files:
        command = contender.command(Work(server.url, files))
        server.forget()
        usage = run(command)
        journal = server.journal()
    asked = journal["calls"]
    pages = -(-devices // PAGE_SIZE)
    is_complete = (
        usage.code == 0
        and asked.get("account/devices", 0) >= pages
        and asked.get("audit/device", 0) == audits
    )
    if not is_complete:
        note(f"{contender.name} did not do the work: {asked}, exit code {usage.code}\n{usage.err}")
    return Result(usage, journal["total"], is_complete)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table."""
    given = _parser().parse_args(arguments)
    began_on = machine()
    chosen = {name: CONTENDERS[name] for name in given.only or CONTENDERS}
    present = {name: c for name, c in chosen.items() if c.is_installed}
    for name in chosen.keys() - present.keys():
        note(f"{name} is not installed; `make benchmark PEERS=yes` installs the peers")
    for contender in present.values():
        once(contender, PAGE_SIZE, 1, 0.0)  # what is compiled at a first start is compiled now
    results: dict[tuple[str, float], list[Result]] = defaultdict(list)
    for turn in range(given.repeat):
        for latency in given.latency_ms:
            for name, contender in present.items():
                result = once(contender, given.devices, given.audits, latency)
                results[name, latency].append(result)
                note(
                    f"{turn + 1}/{given.repeat} {latency:g} ms {name}: {result.usage.wall:.2f} s, "
                    f"CPU {result.usage.cpu:.2f} s, {result.usage.peak:.0f} MiB"
                )
    publish(given, "table", "The table", began_on, _words(given), _table(given, present, results))
    return 0 if all(r.is_complete for runs in results.values() for r in runs) else 1


def _table(
    given: argparse.Namespace,
    present: dict[str, Contender],
    results: dict[tuple[str, float], list[Result]],
) -> str:
    def middle(name: str, latency: float, what: Callable[[Result], float]) -> float:
        return median(what(result) for result in results[name, latency])

    thousands = (given.devices + given.audits) / 1000
    quick = min(given.latency_ms)
    head = [f"{given.devices:,} devices, {given.audits:,} audits"]
    for latency in given.latency_ms:
        head += [f"wall s at {latency:g} ms", "to floor"]
    head += ["CPU s per 1k records", "to floor", "peak MiB", "calls"]
    rows = []
    for name, contender in present.items():
        row: list[object] = [contender.name]
        for latency in given.latency_ms:
            wall = middle(name, latency, lambda r: r.usage.wall)
            row += [
                f"{wall:.2f}",
                _ratio(wall, results[REFERENCE, latency], lambda r: r.usage.wall),
            ]
        cpu = middle(name, quick, lambda r: r.usage.cpu)
        row += [
            f"{cpu / thousands:.3f}",
            _ratio(cpu, results[REFERENCE, quick], lambda r: r.usage.cpu),
            f"{max(middle(name, at, lambda r: r.usage.peak) for at in given.latency_ms):.0f}",
            f"{middle(name, quick, lambda r: r.calls):.0f}",
        ]
        if not all(r.is_complete for at in given.latency_ms for r in results[name, at]):
            row[0] = f"{row[0]} (incomplete!)"
        rows.append(row)
    return table(head, rows)


def _ratio(value: float, floors: list[Result], what: Callable[[Result], float]) -> str:
    return f"{value / median(what(result) for result in floors):.1f}" if floors else "-"


def _words(given: argparse.Namespace) -> str:
    return (
        f"Medians of {given.repeat} runs of the whole process, the contenders in turns; "
        f"{PARALLEL} requests at once for all but the sequential ones; stdout to /dev/null (dlt "
        "writes its files). CPU (user and system, of all processes of a contender) is that of the "
        "fastest network, the peak that of the largest process.\n"
    )


def _parser() -> argparse.ArgumentParser:
    main = options("benchmarks.run", __doc__)
    main.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    main.add_argument("--devices", type=int, default=20_000)
    main.add_argument("--audits", type=int, default=500)
    main.add_argument("--latency-ms", type=float, nargs="+", default=[150.0, 0.0])
    main.add_argument("--only", nargs="+", choices=CONTENDERS, help="these contenders only")
    return main


if __name__ == "__main__":
    sys.exit(main())
