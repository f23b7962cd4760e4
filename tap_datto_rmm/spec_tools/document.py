"""An OpenAPI document that has been seen to be one, and where it came from.

References are followed by `referencing`, the kept library that jsonschema itself stands on (0.37.0,
October 2025).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Schema, Spec
from tap_datto_rmm.spec_tools.needs import NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ORIGIN: Final = "x-origin"
"""Key of a document that tells where it came from."""

SHOWN: Final = 5
"""So many names of a long list."""

AREAS: Final = frozenset(
    {"alert", "system", "user", *(path.split("/")[2] for one in NEEDS for path in one.paths)}
)
"""What follows the version in this API's paths: `/v2/site/{siteUid}` is of the area `site`."""

_PATH: Final = re.compile(r"/(v\d+)/([^/]+)")


class AnotherApiError(SpecError):
    """The document is sound, and nothing in it is of this API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a document came from.

    Attributes:
        urls: addresses of the vendor's documents that it was made from.
        date: day on which they were fetched.
        missing: what else the vendor named, and could not be had.
    """

    urls: tuple[str, ...] = ()
    date: str = ""
    missing: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Any) -> Origin:
        """Read the note in a document; what is not understood counts as not there."""
        given = given if isinstance(given, dict) else {}
        return cls(
            urls=_texts(given.get("urls")),
            date=str(given.get("date", "")),
            missing=_texts(given.get("missing")),
        )

    def note(self) -> dict[str, Any]:
        """The note as it stands in a document."""
        return {key: value for key, value in asdict(self).items() if value not in ("", ())}


class Document:
    """An OpenAPI document that has been seen to be one.

    Args:
        content: the decoded document.
        source: where it came from, for errors.

    Raises:
        AnotherApiError: none of its paths is of this API.
        SpecError: it is no OpenAPI 3 document, or a reference leads nowhere.
    """

    def __init__(self, content: Any, source: str) -> None:
        """Check it."""
        self.source = source
        self.content: Schema = content
        self._check_kind()
        self._check_shape()
        resource = DRAFT202012.create_resource(content)
        self._resolver = Registry().with_resource("", resource).resolver()
        for reference in set(references(content)):
            self.follow(reference)

    @classmethod
    def parse(cls, text: bytes, source: str) -> Document:
        """Decode and check a document.

        Raises:
            SpecError: as the class; or it is no JSON.
        """
        return cls(decoded(text, source), source)

    @property
    def version(self) -> str:
        """The vendor's version text, such as `2.0.0 (Build 235_...)`."""
        return str(self.content["info"].get("version", "unknown"))

    @property
    def schemas(self) -> dict[str, Schema]:
        """The component schemas."""
        schemas: dict[str, Schema] = self.content["components"]["schemas"]
        return schemas

    @property
    def get_paths(self) -> frozenset[str]:
        """Paths that can be read."""
        return frozenset(
            path
            for path, item in self.content["paths"].items()
            if isinstance(item.get("get"), dict)
        )

    @property
    def origin(self) -> Origin:
        """Where it came from, as far as it tells."""
        return Origin.read(self.content.get(ORIGIN))

    def is_blind_to(self, path: str) -> bool:
        """Whether the document cannot tell that a path, which it lacks, does not exist.

        The vendor splits its description into documents, one for each version of the API, and says
        nowhere that these are all. So a version without a single path counts as a document that
        was not there to look at.
        """
        versions = {version_of(one) for one in self.get_paths} | {""}
        return bool(self.origin.missing) or version_of(path) not in versions

    def follow(self, reference: str) -> Any:
        """Give what a reference points at.

        Raises:
            SpecError: nothing is there.
        """
        try:
            return self._resolver.lookup(reference).contents
        except (Unresolvable, ValueError, TypeError, LookupError):
            raise SpecError(f"{self.source}: the reference {reference!r} leads nowhere.") from None

    def _check_kind(self) -> None:
        content: Any = self.content
        if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3."):
            raise SpecError(f"{self.source} is no OpenAPI 3 document.")
        for name in ("info", "paths"):
            if not isinstance(content.get(name), dict):
                raise SpecError(f"{self.source} has no `{name}`.")
        if not any(_is_of_this_api(path) for path in content["paths"]):
            paths = some(sorted(content["paths"])) or "none"
            raise AnotherApiError(f"{self.source} describes another API (its paths: {paths}).")

    def _check_shape(self) -> None:
        schemas = mapping(self.content.get("components")).get("schemas")
        if not isinstance(schemas, dict) or not schemas:
            raise SpecError(f"{self.source} has no `components.schemas`.")
        for path, item in self.content["paths"].items():
            if not _is_path_item(item):
                raise SpecError(f"{self.source}: the path {path!r} is damaged.")
        Spec(self.content, [], self.source)  # sees to the schemas


class Group(NamedTuple):
    """A document of the vendor's, and what the vendor calls it."""

    name: str
    document: Document


def decoded(text: bytes, source: str) -> Any:
    """Decode JSON.

    Raises:
        SpecError: it is none.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SpecError(f"{source} is not valid JSON ({error}).") from None


def version_of(path: str) -> str:
    """Version of the API that a path belongs to; empty where it names none.

    >>> version_of("/v3/account/devices")
    'v3'
    """
    match = _PATH.match(path)
    return match[1] if match else ""


def references(part: Any) -> Iterator[str]:
    """Every `$ref` of a part, at any depth."""
    if isinstance(part, list):
        for member in part:
            yield from references(member)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for member in part.values():
            yield from references(member)


def mapping(part: Any) -> dict[str, Any]:
    """The part where it is an object, else an empty one."""
    return part if isinstance(part, dict) else {}


def some(names: Sequence[str]) -> str:
    """Name the first few.

    >>> some(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d, e and 1 more'
    """
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _texts(given: object) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, list) else ()


def _is_of_this_api(path: str) -> bool:
    match = _PATH.match(path)
    return match is not None and match[2] in AREAS


def _is_path_item(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("get", {}), dict):
        return False
    get = item.get("get", {})
    parameters = [item.get("parameters", []), get.get("parameters", [])]
    responses = get.get("responses", {})
    return (
        all(isinstance(part, list) and all(map(_is_parameter, part)) for part in parameters)
        and isinstance(responses, dict)
        and all(isinstance(response, dict) for response in responses.values())
    )


def _is_parameter(part: Any) -> bool:
    return isinstance(part, dict) and ("$ref" in part or {"in", "name"} <= part.keys())
