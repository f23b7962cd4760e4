"""A target in a dictionary, and a tap in this process that writes to it, over and over."""

from __future__ import annotations

import json
import signal
import sys
from collections import defaultdict
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO, cast

import msgspec
from datto_rmm_sandbox.expected import lines

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.tap import TapDattoRMM
from tests import truth
from tests.commands import select
from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from datto_rmm_sandbox import Sandbox

Key = tuple[Any, ...]
Row = dict[str, Any]


class Killed(BaseException):
    """The tap is no more, as if by SIGKILL: not one message more leaves it."""


@dataclass
class Pipe:
    """Standard output, as far as the tap uses it."""

    after_line: Callable[[int], None] = lambda _: None
    """Called after each message, with its number from 1."""
    most: int | None = None
    """The tap is killed when it writes more messages than this."""
    lines: list[Row] = field(default_factory=list)

    @property
    def buffer(self) -> Pipe:
        return self

    def write(self, line: bytes | bytearray) -> None:
        if len(self.lines) == self.most:
            raise Killed
        self.lines.append(msgspec.json.decode(line))
        self.after_line(len(self.lines))

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass
class Sync:
    """What one run wrote, and whether it failed."""

    messages: list[Row]
    failure: str | None = None

    @property
    def kinds(self) -> list[str]:
        """Message types in order, each run of equal ones once."""
        kinds = [message["type"] for message in self.messages]
        return [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before]

    def records(self, stream: str) -> list[Row]:
        """The records of a stream, in order."""
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def activated(self) -> list[str]:
        """The streams whose older rows the target was told to forget."""
        return [m["stream"] for m in self.messages if m["type"] == "ACTIVATE_VERSION"]

    @property
    def bookmarks(self) -> dict[str, Row]:
        """The last state."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1]["bookmarks"] if states else {}


@dataclass
class Warehouse:
    """A target: upserts by key, forgets what ACTIVATE_VERSION says, keeps the last state."""

    tables: dict[str, dict[Key, Row]] = field(default_factory=lambda: defaultdict(dict))
    versions: dict[str, dict[Key, int]] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[str, list[str]] = field(default_factory=dict)
    state: Row = field(default_factory=dict)

    def take(self, messages: Iterable[Row]) -> None:
        """Load the messages of one run.

        A key that comes twice in it is an error of the tap's, but for an alert that was open first
        and is resolved now.
        """
        seen: dict[str, set[Key]] = defaultdict(set)
        for message in messages:
            match message["type"]:
                case "SCHEMA":
                    self.keys[message["stream"]] = message["key_properties"]
                case "RECORD":
                    stream, record = message["stream"], message["record"]
                    key = tuple(record[name] for name in self.keys[stream])
                    assert key not in seen[stream] or self.is_resolved_now(stream, key, record)
                    seen[stream].add(key)
                    self.tables[stream][key] = record
                    self.versions[stream][key] = message.get("version", 0)
                case "ACTIVATE_VERSION":
                    self.forget(message["stream"], message["version"])
                case "STATE":
                    self.state = message["value"]

    def is_resolved_now(self, stream: str, key: Key, record: Row) -> bool:
        """Whether an alert, which was written before as an open one, is resolved."""
        before = self.tables[stream][key]
        return stream == "alerts" and bool(record["resolved"]) and not before["resolved"]

    def forget(self, stream: str, version: int) -> None:
        """Remove rows of an older version."""
        versions = self.versions[stream]
        for key in [key for key, found in versions.items() if found < version]:
            del versions[key], self.tables[stream][key]

    def sync(
        self,
        sandbox: Sandbox,
        *streams: str,
        after_line: Callable[[int], None] = lambda _: None,
        most: int | None = None,
        catalog: Row | None = None,
        **settings: Any,
    ) -> Sync:
        """Run the tap on the last state, and load what it wrote.

        Args:
            sandbox: the API.
            streams: selected; none: those selected by default.
            after_line: see `Pipe`.
            most: see `Pipe`.
            catalog: instead of `streams`.
            settings: of the tap.
        """
        config = fast(sandbox, **settings)
        if streams:
            catalog = selection(*streams)
        pipe, failure = Pipe(after_line, most), None
        with written_to(pipe):
            state = deepcopy(self.state)  # the tap changes the one that it is given
            tap = TapDattoRMM(config=config, catalog=catalog, state=state)
            try:
                tap.sync_all()
            except Killed:
                failure = "killed"
            except TapError as error:
                failure = str(error)
        self.take(pipe.lines)
        return Sync(pipe.lines, failure)


def selection(*streams: str) -> Row:
    """Give a catalog of these streams alone, all of them selected."""
    catalog: Row = json.loads(discovered())
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] in streams]
    for entry in catalog["streams"]:
        select(entry, selected=True)
    return catalog


@cache
def discovered() -> str:
    """The catalog; no setting used here changes it."""
    config = {"api_key": "-", "api_secret": "-", "platform": "merlot"}
    with written_to(Pipe()):
        return TapDattoRMM(config=config).catalog_json_text


@contextmanager
def written_to(pipe: Pipe) -> Generator[None]:
    """Let the tap of this process write there; its signal handlers are undone."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stdout, sys.stdout = sys.stdout, cast("TextIO", pipe)
    try:
        yield
    finally:
        sys.stdout = stdout
        for number, handler in handlers.items():
            signal.signal(number, handler)


