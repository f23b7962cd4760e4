"""Programs that die with us, that get their files in memory, and whose output is read by line."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from fleet import leash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CHUNK = 65_536

Files = dict[str, object]
"""Files by the option that names them, each to be written as JSON."""


class Lifeline(Protocol):
    """Something that no program may outlive, beside us."""

    def fileno(self) -> int:
        """Give the descriptor that can be read when there is something to check."""

    def check(self) -> None:
        """See whether it still holds; raise an error where it does not."""


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    files: Files,
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program on a leash.

    Args:
        command: its path and its arguments.
        environment: all of its environment.
        files: what it is given in memory: an open file without a name, gone with its last reader.
        stdin: what it reads.
    """
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
    with ExitStack() as stack:
        descriptors = []
        for option, content in files.items():
            descriptor = os.memfd_create(option)
            stack.callback(os.close, descriptor)
            os.write(descriptor, json.dumps(content).encode())
            descriptors.append(descriptor)
            leashed += [f"--{option}", f"/proc/self/fd/{descriptor}"]
        return subprocess.Popen(  # noqa: S603 - a list, no shell
            leashed,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            env=environment,
            cwd="/",
            start_new_session=True,  # a Ctrl-C is for us: we end the tap, the target drains
        )


@dataclass(slots=True)
class Reader:
    """Cuts an output into lines.

    Args:
        output: what is read.
        take: given each line, without its end.
        at_end: called when the output has ended.
    """

    output: IO[bytes]
    take: Callable[[bytes], None]
    at_end: Callable[[], None] = lambda: None
    _rest: bytes = b""

    def read(self) -> bool:
        """Read what there is; say whether more may come."""
        chunk = os.read(self.output.fileno(), CHUNK)
        *lines, self._rest = (self._rest + chunk + b"\n" * (not chunk)).split(b"\n")
        for line in filter(None, lines):
            self.take(line)
        if not chunk:
            self.at_end()
        return bool(chunk)


def read_lines(readers: Sequence[Reader], lifeline: Lifeline | None = None) -> None:
    """Read several outputs at once, to their ends.

    Args:
        readers: of the outputs.
        lifeline: checked whenever it has something to say.
    """
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.output, selectors.EVENT_READ, reader)
        if lifeline:
            selector.register(lifeline, selectors.EVENT_READ)
        open_ones = len(readers)
        while open_ones:
            for key, _ in selector.select():
                if lifeline and key.fileobj is lifeline:
                    lifeline.check()
                elif not key.data.read():
                    selector.unregister(key.fileobj)
                    open_ones -= 1
