"""The work with the Singer SDK, without what costs it most: the best that one thread can do.

Each page is parsed once, by orjson, and a record is written as it came: what the SDK does to every
record (types, selection, stream maps) is left out.

`python -m benchmarks.peers.singer_sdk_fast_tap --config FILE`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
from typing_extensions import override

from benchmarks.peers.singer_sdk_tap import (
    DattoStream,
    DeviceAudits,
    Devices,
    NextPage,
    PlainTap,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests


class KnownNextPage(NextPage):
    """Follows the link that the stream found when it parsed the page."""

    def __init__(self, stream: FastDevices) -> None:
        """Start with the first page."""
        super().__init__()
        self._stream = stream

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        return self._stream.next_page_url


class FastStream(DattoStream):
    """A stream that writes its records itself."""

    @override
    def _write_record_message(self, record: dict[str, Any]) -> None:
        message = {"type": "RECORD", "stream": self.name, "record": record}
        sys.stdout.buffer.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
        self.state_manager.is_flushed = False


class FastDevices(FastStream, Devices):
    """The device list."""

    next_page_url: str | None = None

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        page = orjson.loads(response.content)
        self.next_page_url = page["pageDetails"]["nextPageUrl"]
        yield from page["devices"]

    @override
    def get_new_paginator(self) -> KnownNextPage:
        return KnownNextPage(self)


class FastDeviceAudits(FastStream, DeviceAudits):
    """The audits."""

    parent_stream_type = FastDevices

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        yield orjson.loads(response.content)


class FastTap(PlainTap):
    """The tap."""

    name = "tap-fast"

    @override
    def discover_streams(self) -> list[DattoStream]:
        return [FastDevices(self), FastDeviceAudits(self)]


if __name__ == "__main__":
    FastTap.cli()
