"""How long the tap takes to start: `--version` and `--discover`, against a tap of the SDK's alone.

`python -m benchmarks.start`; `--publish` writes the table into README.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import (
    KEY,
    PYTHON,
    SECRET,
    TAP,
    folder,
    machine,
    median,
    options,
    publish,
    run,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

GOAL_SECONDS: Final = 0.5
EMPTY: Final = Path(__file__).parent / "peers" / "empty_tap.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both commands of both taps, in turns."""
    parser = options("benchmarks.start", __doc__)
    parser.add_argument("--repeat", type=int, default=9, help="runs of each (default 9)")
    given = parser.parse_args(arguments)
    began_on = machine()
    walls: dict[tuple[str, str], list[float]] = defaultdict(list)
    with folder() as files:
        config = files / "config.json"
        settings = {"platform": "merlot", "api_key": KEY, "api_secret": SECRET}
        config.write_text(json.dumps(settings), encoding="utf-8")
        empty = files / "empty.json"
        empty.write_text("{}", encoding="utf-8")
        commands: dict[tuple[str, str], list[str | Path]] = {
            ("empty SDK tap", "--version"): [PYTHON, EMPTY, "--version"],
            ("tap-datto-rmm", "--version"): [TAP, "--version"],
            ("empty SDK tap", "--discover"): [PYTHON, EMPTY, "--config", empty, "--discover"],
            ("tap-datto-rmm", "--discover"): [TAP, "--config", config, "--discover"],
        }
        for command in commands.values():
            run(command).check()  # compiles what is not compiled yet
        for _ in range(given.repeat):
            for what, command in commands.items():
                walls[what].append(run(command).check().wall)
    rows = []
    for option in ("--version", "--discover"):
        ours = median(walls["tap-datto-rmm", option])
        theirs = median(walls["empty SDK tap", option])
        more = ours - theirs
        verdict = "yes" if more <= GOAL_SECONDS else "NO"
        rows.append([f"`{option}`", f"{theirs:.2f}", f"{ours:.2f}", f"{more:+.2f}", verdict])
    head = ["seconds", "empty SDK tap", "tap-datto-rmm", "difference", f"≤ {GOAL_SECONDS:g} s"]
    words = f"Medians of {given.repeat} runs in turns; byte code is compiled.\n"
    publish(given, "start", "Start", began_on, words, table(head, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
