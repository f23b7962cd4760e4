"""One of two documents that are compared: its read side, by stream and by component."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_datto_rmm.records.openapi import Schema, Spec, component_name
from tap_datto_rmm.spec_tools.needs import NEEDS
from tap_datto_rmm.spec_tools.readside import answer, canonical, read_side
from tap_datto_rmm.spec_tools.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_datto_rmm.spec_tools.document import Document
    from tap_datto_rmm.spec_tools.needs import Needs


def shape_of(path: str) -> str:
    """Leave the names of parameters out of a path.

    >>> shape_of("/v2/site/{siteUid}")
    '/v2/site/{}'
    """
    return re.sub(r"\{\w*\}", "{}", path)


class Endpoint(NamedTuple):
    """A GET operation and its path."""

    path: str
    operation: Schema


class Side:
    """One of the two documents.

    Args:
        document: the document.
        exceptions: the exceptions of the wire.
    """

    def __init__(self, document: Document, exceptions: list[Schema]) -> None:
        """Take its read side."""
        self.document = document
        self.version = document.version
        self.facts = read_side(document)
        self.schemas: dict[str, Schema] = self.facts["components"]["schemas"]
        self.gets = {
            shape_of(path): Endpoint(path, item["get"])
            for path, item in self.facts["paths"].items()
        }
        # A component that no GET answers with any more is still there to make a schema from.
        self.components = {**document.schemas, **self.schemas}
        self.spec = Spec(document.content, exceptions, document.source)

    def endpoints(self, stream: Needs) -> dict[str, Endpoint]:
        """What a stream reads, by path without the names of parameters."""
        paths = {path for template in stream.paths for path in self.spec.paths_of(template)}
        return {shape_of(path): self.gets[shape_of(path)] for path in sorted(paths)}

    def columns(self, stream: Needs) -> Table:
        """A stream's final schema; empty where it cannot be made."""
        if stream.component not in self.spec:
            return {}
        return table(stream.schema(self.spec))

    @cached_property
    def read_by_streams(self) -> frozenset[str]:
        """Components that streams read."""
        roots = [
            answer(endpoint.operation)
            for stream in NEEDS
            for endpoint in self.endpoints(stream).values()
        ]
        return frozenset(self.reached(roots))

    @cached_property
    def readable(self) -> frozenset[str]:
        """Components that success answers hold."""
        return frozenset(
            self.reached(answer(endpoint.operation) for endpoint in self.gets.values())
        )

    def is_blind_to(self, endpoint: Endpoint) -> bool:
        """Whether it cannot be told if an endpoint, which is not there, does not exist."""
        return self.document.is_blind_to(endpoint.path)

    def out_of_sight(self, other: Side) -> frozenset[str]:
        """Components that the other side holds for what this one cannot see."""
        unseen = [
            answer(endpoint.operation)
            for shape, endpoint in other.gets.items()
            if shape not in self.gets and self.is_blind_to(endpoint)
        ]
        return frozenset(other.reached(unseen))

    def answers(self, operation: Schema) -> str:
        """Say what an operation answers: a component, or else the schema's facts.

        Build 235 writes `GET /v2/alert/{alertUid}` out with a base in place of its variants: what
        has a component's properties counts as that component.
        """
        schema = answer(operation)
        if "$ref" in schema:
            return component_name(schema["$ref"])
        properties = set(schema.get("properties", {}))
        alike = [
            name
            for name, one in sorted(self.components.items())
            if properties and set(one.get("properties", {})) == properties
        ]
        return alike[0] if alike else canonical(schema).decode()

    def reached(self, roots: Iterable[Schema]) -> Iterator[str]:
        """Name the components that parts of this side lead to."""
        seen: set[str] = set()
        waiting: list[Any] = list(roots)
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting += part
            elif isinstance(part, dict):
                waiting += part.values()
                if isinstance(part.get("$ref"), str):
                    name = component_name(part["$ref"])
                    if name not in seen:
                        seen.add(name)
                        yield name
                        waiting.append(self.schemas[name])
