"""Write the README's tables of streams and settings from the code: `make docs`.

With --check it changes nothing and fails where the README is behind.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_datto_rmm.doctor.costs import in_words
from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.streams.base import DattoStream
from tap_datto_rmm.tap import TapDattoRMM

if TYPE_CHECKING:
    from collections.abc import Iterable

README = Path(__file__).parents[1] / "README.md"


def replication(stream: DattoStream) -> str:
    """Word what a stream reads in a later run."""
    if stream.name == "alerts":
        return "every open one; resolved ones by `resolvedOn`"
    if stream.parent in {"jobs", "job_devices", "job_channels"}:
        return "follows `activity_logs`"
    key = stream.follows or stream.replication_key
    if not key:
        return "full"
    return f"incremental: `{key}`" + (" of the device" if stream.parent else "")


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


def written(text: str) -> str:
    """Give the README with its tables made anew."""
    for name, lines in (("streams", streams_table()), ("settings", settings_table())):
        before, start, rest = re.split(rf"(<!-- {name}: [^\n]*-->\n)", text)
        text = before + start + "\n".join(lines) + "\n" + rest[rest.index(f"<!-- /{name} -->") :]
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
