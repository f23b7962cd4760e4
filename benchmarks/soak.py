"""A long sync through bad weather: many devices, each twentieth call failing, the rate limit on.

One device is broken for good: its audit and its software are always refused.

    .venv/bin/python -m benchmarks.soak                  # 90 minutes at the vendor's limit
    .venv/bin/python -m benchmarks.soak --limit 6000     # ten times the limit: ten minutes
    .venv/bin/python -m benchmarks.soak --devices 500 --limit 0

Runs the sandbox and the tap as two processes, and holds every record's key against what the
sandbox has. Exit code 0: nothing lost but what the broken device has, which the tap's exit code 1
says; nothing twice, never blocked, memory flat. The figures go to
standard output as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

KINDS: Final = (
    *("status=500", "status=502", "status=503", "status=504", "reset", "html", "empty"),
    *("cut", "cut=chunked", "cut-json", "gzip-error", "error-in-200"),
)
FAILING: Final = 0.05
"""Share of the calls that fail, all kinds together."""
TIMEOUT: Final = 10
RARE: Final = (f"hang={TIMEOUT + 5}:path=/api/v2:every=4001", "revoke:path=/api/v2:every=1009")
"""What costs more than a moment: a time-out, a token that ends early."""
OF_THE_BROKEN: Final = ("device_audits", "device_software")
"""Streams that lack the rows of the broken device."""
OTHERS: Final = 0.1
"""Share of the limit that another tool uses."""
SECONDS_PER_SAMPLE: Final = 0.5
FLAT: Final = 1.15
"""Memory of the last third of the run against that of the second."""


def main() -> int:
    """Run it; 0 where all is as it should be."""
    options = _options()
    with sandbox(options) as url, tempfile.TemporaryDirectory() as folder:
        figures = soak(url, Path(folder), options)
    wrong = [name for name in ("lost", "twice", "blocked") if figures[name]]
    if figures["exit_code"] != 1 or figures["incomplete"] != len(OF_THE_BROKEN):
        wrong.append("exit_code")
    if figures["memory_growth"] > FLAT:
        wrong.append("memory_growth")
    print(json.dumps({**figures, "wrong": wrong}, indent=1))
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--devices", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=600, help="calls a minute; 0: no limit")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--broken", default="500", help="what the broken device is answered with")
    return parser.parse_args()


FAULTS: Final = [
    *RARE,
    *(f"{kind}:path=/api/v2:rate={FAILING / len(KINDS):.5f}" for kind in KINDS),
]


@contextmanager
def sandbox(options: argparse.Namespace) -> Generator[str]:
    """Start the sandbox; give its URL."""
    command = [sys.executable, "-m", "datto_rmm_sandbox.cli", "--port", "0"]
    command += ["--devices", str(options.devices), "--seed", str(options.seed)]
    command += ["--rate-limit", str(options.limit), "--slow-down-seconds", "0.1"]
    command += ["--other-client-rate", str(options.limit * OTHERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            for line in process.stdout or ():
                if found := re.match(r"TAP_DATTO_RMM_API_URL=(\S+)", line):
                    yield found[1]
                    break
        finally:
            process.terminate()


def soak(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Sync once; give the figures."""
    audits = _get(f"{url}/_sandbox/expected/device_audits").splitlines()
    broken: str = json.loads(audits[len(audits) // 2])["parent"]["deviceUid"]
    faults = [*FAULTS, f"status={options.broken}:path=/audit/device/{broken}"]
    _get(f"{url}/_sandbox/faults", json.dumps({"faults": faults}).encode())
    config = {
        "api_url": url,
        "api_key": "sandbox-key",
        "api_secret": "sandbox-secret",
        "max_requests_per_minute": options.limit * 9 // 10 or 1_000_000,
        "request_timeout": TIMEOUT,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "tap_datto_rmm", "--config", str(folder / "config.json")]
    started = time.monotonic()
    with (folder / "err.txt").open("wb") as err:
        tap = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err)
        memory: list[float] = []
        threading.Thread(target=_sample, args=(tap.pid, memory), daemon=True).start()
        with tap:
            got, twice, records = _read(tap.stdout)
    seconds = time.monotonic() - started
    told = json.loads(_get(f"{url}/_sandbox/requests?last=0"))
    lost = sum(
        len(_expected(url, stream, broken, *names) - keys) for (stream, *names), keys in got.items()
    )
    log = (folder / "err.txt").read_text(encoding="utf-8")
    third = max(1, len(memory) // 3)
    return {
        "devices": options.devices,
        "limit": options.limit,
        "exit_code": tap.returncode,
        "seconds": round(seconds),
        "calls": told["total"],
        "faults": sum(told["faults"].values()),
        "share_failing": round(sum(told["faults"].values()) / told["total"], 4),
        "refused": told["refused"],
        "blocked": told["by_status"].get("403", 0),
        "tokens": told["tokens_issued"],
        "records": records,
        "lost": lost,
        "twice": twice,
        "memory_mib": round(max(memory, default=0)),
        "memory_growth": round(max(memory[-third:]) / max(memory[-2 * third : -third]), 3),
        "incomplete": sum(f"{name} (incomplete)" in log for name in OF_THE_BROKEN),
        "summary": log.splitlines()[-1],
    }


def _read(stdout: Any) -> tuple[dict[tuple[str, ...], set[bytes]], int, int]:
    """Take the keys of all records: of each stream and its key's names; count those that repeat."""
    keys: dict[str, tuple[str, ...]] = {}
    got: dict[tuple[str, ...], set[bytes]] = defaultdict(set)
    records = twice = 0
    for line in stdout:
        message = json.loads(line)
        if message["type"] == "SCHEMA":
            keys[message["stream"]] = (message["stream"], *message["key_properties"])
            got[keys[message["stream"]]] = set()
        elif message["type"] == "RECORD":
            stream = keys[message["stream"]]
            key = _key(message["record"], {}, stream[1:])
            records += 1
            twice += key in got[stream]
            got[stream].add(key)
    return got, twice, records


def _expected(url: str, stream: str, broken: str, *names: str) -> set[bytes]:
    """Give the keys of all rows, but for those that only the broken device could tell."""
    lines = _get(f"{url}/_sandbox/expected/{stream}").splitlines()
    rows = map(json.loads, lines)
    return {
        _key(row["row"], row["parent"], names)
        for row in rows
        if stream not in OF_THE_BROKEN or row["parent"]["deviceUid"] != broken
    }


def _key(row: Mapping[str, Any], parent: Mapping[str, Any], names: tuple[str, ...]) -> bytes:
    values = [str(row.get(name, parent.get(name))) for name in names]
    return hashlib.blake2b("\0".join(values).encode(), digest_size=8).digest()


def _get(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, body) as answer:  # noqa: S310 - of this machine
        answered: bytes = answer.read()
    return answered


def _sample(pid: int, memory: list[float]) -> None:
    """Keep the resident memory, in MiB, for as long as the process lives."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            found = re.search(r"VmRSS:\s+(\d+)", status.read_text(encoding="utf-8"))
        except OSError:
            return
        if found:
            memory.append(int(found[1]) / 1024)
        time.sleep(SECONDS_PER_SAMPLE)


if __name__ == "__main__":
    sys.exit(main())
