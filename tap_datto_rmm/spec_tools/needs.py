"""What each stream needs of an OpenAPI document, read off its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tap_datto_rmm.records.schemas import stream_schema
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.streams.base import ADDED_COLUMNS

if TYPE_CHECKING:
    from tap_datto_rmm.records.openapi import Schema, Spec


class Needs(NamedTuple):
    """What a stream needs.

    Attributes:
        name: the stream's.
        paths: what it reads, as declared.
        component: the schema of its rows.
        primary_keys: properties that must be there.
        adds: columns that the tap adds.
    """

    name: str
    paths: tuple[str, ...]
    component: str
    primary_keys: tuple[str, ...]
    adds: tuple[str, ...]

    def schema(self, spec: Spec) -> Schema:
        """Work out the stream's Singer schema without a tap.

        Raises:
            SpecError: the document lacks the component.
        """
        added = {name: ADDED_COLUMNS[name] for name in self.adds}
        return stream_schema(spec, self.component, self.primary_keys, added)


def _needs(stream: Any) -> Needs:  # noqa: ANN401 - its class attributes are properties to a checker
    also = getattr(stream, "resolved_path", None)  # the alerts are two lists
    paths = (stream.path, also) if also else (stream.path,)
    return Needs(stream.name, paths, stream.component, tuple(stream.primary_keys), stream.adds)


NEEDS: Final = tuple(map(_needs, cast("tuple[Any, ...]", STREAMS)))
"""In the order in which a sync reads the streams."""
