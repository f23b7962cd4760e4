"""What a catalog decides of a stream, and what it has no say in.

It selects streams and columns, gives columns their types and order, and forces FULL_TABLE. Keys,
bookmarks and names are the stream's own: an entry that asks for others is told, once, with why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from singer_sdk.singerlib import Schema as SdkSchema
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    REPLICATION_INCREMENTAL,
    Metadata,
    MetadataMapping,
    StreamMetadata,
)

from tap_datto_rmm.records.catalogs import unknown_columns, usable_schema
from tap_datto_rmm.records.schemas import UNKNOWN_COLUMN, types_of
from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from singer_sdk.singerlib.catalog import CatalogEntry

    from tap_datto_rmm.records.openapi import Schema

SELECTION: Final = ("inclusion", "selected", "selected_by_default")
"""Metadata of a stream that count."""

MOST_NAMES: Final = 10
"""That a line shows of a list."""


class Own(NamedTuple):
    """What a stream is whatever a catalog says."""

    name: str
    schema: Schema
    keys: tuple[str, ...]
    """As targets are told them."""
    keys_of_rows: tuple[str, ...]
    """The same without the account's uid, which a setting adds."""
    replication_key: str | None
    """Property of the records by which it is incremental."""
    bookmark_key: str | None
    """Date that its bookmark holds; None: each run reads everything."""


class Ignored(NamedTuple):
    """What an entry asks for in vain."""

    what: str
    why: str


def usable(entry: CatalogEntry, own: Own) -> CatalogEntry:
    """Make a catalog's entry one that the stream can follow, and its records fit."""
    schema = usable_schema(entry.schema.to_dict(), own.schema, own.keys)
    is_full = not own.bookmark_key or REPLICATION_FULL_TABLE in _methods(entry)
    return replace(
        entry,
        stream=own.name,
        schema=SdkSchema.from_dict(schema),
        key_properties=list(own.keys),
        replication_key=own.replication_key,
        replication_method=REPLICATION_FULL_TABLE if is_full else REPLICATION_INCREMENTAL,
        metadata=_usable_metadata(entry, own, schema["properties"].keys()),
    )


def _usable_metadata(entry: CatalogEntry, own: Own, columns: AbstractSet[str]) -> MetadataMapping:
    metadata = MetadataMapping(entry.metadata)
    if not metadata:  # everything is selected
        return metadata
    metadata[()] = StreamMetadata(**{n: getattr(_root(entry), n) for n in SELECTION})
    for key in columns & {*own.keys, own.replication_key or ""}:
        before = metadata.get(("properties", key), Metadata())
        automatic = replace(before, inclusion=Metadata.InclusionType.AUTOMATIC)
        metadata["properties", key] = automatic
    return metadata


def ignored(entry: CatalogEntry, own: Own) -> Iterator[Ignored]:
    """Say what an entry asks for that stays as it is, and why."""
    fixed = (
        f"the tap goes on from `{own.bookmark_key}`, or reads everything with FULL_TABLE"
        if own.bookmark_key
        else "the API cannot be asked what has changed, so that each run reads everything"
    )
    possible = {REPLICATION_FULL_TABLE, *([REPLICATION_INCREMENTAL] if own.bookmark_key else ())}
    if methods := sorted(_methods(entry) - possible):
        yield Ignored(f"replication method {', '.join(methods)}", fixed)
    dates = {entry.replication_key, _root(entry).replication_key}
    if dates := dates - {None, "", own.replication_key, own.bookmark_key}:
        yield Ignored(f"replication key {_names(sorted(filter(None, dates)))}", fixed)
    yield from _ignored_keys(entry, own)
    if entry.stream not in {None, own.name}:
        yield Ignored(f"name `{entry.stream}`", "`__alias__` in `stream_maps` renames a stream")
    if unknown := unknown_columns({"properties": entry.schema.properties}, own.schema):
        yield Ignored(f"columns {_names(unknown)}", "the API does not have them; they are null")


def _ignored_keys(entry: CatalogEntry, own: Own) -> Iterator[Ignored]:
    own_keys, own_sets = _names(own.keys), (set(own.keys), set(own.keys_of_rows))
    asked = (entry.key_properties or (), _root(entry).table_key_properties or ())
    others = [keys for keys in asked if keys and set(keys) not in own_sets]
    if others:
        why = f"{own_keys} tells rows apart; `__key_properties__` in `stream_maps` gives others"
        yield Ignored(f"key {_names(others[0])}", why)
    columns = entry.schema.properties or {}
    given = {key: columns[key].to_dict() for key in own.keys if key in columns}
    made = usable_schema({"properties": given}, own.schema, own.keys)["properties"]
    typed = [key for key, schema in given.items() if schema.get("type")]
    if wrong := [key for key in typed if types_of(given[key]) != types_of(made[key])]:
        yield Ignored(f"another type of {_names(wrong)}", "a key is written as it is, or as text")


def lines_about(of_streams: Mapping[str, Collection[Ignored]]) -> Iterator[str]:
    """Word what is ignored: one line for all streams of which the same is.

    Args:
        of_streams: by name.
    """
    together: dict[tuple[Ignored, ...], list[str]] = {}
    for name, found in of_streams.items():
        if found:
            together.setdefault(tuple(found), []).append(name)
    for found, names in together.items():
        what = ", ".join(one.what for one in found)
        why = "; ".join(dict.fromkeys(one.why for one in found))
        yield f"{', '.join(names)}: the catalog asks in vain for {what}: {why}"


def lacking(
    catalog: Mapping[str, CatalogEntry],
    streams: Collection[str],
    custom: Iterable[str],
    *,
    keep_unknown: bool,
) -> Iterator[str]:
    """Say what a catalog has and the tap has not, and what settings that came later ask for.

    Args:
        catalog: with usable entries.
        streams: names of all streams.
        custom: those that settings declare.
        keep_unknown: whether the column of what the spec does not know was asked for.
    """
    again = "make it anew by --discover"
    if gone := [name for name in catalog if name not in streams]:
        hint = did_you_mean(gone[0], streams)
        yield f"The catalog has streams that there are not: {_names(gone)}.{hint}"
    if later := [name for name in custom if name not in catalog]:
        yield f"The catalog lacks {_names(later)} of `custom_streams`, not read; {again}."
    columns = [one.schema.properties or {} for name, one in catalog.items() if name in streams]
    if keep_unknown and not any(UNKNOWN_COLUMN in one for one in columns):
        asked = "which `keep_unknown_properties` asks for"
        yield f"The catalog lacks the column `{UNKNOWN_COLUMN}`, {asked}; {again}."


def _root(entry: CatalogEntry) -> StreamMetadata:
    found = entry.metadata.get(())
    return found if isinstance(found, StreamMetadata) else StreamMetadata()


def _methods(entry: CatalogEntry) -> set[str]:
    found = (entry.replication_method, _root(entry).forced_replication_method)
    return {method.upper() for method in found if method}


def _names(names: Collection[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in list(names)[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
