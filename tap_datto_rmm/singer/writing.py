"""Writing a stream's messages: records through its stream maps, and the deletion marks."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.mapper import CustomStreamMap, RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage, RecordMessage

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.http.decoding import one_line
from tap_datto_rmm.singer.mapped import MappedTypes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import SchemaMessage

    from tap_datto_rmm.records.data_issues import DataIssues

Record = dict[str, Any]


BEAR_NULL: Final = (
    "An expression must bear null: write `x.upper() if x else None` instead of `x.upper()`."
)
ADVICE: Final = {
    "NameNotDefined": "It names a column that the stream does not have, or that is deselected.",
    "KeyError": "It asks for a value that `stream_map_config` does not have.",
}


class MappingError(TapError):
    """A stream map cannot be applied to a record."""


def definitions_of(
    stream: str, stream_maps: Mapping[str, Any] | None
) -> list[Mapping[str, Any] | None]:
    """Give the definitions of a stream's maps, in the order in which the SDK makes them.

    The first is that of the stream itself, None where the setting has none; copies follow.

    Args:
        stream: name of the stream.
        stream_maps: the setting.
    """
    of_itself: Mapping[str, Any] | None = None
    copies: list[Mapping[str, Any] | None] = []
    for name, definition in (stream_maps or {}).items():
        is_object = isinstance(definition, dict)
        source = definition.get("__source__", name) if is_object else name
        if not is_object or not fnmatch(stream, source):
            continue
        if "__source__" in definition:
            copies.append(definition)
        else:
            of_itself = definition
    return [of_itself, *copies]


def bookmark_properties(message: SchemaMessage) -> list[str] | None:
    """Name those that the records have, whatever was deselected or mapped."""
    of_records = message.schema["properties"]
    return [name for name in message.bookmark_properties or () if name in of_records] or None


class RecordMessages:
    """Turns the records of a stream into messages, through its maps.

    Args:
        stream_maps: of the stream; one that filters a record gives no message.
        keys: names of its primary key, for errors.
        issues: counts what an expression gave and the SCHEMA cannot take.
    """

    def __init__(
        self, stream_maps: Sequence[StreamMap], keys: Sequence[str], issues: DataIssues
    ) -> None:
        """Look at the schemas that are written."""
        self._keys = keys
        self._maps = [
            (
                stream_map,
                isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled,
                MappedTypes(stream_map.transformed_schema, issues)
                if isinstance(stream_map, CustomStreamMap)
                else None,
            )
            for stream_map in stream_maps
        ]

    def of(self, record: Record, version: int | None) -> Generator[RecordMessage]:
        """Map a record and wrap what comes out of it.

        Args:
            record: fits its stream's SCHEMA.
            version: of the table, for deletion marks.

        Raises:
            MappingError: an expression of a stream map fails on this record.
        """
        for stream_map, changes_nothing, types in self._maps:
            mapped = record if changes_nothing else self._mapped(record, stream_map, types)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=version,
                    time_extracted=datetime.now(UTC),
                )

    def _mapped(
        self, record: Record, stream_map: StreamMap, types: MappedTypes | None
    ) -> Record | None:
        mapped = _transformed(record, stream_map, self._keys)
        if mapped is None:
            return None
        if stream_map.flattening_enabled:  # the SDK leaves a null object as it is
            columns = stream_map.transformed_schema["properties"]
            mapped = {name: mapped.get(name) for name in columns}
        return types.fit(mapped) if types else mapped


def deletion_marks(
    stream_maps: Sequence[StreamMap],
    definitions: Sequence[Mapping[str, Any] | None],
    version: int,
) -> Iterator[ActivateVersionMessage]:
    """Give the marks of the tables that hold every row of the stream under its own key.

    A map that filters rows, or gives them another key, says nothing of what the API still has.

    Args:
        stream_maps: of the stream.
        definitions: of the same maps.
        version: of the tables.
    """
    for stream_map, definition in zip(stream_maps, definitions, strict=False):
        if isinstance(stream_map, RemoveRecordTransform):
            continue
        if not {"__filter__", "__key_properties__"} & (definition or {}).keys():
            yield ActivateVersionMessage(stream=stream_map.stream_alias, version=version)


def _transformed(record: Record, stream_map: StreamMap, keys: Sequence[str]) -> Record | None:
    try:
        mapped: Record | None = stream_map.transform(record)
    except Exception as error:  # noqa: BLE001 - whatever a user's expression may raise
        key = one_line(", ".join(f"{name} {record.get(name)!r}" for name in keys))
        kind = type(error.__cause__ or error).__name__  # the SDK wraps what it knows
        raise MappingError(
            f"the stream map of `{stream_map.stream_alias}` fails with {kind}"
            f"{_expression_of(stream_map)} on the record with {key}. {ADVICE.get(kind, BEAR_NULL)}"
        ) from None
    return mapped


def _expression_of(stream_map: StreamMap) -> str:
    """Name the expression that was evaluated last; never what it met, which may be a secret."""
    if not isinstance(stream_map, CustomStreamMap):
        return ""
    return f" in the expression `{one_line(stream_map.expr_evaluator.expr)}`"
