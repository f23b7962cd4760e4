"""A fast stand-in for the Datto RMM API: a benchmark shall measure the client, not the server.

It gives the answers of the sandbox (its rows, its rate limit) for the device list and the audits of
computers, put together from bytes that were serialised once. Run it as its own process:
`python -m benchmarks.stub --devices 20000 --audits 500 --latency-ms 150`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson
from datto_rmm_sandbox.account import Account
from datto_rmm_sandbox.audits import device_audit
from datto_rmm_sandbox.devices import device_row
from datto_rmm_sandbox.limits import CUT_OFF_RATIO, UNLIMITED, RateLimit, Verdict
from datto_rmm_sandbox.quirks import Quirks
from datto_rmm_sandbox.sites import account_row, site_row
from typing_extensions import override

from benchmarks.measure import BOOKMARK_MS, NOW, PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN: Final = "benchmark-token"  # noqa: S105 - made up

TEMPLATES: Final = 400
"""Different rows that the device list repeats; each copy has its own id, uid and audit date."""
AUDIT_TEMPLATES: Final = 50
AUDIT_BYTES: Final = 6_500
"""About what a real audit of a computer weighs."""
LONG_AGO_MS: Final = 7_200_000
"""Before the bookmark by more than the look-back, which would ask for such a device again."""
UID: Final = "00000000-0000-4000-8000-%012d"

REASONS: Final = {200: b"OK", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found"}
REASONS[429] = b"Too Many Requests"
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the stub serves, and how.

    Attributes:
        devices: rows of the device list.
        audits: devices of class `device` whose audit is newer than `BOOKMARK_MS`.
        latency: seconds before each answer.
        page_latency: further seconds before each page of a list.
        jitter: by which share at most a latency is shorter or longer than given, evenly spread.
        limit: requests a minute before 429; 0 for none.
        others: requests a minute that another client of the account makes.
    """

    devices: int = 20_000
    audits: int = 500
    latency: float = 0.0
    page_latency: float = 0.0
    jitter: float = 0.0
    limit: int = 0
    others: float = 0.0


