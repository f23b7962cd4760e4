"""`stream_maps`: what the SDK takes for a column, and was meant as an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTRUCTIONS: Final = (
    "__filter__",
    "__else__",
    "__alias__",
    "__source__",
    "__key_properties__",
)
"""What a map may hold beside columns (sdk.meltano.com, Inline Stream Maps)."""
NULL_STRING: Final = "__NULL__"
"""Null, where a setting cannot hold it."""


def stream_maps_problem(maps: Mapping[str, Any]) -> str | None:
    """Say what in the maps is no instruction; None where all are."""
    for stream, definition in maps.items():
        if not isinstance(definition, dict):
            continue
        for name in definition:
            if name.startswith("__") and name.endswith("__") and name not in INSTRUCTIONS:
                hint = did_you_mean(name, INSTRUCTIONS)
                return f"has `{name}` for `{stream}`, which is no instruction.{hint}"
    return None
