"""The setting `refresh_hours`: which streams need not be read in each run."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_PATTERN = re.compile(r"[a-z0-9_*?\[\]!-]+")
_WILDCARDS = re.compile(r"[*?]|\[[^]]*\]")


def is_pattern(text: str) -> bool:
    """Whether a text is a stream name, or a pattern of them as a shell has it for files."""
    return _PATTERN.fullmatch(text) is not None


def hours_of(stream: str, refresh_hours: Mapping[str, float]) -> float:
    """Give the hours after which a stream is due again; 0 where it is due in each run.

    Its own name counts before patterns; of several patterns that match, the one with the fewest
    hours, so that no row is older than anybody asked for.

    >>> hours_of("site_patches", {"site_*": 24, "*_patches": 12, "site_settings": 0})
    12
    """
    if stream in refresh_hours:
        return refresh_hours[stream]
    hours = (each for name, each in refresh_hours.items() if fnmatchcase(stream, name))
    return min(hours, default=0)


def without_effect(
    refresh_hours: Mapping[str, float], full_table: Collection[str], others: Collection[str]
) -> Iterator[str]:
    """Say which of the patterns change nothing, a line each.

    Args:
        refresh_hours: hours by stream name or pattern.
        full_table: names of the streams that are read whole.
        others: names of the streams that read what has changed.
    """
    for pattern in refresh_hours:
        if any(fnmatchcase(name, pattern) for name in full_table):
            continue
        if found := [name for name in others if fnmatchcase(name, pattern)]:
            yield (
                f"Setting `refresh_hours`: `{pattern}` has no effect, as {', '.join(found)} "
                f"{'reads' if len(found) == 1 else 'read'} only what has changed, in each run."
            )
        else:
            words = _WILDCARDS.sub("", pattern).strip("_")
            hint = did_you_mean(words, [*full_table, *others])
            yield f"Setting `refresh_hours`: no stream matches `{pattern}`.{hint}"
