"""Write the pages' tables: of streams and settings from the code, of calls from the benchmarks.

`make docs`. With --check it changes nothing and fails where a page is behind.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.doctor.costs import in_words
from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.streams.base import DattoStream
from tap_datto_rmm.tap import TapDattoRMM
from tools.sections import section, with_section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT: Final = Path(__file__).parents[1]
BENCHMARKS: Final = ROOT / "benchmarks" / "README.md"


def replication(stream: DattoStream) -> str:
    """Word what a stream reads in a later run."""
    if stream.name == "alerts":
        return "every open one; resolved ones by `resolvedOn`"
    if stream.bookmark_key is None:
        return "full"
    if stream.replication_key is None:
        return "follows `activity_logs`"
    return f"incremental: `{stream.bookmark_key}`" + (" of the device" if stream.fan_out else "")


def streams_table() -> Iterable[str]:
    """Give the lines of the streams' table."""
    tap = TapDattoRMM(validate_config=False)
    yield "| stream | GET | key | replication | API calls | default |"
    yield "|---|---|---|---|---|---|"
    for stream in tap.streams.values():
        assert isinstance(stream, DattoStream)  # noqa: S101 - all are
        path = stream.path.replace("{channel}", "stdout, …/stderr")
        path = f"{path} and …/resolved" if stream.name == "alerts" else path
        keys = ", ".join(stream.primary_keys)
        default = "yes" if stream.selected_by_default else "no"
        yield (
            f"| `{stream.name}` | {path} | {keys} | {replication(stream)} | "
            f"{in_words(stream, paged=bool(tap.spec.is_list(stream.path)))} | {default} |"
        )


def settings_table() -> Iterable[str]:
    """Give the lines of the settings' table."""
    yield "| setting | default | meaning |"
    yield "|---|---|---|"
    for name, setting in CONFIG_SCHEMA["properties"].items():
        default = f"`{json.dumps(setting['default'])}`" if "default" in setting else ""
        if name in CONFIG_SCHEMA["required"]:
            default = "required"
        yield f"| `{name}` | {default} | {setting['description']} |"


def measured_calls() -> list[str]:
    """Give the table of calls, as `python -m benchmarks.calls` measured them."""
    measured = section(BENCHMARKS.read_text(encoding="utf-8"), "calls")
    return [line for line in measured.splitlines() if line.startswith("|")]


def cost_table() -> Iterable[str]:
    """Give the same in short: calls and minutes of each sync, a line for each size."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in measured_calls()[2:]]
    names = list(dict.fromkeys(name for _, name, *_ in rows))
    yield f"| devices | {' | '.join(names)} |"
    yield f"| ---: |{' ---: |' * len(names)}"
    for size, same in groupby(rows, key=itemgetter(0)):
        cells = [f"{calls} calls, {minutes} min" for _, _, minutes, calls, *_ in same]
        yield f"| {size} | {' | '.join(cells)} |"


TABLES: Final[dict[Path, dict[str, Callable[[], Iterable[str]]]]] = {
    ROOT / "README.md": {"streams": streams_table, "cost": cost_table},
    ROOT / "docs" / "settings.md": {"settings": settings_table},
    ROOT / "docs" / "costs.md": {"calls": measured_calls},
}
"""Which page has which tables, each between two comments of its name."""


def main() -> int:
    """Write the tables, or check them."""
    behind = 0
    for page, tables in TABLES.items():
        before = after = page.read_text(encoding="utf-8")
        for name, lines in tables.items():
            after = with_section(after, name, "\n".join(lines()) + "\n")
        if "--check" not in sys.argv:
            page.write_text(after, encoding="utf-8")
        elif before != after:
            print(f"{page.relative_to(ROOT)} is behind")
            behind = 1
    return behind


if __name__ == "__main__":
    sys.exit(main())
