"""The two runs that every target gets: an account of the sandbox, and the same a day later."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from datto_rmm_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tools.targets.catalogue import Column

NOW: Final = 1_795_000_000_000
"""The account's clock: 2026-11-18, epoch milliseconds."""
MINUTES_BETWEEN: Final = 24 * 60
DEVICES_REMOVED: Final = 3

Row = dict[str, Any]
Key = tuple[str, ...]
Rows = dict[Key, Row]


@dataclass
class Messages:
    """What a run of the tap wrote.

    Attributes:
        path: the file that holds it.
        records: by stream and key.
        keys: names of each stream's key properties.
        marked: streams with an ACTIVATE_VERSION message.
        state: the last one.
    """

    path: Path
    records: dict[str, Rows] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[str, list[str]] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    state: Row = field(default_factory=dict)

    def read(self) -> Messages:
        """Take in what the file holds."""
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                self._take(json.loads(line))
        return self

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(map(len, self.records.values()))

    def _take(self, message: Row) -> None:
        match message["type"]:
            case "SCHEMA":
                self.keys[message["stream"]] = message["key_properties"]
            case "RECORD":
                stream, record = message["stream"], message["record"]
                self.records[stream][key_of(record, self.keys[stream])] = record
            case "ACTIVATE_VERSION":
                self.marked.add(message["stream"])
            case "STATE":
                self.state = message["value"]


def key_of(row: Row, names: Iterable[str]) -> Key:
    """Give a row's key as texts: targets differ in how they hold a number."""
    return tuple(str(row[name]) for name in names)


@dataclass(frozen=True)
class Runs:
    """Both runs of one catalog."""

    first: Messages
    second: Messages

    def gone(self) -> Iterator[tuple[str, Key]]:
        """Give the rows that the second run's deletion marks speak of."""
        for stream in self.second.marked:
            for key in self.first.records[stream].keys() - self.second.records[stream].keys():
                yield stream, key


def write(folder: Path, devices: int, as_text: Iterable[frozenset[Column]]) -> dict[object, Runs]:
    """Run the tap twice for each catalog that is needed.

    Args:
        folder: where the files go.
        devices: of the account.
        as_text: for each catalog, the columns that it overrides to be text.

    Returns:
        The runs by those columns.
    """
    first: dict[frozenset[Column], Messages] = {}
    second: dict[frozenset[Column], Messages] = {}
    with Sandbox(devices=devices, now=NOW, rate_limit=0) as sandbox:
        tap = _Tap(sandbox, folder)
        for columns in set(as_text):
            first[columns] = tap.run("first", columns)
        sandbox.advance(MINUTES_BETWEEN, removed=DEVICES_REMOVED)
        for columns, before in first.items():
            second[columns] = tap.run("second", columns, before.state)
    return {columns: Runs(first[columns], second[columns]) for columns in first}


class _Tap:
    """The tap's command line on that account, every stream selected."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._folder = folder
        config = {
            **sandbox.settings,
            "max_requests_per_minute": 1_000_000,
            "emit_activate_version_messages": True,
        }
        self._command = [sys.executable, "-m", "tap_datto_rmm", "--config"]
        self._command += [self._file("config", config)]
        discovered = subprocess.run(
            [*self._command, "--discover"], capture_output=True, check=True
        ).stdout
        self._catalog: Row = json.loads(discovered)
        for stream in self._catalog["streams"]:
            for metadata in stream["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["selected"] = True

    def run(self, name: str, as_text: frozenset[Column], state: Row | None = None) -> Messages:
        name = "-".join([name, *(f"{column.stream}.{column.name}" for column in sorted(as_text))])
        catalog = json.loads(json.dumps(self._catalog))
        for stream in catalog["streams"]:
            for column in as_text:
                if column.stream == stream["stream"]:
                    stream["schema"]["properties"][column.name] = {"type": ["string", "null"]}
        command = [*self._command, "--catalog", self._file(f"{name}-catalog", catalog)]
        if state is not None:
            command += ["--state", self._file(f"{name}-state", state)]
        path = self._folder / f"{name}.singer"
        with path.open("wb") as out, (self._folder / f"{name}.log").open("wb") as log:
            subprocess.run(command, stdout=out, stderr=log, check=True)
        return Messages(path).read()

    def _file(self, name: str, content: object) -> str:
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)
