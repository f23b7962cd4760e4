"""An account that lives, a tap in this process, and a real target-postgres behind it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from demo.pipeline import Pipeline, alone_in_this_clone, target_postgres
from tap_datto_rmm.tap import TapDattoRMM
from tests.conftest import fast
from tests.e2e.warehouse import Pipe, selection, written_to

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import IO

    from datto_rmm_sandbox import Sandbox

    from demo.postgres import Postgres

STREAMS: Final = (
    "account",
    "sites",
    "devices",
    "alerts",
    "device_audits",
    "device_software",
    "device_patches",
    "site_patches",
)
"""What the answers are made of."""
DAY: Final = 1_440
"""Minutes."""

Row = dict[str, Any]


class Forwarder:
    """Standard output as far as the tap uses it: on to a target; the last state is remembered."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target = target
        self.state: Row | None = None
        self.activated: set[str] = set()

    @property
    def buffer(self) -> Forwarder:
        return self

    def write(self, line: bytes | bytearray) -> None:
        self.target.write(line)
        if line.startswith((b'{"type":"STATE"', b'{"type":"ACTIVATE_VERSION"')):
            message = json.loads(line)
            if message["type"] == "STATE":
                self.state = message["value"]
            else:
                self.activated.add(message["stream"])

    def flush(self) -> None:
        self.target.flush()


class Loader:
    """Runs the tap, one run after the other on the last state, into one target.

    Args:
        sandbox: whose account is read.
        target: standard input of a target.
    """

    def __init__(self, sandbox: Sandbox, target: IO[bytes]) -> None:
        self.sandbox = sandbox
        self.output = Forwarder(target)

    def sync(self, *streams: str, **settings: Any) -> set[str]:
        """Run the tap; give the streams whose older rows the target was told to mark."""
        self.output.activated = set()
        config = fast(
            self.sandbox,
            **{
                "emit_activate_version_messages": True,
                "deletion_guard_percent": 100,
                **settings,
            },
        )
        with written_to(cast("Pipe", self.output)):
            tap = TapDattoRMM(
                config=config, catalog=selection(*streams or STREAMS), state=self.output.state
            )
            tap.sync_all()
        return self.output.activated

    @property
    def today(self) -> str:
        """The account's day."""
        moment = datetime.fromtimestamp(self.sandbox.account.now / 1000, UTC)
        return moment.date().isoformat()


def install_targets(folder: Path) -> None:
    """See that the targets of meltano.yml are there; whoever runs them needs no turn."""
    pipeline = Pipeline(folder, {})
    if not pipeline.is_installed():
        with alone_in_this_clone():
            pipeline.install()


@contextmanager
def loading(sandbox: Sandbox, postgres: Postgres, folder: Path) -> Generator[Loader]:
    """Run one target; at the end, all that it was given is in the database."""
    install_targets(folder)
    log = folder / "target.log"
    with log.open("ab") as said:
        target = subprocess.Popen(
            target_postgres(folder, postgres.settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        assert target.stdin
        try:
            yield Loader(sandbox, target.stdin)
        finally:
            target.stdin.close()
            code = target.wait()
    assert code == 0, log.read_text(encoding="utf-8", errors="replace")[-3000:]
