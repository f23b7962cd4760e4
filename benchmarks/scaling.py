"""How the tap scales: account size, parallel requests, slow pages, a whole large account.

`python -m benchmarks.scaling` runs all parts, or those that are named, and writes
`results/scaling-PART.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import (
    BOOKMARK_MS,
    NOW,
    PAGE_SIZE,
    PYTHON,
    ROOT,
    TapRun,
    Usage,
    fixed_form,
    folder,
    machine,
    note,
    publish,
    run,
    sandbox,
    stub,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SETTLED: Final = 10_000
"""Devices after which memory shall not grow any more."""
MOST: Final = 100_000
SLOW_PAGE: Final = 2.4
"""Seconds a page takes at the vendor."""
SLOW_GOAL: Final = 1.2
PEAK_GOAL: Final = 160
LIST_STREAMS: Final = (
    "account",
    "sites",
    "devices",
    "alerts",
    "users",
    "account_variables",
    "components",
    "default_filters",
    "custom_filters",
    "dnet_site_mappings",
    "activity_logs",
)


def measure(
    options: Mapping[str, float],
    settings: Mapping[str, Any] | None = None,
    streams: Sequence[str] = ("devices", "device_audits"),
    sample_every: float = 0.05,
) -> tuple[Usage, dict[str, Any], int]:
    """Run the tap against a stub; give what it took, what was asked, and the state's bytes."""
    with stub(**options) as server, folder() as files:
        command = TapRun(
            files,
            server.url,
            streams,
            settings=settings or {},
            bookmarks={"device_audits": fixed_form(BOOKMARK_MS)},
        ).command()
        server.forget()
        usage = run(command, sample_every=sample_every).check()
        return usage, server.journal(), len(last_state(command))