def lines_of(sandbox: Sandbox, stream: str) -> list[bytes]:
    """A stream's rows on the wire: `{"parent": {...}, "row": {...}}` each, as JSON."""
    return sandbox.call(lambda: list(lines(sandbox.state, stream)))


def true_rows(sandbox: Sandbox, stream: str) -> dict[Key, Row]:
    """What a target must have of a stream, by key."""
    return truth.records_of(stream, lines_of(sandbox, stream))


def current(warehouse: Warehouse, stream: str) -> dict[Key, Row]:
    """What the view of the current software, or patches, shows: each device's newest rows."""
    rows = warehouse.tables[stream]
    newest: dict[str, str] = defaultdict(str)
    for row in rows.values():
        device = row["deviceUid"]
        newest[device] = max(newest[device], row["lastAuditDate"] or "")
    return {
        key: row
        for key, row in rows.items()
        if (row["lastAuditDate"] or "") == newest[row["deviceUid"]]
    }


def without_left_devices(sandbox: Sandbox, stream: str, rows: Mapping[Key, Row]) -> dict[Key, Row]:
    """Leave out what stays in a target of devices that have left the account.

    That is their last audits, their jobs' results, and jobs of which they were the only devices.
    """
    there, jobs = sandbox.call(
        lambda: (
            {device.uid for device in sandbox.account.devices},
            {job.uid for job, _ in sandbox.account.job_pairs().values()},
        )
    )
    keys = truth.STREAMS[stream].keys
    return {
        key: row
        for key, row in rows.items()
        if ("deviceUid" not in keys or row["deviceUid"] in there)
        and (stream not in {"jobs", "job_components"} or key[0] in jobs)
    }


def assert_equal(warehouse: Warehouse, sandbox: Sandbox, *streams: str) -> None:
    """Check that a target has what the account has: every row, every value, nothing else."""
    for stream in streams:
        wanted, got = true_rows(sandbox, stream), warehouse.tables[stream]
        if stream in {"device_software", "device_patches"}:
            got = current(warehouse, stream)
        got = without_left_devices(sandbox, stream, got)
        missing, extra = wanted.keys() - got.keys(), got.keys() - wanted.keys()
        assert not missing, (stream, "missing", len(missing), sorted(map(str, missing))[:3])
        assert not extra, (stream, "not there any more", len(extra), sorted(map(str, extra))[:3])
        for key, row in wanted.items():
            assert list(got[key].items()) == list(row.items()), (stream, key)
