"""The stream maps that keep a history, as they stand, commented out, in meltano.yml."""

from __future__ import annotations

from typing import Any, Final

import yaml

from demo.pipeline import ROOT

MELTANO_YML: Final = ROOT / "meltano.yml"
TODAY: Final = "datetime.datetime.now(datetime.timezone.utc).date()"
"""How the maps tell the day."""


def stream_maps(day: str | None = None) -> dict[str, Any]:
    """The maps.

    Args:
        day: what day it is, for an account whose clock is not this machine's: yyyy-mm-dd.

    Raises:
        ValueError: meltano.yml has no such block.
    """
    lines = iter(MELTANO_YML.read_text(encoding="utf-8").splitlines())
    block = []
    for line in lines:
        if line.strip() == "# stream_maps:":
            block.append(line)
            break
    indent = line.index("#") if block else 0
    for line in lines:
        if not line.startswith(" " * indent + "#   "):
            break
        block.append(line)
    if not block:
        raise ValueError("meltano.yml has no commented block `stream_maps`")
    text = "\n".join(line[indent + 2 :] for line in block)
    if day:
        text = text.replace(TODAY, f"datetime.date.fromisoformat('{day}')")
    maps: dict[str, Any] = yaml.safe_load(text)["stream_maps"]
    return maps
