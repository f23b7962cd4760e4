"""What each stream needs of an OpenAPI document, read off its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tap_datto_rmm.records.schemas import stream_schema
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.streams.base import COLUMNS

if TYPE_CHECKING:
    from tap_datto_rmm.records.openapi import Schema, Spec


class Needs(NamedTuple):
    """What a stream needs.

    Attributes:
        name: the stream's.
        paths: what it reads, as declared.
        component: the schema of its rows.
        primary_keys: properties that must be there.
        parent_columns: columns that the tap adds.
    """

    name: str
    paths: tuple[str, ...]
    component: str
    primary_keys: tuple[str, ...]
    parent_columns: tuple[str, ...]

    def schema(self, spec: Spec) -> Schema:
        """Work out the stream's Singer schema without a tap.

        Raises:
            SpecError: the document lacks the component.
        """
        added = {name: COLUMNS[name] for name in self.parent_columns}
        return stream_schema(spec, self.component, self.primary_keys, added)


def _needs(stream: Any) -> Needs:
    keys = tuple(stream.primary_keys)
    return Needs(
        stream.name,
        (stream.path, *stream.further_paths),
        stream.component,
        keys,
        stream.parent_columns,
    )


NEEDS: Final = tuple(map(_needs, cast("tuple[Any, ...]", STREAMS)))
"""In the order in which a sync reads the streams."""
