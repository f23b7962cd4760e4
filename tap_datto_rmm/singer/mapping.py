"""Stream maps: those of selected streams count; what names no stream, or joins two, is told."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import StreamMapConfigError
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import Catalog

from tap_datto_rmm.settings.maps import INSTRUCTIONS, NULL_STRING
from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.mapper import PluginMapper
    from singer_sdk.streams import Stream


def register(mapper: PluginMapper, catalog: Catalog, streams: Iterable[Stream]) -> None:
    """Let stream maps see what is selected; those of other streams do nothing.

    The SDK applies them to streams that it has left without a single property.

    Args:
        mapper: new.
        catalog: of all streams.
        streams: all of them.

    Raises:
        StreamMapConfigError: two streams become one.
    """
    every = list(streams)
    chosen = {
        stream.tap_stream_id
        for stream in every
        if stream.metadata.resolve_selection()[()]  # `selected` would fix the answer
    }
    selected = Catalog((name, entry) for name, entry in catalog.items() if name in chosen)
    mapper.register_raw_streams_from_catalog(selected)
    _refuse_shared_names(mapper)
    for stream in every:
        if stream.name not in mapper.stream_maps:
            mapper.stream_maps[stream.name] = [
                SameRecordTransform(
                    stream.name, stream.schema, stream.primary_keys, flattening_options=None
                )
            ]


def _refuse_shared_names(mapper: PluginMapper) -> None:
    """Let no two streams become one: a target would make one table of them.

    Raises:
        StreamMapConfigError: two do.
    """
    names = Counter(
        name
        for maps in mapper.stream_maps.values()
        for name in {m.stream_alias for m in maps if not isinstance(m, RemoveRecordTransform)}
    )
    if shared := [name for name, count in names.items() if count > 1]:
        message = f"several streams become `{shared[0]}`. Give each an `__alias__` of its own."
        raise StreamMapConfigError(message)


def unknown_maps(stream_maps: Mapping[str, Any], streams: Mapping[str, Stream]) -> Iterator[str]:
    """Say which maps are of no stream, or take out a column of none, and which may be meant.

    Args:
        stream_maps: the setting.
        streams: all streams by name.

    Yields:
        A line for each.
    """
    for name, definition in stream_maps.items():
        columns = definition if isinstance(definition, dict) else {}
        source = columns.get("__source__", name)
        mapped = [stream for each, stream in streams.items() if fnmatch(each, source)]
        if source.startswith("__"):
            continue
        if not mapped:
            said = f"there is no stream `{source}`, so nothing is mapped."
            yield f"Setting `stream_maps`: {said}{did_you_mean(source, streams)}"
            continue
        known = [column for stream in mapped for column in stream.schema["properties"]]
        for column, expression in columns.items():
            takes_out = expression is None or expression == NULL_STRING
            if takes_out and column not in {*known, *INSTRUCTIONS}:
                said = f"there is no column `{column}`, so nothing is left out."
                yield f"Setting `stream_maps.{name}`: {said}{did_you_mean(column, known)}"