@dataclass(slots=True)
class Journal:
    """What was asked since the last reset."""

    started: float = field(default_factory=time.monotonic)
    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and the status, of each request but those for tokens."""
    slowed: int = 0
    """Answers that the limit held back."""
    under_way: int = 0
    most_under_way: int = 0
    bytes_sent: int = 0

    def summary(self) -> dict[str, Any]:
        """Give it all as JSON."""
        return {
            "total": sum(self.calls.values()),
            "calls": dict(self.calls),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "arrivals": self.arrivals,
            "slowed": self.slowed,
            "most_under_way": self.most_under_way,
            "bytes_sent": self.bytes_sent,
        }


class Content:
    """The answers' bodies, from rows that are serialised once.

    Args:
        shape: how many devices, how many of them audited lately.
    """

    def __init__(self, shape: Shape) -> None:
        """Serialise the rows that everything is made of."""
        self.shape = shape
        account = Account(devices=TEMPLATES * 2, now=NOW)
        quirks = Quirks()
        computers = [device for device in account.devices if device.is_computer]
        rows = (device_row(account, device, quirks) for device in computers[:TEMPLATES])
        self._rows = [_without(row, ("id", "uid", "lastAuditDate")) for row in rows]
        self._audits = [
            _padded(device_audit(account, device))
            for device in computers
            if device.audited is not None
        ][:AUDIT_TEMPLATES]
        own = account_row(account)
        own["devicesStatus"] |= {"numberOfDevices": shape.devices}
        self.account = orjson.dumps(own)
        sites = [site_row(account, site) for site in account.sites[:1]]
        sites[0]["devicesStatus"] |= {"numberOfDevices": shape.devices}
        self.sites = orjson.dumps(
            {"pageDetails": {"count": 1, "totalCount": 1, "nextPageUrl": None}, "sites": sites}
        )
        self.status = orjson.dumps({"version": "15.1.0", "status": "OK", "started": NOW})
        self.token = orjson.dumps(
            {"access_token": TOKEN, "token_type": "bearer", "expires_in": 359_999}
        )

    def page(self, number: int, size: int, host: str) -> bytes:
        """Put together a page of the device list.

        Args:
            number: of the page, from 0.
            size: rows of a page.
            host: name and port that the client used, for the next page's URL.
        """
        first = number * size
        places = range(first, min(first + size, self.shape.devices))
        more = first + size < self.shape.devices
        address = f"http://{host}/api/v2/account/devices?max={size}&page="
        details = {
            "count": len(places),
            "totalCount": self.shape.devices,
            "prevPageUrl": f"{address}{number - 1}" if number else None,
            "nextPageUrl": f"{address}{number + 1}" if more else None,
        }
        rows = b",".join(self._device_rows(places))
        return b'{"pageDetails":%b,"devices":[%b]}' % (orjson.dumps(details), rows)

    def _device_rows(self, places: Iterable[int]) -> Iterable[bytes]:
        devices, audits = self.shape.devices, self.shape.audits
        uid = UID.encode()
        for at in places:
            # Spread evenly: exactly `audits` of all places step over a whole number.
            changed = (at + 1) * audits // devices != at * audits // devices
            audited = BOOKMARK_MS + 1_000 + at if changed else BOOKMARK_MS - LONG_AGO_MS - at
            row = self._rows[at % len(self._rows)]
            yield b'{"id":%d,"uid":"%b","lastAuditDate":%d,%b' % (at + 1, uid % at, audited, row)

    def audit(self, uid: str) -> bytes | None:
        """Give the audit of a device; None where there is no such device."""
        number = uid[-12:]
        if not number.isdecimal() or int(number) >= self.shape.devices:
            return None
        return self._audits[int(number) % len(self._audits)]


def _without(row: dict[str, Any], names: Iterable[str]) -> bytes:
    left_out = set(names)
    return orjson.dumps({k: v for k, v in row.items() if k not in left_out})[1:]


def _padded(audit: dict[str, Any]) -> bytes:
    """Give an audit as many attached devices as a real one has by weight."""
    port = {
        "deviceName": "Microsoft Print to PDF",
        "deviceType": "Printer",
        "driverFile": "UNIDRV.DLL",
        "driverFileLastModified": NOW,
        "driverManufacturer": "Microsoft",
        "driverName": "Microsoft enhanced Point and Print compatibility driver",
        "driverVersion": "10.0.26100.1",
        "portName": "PORTPROMPT:",
    }
    missing = AUDIT_BYTES - len(orjson.dumps(audit))
    count = max(0, missing // (len(orjson.dumps(port)) + 1))
    return orjson.dumps({**audit, "attachedDevices": [port] * count})


class Stub:
    """The server's memory: what it serves, what it was asked.

    Args:
        shape: what it serves.
    """

    def __init__(self, shape: Shape) -> None:
        """Make the bodies."""
        self.shape = shape
        self.content = Content(shape)
        self.journal = Journal()
        self._random = random.Random(shape.devices)  # noqa: S311 - the same in each run
        self.limit = RateLimit(shape.limit, 60.0, 1.0, 100, 300.0, other_rate=shape.others)

    def answer(self, target: str, host: str, authorized: bool) -> tuple[int, bytes, float]:  # noqa: FBT001
        """Answer one request.

        Args:
            target: path and query.
            host: the request's Host header.
            authorized: whether it carries the token.

        Returns:
            Status, body, and seconds to wait before the answer leaves.
        """
        parts = urlsplit(target)
        path, delay = parts.path, self._varied(self.shape.latency)
        self.journal.calls[_kind(path)] += 1
        if path == "/auth/oauth/token":
            return 200, self.content.token, delay
        status, body = 401, b"{}"
        verdict = self.limit.arrive()
        if verdict in {Verdict.REFUSED, Verdict.BLOCKED}:
            status = 429 if verdict is Verdict.REFUSED else 403
        elif authorized or path == "/api/v2/system/status":
            status, body = self._body(path.removeprefix("/api"), parts.query, host)
        if verdict is Verdict.SLOW:
            delay += self.limit.slow_down_seconds
            self.journal.slowed += 1
        if path == "/api/v2/account/devices":
            delay += self._varied(self.shape.page_latency)
        self.journal.arrivals.append((time.monotonic() - self.journal.started, status))
        return status, body, delay

    def _varied(self, latency: float) -> float:
        return latency * (1 + self.shape.jitter * self._random.uniform(-1, 1))

    def _body(self, path: str, query: str, host: str) -> tuple[int, bytes]:
        match path:
            case "/v2/account/devices":
                asked = dict(parse_qsl(query))
                size = min(int(asked.get("max", PAGE_SIZE)), PAGE_SIZE)
                return 200, self.content.page(int(asked.get("page", 0)), size, host)
            case "/v2/account":
                return 200, self.content.account
            case "/v2/account/sites":
                return 200, self.content.sites
            case "/v2/system/status":
                return 200, self.content.status
            case "/v2/system/request_rate":
                return 200, self._rate_status()
        body = None
        if path.startswith("/v2/audit/device/"):
            body = self.content.audit(path.rpartition("/")[2])
        return (404, b"{}") if body is None else (200, body)

    def _rate_status(self) -> bytes:
        return orjson.dumps(
            {
                "slidingTimeWindowSizeSeconds": 60,
                "accountUid": "stub",
                "accountCount": self.limit.count(),
                "accountRateLimit": self.limit.limit or UNLIMITED,
                "accountCutOffRatio": CUT_OFF_RATIO,
            }
        )


def _kind(path: str) -> str:
    name = path.removeprefix("/api/v2/")
    return "audit/device" if name.startswith("audit/device/") else name


class Connection(asyncio.Protocol):
    """One connection: HTTP/1.1 with keep-alive and no more than a benchmark's clients use.

    Args:
        stub: who answers.
    """

    def __init__(self, stub: Stub) -> None:
        """Wait for a request."""
        self._stub = stub
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, target, _ = first.split(" ")
        if target.startswith("/_stub/"):
            self._control(method, target)
        else:
            self._serve(target, headers)

    def _serve(self, target: str, headers: dict[str, str]) -> None:
        journal = self._stub.journal
        journal.under_way += 1
        journal.most_under_way = max(journal.most_under_way, journal.under_way)
        authorized = headers.get("authorization") == f"Bearer {TOKEN}"
        status, body, delay = self._stub.answer(target, headers.get("host", ""), authorized)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, status, body)
        else:
            self._send(status, body)

    def _send(self, status: int, body: bytes) -> None:
        journal = self._stub.journal
        journal.under_way -= 1
        journal.statuses[status] += 1
        journal.bytes_sent += len(body)
        self._write(status, body)

    def _control(self, method: str, target: str) -> None:
        if method == "DELETE":
            self._stub.journal = Journal()
            self._stub.limit.reset()
            self._write(200, b"{}")
        elif target == "/_stub/requests":
            self._write(200, orjson.dumps(self._stub.journal.summary()))
        else:
            self._write(404, b"{}")

    def _write(self, status: int, body: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        head = b"\r\n".join(
            (
                b"HTTP/1.1 %d %b" % (status, REASONS[status]),
                b"Content-Type: application/json",
                b"Content-Length: %d" % len(body),
                b"Date: %b" % formatdate(usegmt=True).encode(),
                b"\r\n",
            )
        )
        self._transport.writelines((head, body))


async def serve(shape: Shape, port: int = 0) -> None:
    """Serve until cancelled; the first line on stdout is the address.

    Args:
        shape: what to serve.
        port: 0 takes a free one.
    """
    stub = Stub(shape)
    loop = asyncio.get_running_loop()
    listener = socket.create_server((LOOPBACK, port), backlog=256)
    server = await loop.create_server(lambda: Connection(stub), sock=listener)
    print(f"http://{LOOPBACK}:{listener.getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def parser() -> argparse.ArgumentParser:
    """Give the command's options."""
    main = argparse.ArgumentParser(prog="python -m benchmarks.stub", description=__doc__)
    main.add_argument("--port", type=int, default=0, help="0 takes a free one")
    main.add_argument("--devices", type=int, default=20_000)
    main.add_argument("--audits", type=int, default=500)
    main.add_argument("--latency-ms", type=float, default=0.0, help="of every answer")
    main.add_argument("--page-latency-ms", type=float, default=0.0, help="more for a page")
    main.add_argument(
        "--jitter-percent", type=float, default=0.0, help="latencies vary by so much, up and down"
    )
    main.add_argument("--limit", type=int, default=0, help="requests a minute; 0 for none")
    main.add_argument("--others", type=float, default=0.0, help="requests a minute of another tool")
    return main


def main() -> int:
    """Run the stub until it is interrupted."""
    given = parser().parse_args()
    shape = Shape(
        devices=given.devices,
        audits=given.audits,
        latency=given.latency_ms / 1000,
        page_latency=given.page_latency_ms / 1000,
        jitter=given.jitter_percent / 100,
        limit=given.limit,
        others=given.others,
    )
    try:
        asyncio.run(serve(shape, given.port))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
