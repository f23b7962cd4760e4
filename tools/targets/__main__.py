"""`make targets`: the table of targets in docs/targets.md.

Needs the package index and, for two of the targets, GitHub; where a copy of such an archive lies in
`.targets/archives` under the target's command's name (`target-sqlite.tar.gz`), that is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from demo.pipeline import ROOT
from demo.postgres import Postgres
from tools.sections import with_section
from tools.targets import verdict
from tools.targets.catalogue import TARGETS, Place, Target
from tools.targets.messages import DEVICES_REMOVED, Runs, write

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = ROOT / ".targets"
DOCUMENT: Final = ROOT / "docs" / "targets.md"
HEAD: Final = (
    "target",
    "first run",
    "second run",
    "rows that are gone",
    "id, date-time, object, array of objects",
    "CPU s",
)
LAST_LINE: Final = 160
"""Characters of a failed target's last words that the table has."""


class TargetError(Exception):
    """A target cannot be installed or fails; the message is a cell of the table."""


@dataclass(frozen=True)
class Bench:
    """What the targets share.

    Attributes:
        folder: a new one for this run.
        postgres: a database for those that need one.
        runs: what each target gets, by the columns that its catalog overrides.
    """

    folder: Path
    postgres: Postgres
    runs: dict[object, Runs]


def install(target: Target) -> tuple[Path, str]:
    """Install a target into its own virtual environment.

    Returns:
        The environment, and the versions of what was asked for.

    Raises:
        TargetError: it does not install.
    """
    venv = FOLDER / "venvs" / target.name
    uv = Path(sys.executable).with_name("uv")
    copy = FOLDER / "archives" / f"{target.executable}.tar.gz"
    packages = [str(copy) if "://" in name and copy.exists() else name for name in target.packages]
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, venv],
        [uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", *packages],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TargetError(f"does not install: {_last_line(done.stderr)}")
    listed = subprocess.run(
        [uv, "pip", "list", "--quiet", "--format=json", "--python", venv / "bin" / "python"],
        capture_output=True,
        check=True,
    ).stdout
    versions = {package["name"]: package["version"] for package in json.loads(listed)}
    names = [name.partition("==")[0] for name in target.packages if "://" not in name]
    return venv, ", ".join(f"{n} {versions[n]}" for n in names or [target.executable])


def feed(target: Target, place: Place, messages: Path) -> float:
    """Run a target on a run's messages; give its CPU seconds.

    Raises:
        TargetError: it fails.
    """
    config = place.folder.with_suffix(".json")
    config.write_text(json.dumps(target.config(place)), encoding="utf-8")
    log = place.folder.with_suffix(".log")
    with messages.open("rb") as given, log.open("ab") as said:
        process = subprocess.Popen(
            [place.python.with_name(target.executable), "--config", config],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd=place.folder,
            env={**os.environ, "PGTZ": "UTC"},
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = _last_line(log.read_text(encoding="utf-8", errors="replace"))
        raise TargetError(f"exit code {process.returncode}: {last}")
    return used.ru_utime + used.ru_stime


def row(target: Target, bench: Bench) -> list[str]:
    """Try a target; give its row of the table."""
    cells: list[str] = []
    name = target.name
    with suppress(TargetError):
        try:
            venv, name = install(target)
            place = Place(
                bench.folder / venv.name,
                venv.name.replace("-", "_"),
                bench.postgres,
                venv / "bin" / "python",
            )
            place.folder.mkdir()
            runs = bench.runs[target.as_text]
            cpu = feed(target, place, runs.first.path)
            cells.append(verdict.after_first(_held(target, place, runs), runs))
            cpu += feed(target, place, runs.second.path)
            held = _held(target, place, runs)
            cells += [verdict.after_second(held, runs), verdict.marks(held, runs)]
            cells += [verdict.types(target.read(place)), f"{cpu:.0f}"]
        except TargetError as error:
            cells.append(str(error))
            raise
    if target.origin:
        name += f" ({target.origin})"
    return [name, *cells, *["-"] * (len(HEAD) - 1 - len(cells))]


def _held(target: Target, place: Place, runs: Runs) -> verdict.Held:
    return verdict.Held.of(target.read(place), runs.first.keys)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "without a word")[:LAST_LINE].replace("|", "\\|")


def table(rows: Sequence[Sequence[str]], runs: Runs, devices: int) -> str:
    """Lay out the section of the document."""
    lines = [HEAD, ["---"] * (len(HEAD) - 1) + ["---:"], *rows]
    streams = len(runs.first.keys)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}: all {streams} streams "
        f"of {devices:,} devices, {runs.first.count:,} records, and again a day later, "
        f"{runs.second.count:,} records, {DEVICES_REMOVED} devices gone.\n\n"
        + "\n".join("| " + " | ".join(line) + " |" for line in lines)
        + "\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the targets, print the table, write it into docs/targets.md where all were tried."""
    parser = argparse.ArgumentParser(prog="python -m tools.targets", description=__doc__)
    parser.add_argument("--devices", type=int, default=300)
    parser.add_argument("--only", nargs="+", metavar="TARGET", help="whose names begin so")
    given = parser.parse_args(arguments)
    chosen = [
        target for target in TARGETS if not given.only or target.name.startswith(tuple(given.only))
    ]
    folder = FOLDER / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Postgres(folder / "postgres") as server:
        runs = write(folder, given.devices, [target.as_text for target in chosen])
        bench = Bench(folder, server, runs)
        rows = []
        for target in chosen:
            rows.append(row(target, bench))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    text = table(rows, next(iter(runs.values())), given.devices)
    print(text)
    if not given.only:
        before = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(with_section(before, "targets", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
