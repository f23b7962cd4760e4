"""What is set in the environment and does not count: misspelt, not asked for, nobody's."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.settings.sources import EXPORTED, OTHERS, PREFIX, laid_over, variable
from tap_datto_rmm.texts import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.settings.sources import Environment

BY_MELTANO: Final = "MELTANO_EXTRACTOR_NAME"
"""A variable that is set where Meltano runs the tap."""

LIKE_THE_PREFIX: Final = 0.9
"""How like it a misspelt prefix is; TAP_DATTO_BCDR, which is another tap's, is less like it."""
INSTEAD_OF: Final = {"platform": "api_url"}
"""Settings that may be missing where another one is given."""


def misspelt(environment: Environment, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name the variables that are like a setting's, each with the one that was meant.

    Args:
        environment: that counts.
        known: JSON Schema of all settings.
    """
    for name, meant in _unknown(environment, known):
        if meant:
            yield name, meant
    variables = [*map(variable, known["properties"])]
    names = environment.names()
    for name in sorted(names):
        if (meant := _with_our_prefix(name, variables)) and meant not in names:
            yield name, meant


def unreadable(environment: Environment, *, ours: bool) -> Iterator[str]:
    """Name the lines of the `.env` that nobody can read, a line each, without their text.

    Args:
        environment: that counts.
        ours: whether to name those in which a setting may stand, or the others.
    """
    for first, last, is_ours in environment.broken:
        if is_ours is ours:
            where = f"line {first}" if first == last else f"lines {first} to {last}"
            yield (
                f"{environment.path}, {where}: not of the form NAME=value, or a quotation mark is "
                f"not closed. {'Mend it' if ours else 'It is left out'}."
            )


def unknown(environment: Environment, known: Mapping[str, Any]) -> Iterator[str]:
    """Name the variables with the tap's prefix that are like no setting's, a line each.

    Args:
        environment: that counts.
        known: JSON Schema of all settings.
    """
    for name, meant in _unknown(environment, known):
        if not meant:
            yield f"Variable `{name}` is not known; nothing reads it."


def unread(
    environment: Environment, known: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    """Name the variables that say something else than what counts: a line for each source.

    Args:
        environment: that does not count.
        known: JSON Schema of all settings.
        config: what counts.
    """
    if BY_MELTANO in environment.exported:  # which exports the settings that it inherits, too
        return
    settings = known["properties"]
    values, sources = laid_over(environment.with_unread_dotenv().layers(known))
    for source in dict.fromkeys(sorted(sources.values(), key=EXPORTED.__ne__)):
        names = ", ".join(
            variable(name)
            for name, value in values.items()
            if sources[name] == source and value != config.get(name, settings[name].get("default"))
        )
        where = "" if source == EXPORTED else f" in {source}"
        if names:
            yield f"Not read, as `--config ENV` was not given: {names}{where}"


def hint(environment: Environment, setting: str) -> str:
    """Say where a setting that is missing may be found; empty where nothing is like it.

    Args:
        environment: whether it counts or not.
        setting: that nobody gave.
    """
    names = environment.names()
    wanted = [variable(one) for one in (setting, INSTEAD_OF.get(setting)) if one]
    for name in wanted:
        if name in names:
            exported = environment.exported.get(name, "").strip()
            who = f"{name} is set" if exported else f"{environment.path} sets {name}"
            return f" {who}: add `--config ENV` to read it."
    others = {other.upper(): other for other in names if not other.startswith(PREFIX)}
    for name in wanted:
        if like := nearest(name, others, likeness=0.89):
            return f" `{others[like]}` is set. Did you mean `{name}`?"
    return ""


def _unknown(
    environment: Environment, known: Mapping[str, Any]
) -> Iterator[tuple[str, str | None]]:
    """Find variables with the tap's prefix that are no setting's, and which were meant."""
    ends = {variable(setting).removeprefix(PREFIX) for setting in known["properties"]}
    in_meltano = BY_MELTANO in environment.exported

    def by_meltano(end: str) -> bool:
        """Whether Meltano makes it: TAP_DATTO_RMM__SELECT, TAP_DATTO_RMM_REFRESH_HOURS_SITES."""
        part = in_meltano and any(end.startswith(f"{one}_") for one in ends)
        return part or end.startswith("_")

    for name in sorted(environment.names()):
        end = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and end not in ends | OTHERS and not by_meltano(end):
            of_another = any(end.endswith(f"_{one}") for one in ends)  # TAP_DATTO_RMM_ACME_...
            meant = None if of_another else nearest(end, ends, likeness=0.75)
            yield name, PREFIX + meant if meant else None


def _with_our_prefix(name: str, variables: Sequence[str]) -> str | None:
    """Find the variable that was meant, where another's prefix is nearly ours.

    >>> _with_our_prefix("TAP_DATO_RMM_API_KEY", ["TAP_DATTO_RMM_API_KEY"])
    'TAP_DATTO_RMM_API_KEY'

    One that goes on after ours, or has something before it, is another one on purpose:

    >>> _with_our_prefix("TAP_DATTO_RMM2_API_KEY", ["TAP_DATTO_RMM_API_KEY"])
    """
    plain = name.upper().replace("-", "_")
    if name.startswith(PREFIX) or not (meant := nearest(plain, variables, likeness=0.85)):
        return None
    words = meant.removeprefix(PREFIX).count("_") + 1
    prefix, ours = plain.rsplit("_", words)[0], PREFIX.rstrip("_")
    on_purpose = not prefix.replace(ours, "", 1).isalpha() and prefix != ours and ours in prefix
    likeness = difflib.SequenceMatcher(None, prefix, ours).ratio()
    return None if on_purpose or likeness < LIKE_THE_PREFIX else meant
