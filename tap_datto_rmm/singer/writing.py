"""Writing a stream's messages: records through its stream maps, and the deletion marks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage, RecordMessage

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.http.decoding import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.mapper import StreamMap

Record = dict[str, Any]


class MappingError(TapError):
    """A stream map cannot be applied to a record."""


def record_messages(
    record: Record, stream_maps: Sequence[StreamMap], keys: Sequence[str], version: int | None
) -> Iterator[RecordMessage]:
    """Map a record and wrap what comes out of it.

    Args:
        record: fits its stream's SCHEMA.
        stream_maps: of the stream; one that filters the record gives no message.
        keys: names of its primary key, for the error.
        version: of the table, for deletion marks.

    Raises:
        MappingError: an expression of a stream map fails on this record.
    """
    for stream_map in stream_maps:
        mapped = _mapped(record, stream_map, keys)
        if mapped is not None:
            yield RecordMessage(
                stream=stream_map.stream_alias,
                record=mapped,
                version=version,
                time_extracted=datetime.now(UTC),
            )


def deletion_marks(
    stream_maps: Sequence[StreamMap], version: int
) -> Iterator[ActivateVersionMessage]:
    """Give the marks of the tables that hold the stream's rows as they came.

    A map that filters rows, or gives them another key, says nothing of what the API still has.
    """
    for stream_map in stream_maps:
        if keeps_every_row(stream_map):
            yield ActivateVersionMessage(stream=stream_map.stream_alias, version=version)


def keeps_every_row(stream_map: StreamMap) -> bool:
    """Whether each record of a stream comes out of a map, under its own key."""
    return isinstance(stream_map, SameRecordTransform)


def _mapped(record: Record, stream_map: StreamMap, keys: Sequence[str]) -> Record | None:
    try:
        mapped: Record | None = stream_map.transform(record)
    except Exception as error:  # noqa: BLE001 - whatever a user's expression may raise
        key = one_line(", ".join(f"{name} {record.get(name)!r}" for name in keys))
        raise MappingError(
            f"the stream map of `{stream_map.stream_alias}` fails with {type(error).__name__} on "
            f"the record with {key}. An expression must bear null: write "
            "`x.upper() if x else None` instead of `x.upper()`."
        ) from None
    return mapped
