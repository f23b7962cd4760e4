"""From what was given to the settings in use: laid over one another, checked, and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings import forgotten
from tap_datto_rmm.settings.cautions import cautions
from tap_datto_rmm.settings.checks import problems, unknown
from tap_datto_rmm.settings.sources import EXPORTED, laid_over, working_folder
from tap_datto_rmm.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.settings.checks import Problem
    from tap_datto_rmm.settings.sources import Environment, Layer


class SettingsError(TapError):
    """Settings are missing, wrong or contradict each other.

    Attributes:
        problems: a line for each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the lines."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Given:
    """The settings as they were given, checked."""

    settings: Settings
    config: dict[str, Any] = field(repr=False)
    """By name, with defaults: for the SDK, which has settings of its own."""
    sources: Mapping[str, str]
    """Where each that was given comes from: the path of a file, or `environment`."""
    places: str
    """What was read, in words; empty where nothing was given."""
    warnings: tuple[str, ...]
    """What is allowed and most likely not meant."""


def read_settings(
    layers: Sequence[Layer],
    environment: Environment,
    known: Mapping[str, Any],
    *,
    from_environment: bool,
    needs_all: bool = True,
) -> Given:
    """Read and check the settings.

    Args:
        layers: settings of files, what counts most last.
        environment: what is set there; where it does not count, what is exported is told of.
        known: JSON Schema of all settings, the SDK's own included.
        from_environment: whether it counts too, before the files.
        needs_all: False for discovery, which needs no credentials; what is given is checked.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    layers = [*layers, *(environment.layers(known) if from_environment else ())]
    config, sources = laid_over(layers)
    found = [one for one in problems(config, known) if needs_all or not one.missing]
    glanced_at = environment
    if any(problem.missing for problem in found):
        glanced_at = environment.with_unread_dotenv()
    lines = [_line(problem, environment, glanced_at, sources) for problem in found]
    if from_environment:
        told = "".join(lines)
        lines += (
            f"Variable `{name}` is not known. Did you mean `{meant}`?"
            for name, meant in forgotten.misspelt(environment, known)
            if name not in told
        )
        lines = [*forgotten.unreadable(environment, ours=True), *lines]
        if any(problem.missing or not _has_several(sources) for problem in found):
            lines.append(_looked_at(layers, environment))
    if lines:
        raise SettingsError(lines)
    if from_environment:
        warnings = [*forgotten.unknown(environment, known)]
        warnings += forgotten.unreadable(environment, ours=False)
    else:
        warnings = [*forgotten.unread(environment, known, config)]
    warnings += _unknown(config, known, sources)
    if needs_all:
        warnings += (f"Setting {line}" for line in cautions(config))
    for name, setting in known["properties"].items():
        if config.get(name) is None and "default" in setting:
            config[name] = setting["default"]
    config = {name: value for name, value in config.items() if value is not None}
    settings = Settings.from_config(config)
    places = _places(layers, environment, from_environment=from_environment)
    return Given(settings, config, sources, places, tuple(warnings))


def _line(
    problem: Problem,
    environment: Environment,
    glanced_at: Environment,
    sources: Mapping[str, str],
) -> str:
    """Word a problem; where settings come from several places, with the place."""
    if problem.missing:
        return f"{problem}{forgotten.hint(glanced_at, problem.setting)}"
    source = sources.get(problem.setting, "") if _has_several(sources) else ""
    return f"{problem}{environment.origin(problem.setting, source)}"


def _has_several(sources: Mapping[str, str]) -> bool:
    """Whether a problem needs the name of its source."""
    return len(set(sources.values())) > 1


def _unknown(
    config: Mapping[str, Any], known: Mapping[str, Any], sources: Mapping[str, str]
) -> Iterator[str]:
    for name in unknown(config, known):
        where = f" It is set in {sources[name]}." if _has_several(sources) else ""
        yield f"Setting `{name}` is not known; nothing reads it.{where}"


def _places(layers: Sequence[Layer], environment: Environment, *, from_environment: bool) -> str:
    """Say what was read, the environment only where it sets something."""
    read = [layer.source for layer in layers if layer.values or layer.source != EXPORTED]
    lacks = from_environment and environment.path is None
    if not read and not lacks:
        return ""
    come = f"Settings come from {', '.join(dict.fromkeys(read))}" if read else "No setting is given"
    return f"{come}{' (there is no .env in the working folder)' if lacks else ''}"


def _looked_at(layers: Sequence[Layer], environment: Environment) -> str:
    """Say where settings were looked for."""
    places = ", ".join(dict.fromkeys(layer.source for layer in layers))
    lacks = " There is no .env in the working folder" if environment.path is None else ""
    folder = f", {working_folder() or 'which is gone'}." if lacks else ""
    return f"Settings were looked for in: {places}.{lacks}{folder}"
