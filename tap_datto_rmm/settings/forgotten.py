"""What is set in the environment and does not count: misspelt, not asked for, nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.settings.sources import EXPORTED, OTHERS, PREFIX, variable
from tap_datto_rmm.texts import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_datto_rmm.settings.sources import Environment

BY_MELTANO: Final = "MELTANO_EXTRACTOR_NAME"
"""A variable that is set where Meltano runs the tap."""


def misspelt(environment: Environment, known: Mapping[str, Any]) -> Iterator[str]:
    """Name the variables that are like a setting's, a line each.

    Args:
        environment: that counts.
        known: JSON Schema of all settings.
    """
    for name, meant in _unknown(environment, known):
        if meant:
            yield f"Variable `{name}` is not known. Did you mean `{meant}`?"


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
    """Name the exported variables that say something else than what counts, in one line.

    Args:
        environment: that does not count.
        known: JSON Schema of all settings.
        config: what counts.
    """
    if BY_MELTANO in environment.exported:  # which exports the settings that it inherits, too
        return
    settings = known["properties"]
    names = ", ".join(
        variable(name)
        for layer in environment.layers(known)
        for name, value in layer.values.items()
        if layer.source == EXPORTED and value != config.get(name, settings[name].get("default"))
    )
    if names:
        yield f"Not read, as `--config ENV` was not given: {names}"


def hint(environment: Environment, setting: str) -> str:
    """Say where a setting that is missing may be found; empty where nothing is like it.

    Args:
        environment: whether it counts or not.
        setting: that nobody gave.
    """
    name, names = variable(setting), environment.names()
    if name in names:
        exported = environment.exported.get(name, "").strip()
        who = f"{name} is set" if exported else f"{environment.path} sets {name}"
        return f" {who}: add `--config ENV` to read it."
    others = {other.upper(): other for other in names if not other.startswith(PREFIX)}
    like = nearest(name, others, likeness=0.89)
    return f" `{others[like]}` is set. Did you mean `{name}`?" if like else ""


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
