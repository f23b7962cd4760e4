"""Files given on the command line: read once, and checked before the SDK sees them."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from typing_extensions import override

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings.sources import Layer
from tap_datto_rmm.singer.catalog_shape import ShapeError, repeated_streams, shaped
from tap_datto_rmm.texts import RepeatedKeyError, bare, decoded, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("tap-datto-rmm")

ENVIRONMENT: Final = "ENV"
"""As a config: read environment variables."""

STDIN: Final = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_TAKEN: Final = "tap_datto_rmm.files.stdin"


class FileError(TapError):
    """A file given on the command line cannot be read, or holds something else."""


class JsonFile(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A file that holds the JSON object that its option asks for.

    The SDK shows a traceback where the file is missing or holds anything else, and reads a config
    that comes through a pipe a second time.
    """

    name = "file"

    def __init__(self, option: str) -> None:
        """Keep the option's name: config, catalog or state."""
        self._option = option

    @override
    def convert(self, value: Any, param: object, ctx: click.Context | None) -> Any:
        """Read and check the file.

        Returns:
            `ENVIRONMENT` as it is; a config as a `Layer`; a catalog or a state as text, in a file
            as the SDK takes it; None for a state that is empty, which a first run has.

        Raises:
            FileError: it cannot be read, or holds something else.
        """
        if self._option == "config" and value == ENVIRONMENT:
            return value
        text = bare(self._read(value, ctx))
        if self._option == "state" and text in {"", "null"}:
            return None
        if not text:
            raise self._error(value, "it is empty")
        try:
            content = read_json(text)
        except RepeatedKeyError as error:
            raise self._error(value, f"it has the key `{error.key}` twice in one object") from None
        except (ValueError, RecursionError) as error:
            raise self._error(value, f"not valid JSON ({error})") from None
        try:
            content = SHAPES[self._option](content)
        except ShapeError as error:
            raise self._error(value, f"valid JSON, but of another shape ({error})") from None
        if self._option == "config":
            return Layer(value, content)
        return io.StringIO(json.dumps(content))

    def _read(self, path: str, ctx: click.Context | None) -> str:
        try:
            content = self._standard_input(path, ctx) if path in STDIN else Path(path).read_bytes()
            return decoded(content)
        except OSError as error:
            raise self._error(path, f"{error.strerror}") from None
        except ValueError:
            raise self._error(path, "not valid JSON (neither UTF-8 nor UTF-16)") from None

    def _standard_input(self, path: str, ctx: click.Context | None) -> bytes:
        taken = ctx.meta if ctx else {}
        if other := taken.get(_TAKEN):
            raise self._error(path, f"--{other} has read standard input already")
        taken[_TAKEN] = self._option
        if sys.stdin is None:
            raise self._error(path, "standard input is closed")
        return sys.stdin.buffer.read()

    def _error(self, path: str, what: str) -> FileError:
        return FileError(f"--{self._option} {path}: {what}. Give {WANTED[self._option]}.")


def _object(content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ShapeError("it is no object")
    return content


def _catalog(content: object) -> dict[str, Any]:
    catalog = shaped(content)
    if repeated := repeated_streams(catalog):
        logger.warning("The catalog has %s twice; the last one counts.", ", ".join(repeated))
    return catalog


def _state(content: object) -> dict[str, Any]:
    state = _object(content)
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(isinstance(b, dict) for b in bookmarks.values()):
        raise ShapeError("`bookmarks` must be an object of objects")
    return state


SHAPES: Final[dict[str, Callable[[object], dict[str, Any]]]] = {
    "config": _object,
    "catalog": _catalog,
    "state": _state,
}
WANTED: Final = {
    "config": "a JSON file with an object of settings, or ENV to read environment variables",
    "catalog": "a catalog as `--discover` prints it",
    "state": "the last STATE of a run, one line, or leave --state out to read everything anew",
}
