"""Ask an account each path of the description once: what a user with a key can tell the others.

Paths, keys, types and forms of dates are told, and no value of the account's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.api.connection import IMPATIENT, connect
from tap_datto_rmm.errors import AuthenticationError, RateLimitError, RequestError
from tap_datto_rmm.spec_tools.document import Document
from tap_datto_rmm.spec_tools.path_values import LOG, PathValues
from tap_datto_rmm.spec_tools.readside import answer, facts
from tap_datto_rmm.spec_tools.shapes import Shape
from tap_datto_rmm.spec_tools.side import Side
from tap_datto_rmm.spec_tools.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.openapi import Schema, Spec
    from tap_datto_rmm.tap import TapDattoRMM

RUMOURED: Final = ("/v2/device/{deviceUid}/site/patch-management",)
"""Paths that are talked of and that no description has (docs/datto-rmm-api.md §12)."""

ROWS: Final = 250
"""As many as a page may have: one call tells the more."""
DAYS: Final = 7
"""Of the activity log, which names the jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What one path answered.

    Attributes:
        path: as it stands in the description.
        status: HTTP status; None where no answer came, or the path was not asked.
        lacking: parameters that the account has no value for: the path was not asked.
        shape: what the answer is; None without one.
    """

    path: str
    status: int | None = None
    lacking: str = ""
    shape: Shape | None = None


def probe(tap: TapDattoRMM, further: Sequence[str] = ()) -> Iterator[Probed]:
    """Ask each path once, those first that name parents for the others.

    Args:
        tap: with its config, and the description in use.
        further: paths besides those of the description.

    Yields:
        What each path answered.

    Raises:
        AuthenticationError: the key is not accepted.
        RateLimitError: the account's limit is used up.
        RequestError: the host does not let one in.
    """
    known, values = _Known(tap.spec), PathValues()
    client = connect(tap.settings, IMPATIENT)
    try:
        client.token()
        since = f"{client.now() - timedelta(days=DAYS):%Y-%m-%dT%H:%M:%SZ}"
        paths = {*known.paths, *RUMOURED, *further}
        waiting = sorted(paths, key=lambda path: (path.count("{"), path))
        while waiting:
            path = next(filter(values.fill, waiting), waiting[0])
            waiting.remove(path)
            filled = values.fill(path)
            if filled is None:
                yield Probed(path=path, lacking=values.lacking(path))
                continue
            query = known.query(path) | ({"from": since} if path == LOG else {})
            status, content = _ask(client, filled, query)
            if status != HTTPStatus.OK:
                yield Probed(path=path, status=status)
                continue
            values.learn(path, content)
            shape = Shape(known.table(path))
            shape.take(content)
            yield Probed(path=path, status=status, shape=shape)
    finally:
        client.close()


def _ask(client: Client, path: str, query: dict[str, Any]) -> tuple[int | None, Any]:
    """Ask once; give the status, None where no answer came, and what was said.

    Raises:
        AuthenticationError: the key is not accepted any more.
        RateLimitError: the account's limit is used up.
    """
    try:
        content: Any = client.get(path, query)
    except (AuthenticationError, RateLimitError):
        raise
    except RequestError as error:
        # A status of 200 is that of an answer that could not be read.
        return (None if error.status == HTTPStatus.OK else error.status), None
    if isinstance(content, dict):  # lists come as something that decodes row by row
        content = {key: _as_list(part) for key, part in content.items()}
    return HTTPStatus.OK, content


def _as_list(part: Any) -> Any:
    return list(part) if isinstance(part, Sequence) and not isinstance(part, str) else part


class _Known:
    """What the description says of each path's answer, the exceptions of the wire applied."""

    def __init__(self, spec: Spec) -> None:
        # What is left out of the records is sent all the same; what the tap adds is not.
        on_the_wire = [one for one in spec.exceptions if "is" in one and "copies" not in one]
        self._side = side = Side(Document(spec.document, spec.source), on_the_wire)
        self.paths: dict[str, Schema] = side.facts["paths"]
        self._schemas = {name: facts(side.spec.component(name)) for name in side.schemas}

    def table(self, path: str) -> Table:
        if path not in self.paths:
            return {}
        operation = self.paths[path]["get"]
        component = self._schemas.get(self._side.answers(operation))
        return table(component or answer(operation), self._schemas)

    def query(self, path: str) -> dict[str, Any]:
        given = self.paths[path]["get"]["parameters"] if path in self.paths else []
        names = {parameter["name"] for parameter in given}
        return {name: ROWS for name in ("max", "size") if name in names}
