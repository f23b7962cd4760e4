"""At the vendor's limit: how much of the budget each minute uses, and how often the API refuses.

`python -m benchmarks.limit` runs the tap for ten minutes twice, at the same time and each against a
server of its own: alone on its account, and beside a tool that takes 30 % of the limit. `--publish`
writes the table into README.md.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import (
    BOOKMARK_MS,
    PAGE_SIZE,
    TapRun,
    Usage,
    canonical,
    folder,
    machine,
    options,
    publish,
    run,
    stub,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT: Final = 600
SLOW_FROM: Final = 540
"""Of the limit, from where on the vendor slows answers down; the tap's default budget."""
MINUTE: Final = 60.0
REFUSED: Final = 429


@dataclass(frozen=True, slots=True)
class Case:
    """One of the two runs.

    Attributes:
        name: as the table has it.
        others: requests a minute of another tool of the account.
    """

    name: str
    others: int

    @property
    def room(self) -> int:
        """Requests a minute that are left to the tap before answers slow down."""
        return SLOW_FROM - self.others


CASES: Final = (Case("alone", 0), Case("beside a tool with 180 requests a minute", 180))


def measure(case: Case, minutes: int, latency: float) -> tuple[Usage, dict[str, Any]]:
    """Run the tap for so many full minutes of its budget."""
    wanted = case.room * minutes
    devices = wanted * PAGE_SIZE // (PAGE_SIZE + 1)  # each also takes its share of a page
    options = {
        "devices": devices,
        "audits": devices,
        "latency_ms": latency,
        "limit": LIMIT,
        "others": case.others,
    }
    with stub(**options) as server, folder() as files:
        command = TapRun(
            files,
            server.url,
            settings={"max_requests_per_minute": SLOW_FROM},
            bookmarks={"device_audits": canonical(BOOKMARK_MS)},
        ).command()
        server.forget()
        usage = run(command)
        return usage, server.journal()


def per_minute(journal: dict[str, Any]) -> list[int]:
    """Count the served requests of each full minute since the first."""
    at = [second for second, status in journal["arrivals"] if status != REFUSED]
    counts = [0] * (int((at[-1] - at[0]) // MINUTE) + 1)
    for second in at:
        counts[int((second - at[0]) // MINUTE)] += 1
    return counts[:-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both cases."""
    parser = options("benchmarks.limit", __doc__)
    parser.add_argument("--minutes", type=int, default=11, help="about; 11 give ten full ones")
    parser.add_argument("--latency-ms", type=float, default=150.0)
    given = parser.parse_args(arguments)
    began_on = machine()
    with ThreadPoolExecutor(len(CASES)) as threads:
        futures = [threads.submit(measure, c, given.minutes, given.latency_ms) for c in CASES]
    rows = []
    for case, future in zip(CASES, futures, strict=True):
        usage, journal = future.result()
        counts = per_minute(journal)
        shares = [f"{count / case.room:.0%}" for count in counts]
        rows.append(
            [
                case.name,
                case.room,
                " ".join(shares) or "-",
                f"{min(counts, default=0) / case.room:.1%}",
                journal["statuses"].get(str(REFUSED), 0),
                journal["slowed"],
                journal["calls"].get("system/request_rate", 0),
                journal["total"],
                f"{usage.wall:.0f}",
                usage.code,
            ]
        )
    head = [
        "",
        "budget a minute",
        "used in each full minute",
        "least",
        "HTTP 429",
        "slowed",
        "calibrations",
        "calls",
        "wall s",
        "exit code",
    ]
    words = (
        f"The limit is {LIMIT} requests in a rolling minute, answers slow down from {SLOW_FROM} "
        f"on; {given.latency_ms:g} ms latency, default settings. The budget is what is left below "
        "that.\n"
    )
    publish(given, "limit", "At the vendor's limit", began_on, words, table(head, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
