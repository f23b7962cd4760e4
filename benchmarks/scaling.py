"""How the tap scales: account size, parallel requests, slow pages, a whole large account.

`python -m benchmarks.scaling` runs all parts, or those that are named; `--publish` writes their
tables into README.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import (
    BOOKMARK_MS,
    NOW,
    PAGE_SIZE,
    PYTHON,
    ROOT,
    Server,
    TapRun,
    Usage,
    canonical,
    folder,
    machine,
    note,
    options,
    publish,
    run,
    sandbox,
    stub,
    table,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

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


@contextmanager
def tap_at_stub(
    shape: Mapping[str, float],
    settings: Mapping[str, Any] | None = None,
    streams: Sequence[str] = ("devices", "device_audits"),
) -> Generator[tuple[Server, list[str | Path]]]:
    """Give a stub that was asked nothing yet, and the command line of the tap for it."""
    with stub(**shape) as server, folder() as files:
        command = TapRun(
            files,
            server.url,
            streams,
            settings=settings or {},
            bookmarks={"device_audits": canonical(BOOKMARK_MS)},
        ).command()
        server.forget()
        yield server, command


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
        shape = {"devices": devices, "audits": min(500, devices)}
        with tap_at_stub(shape) as (server, command):
            usage = run(command, sample_every=0.05).check()
            journal = server.journal()
            state = len(last_state(command))
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
                f"{usage.cpu / (devices + shape['audits']) * 1000:.3f}",
                f"{settled:.0f}",
                f"{usage.peak:.0f}",
                state,
            ]
        )
        note(" ".join(map(str, rows[-1])))
    head = ["devices", "wall s", "CPU s", "CPU s per 1k records"]
    head += [f"MiB after {SETTLED:,} devices", "peak MiB", "state bytes"]
    words = "500 changed audits, no latency, default settings.\n"
    publish(given, "scaling-sizes", "Account size", began_on, words, table(head, rows))


def parallel(given: argparse.Namespace) -> None:
    """The effect of `max_parallel_requests`."""
    began_on, rows = machine(), []
    devices, latency = given.parallel_devices, 150.0
    shape = {"devices": devices, "audits": devices // 40, "latency_ms": latency}
    steady = [(number, 0.0) for number in (1, 2, 4, 8, 16)]
    for number, jitter in [*steady, *((number, 100.0) for number in (4, 8, 16))]:
        settings = {"max_parallel_requests": number}
        with tap_at_stub({**shape, "jitter_percent": jitter}, settings) as (server, command):
            usage, journal = run(command).check(), server.journal()
        least = journal["total"] * latency / 1000 / number
        rows.append(
            [
                number,
                between(latency, jitter),
                f"{usage.wall:.1f}",
                f"{least:.1f}",
                f"{usage.wall / least:.2f}",
                journal["most_under_way"],
                f"{usage.cpu:.1f}",
                f"{usage.peak:.0f}",
            ]
        )
        note(" ".join(map(str, rows[-1])))
    head = ["max_parallel_requests", "latency ms", "wall s", "calls by latency / requests", "ratio"]
    head += ["most under way", "CPU s", "peak MiB"]
    words = (
        f"{devices:,} devices, {shape['audits']:,.0f} audits, {latency:g} ms latency: each answer, "
        "or evenly spread around it.\n"
    )
    publish(given, "scaling-parallel", "Parallel requests", began_on, words, table(head, rows))


def slow(given: argparse.Namespace) -> None:
    """Pages as slow as the vendor's, for 100,000 devices."""
    began_on, rows = machine(), []
    shape = {"devices": given.most, "audits": 0, "page_latency_ms": SLOW_PAGE * 1000}
    for number, jitter in ((8, 0.0), (16, 0.0), (8, 50.0), (16, 50.0)):
        settings = {"max_parallel_requests": number}
        varied = {**shape, "jitter_percent": jitter}
        with tap_at_stub(varied, settings, ("devices",)) as (_, command):
            usage = run(command).check()
        least = -(-given.most // PAGE_SIZE) * SLOW_PAGE / number
        ratio = usage.wall / least
        verdict = "yes" if ratio <= SLOW_GOAL else "NO"
        row = [number, between(SLOW_PAGE, jitter), f"{least:.1f}", f"{usage.wall:.1f}"]
        rows.append([*row, f"{ratio:.2f}", verdict, f"{usage.peak:.0f}"])
        note(" ".join(map(str, rows[-1])))
    head = ["max_parallel_requests", "s a page", f"pages by {SLOW_PAGE:g} s / requests", "wall s"]
    head += ["ratio", f"≤ {SLOW_GOAL:g}", "peak MiB"]
    words = f"{given.most:,} devices, {SLOW_PAGE:g} s a page: each, or evenly spread around it.\n"
    title = "Pages as slow as the vendor's"
    publish(given, "scaling-slow", title, began_on, words, table(head, rows))


def between(latency: float, jitter: float) -> str:
    """Word a latency that varies by so many per cent up and down."""
    least, most = (latency * (1 + sign * jitter / 100) for sign in (-1, 1))
    return f"{least:g} to {most:g}" if jitter else f"{latency:g}"


_BOOKMARK: Final = """
import sys
from datto_rmm_sandbox.account import Account
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
    shape = {"devices": given.most, "now": NOW, "rate_limit": 0}
    with sandbox(**shape) as server, folder() as files:
        settings = {"api_key": "sandbox-key", "api_secret": "sandbox-secret"}
        command = TapRun(
            files,
            server.url,
            (*LIST_STREAMS, "device_audits"),
            settings=settings,
            bookmarks={"device_audits": canonical(since)},
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
    publish(given, "scaling-account", "A whole account", began_on, words, table(["", ""], rows))


PARTS: Final[dict[str, Callable[[argparse.Namespace], None]]] = {
    "sizes": sizes,
    "parallel": parallel,
    "slow": slow,
    "account": account,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts."""
    parser = options("benchmarks.scaling", __doc__)
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
