"""Write the README's tables: of streams and settings from the code, of calls from the benchmarks.

`make docs`. With --check it changes nothing and fails where the README is behind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_datto_rmm.doctor.costs import in_words
from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.streams.base import DattoStream
from tap_datto_rmm.tap import TapDattoRMM
from tools.sections import section, with_section

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BENCHMARKS = ROOT / "benchmarks" / "README.md"


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


def calls_table() -> Iterable[str]:
    """Give the lines of the table of calls, as `python -m benchmarks.calls` measured them."""
    measured = section(BENCHMARKS.read_text(encoding="utf-8"), "calls")
    return (line for line in measured.splitlines() if line.startswith("|"))


def written(text: str) -> str:
    """Give the README with its tables made anew."""
    tables = {"streams": streams_table(), "settings": settings_table(), "calls": calls_table()}
    for name, lines in tables.items():
        text = with_section(text, name, "\n".join(lines) + "\n")
    return text


def main() -> int:
    """Write the tables, or check them."""
    before = README.read_text(encoding="utf-8")
    after = written(before)
    if "--check" in sys.argv:
        return int(before != after)
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
