"""The floor: what this work costs a program that promises nothing.

Fetches all device pages and the changed audits, ten at once, and writes every row as a RECORD line:
`bytes` cuts the rows out of the answers as they are, `orjson` parses and dumps each once, `drop`
writes nothing. No retries, no limit, no conversion, no checks; all pages may be in memory at once.
"""

from __future__ import annotations

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import msgspec
import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WORKERS: Final = 10
DATE: Final = b'"lastAuditDate":'
UID: Final = b'"uid":"'


class Details(msgspec.Struct):
    """What the floor reads of `pageDetails`."""

    totalCount: int  # noqa: N815 - as on the wire


class Page(msgspec.Struct):
    """A page whose rows stay bytes."""

    pageDetails: Details  # noqa: N815 - as on the wire
    devices: list[msgspec.Raw]


class Fetch:
    """One connection a thread.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        """Open nothing yet."""
        self._netloc = urlsplit(url).netloc
        self._own = local()
        self._headers: dict[str, str] = {}

    def log_in(self, key: str, secret: str) -> None:
        """Get the token."""
        form = {"grant_type": "password", "username": key, "password": secret}
        connection = http.client.HTTPConnection(self._netloc)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/auth/oauth/token", urlencode(form), kind)
        token = orjson.loads(connection.getresponse().read())["access_token"]
        connection.close()
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, path: str) -> bytes:
        """Get the body of one answer."""
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(self._netloc)
        connection.request("GET", f"/api/v2{path}", headers=self._headers)
        return connection.getresponse().read()


def rows_as_bytes(page: bytes) -> tuple[int, list[bytes]]:
    """Cut a page into its rows; the total comes with them."""
    found = msgspec.json.decode(page, type=Page)
    return found.pageDetails.totalCount, [bytes(row) for row in found.devices]


def line_of_bytes(stream: bytes, row: bytes) -> bytes:
    """Wrap a row into a RECORD message."""
    return b'{"type":"RECORD","stream":"%b","record":%b}\n' % (stream, row)


def line_of_orjson(stream: bytes, row: bytes) -> bytes:
    """Parse and dump a row on its way into a RECORD message."""
    message = {"type": "RECORD", "stream": stream.decode(), "record": orjson.loads(row)}
    return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)


def changed(rows: Iterable[bytes], since: int) -> list[str]:
    """Find the devices that were audited after a moment, without parsing them."""
    found = []
    for row in rows:
        date = row.index(DATE) + len(DATE)
        if int(row[date : row.index(b",", date)]) > since:
            uid = row.index(UID) + len(UID)
            found.append(row[uid : row.index(b'"', uid)].decode())
    return found


def main() -> None:
    """Do the work: `floor.py MODE URL KEY SECRET SINCE_MS`."""
    mode, url, key, secret, since = sys.argv[1:]
    line: Callable[[bytes, bytes], bytes] | None = {
        "drop": None,
        "bytes": line_of_bytes,
        "orjson": line_of_orjson,
    }[mode]
    fetch, write = Fetch(url), sys.stdout.buffer.write
    fetch.log_in(key, secret)
    first = fetch("/account/devices?max=250&page=0")
    total, rows = rows_as_bytes(first)
    uids: list[str] = []

    def emit(stream: bytes, found: list[bytes]) -> None:
        if line is not None:
            for row in found:
                write(line(stream, row))

    with ThreadPoolExecutor(WORKERS) as threads:
        numbers = range(1, -(-total // len(rows)))
        pages = threads.map(lambda n: fetch(f"/account/devices?max=250&page={n}"), numbers)
        emit(b"devices", rows)
        uids += changed(rows, int(since))
        for page in pages:
            _, rows = rows_as_bytes(page)
            emit(b"devices", rows)
            uids += changed(rows, int(since))
        for audit in threads.map(lambda uid: fetch(f"/audit/device/{uid}"), uids):
            emit(b"device_audits", [audit])


if __name__ == "__main__":
    main()
