"""`--about` for people: what the tap is, and each setting with what it may be, in 100 columns."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.settings.checks import expected
from tap_datto_rmm.settings.parsing import kinds
from tap_datto_rmm.settings.sources import variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.about import AboutInfo

COLUMNS: Final = 100


def as_text(info: AboutInfo) -> str:
    """Write what there is to know of the tap as plain text.

    Args:
        info: as for the SDK's own formats.
    """
    return "\n".join(_lines(info)) + "\n"


def _lines(info: AboutInfo) -> Iterator[str]:
    yield f"{info.name} {info.version} (Meltano Singer SDK {info.sdk_version})"
    yield from _wrapped(info.description or "")
    yield ""
    yield from _wrapped(f"Capabilities: {', '.join(map(str, info.capabilities))}")
    yield from _wrapped(f"Python: {', '.join(info.supported_python_versions or ())}")
    yield ""
    yield from _wrapped(
        "Settings, in a JSON file (--config FILE) or, with --config ENV, as the environment "
        "variable that stands below each:"
    )
    required = info.settings.get("required", ())
    for name, setting in info.settings["properties"].items():
        yield ""
        yield from _setting(name, setting, required=name in required)


def _setting(name: str, setting: Mapping[str, Any], *, required: bool) -> Iterator[str]:
    traits = [" or ".join(kinds(setting))]
    traits += ["required"] if required else []
    traits += ["secret"] if setting.get("secret") else []
    if "default" in setting:
        traits.append(f"default {json.dumps(setting['default'])}")
    yield f"{name} ({', '.join(filter(None, traits))})"
    yield f"    {variable(name)}"
    yield from _wrapped(str(setting.get("description", "")), indent="    ")
    yield from _wrapped(f"May be: {expected(name)}.", indent="    ")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
