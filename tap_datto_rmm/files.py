"""Files given on the command line: read and checked before the SDK sees them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from typing_extensions import override

from tap_datto_rmm.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable


class FileError(TapError):
    """A file given on the command line cannot be read, or holds something else."""


class JsonFile(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A file that holds the JSON object that its option asks for.

    The SDK shows a traceback where the file is missing or holds anything else.
    """

    name = "file"

    def __init__(self, option: str) -> None:
        """Keep the option's name: config, catalog or state."""
        self._option = option

    @override
    def convert(self, value: Any, param: object, ctx: object) -> Any:
        """Check the file; give what the SDK takes: a path for a config, else what was read.

        Raises:
            FileError: it cannot be read, or holds something else.
        """
        if self._option == "config" and value == "ENV":
            return value
        try:
            from_stdin = value == "-" and self._option != "config"
            text = sys.stdin.read() if from_stdin else Path(value).read_text(encoding="utf-8")
            fine = IS_FINE[self._option](json.loads(text))
        except OSError as error:
            raise self._error(value, f"{error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise self._error(value, f"not valid JSON ({error})") from None
        if not fine:
            raise self._error(value, "valid JSON, but of another shape")
        return value if self._option == "config" else io.StringIO(text)

    def _error(self, path: str, what: str) -> FileError:
        return FileError(f"--{self._option} {path}: {what}. Give {WANTED[self._option]}.")


def _is_object(content: object) -> bool:
    return isinstance(content, dict)


def _is_catalog(content: object) -> bool:
    streams = content.get("streams") if isinstance(content, dict) else None
    return isinstance(streams, list) and all(
        isinstance(stream, dict) and isinstance(stream.get("tap_stream_id"), str)
        for stream in streams
    )


def _is_state(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    bookmarks = content.get("bookmarks", {})
    return isinstance(bookmarks, dict) and all(isinstance(b, dict) for b in bookmarks.values())


IS_FINE: Final[dict[str, Callable[[object], bool]]] = {
    "config": _is_object,
    "catalog": _is_catalog,
    "state": _is_state,
}
WANTED: Final = {
    "config": "a JSON file with an object of settings, or ENV to read environment variables",
    "catalog": "a catalog as `--discover` prints it",
    "state": "the last STATE of a run, or leave --state out to read everything anew",
}
