"""The nights of some weeks in one process, for `make demo`: the account lives, the tap reads it.

A schedule would run the command each night; to start it takes longer than what it reads here: the
history of devices and disks, and nothing else. What it writes goes to standard output, one run
after the other, as a target takes it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.request import Request, urlopen

from demo.history import stream_maps
from tap_datto_rmm.tap import TapDattoRMM

MINUTES_OF_A_DAY: Final = 1_440
EVERY_NIGHT: Final = ("devices",)
SOME_NIGHTS: Final = ("devices", "device_audits")
"""The audits cost a call for each computer; a forecast needs few of them."""
NIGHTS_BETWEEN_AUDITS: Final = 3


@dataclass(frozen=True, slots=True)
class Nights:
    """What to do.

    Attributes:
        url: of the sandbox.
        settings: of the tap.
        number: of nights.
        daily: what `/_sandbox/advance` is told of each day, beside its length.
    """

    url: str
    settings: dict[str, Any]
    number: int
    daily: dict[str, Any] = field(default_factory=dict)

    def command(self) -> list[str]:
        """The command line that does it."""
        return [sys.executable, "-m", "demo.nights", json.dumps(asdict(self))]

    def run(self) -> None:
        """Do it."""
        for night in range(self.number):
            streams = EVERY_NIGHT if night % NIGHTS_BETWEEN_AUDITS else SOME_NIGHTS
            self._read(streams)
            self._ask("POST", "/advance", {"minutes": MINUTES_OF_A_DAY, **self.daily})

    def _read(self, streams: tuple[str, ...]) -> None:
        now = self._ask("GET", "/health")["now"]
        day = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
        copies = {
            name: each for name, each in stream_maps(day).items() if each["__source__"] in streams
        }
        config = {**self.settings, "stream_maps": copies | dict.fromkeys(streams)}
        catalog = TapDattoRMM(config=config).catalog_dict
        for stream in catalog["streams"]:
            for metadata in stream["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["selected"] = stream["tap_stream_id"] in streams
        TapDattoRMM(config=config, catalog=catalog).sync_all()

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        request = Request(  # noqa: S310 - our own sandbox
            f"{self.url}/_sandbox{path}", json.dumps(body).encode() if body else None, method=method
        )
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
            return found


if __name__ == "__main__":
    Nights(**json.loads(sys.argv[1])).run()
