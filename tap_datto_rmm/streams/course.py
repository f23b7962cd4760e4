"""The course of a sync: what is refused before the first request, then the streams in turn."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.errors import TapError
from tap_datto_rmm.settings import platform_of
from tap_datto_rmm.singer.state import future_date_in
from tap_datto_rmm.streams.list_stream import ListStream
from tap_datto_rmm.telemetry.wording import counted
from tap_datto_rmm.texts import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence

    from singer_sdk.singerlib import Catalog
    from singer_sdk.singerlib.catalog import CatalogEntry

    from tap_datto_rmm.run import Run
    from tap_datto_rmm.streams.base import DattoStream
    from tap_datto_rmm.telemetry.report import StreamReport

logger = logging.getLogger("tap-datto-rmm")

LISTS_AHEAD: Final = 3
"""Lists whose first page is asked for while another is being read."""


class SelectionError(TapError):
    """What is selected leaves nothing to read, or is no stream: that is no success."""


class SyncError(TapError):
    """Streams failed or may lack rows; the others are complete and their state is kept."""


def check_selection(
    catalog: Catalog | None, streams: Collection[DattoStream], chosen: Sequence[DattoStream]
) -> None:
    """Refuse a selection of nothing, or of what there is not.

    Args:
        catalog: as given; None without one.
        streams: all that there are.
        chosen: those that are selected.

    Raises:
        SelectionError: each name that is no stream, with the nearest one that is.
    """
    names = {stream.name for stream in streams}
    unknown = [
        name
        for name, entry in (catalog or {}).items()
        if name not in names and _is_asked_for(entry)
    ]
    if unknown:
        lines = (
            f"The catalog selects `{name}`, but there is no such stream.{did_you_mean(name, names)}"
            for name in unknown
        )
        raise SelectionError("\n".join(lines))
    if not chosen:
        raise SelectionError(
            f"Nothing to read: the catalog selects none of the {len(names)} streams. Set "
            '"selected": true in the metadata of a stream; --discover writes a catalog to edit.'
        )


def _is_asked_for(entry: CatalogEntry) -> bool:
    """Whether somebody has selected a stream by name."""
    return str(getattr(entry.metadata.get(()), "selected", None)).lower() == "true"


def announce(run: Run, chosen: Sequence[DattoStream]) -> None:
    """Say whose account is read, where, and what is due."""
    account, where = run.report.account, platform_of(run.settings.host_url)
    waiting = [stream.name for stream in chosen if not stream.is_due()]
    due = "all due" if not waiting else f"all due but {', '.join(waiting)}"
    logger.info(
        "Account %s (%s) on %s; %s, %s",
        account["name"] or "not known",
        account["uid"] or "no uid",
        where,
        counted(len(chosen), "stream"),
        due,
    )


def read_in_turn(run: Run, chosen: Sequence[DattoStream]) -> None:
    """Read the streams one after the other.

    Raises:
        SyncError: streams failed or may lack rows; the others are complete.
        RequestError: no stream can be read.
    """
    for number, stream in enumerate(chosen, 1):
        run.progress.turn_to(number, len(chosen), partial(_calls_of, chosen[number:]))
        held = run.state.get("bookmarks", {}).get(stream.name, {})
        if refusal := future_date_in(stream.name, held, run.client.latest_now()):
            stream.refuse(refusal)
            continue
        _look_ahead_from(stream, chosen[number - 1 :])
        with _told(run.report.of(stream.name)):
            stream.sync()
    if unfinished := run.report.unfinished:
        named = ", ".join(f"{stream.name} ({stream.status})" for stream in unfinished)
        raise SyncError(
            f"{len(unfinished)} of {len(run.report.streams)} streams are not complete: {named}"
        )


@contextmanager
def _told(report: StreamReport) -> Generator[None]:
    """Take the time of a stream, and write its line to the log when it has ended, however."""
    began = time.monotonic()
    try:
        yield
    finally:
        report.seconds = time.monotonic() - began
        report.tell()


def _calls_of(streams: Sequence[DattoStream]) -> int | None:
    """Add up what streams will take; None where one of them does not know."""
    known = [stream.calls_ahead() for stream in streams]
    return None if None in known else sum(filter(None, known))


def _look_ahead_from(stream: DattoStream, following: Sequence[DattoStream]) -> None:
    """Ask for the first pages of the lists that come next, while a list is being read.

    No further ahead: a page that waits while thousands of alerts or audits are read is no
    longer true.
    """
    for one in following[: LISTS_AHEAD + 1]:
        if not isinstance(one, ListStream) or not one.is_short:
            return
        if one is not stream and one.is_due():
            one.look_ahead()
