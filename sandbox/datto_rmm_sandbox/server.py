"""Running a sandbox: in the foreground for the command line, in a thread for tests."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from datto_rmm_sandbox.app import application
from datto_rmm_sandbox.checks import GivenError
from datto_rmm_sandbox.life import Happened, advance
from datto_rmm_sandbox.options import Options
from datto_rmm_sandbox.quirks import HELP, Quirks
from datto_rmm_sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.journal import Entry

T = TypeVar("T")

KEEP_ALIVE = 75
TICK = 0.02
"""Seconds: a client's pooled connections outlive its pauses; an end is noticed this soon."""
TURNS_TO_ACCEPT = 3
"""Turns of asyncio's loop from a connection's `accept()` to its protocol's `connection_made()`."""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also hands the application its transport, to cut it."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where the application finds it.

        Args:
            transport: The connection.
        """
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class Server(uvicorn.Server):
    """uvicorn's server, but one that ends at once: who is still waiting is cut off."""

    @override
    async def main_loop(self) -> None:
        """Keep the date header fresh until the end."""
        tick = 0
        while not await self.on_tick(tick // 5):
            tick += 1
            await asyncio.sleep(TICK)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open.

        Args:
            sockets: The listening sockets.
        """
        for listening in self.servers:
            listening.close()
        for _ in range(TURNS_TO_ACCEPT):
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.lifespan.shutdown()


def listen(options: Options) -> socket.socket:
    """Take the port.

    Args:
        options: `host` and `port`.

    Returns:
        A listening socket.

    Raises:
        GivenError: The host is no loopback address.
        OSError: The port is taken.
    """
    host = "127.0.0.1" if options.host == "localhost" else options.host
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise GivenError("host", f"must be a loopback address, not {options.host!r}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off: 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, options.port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


def address(listener: socket.socket) -> str:
    """Where a listening socket is reached.

    Args:
        listener: The socket.

    Returns:
        For example http://127.0.0.1:8080.
    """
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server(state: State) -> Server:
    """A server for a sandbox, silent and on one event loop.

    Args:
        state: The sandbox.

    Returns:
        A server that is not running yet.
    """
    config = uvicorn.Config(
        application(state),
        http=Protocol,
        ws="none",
        loop="asyncio",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the account's clock tells the date
        timeout_keep_alive=KEEP_ALIVE,
    )
    return Server(config)


class Sandbox:
    """A sandbox in a thread of this process, as a context manager.

    Args:
        options: How it starts; its fields may be given as keywords instead, those of its quirks
            too, for example `Sandbox(devices=20, rate_limit=0, alert_order="unordered")`.

    Raises:
        ValueError: An option makes no sense.
        TypeError: There is no such option.
    """

    def __init__(self, options: Options | None = None, **given: Any) -> None:
        """Make the account; nothing listens yet."""
        turned = {name: given.pop(name) for name in list(given) if name in HELP}
        if turned:
            given["quirks"] = given.get("quirks", Quirks()).changed(turned)
        self.options = options or Options(**given)
        self.state = State(self.options)
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server = server(self.state)
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Start listening.

        Returns:
            The sandbox, whose `url` is http://127.0.0.1:PORT.

        Raises:
            OSError: The port is taken.
        """
        listener = listen(self.options)
        self.url = address(listener)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="sandbox", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop listening; what is under way is cut off."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()

    def _run(self, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._ready.set()
            await self._server.serve(sockets=[listener])

        asyncio.run(serve())

    @property
    def account(self) -> Account:
        """The account. Read it freely; change it by `call` or the control plane only."""
        return self.state.account

    @property
    def requests(self) -> list[Entry]:
        """The requests that were answered, oldest first."""
        return list(self.state.journal.entries)

    @property
    def settings(self) -> dict[str, str]:
        """The tap's settings that reach this sandbox."""
        return {
            "api_url": self.url,
            "api_key": self.options.api_key,
            "api_secret": self.options.api_secret,
        }

    def call(self, change: Callable[[], T]) -> T:
        """Do something with the account between two requests.

        Args:
            change: What to do; it runs in the sandbox's thread.

        Returns:
            What it returns.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        if self._loop is None:
            message = "the sandbox is not running"
            raise RuntimeError(message)

        async def run() -> T:
            return change()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def advance(self, minutes: float = 60.0, **wanted: Any) -> Happened:
        """Let the account live, see `life.advance`.

        Args:
            minutes: How long.
            wanted: What shall happen meanwhile.

        Returns:
            What happened.
        """
        return self.call(lambda: advance(self.account, minutes, **wanted))
