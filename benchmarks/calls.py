"""What a sync costs in calls, the first one and the hourly ones after it, at three sizes.

`python -m benchmarks.calls` starts a sandbox of each size without a rate limit, syncs it with the
streams that are selected by default, lets it live for an hour in which 1 % of its devices are
audited, and syncs again: once as `meltano.yml` has it, the streams of sites once a day, and an hour
later all streams. The sandbox counts. `--publish` writes the table into README.md;
`make docs` takes it from there into the project's. 100,000 devices take about 20 minutes; `--sizes`
leaves them out.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from benchmarks.measure import (
    KEY,
    NOW,
    ROOT,
    SECRET,
    TAP,
    UNLIMITED,
    Server,
    folder,
    machine,
    note,
    options,
    publish,
    sandbox,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BUDGET: Final = 540
"""The tap's default `max_requests_per_minute`."""
SIZES: Final = (1_000, 10_000, 100_000)
AUDITED_PERCENT: Final = 1
DAILY: Final = {"site_*": 24.0}
"""As in meltano.yml."""
GROUPS: Final = {
    "devices": r"/account/devices$",
    "resolved alerts": r"/alerts/resolved$",
    "audits": r"/audit/",
    "sites": r"/site/\{",
    "jobs": r"/job/",
}
"""Endpoints that the cost comes from, by column; what is left is `other`."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One sync.

    Attributes:
        total: requests, those for the token and the account's rate status included.
        by_endpoint: the same by the path's template.
    """

    total: int
    by_endpoint: Counter[str]

    def of(self, pattern: str) -> int:
        """Requests to endpoints that match."""
        return sum(n for path, n in self.by_endpoint.items() if re.search(pattern, path))

    def row(self, size: int, name: str) -> list[str]:
        """A line of the table."""
        groups = [self.of(pattern) for pattern in GROUPS.values()]
        numbers = [self.total, *groups, self.total - sum(groups)]
        return [f"{size:,}", name, f"{self.total / BUDGET:.1f}", *(f"{n:,}" for n in numbers)]


def sync(
    server: Server, files: Path, state: dict[str, Any] | None, refresh_hours: dict[str, float]
) -> tuple[dict[str, Any], Cost]:
    """Run the tap as its user does; give its last state, and what it asked for."""
    config = {
        "api_url": server.url,
        "api_key": KEY,
        "api_secret": SECRET,
        "max_requests_per_minute": UNLIMITED,
        "refresh_hours": refresh_hours,
    }
    command: list[str | Path] = [TAP, "--config", _file(files / "config.json", config)]
    if state:
        command += ["--state", _file(files / "state.json", state)]
    server.forget()
    with (files / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
        last = b""
        for line in process.stdout or ():
            if line.startswith(b'{"type":"STATE"'):
                last = line
        if process.wait():
            raise SystemExit((files / "log.txt").read_text(encoding="utf-8")[-4000:])
    journal = server.journal()
    return json.loads(last)["value"], Cost(journal["total"], Counter(journal["by_endpoint"]))


def measure(size: int) -> list[list[str]]:
    """Measure an account of this many devices."""
    options: dict[str, Any] = {"devices": size, "now": NOW, "rate_limit": 0}
    keys: dict[str, Any] = {"api_key": KEY, "api_secret": SECRET}
    with sandbox(**options, **keys) as server, folder() as files:
        state, rows = None, []
        for name, refresh_hours in (
            ("first", DAILY),
            ("hourly, sites daily", DAILY),
            ("hourly", {}),
        ):
            if state:
                live(server, audited_percent=AUDITED_PERCENT)
            note(f"{size} devices: {name}")
            state, cost = sync(server, files, state, refresh_hours)
            rows.append(cost.row(size, name))
    return rows


def live(server: Server, **wanted: float) -> None:
    """Let the account live for an hour."""
    body = json.dumps({"minutes": 60, **wanted}).encode()
    request = Request(f"{server.url}/_sandbox/advance", body, method="POST")  # noqa: S310 - ours
    with urlopen(request, timeout=600) as answer:  # noqa: S310
        answer.read()


def _file(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table."""
    parser = options("benchmarks.calls", __doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, metavar="DEVICES")
    given = parser.parse_args(arguments)
    started_on = machine()
    rows = [row for size in given.sizes for row in measure(size)]
    head = ["devices", "sync", f"minutes at {BUDGET}/min", "calls", *GROUPS, "other"]
    publish(
        given,
        "calls",
        "Calls of a sync",
        started_on,
        table(head, rows),
        "Streams as selected by default; counted by the sandbox. Each hourly sync comes after an "
        f"hour in which {AUDITED_PERCENT} % of the devices were audited, alerts opened and were "
        "resolved, and jobs ran. Of the sandbox's devices 2.7 % have never been audited; these "
        "are asked for each time.",
    )


if __name__ == "__main__":
    main()
