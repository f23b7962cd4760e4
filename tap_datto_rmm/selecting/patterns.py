"""Patterns of streams and columns: which parts of a catalog they name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings.custom import DEFAULT
from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str, ...]
"""A stream, or a column of it: the stream's name, the column's, the name inside that."""

WITHOUT: Final = "!"
"""Begins a pattern of what is left out."""
ALL_INSIDE: Final = ".*"
"""Ends a pattern of all that is inside; who leaves that out leaves out what it is inside of."""


class PatternError(TapError):
    """Patterns name nothing that the catalog has, a line for each; or they leave nothing."""


def select(catalog: dict[str, Any], patterns: Sequence[str]) -> None:
    """Select what the patterns name and deselect all else, in place.

    A pattern is the name of a stream, or of a column behind a dot; `*` stands for any letters, `!`
    leaves out. The order of patterns does not matter. Where none but `!` is given, the rest is
    what the tap selects by itself.

    Args:
        catalog: as discovery made it.
        patterns: such as `sites`, `devices.hostname`, `site_*`, `!devices.udf`, `default`.

    Raises:
        PatternError: patterns name nothing, or leave nothing; the catalog stays as it is.
    """
    wanted = [one for one in patterns if not one.startswith(WITHOUT)] or [DEFAULT]
    unwanted = [one.removeprefix(WITHOUT) for one in patterns if one.startswith(WITHOUT)]
    places = {path: metadata for stream in catalog["streams"] for path, metadata in _places(stream)}
    named = {pattern: _named(places, pattern) for pattern in (*wanted, *unwanted)}
    if faults := [_nothing(places, pattern) for pattern, found in named.items() if not found]:
        raise PatternError("\n".join(faults))
    chosen = {path for pattern in wanted for path in named[pattern]}
    left_out = {path for pattern in unwanted for path in _left_out(places, pattern)}
    chosen = {path for path in chosen if left_out.isdisjoint(_above(path))}
    on_the_way = {above for path in chosen for above in _above(path)}
    selected = {
        path
        for path in places
        if left_out.isdisjoint(above := _above(path))
        and (path in on_the_way or not chosen.isdisjoint(above))
    }
    if not selected:
        streams = len(catalog["streams"])
        raise PatternError(f"Nothing to read: the patterns leave none of the {streams} streams.")
    for path, metadata in places.items():
        metadata["selected"] = path in selected


def _above(path: Path) -> set[Path]:
    """What a path is inside of, itself included."""
    return {path[:length] for length in range(1, len(path) + 1)}


def _left_out(places: dict[Path, dict[str, Any]], pattern: str) -> set[Path]:
    return _named(places, pattern) | _named(places, pattern.removesuffix(ALL_INSIDE))


def _places(stream: dict[str, Any]) -> Iterable[tuple[Path, dict[str, Any]]]:
    for entry in stream["metadata"]:
        names = entry["breadcrumb"][1::2]  # between them stands "properties"
        yield (stream["stream"], *names), entry["metadata"]


def _named(places: dict[Path, dict[str, Any]], pattern: str) -> set[Path]:
    if pattern == DEFAULT:
        return {path for path, data in places.items() if data.get("selected-by-default")}
    parts = tuple(pattern.split("."))
    return {path for path in places if _fits(path, parts)}


def _fits(path: Path, parts: Path) -> bool:
    return len(path) == len(parts) and all(map(fnmatchcase, path, parts))


def _nothing(places: Iterable[Path], pattern: str) -> str:
    """Say which part of a pattern is the first to name nothing, and what is most like it."""
    parts, known = tuple(pattern.split(".")), list(places)
    if parts[0].lower() == DEFAULT and parts[1:]:
        return f"`{pattern}` names nothing: `{DEFAULT}` stands alone, without columns."
    for length, part in enumerate(parts, start=1):
        if any(_fits(path, parts[:length]) for path in known):
            continue
        beside = [p[-1] for p in known if len(p) == length and _fits(p[:-1], parts[: length - 1])]
        if length == 1:
            return f"There is no stream `{part}`.{did_you_mean(part, [*beside, DEFAULT])}"
        above = ".".join(parts[: length - 1])
        return f"`{above}` has no column `{part}`.{did_you_mean(part, beside)}"
    return f"No stream is `{pattern}`: the tap selects none by itself."
