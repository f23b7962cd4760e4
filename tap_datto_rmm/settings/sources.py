"""Where settings come from: files, a `.env`, the environment; the later ones count.

An exported variable counts before the `.env` of the working folder, both before a file, and an
empty variable counts as not given.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dotenv import dotenv_values

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings.parsing import from_texts
from tap_datto_rmm.texts import decoded, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX: Final = "TAP_DATTO_RMM_"
"""Before the name of a setting, in capitals, in the environment."""

DOTENV: Final = ".env"
EXPORTED: Final = "environment"
"""Source of a setting that an exported variable sets."""

BY_MELTANO: Final = "MELTANO_EXTRACTOR_NAME"
"""A variable that is set where Meltano runs the tap."""

OTHERS: Final = frozenset({"LOGLEVEL"})
"""Variables with the prefix that are no settings."""


class DotenvError(TapError):
    """The `.env` in the working folder cannot be read."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place."""

    source: str
    """As a person calls it: the path of a file, or the environment."""
    values: Mapping[str, Any] = field(repr=False)


def variable(setting: str) -> str:
    """Give the name of a setting's environment variable.

    >>> variable("api_key")
    'TAP_DATTO_RMM_API_KEY'
    """
    return PREFIX + setting.upper().replace("-", "_")


def laid_over(layers: Iterable[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """Lay settings over one another.

    Args:
        layers: what counts most comes last.

    Returns:
        The settings, and the source of each.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        values.update(layer.values)
        sources.update(dict.fromkeys(layer.values, layer.source))
    return values, sources


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this process, and those of the working folder's `.env`."""

    exported: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)
    path: Path | None
    """Of the `.env` that was read; None where there is none."""

    @classmethod
    def read(cls) -> Environment:
        """Read both, where `--config ENV` asks for them.

        Raises:
            DotenvError: there is a `.env`, and it cannot be read.
        """
        path = _dotenv_path()
        if path is None or path.is_dir():  # which is somebody's virtual environment
            return cls.exported_only()
        try:
            text = decoded(path.read_bytes())
        except OSError as error:
            why = f"{error.strerror}. Make it readable, or remove it"
            raise DotenvError(f"{path}: {why}.") from None
        except ValueError:
            raise DotenvError(f"{path}: neither UTF-8 nor UTF-16. Save it as UTF-8.") from None
        found = dotenv_values(stream=io.StringIO(text))
        return cls(dict(os.environ), {name: value for name, value in found.items() if value}, path)

    @classmethod
    def exported_only(cls) -> Environment:
        """Read no file: nobody asks for it, and it may be another program's."""
        return cls(dict(os.environ), {}, None)

    @classmethod
    def glanced_at(cls) -> Environment:
        """Read both to find what is missing; a `.env` that cannot be read does no harm."""
        path = _dotenv_path()
        with suppress(DotenvError):
            if path and path.is_file():  # a pipe may have no other end
                return cls.read()
        return cls.exported_only()

    def layers(self, known: Mapping[str, Any]) -> list[Layer]:
        """Give the settings that are set; an exported variable counts before the `.env`.

        Args:
            known: JSON Schema of all settings.
        """
        exported = Layer(EXPORTED, from_texts(self._settings(self.exported, known), known))
        if self.path is None:
            return [exported]
        return [
            Layer(str(self.path), from_texts(self._settings(self.dotenv, known), known)),
            exported,
        ]

    def export(self) -> frozenset[str]:
        """Let what else the `.env` sets count for this process, such as HTTPS_PROXY.

        Returns:
            The names of these variables.
        """
        others = {
            name: text
            for name, text in self.dotenv.items()
            if name not in self.exported and (not name.startswith(PREFIX) or _is_other(name))
        }
        os.environ.update(others)
        return frozenset(others)

    def misspelt(self, known: Mapping[str, Any]) -> Iterator[str]:
        """Name the variables that are like a setting's, a line each.

        Args:
            known: JSON Schema of all settings.
        """
        for name, meant in self._unknown(known):
            if meant:
                yield f"Variable `{name}` is not known. Did you mean `{meant}`?"

    def warnings(self, known: Mapping[str, Any], config: Mapping[str, Any] | None) -> list[str]:
        """Name the variables that nothing reads.

        Args:
            known: JSON Schema of all settings.
            config: what counts instead of the environment; None where that counts.
        """
        if config is None:
            unknown = (name for name, meant in self._unknown(known) if not meant)
            return [f"Variable `{name}` is not known; nothing reads it." for name in unknown]
        if BY_MELTANO in self.exported:  # which exports the settings that it inherits, too
            return []
        names = known["properties"]
        texts = from_texts(self._settings(self.exported, known), known)
        differ = [
            variable(name)
            for name, value in texts.items()
            if value != config.get(name, names[name].get("default"))
        ]
        unread = ", ".join(differ)
        return [f"Not read, as `--config ENV` was not given: {unread}"] if differ else []

    def hint(self, setting: str) -> str:
        """Say where a setting that is missing may be found; empty where nothing is like it.

        Args:
            setting: that nobody gave.
        """
        name = variable(setting)
        if name in _set(self.exported):
            return f" {name} is set: add `--config ENV` to read it."
        if name in _set(self.dotenv):
            return f" {self.path} sets {name}: add `--config ENV` to read it."
        others = {*_set(self.exported), *_set(self.dotenv)}
        names = {other.upper(): other for other in others if not other.startswith(PREFIX)}
        like = nearest(name, names, likeness=0.89)
        return f" `{names[like]}` is set. Did you mean `{name}`?" if like else ""

    def origin(self, setting: str, source: str) -> str:
        """Say who set a setting, as the end of a line about it; empty where it is not known.

        Args:
            setting: its name.
            source: of its layer.
        """
        if source == EXPORTED:
            return f" It is set by {variable(setting)}."
        if source and source == str(self.path):
            return f" It is set by {variable(setting)} in {source}."
        return f" It is set in {source}." if source else ""

    def _unknown(self, known: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
        """Find variables with the tap's prefix that are no setting's, and which were meant."""
        ends = {variable(setting).removeprefix(PREFIX) for setting in known["properties"]}
        for name in sorted({*_set(self.exported), *_set(self.dotenv)}):
            end = name.removeprefix(PREFIX)
            # `__` is Meltano's: TAP_DATTO_RMM__SELECT
            if name.startswith(PREFIX) and end not in ends | OTHERS and not end.startswith("_"):
                of_another = any(end.endswith(f"_{one}") for one in ends)  # TAP_DATTO_RMM_ACME_...
                meant = None if of_another else nearest(end, ends, likeness=0.75)
                yield name, PREFIX + meant if meant else None

    @staticmethod
    def _settings(variables: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
        names = {variable(setting): setting for setting in known["properties"]}
        return {names[name]: text for name, text in variables.items() if name in names}


def _dotenv_path() -> Path | None:
    try:
        path = Path.cwd() / DOTENV
    except FileNotFoundError:  # the working folder was removed
        return None
    return path if path.exists() else None


def _set(variables: Mapping[str, str]) -> set[str]:
    return {name for name, text in variables.items() if text.strip()}


def _is_other(name: str) -> bool:
    return name.removeprefix(PREFIX) in OTHERS
