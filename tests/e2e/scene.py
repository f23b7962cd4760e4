"""One account, one target, and runs of the command line between them, of which some go wrong."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conftest import NOW, fast, taken
from tests.e2e.warehouse import Key, Warehouse, assert_equal, selection, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from datto_rmm_sandbox import Sandbox
    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.journal import Entry
    from datto_rmm_sandbox.records import Device

    from tests.commands import QuickTapCommand, Run

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

START = NOW - 120 * DAY
"""The accounts' clock: so long ago that no test comes up to the clock of this machine."""

MOST_STATE = 32 * 1024
HEALTHY_STATE = 5_000
"""Bytes of state, at most: always, and for an account in good health."""

IMPATIENT: dict[str, Any] = {
    "patience": 0.1,
    "first_patience": 0.1,
    "longest_wait": 0.05,
    "window": 1.0,
    "outage": 3.0,
}
"""A request is given up within a tenth of a second."""


class FanOut(NamedTuple):
    """A stream that asks for each parent by a path of its own."""

    path: str
    """Below /api; each pair of braces stands for a part of the parent's key."""
    parent: tuple[str, ...]
    """The columns of a record that name the parent."""

    def path_of(self, parent: Iterable[str]) -> str:
        """Give a parent's path, as a regular expression that matches no other's."""
        return f"{self.path.format(*parent)}([?]|$)"

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern that matches every parent's path and gives the parts of its key."""
        return re.compile("/api" + self.path.replace("{}", "([^/]+)"))


DEVICE, SITE = ("deviceUid",), ("siteUid",)
FAN_OUT = {
    "device_audits": FanOut("/v2/audit/device/{}", DEVICE),
    "device_software": FanOut("/v2/audit/device/{}/software", DEVICE),
    "esxi_host_audits": FanOut("/v2/audit/esxihost/{}", DEVICE),
    "printer_audits": FanOut("/v2/audit/printer/{}", DEVICE),
    "device_patches": FanOut("/v2/device/{}/patches", DEVICE),
    "site_settings": FanOut("/v2/site/{}/settings", SITE),
    "site_variables": FanOut("/v2/site/{}/variables", SITE),
    "site_filters": FanOut("/v2/site/{}/filters", SITE),
    "site_network_interfaces": FanOut("/v2/site/{}/devices/network-interface", SITE),
    "site_patches": FanOut("/v2/site/{}/patches", SITE),
    "jobs": FanOut("/v2/job/{}", ("uid",)),
    "job_components": FanOut("/v2/job/{}/components", ("jobUid",)),
    "job_results": FanOut("/v2/job/{}/results/{}", ("jobUid", "deviceUid")),
    "job_outputs": FanOut("/v2/job/{}/results/{}/stdout", ("jobUid", "deviceUid")),
}
AUDITS = ("device_audits", "device_software", "esxi_host_audits", "printer_audits")