def last_state(command: Sequence[object]) -> str:
    """Run a sync for its last STATE message only; give the state as the SDK writes it."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        state = b""
        for line in process.stdout or ():
            if line.startswith(b'{"type":"STATE"'):
                state = line
    return json.dumps(json.loads(state)["value"], separators=(",", ":")) if state else ""


def resident(usage: Usage, second: float) -> float:
    """MiB resident at a second of the run."""
    return next((mib for at, mib in usage.memory if at >= second), usage.peak)


def sizes(given: argparse.Namespace) -> None:
    """1,000, 10,000 and 100,000 devices, 500 audits, no latency."""
    began_on, rows = machine(), []
    for devices in given.devices:
        options = {"devices": devices, "audits": min(500, devices)}
        usage, journal, state = measure(options)
        # The wall between the first and the last page, by the share of the pages.
        last = journal["arrivals"][-1][0]
        start = usage.wall - last
        pages = -(-devices // PAGE_SIZE)
        at = sorted(second for second, _ in journal["arrivals"][2 : pages + 2])
        settled = resident(usage, start + at[min(len(at), SETTLED // PAGE_SIZE) - 1])
        rows.append(
            [
                f"{devices:,}",
                f"{usage.wall:.1f}",
                f"{usage.cpu:.1f}",
                f"{usage.cpu / (devices + options['audits']) * 1000:.3f}",
                f"{settled:.0f}",
                f"{usage.peak:.0f}",
                state,
            ]
        )
        note(" ".join(map(str, rows[-1])))
    head = ["devices", "wall s", "CPU s", "CPU s per 1k records"]
    head += [f"MiB after {SETTLED:,} devices", "peak MiB", "state bytes"]
    words = "500 changed audits, no latency, default settings.\n"
    publish("scaling-sizes", "Account size", began_on, words, table(head, rows))


def parallel(given: argparse.Namespace) -> None:
    """The effect of `max_parallel_requests`."""
    began_on, rows = machine(), []
    devices, latency = given.parallel_devices, 150.0
    options = {"devices": devices, "audits": devices // 40, "latency_ms": latency}
    for number in (1, 2, 4, 8, 16):
        usage, journal, _ = measure(options, {"max_parallel_requests": number})
        least = journal["total"] * latency / 1000 / number
        rows.append(
            [
                number,
                f"{usage.wall:.1f}",
                f"{least:.1f}",
                f"{usage.wall / least:.2f}",
                journal["most_under_way"],
                f"{usage.cpu:.1f}",
                f"{usage.peak:.0f}",
            ]
        )
        note(" ".join(map(str, rows[-1])))
    head = ["max_parallel_requests", "wall s", "calls by latency / requests", "ratio"]
    head += ["most under way", "CPU s", "peak MiB"]
    words = f"{devices:,} devices, {options['audits']:,.0f} audits, {latency:g} ms latency.\n"
    publish("scaling-parallel", "Parallel requests", began_on, words, table(head, rows))


def slow(given: argparse.Namespace) -> None:
    """Pages as slow as the vendor's, for 100,000 devices."""
    began_on, rows = machine(), []
    for number in (8, 16):
        options = {"devices": given.most, "audits": 0, "page_latency_ms": SLOW_PAGE * 1000}
        settings = {"max_parallel_requests": number}
        with stub(**options) as server, folder() as files:
            command = TapRun(files, server.url, ("devices",), settings=settings).command()
            usage = run(command).check()
        least = -(-given.most // PAGE_SIZE) * SLOW_PAGE / number
        ratio = usage.wall / least
        verdict = "yes" if ratio <= SLOW_GOAL else "NO"
        row = [number, f"{least:.1f}", f"{usage.wall:.1f}", f"{ratio:.2f}", verdict]
        rows.append([*row, f"{usage.peak:.0f}"])
        note(" ".join(map(str, rows[-1])))
    head = ["max_parallel_requests", "pages by 2.4 s / requests", "wall s", "ratio"]
    head += [f"≤ {SLOW_GOAL:g}", "peak MiB"]
    words = f"{given.most:,} devices, {SLOW_PAGE:g} s a page.\n"
    publish("scaling-slow", "Pages as slow as the vendor's", began_on, words, table(head, rows))


_BOOKMARK: Final = """
import sys
from tap_datto_rmm.sandbox.account import Account
devices, now, wanted = map(int, sys.argv[1:])
audited = [d.audited for d in Account(devices, now=now).devices if d.is_computer]
dates = sorted((at for at in audited if at is not None), reverse=True)
print(dates[min(wanted - audited.count(None), len(dates)) - 1])
"""


def account(given: argparse.Namespace) -> None:
    """All list streams and 5,000 changed audits of a sandbox with 100,000 devices."""
    began_on = machine()
    audits = given.most // 20
    find = [PYTHON, "-c", _BOOKMARK, str(given.most), str(NOW), str(audits)]
    since = int(run(find, keep=True, cwd=ROOT).check().out)
    options = {"devices": given.most, "now": NOW, "rate_limit": 0}
    with sandbox(**options) as server, folder() as files:
        settings = {"api_key": "sandbox-key", "api_secret": "sandbox-secret"}
        command = TapRun(
            files,
            server.url,
            (*LIST_STREAMS, "device_audits"),
            settings=settings,
            bookmarks={"device_audits": fixed_form(since)},
        ).command()
        server.forget()
        usage = run(command, sample_every=0.1).check()
        journal = server.journal()
        state = len(last_state(command))
    tenths = [resident(usage, usage.wall * tenth / 10) for tenth in range(1, 11)]
    rows = [
        ["wall s", f"{usage.wall:.0f}"],
        ["CPU s", f"{usage.cpu:.1f}"],
        ["calls", journal["total"]],
        ["audits asked for", journal["by_endpoint"].get("/v2/audit/device/{device_uid}", 0)],
        ["MiB after each tenth of the run", " ".join(f"{mib:.0f}" for mib in tenths)],
        [f"peak MiB (goal {PEAK_GOAL})", f"{usage.peak:.0f}"],
        ["state bytes (goal 5,000)", state],
    ]
    words = f"{given.most:,} devices in the sandbox, {len(LIST_STREAMS)} list streams, audits.\n"
    publish("scaling-account", "A whole account", began_on, words, table(["", ""], rows))


PARTS: Final[dict[str, Callable[[argparse.Namespace], None]]] = {
    "sizes": sizes,
    "parallel": parallel,
    "slow": slow,
    "account": account,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all")
    parser.add_argument("--devices", type=int, nargs="+", default=[1_000, 10_000, MOST])
    parser.add_argument("--parallel-devices", type=int, default=20_000)
    parser.add_argument("--most", type=int, default=MOST, help="devices of `slow` and `account`")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}")
    for part in given.parts or PARTS:
        PARTS[part](given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
