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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings.parsing import from_texts
from tap_datto_rmm.texts import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dotenv.parser import Original

PREFIX: Final = "TAP_DATTO_RMM_"
"""Before the name of a setting, in capitals, in the environment."""

DOTENV: Final = ".env"
EXPORTED: Final = "environment"
"""Source of a setting that an exported variable sets."""

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


class BrokenLines(NamedTuple):
    """Lines of a `.env` that say nothing; their text is not kept, as it may be a secret."""

    first: int
    """Number of the first one, from 1."""
    last: int
    """A quotation mark that is not closed reaches to the next one."""
    is_ours: bool
    """Whether the tap's prefix stands in them."""


def variable(setting: str) -> str:
    """Give the name of a setting's environment variable.

    >>> variable("api_key")
    'TAP_DATTO_RMM_API_KEY'
    """
    return PREFIX + setting.upper().replace("-", "_")


def working_folder() -> Path | None:
    """Give its path; None where it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


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
    broken: tuple[BrokenLines, ...] = ()
    """What nobody can read in it."""

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
        statements = list(parse_stream(io.StringIO(text)))
        sound = "".join(one.original.string for one in statements if not one.error)
        found = dotenv_values(stream=io.StringIO(sound))
        return cls(
            dict(os.environ),
            {name: value for name, value in found.items() if value},
            path,
            tuple(_broken(one.original) for one in statements if one.error),
        )

    @classmethod
    def exported_only(cls) -> Environment:
        """Read no file: nobody asks for it, and it may be another program's."""
        return cls(dict(os.environ), {}, None)

    def with_unread_dotenv(self) -> Environment:
        """Look into the `.env` that nobody asked for, to tell of it; it may do no harm."""
        path = _dotenv_path()
        with suppress(DotenvError):
            if self.path is None and path and path.is_file():  # a pipe may have no other end
                found = self.read()
                return Environment(self.exported, found.dotenv, found.path)
        return self

    def layers(self, known: Mapping[str, Any]) -> list[Layer]:
        """Give the settings that are set; an exported variable counts before the `.env`.

        Args:
            known: JSON Schema of all settings.
        """
        layers = [Layer(EXPORTED, _settings(self.exported, known))]
        if self.path is not None:
            layers.insert(0, Layer(str(self.path), _settings(self.dotenv, known)))
        return layers

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

    def names(self) -> set[str]:
        """Give the names of the variables that are set; an empty one is not."""
        both = (*self.exported.items(), *self.dotenv.items())
        return {name for name, text in both if text.strip()}


def _settings(variables: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    names = {variable(setting): setting for setting in known["properties"]}
    texts = {names[name]: text for name, text in variables.items() if name in names}
    return from_texts(texts, known)


def _broken(statement: Original) -> BrokenLines:
    """Say where a statement is that cannot be read; white space before it is part of its text."""
    text = statement.string.lstrip()
    first = statement.line + statement.string.removesuffix(text).count("\n")
    last = first + text.rstrip("\r\n").count("\n")
    return BrokenLines(first, last, is_ours=PREFIX in text.upper())


def _dotenv_path() -> Path | None:
    folder = working_folder()
    path = folder / DOTENV if folder else None
    return path if path and path.exists() else None


def _is_other(name: str) -> bool:
    return name.removeprefix(PREFIX) in OTHERS