@dataclass
class Scene:
    """Runs of the tap against one account, each on the state that the last one left."""

    account: Sandbox
    tap: QuickTapCommand
    warehouse: Warehouse = field(default_factory=Warehouse)
    entries: list[Entry] = field(default_factory=list)
    """The requests of the last run."""

    # What happens to the account

    def inject(self, *faults: str) -> None:
        """Put these faults in force and no others."""
        self.account.call(lambda: self.account.state.faults.replace(faults))

    def turn(self, **quirks: object) -> None:
        """Turn switches of the account."""

        def turn() -> None:
            state = self.account.state
            state.quirks = state.quirks.changed(quirks)
            state.moves.clear()

        self.account.call(turn)

    def forbid(self, *paths: str) -> None:
        """Let these paths answer 403 and no others."""
        self.account.call(
            lambda: setattr(self.account.state, "forbidden", [*map(re.compile, paths)])
        )

    def happens(self, change: Callable[[Account], object], after: int = 1000) -> None:
        """Let something happen, a second from now on the account's clock."""

        def happens() -> None:
            self.account.account.later(after)
            change(self.account.account)

        self.account.call(happens)

    def happens_behind(self, path: str, number: int, change: Callable[[Account], object]) -> None:
        """Let something happen behind so many answered requests of a path, once."""
        faults, left = self.account.state.faults, [number]
        strike, pattern = faults.strike, re.compile(path)

        def watch(method: str, path: str, now: int = 0, body: bytes | None = None) -> object:
            if body is None and pattern.search(path):
                left[0] -= 1
                if left[0] == -1:
                    change(self.account.account)
            return strike(method, path, now, body)

        self.account.call(lambda: setattr(faults, "strike", watch))

    def audits(self, *devices: Device, late: int = 0, after: int = 1000) -> None:
        """Let devices be audited, all at once; the lists show the date so much later."""

        def audited(account: Account) -> None:
            for device in devices:
                account.audit(device, account.now, late=late)

        self.happens(audited, after)

    def rests(self, milliseconds: int) -> None:
        """Let time pass in which nothing happens."""
        self.account.call(lambda: self.account.account.later(milliseconds))

    def devices(self, device_class: str = "device", *, audited: bool = True) -> list[Device]:
        """The devices of a class, those longest not audited first; or those that never were."""
        found = [
            device
            for device in self.account.account.devices
            if device.system.device_class == device_class
            and (device.audited is not None) == audited
        ]
        return sorted(found, key=lambda device: (device.audited or 0, device.uid))

    # Runs

    def run(
        self,
        *streams: str,
        excepted: Collection[Key] = (),
        catalog: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Run:
        """Run the tap, load what it wrote, and hold it to the promise of exit code 0.

        Args:
            streams: those selected.
            excepted: keys of rows that need not be there, of any stream.
            catalog: instead of the usual one.
            settings: of the tap.
        """
        before = {stream: true_rows(self.account, stream).keys() for stream in streams}
        taken(self.account)
        run = self.tap(
            fast(self.account, **settings),
            catalog=catalog or selection(*streams),
            state=self.warehouse.state or None,
            timeout=240,
        )
        self.entries = taken(self.account)
        self.warehouse.take(run.messages)
        assert "Traceback" not in run.err, run.err
        assert len(json.dumps(self.warehouse.state)) <= MOST_STATE
        if run.code == 0:
            for stream, keys in before.items():
                throughout = keys & true_rows(self.account, stream).keys()
                lost = throughout - self.warehouse.tables[stream].keys() - set(excepted)
                assert not lost, ("exit code 0", stream, len(lost), sorted(map(str, lost))[:3])
        return run

    def heal(self, *streams: str, **settings: Any) -> Run:
        """Run the tap on a healthy account: all is well, and the target equals the account."""
        self.inject()
        run = self.run(*streams, **settings)
        assert run.code == 0, run.err
        assert_equal(self.warehouse, self.account, *streams)
        assert len(json.dumps(self.warehouse.state)) < HEALTHY_STATE
        return run

    # What came of it

    def missing(self, stream: str) -> set[Key]:
        """The keys of the rows that the account has and the target lacks."""
        wanted = true_rows(self.account, stream).keys()
        return set(wanted - self.warehouse.tables[stream].keys())

    def parents(self, stream: str) -> dict[Key, set[Key]]:
        """The parents of a stream's rows, and the keys of the rows of each."""
        found: dict[Key, set[Key]] = {}
        for key, row in true_rows(self.account, stream).items():
            parent = tuple(row[name] for name in FAN_OUT[stream].parent)
            found.setdefault(parent, set()).add(key)
        return found

    def asked(self, stream: str) -> list[Key]:
        """The parents that the last run asked for, in the order of the answers."""
        pattern = FAN_OUT[stream].pattern
        return [match.groups() for e in self.entries if (match := pattern.fullmatch(e.path))]

    def calls(self, path: str) -> int:
        """How many requests of the last run went to paths that match."""
        return sum(bool(re.search(path, entry.path)) for entry in self.entries)

    def names(self, text: str) -> bool:
        """Whether the state names something."""
        return text in json.dumps(self.warehouse.state)

    @property
    def bookmarks(self) -> dict[str, Any]:
        """The bookmarks of the last state."""
        found: dict[str, Any] = self.warehouse.state.get("bookmarks", {})
        return found

    def position(self, stream: str) -> str:
        """The date of a stream's bookmark; empty where it has none."""
        return str(self.bookmarks.get(stream, {}).get("replication_key_value") or "")


def told(run: Run, *texts: str) -> bool:
    """Whether one line of the log holds all these texts."""
    return any(all(text in line for text in texts) for line in run.err.splitlines())


def last_lines(run: Run, number: int = 3) -> str:
    """The end of the log, where a reason has to be."""
    return "\n".join(run.err.splitlines()[-number:])
