"""Stream maps that name something that is not there: most likely a typo, and nothing is mapped."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def unknown_maps(stream_maps: Mapping[str, Any], streams: Collection[str]) -> Iterator[str]:
    """Say which maps are of no stream, and which may be meant.

    Args:
        stream_maps: the setting.
        streams: names of all streams.

    Yields:
        A line for each.
    """
    for name, definition in stream_maps.items():
        source = definition.get("__source__", name) if isinstance(definition, dict) else name
        if source.startswith("__") or any(fnmatch(stream, source) for stream in streams):
            continue
        hint = did_you_mean(source, streams) or ""
        yield f"Setting `stream_maps`: there is no stream `{source}`, so nothing is mapped.{hint}"
