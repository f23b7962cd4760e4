"""Runs a command in a network of its own, as on another machine: its loopback is not ours.

`python own_network.py PORT... -- COMMAND...`: connections to these ports of its loopback arrive at
the same ports of ours, and nothing else does. No privilege is needed where the kernel gives user
namespaces to everybody.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from functools import partial

LOOPBACK = "127.0.0.1"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def is_to_be_had() -> bool:
    """Whether this machine lets us have one."""
    done = subprocess.run([*prefix(), "true"], capture_output=True, check=False)
    return done.returncode == 0


def prefix(*ports: int) -> list[str]:
    """What comes before a command."""
    return [sys.executable, __file__, *map(str, ports), "--"]


def main() -> None:
    """Leave our network, let in what comes for the ports, become the command."""
    end = sys.argv.index("--")
    ports, command = [int(port) for port in sys.argv[1:end]], sys.argv[end + 1 :]
    theirs, ours = socket.socketpair()
    if os.fork() == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # the relay ends with the command
        asyncio.run(relay(ours, ports))
    enter()
    listeners = [socket.create_server((LOOPBACK, port)) for port in ports]
    socket.send_fds(theirs, [b"."], [listener.fileno() for listener in listeners])
    os.execvp(command[0], command)


def enter() -> None:
    """Enter a new network, in which there is nothing but a loopback."""
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


async def relay(ours: socket.socket, ports: list[int]) -> None:
    """Stay in the old network, as the new one's sockets go on to belong to it."""
    _, listeners, *_ = socket.recv_fds(ours, 1, len(ports))
    for port, listener in zip(ports, listeners, strict=True):
        await asyncio.start_server(partial(join, port), sock=socket.socket(fileno=listener))
    await asyncio.Event().wait()


async def join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry a connection over."""
    their_reader, their_writer = await asyncio.open_connection(LOOPBACK, port)
    await asyncio.gather(pump(reader, their_writer), pump(their_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction of it over, to its end."""
    try:
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    except ConnectionError:
        pass  # then this direction has ended
    finally:
        writer.close()


if __name__ == "__main__":
    main()
