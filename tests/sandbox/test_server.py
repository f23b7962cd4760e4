"""How a sandbox in a thread ends."""

from __future__ import annotations

import gc
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from datto_rmm_sandbox import Sandbox


def connected_at_the_end() -> list[socket.socket]:
    """Clients of a sandbox that has ended: it had to accept them and to end in one moment."""
    with Sandbox(devices=1) as sandbox:
        url = urlsplit(sandbox.url)

        def connect() -> list[socket.socket]:
            """Hold the event loop until both are due."""
            clients = [socket.create_connection((url.hostname, url.port), 5) for _ in range(3)]
            sandbox._server.should_exit = True
            time.sleep(0.05)
            return clients

        return sandbox.call(connect)


@pytest.mark.parametrize("_time", range(5))
def test_who_connects_as_it_ends_is_cut_off(_time: int) -> None:
    """A connection that nobody has looked at yet is closed, not left to the garbage collector."""
    for client in connected_at_the_end():
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""
    gc.collect()  # what is left open warns here, and the test fails
