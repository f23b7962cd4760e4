"""Which streams a run reads: the tap's own selection, and what an account wants otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.errors import AccountsFileError
from fleet.known import did_you_mean

if TYPE_CHECKING:
    from fleet.accounts import Streams

Catalog = dict[str, Any]


def selected(catalog: Catalog, streams: Streams) -> Catalog:
    """Change the selection of a catalog that the tap has discovered.

    Raises:
        AccountsFileError: the tap has no such stream.
    """
    known = {entry["tap_stream_id"] for entry in catalog["streams"]}
    if unknown := sorted({*streams.also, *streams.without} - known):
        raise AccountsFileError(
            " ".join(f"The tap has no stream {one}.{did_you_mean(one, known)}" for one in unknown)
        )
    for entry in catalog["streams"]:
        name = entry["tap_stream_id"]
        if name in streams.also or name in streams.without:
            _select(entry, name in streams.also)
    return catalog


def account_only(catalog: Catalog) -> Catalog:
    """Select the stream `account` alone: one call, and it tells whose key it is."""
    for entry in catalog["streams"]:
        _select(entry, entry["tap_stream_id"] == "account")
    return catalog


def _select(entry: Catalog, yes: bool) -> None:  # noqa: FBT001 - `_select(entry, name == "x")`
    for part in entry["metadata"]:
        if not part["breadcrumb"]:
            part["metadata"]["selected"] = yes
