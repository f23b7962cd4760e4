"""The whole pipeline, from the API into PostgreSQL: ours, by Meltano and by a pipe, beside dlt.

Two works: the device list of the stub, and five streams of the sandbox's account; each read twice,
the second time after an hour in which the account lived (the stub's stays as it is). All of them
write into databases of one server, the contenders in turns.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import requests
import yaml
from psycopg import sql

from benchmarks.measure import (
    KEY,
    PEERS_PYTHON,
    PYTHON,
    ROOT,
    SECRET,
    UNLIMITED,
    TapRun,
    folder,
    machine,
    note,
    options,
    publish,
    sandbox,
    stub,
    surroundings,
    table,
)
from benchmarks.processes import Spent, tree, watched
from demo.pipeline import MELTANO_FOLDER, TAP, Pipeline, alone_in_this_clone
from demo.postgres import Postgres

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from benchmarks.measure import Server

TARGET: Final = MELTANO_FOLDER / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres"
DEFAULTS: Final = {"use_copy": "false", "validate_records": "true"}
"""What meltano.yml changes, as the target has it by itself."""
LEAST: Final = 0.05
"""CPU seconds below which a process is not told of."""
PIPE: Final = """
set -o pipefail
state=$1 target=$2 config=$3
shift 3
"$@" | "$target" --config "$config" > "$state"
"""
PROCESSES: Final = ("tap", "target", "Meltano", "dlt", "PostgreSQL")


@dataclass(frozen=True)
class Work:
    """What is to be brought into the database.

    Attributes:
        title: of the table's rows.
        streams: their names.
        serve: starts the API.
        lives: whether the account lives for an hour before the second run.
    """

    title: str
    streams: tuple[str, ...]
    serve: Callable[[], AbstractContextManager[Server]]
    lives: bool


@dataclass(frozen=True)
class Place:
    """One contender's surroundings: the API, a folder and a database of its own."""

    url: str
    folder: Path
    postgres: Postgres
    database: str
    streams: tuple[str, ...]

    @property
    def target_settings(self) -> dict[str, str]:
        """How target-postgres reaches the database."""
        return {**self.postgres.settings, "database": self.database}

    @property
    def uri(self) -> str:
        """The same for dlt."""
        return self.postgres.uri.rpartition("/")[0] + f"/{self.database}"


def meltano(place: Place, settings: dict[str, str] | None = None) -> Spent:
    """`meltano run`, with the target's settings of meltano.yml but for some."""
    tap = {"api_url": place.url, "api_key": KEY, "api_secret": SECRET}
    pipeline = Pipeline(
        place.folder,
        {
            TAP: {**tap, "max_requests_per_minute": str(UNLIMITED)},
            "target-postgres": {**place.target_settings, **(settings or {})},
        },
    )
    select = json.dumps([f"{stream}.*" for stream in place.streams])
    command: list[str | Path] = [
        Path(PYTHON).with_name("meltano"),
        f"--env-file={os.devnull}",
        "run",
    ]
    return watched(
        [*command, TAP, "target-postgres"],
        name=_in_meltano,
        log=place.folder / "log.txt",
        cwd=ROOT,
        environment={
            **surroundings(),
            **{k: v for k, v in pipeline.environment.items() if not k.startswith("PYTHON")},
            "TAP_DATTO_RMM__SELECT": select,
        },
    )


def _in_meltano(words: str) -> str:
    if "bin/target-postgres" in words:
        return "target"
    return "tap" if f"bin/{TAP}" in words else "Meltano"


def pipe(place: Place) -> Spent:
    """`tap-datto-rmm | target-postgres`, the target configured as in meltano.yml."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    loaders = {loader["name"]: loader for loader in project["plugins"]["loaders"]}
    config = {**loaders["target-postgres"]["config"], **place.target_settings}
    config |= {"port": place.postgres.port, "default_target_schema": "datto_rmm"}
    target_config = place.folder / "target.json"
    target_config.write_text(json.dumps(config), encoding="utf-8")
    tap_folder = place.folder / "tap"
    tap_folder.mkdir(exist_ok=True)
    state = place.folder / "state.jsonl"
    tap = TapRun(
        tap_folder,
        place.url,
        streams=place.streams,
        settings={"emit_activate_version_messages": True},
    ).command()
    if state.exists():
        last = state.read_text(encoding="utf-8").splitlines()[-1]
        (tap_folder / "state.json").write_text(last, encoding="utf-8")
        tap += ["--state", tap_folder / "state.json"]
    return watched(
        ["bash", "-c", PIPE, "bash", state, TARGET, target_config, *tap],
        name=_in_meltano,
        log=place.folder / "log.txt",
        cwd=place.folder,
        environment={**surroundings(), "PGTZ": "UTC"},
    )


def dlt(place: Place) -> Spent:
    """The same streams with dlt."""
    script: list[str | Path] = [
        PEERS_PYTHON,
        "-m",
        "benchmarks.peers.dlt_postgres",
        place.url,
        KEY,
        SECRET,
    ]
    return watched(
        [*script, place.folder, place.uri, *place.streams],
        name=lambda _: "dlt",
        log=place.folder / "log.txt",
        cwd=ROOT,
        environment=surroundings(),
    )


CONTENDERS: Final[dict[str, tuple[str, Callable[[Place], Spent]]]] = {
    "meltano": ("**`meltano run`**", meltano),
    "pipe": ("**`tap-datto-rmm \\| target-postgres`**", pipe),
    "defaults": (
        "`meltano run`, the target's own defaults",
        partial(meltano, settings=DEFAULTS),
    ),
    "dlt": ("dlt 1.31 rest_api, 10 workers, merge", dlt),
}


@dataclass(frozen=True)
class Result:
    """A contender's two runs, and the rows that were there after each."""

    first: Spent
    second: Spent
    rows: tuple[int, int]


def once(name: str, work: Work, server: Postgres, place: Path) -> Result:
    """Let a contender bring a work into a database of its own, twice."""
    database = f"{name}_{place.name}".replace("-", "_").lower()
    with server.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    with work.serve() as api:
        where = Place(api.url, place, server, database, work.streams)
        first = _run(name, where)
        rows = _rows(server, database)
        if work.lives:
            requests.post(f"{api.url}/_sandbox/advance", json={"minutes": 60}, timeout=60)
        second = _run(name, where)
        result = Result(first, second, (rows, _rows(server, database)))
    with server.connect("postgres") as connection:
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
        )
    return result


def _run(name: str, place: Place) -> Spent:
    pid = place.postgres.pid
    before = tree(pid)
    spent = CONTENDERS[name][1](place)
    if spent.code:
        raise SystemExit(f"{name}: exit code {spent.code}\n{spent.err}")
    spent.cpu["PostgreSQL"] = tree(pid) - before
    return spent


def _rows(server: Postgres, database: str) -> int:
    """Count the rows of all tables but those that dlt keeps for itself."""
    with server.connect(database) as connection:
        tables = connection.execute(
            "SELECT schemaname, relname FROM pg_stat_user_tables"
            r" WHERE relname NOT LIKE '\_dlt%' AND schemaname NOT LIKE '%\_staging'"
        ).fetchall()
        counts = [
            connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
            ).fetchone()
            for schema, name in tables
        ]
    return sum(count[0] for count in counts if count)


def works(given: argparse.Namespace) -> dict[str, Work]:
    """Give the works of the sizes that were asked for."""
    return {
        "devices": Work(
            f"{given.devices:,} devices",
            ("devices",),
            partial(stub, devices=given.devices, audits=0),
            lives=False,
        ),
        "account": Work(
            f"{given.account:,} devices, five streams",
            ("sites", "devices", "alerts", "device_audits", "device_software"),
            partial(sandbox, devices=given.account, rate_limit=0, api_key=KEY, api_secret=SECRET),
            lives=True,
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table."""
    given = _parser().parse_args(arguments)
    began_on = machine()
    chosen = [name for name in given.only or CONTENDERS if _is_installed(name)]
    results: dict[tuple[str, str], list[Result]] = {}
    with alone_in_this_clone(), folder() as base, Postgres(base / "postgres") as server:
        Pipeline(base, {}).install()
        for turn in range(given.repeat):
            for key, work in works(given).items():
                if key not in given.work:
                    continue
                for name in chosen:
                    place = base / f"{key}-{name}-{turn}"
                    place.mkdir()
                    result = once(name, work, server, place)
                    results.setdefault((key, name), []).append(result)
                    note(f"{turn + 1}/{given.repeat} {work.title}, {name}: {_line(result)}")
    words = _words(given)
    parts = [_table(work, key, results) for key, work in works(given).items() if key in given.work]
    publish(given, "pipeline", "The whole pipeline", began_on, words, *parts)
    return 0


def _line(result: Result) -> str:
    return ", ".join(
        f"{run.wall:.1f} s ({', '.join(f'{who} {cpu:.1f}' for who, cpu in run.cpu.items())}), "
        f"{rows:,} rows"
        for run, rows in zip((result.first, result.second), result.rows, strict=True)
    )


def _is_installed(name: str) -> bool:
    if name == "dlt" and not PEERS_PYTHON.exists():
        note("dlt is not installed; `make benchmark PEERS=yes` installs the peers")
        return False
    return True


def _table(work: Work, key: str, results: dict[tuple[str, str], list[Result]]) -> str:
    head = [work.title, "rows", "first run: wall s", "CPU s", "second run: wall s", "CPU s"]
    rows = []
    for name, (title, _) in CONTENDERS.items():
        if runs := results.get((key, name)):
            cells: list[object] = [title, f"{runs[-1].rows[0]:,}"]
            for each in ([r.first for r in runs], [r.second for r in runs]):
                cells += [f"{median(run.wall for run in each):.1f}", _cpu(each)]
            rows.append(cells)
    return table(head, rows)


def _cpu(runs: Iterable[Spent]) -> str:
    runs = list(runs)
    middle = {who: median(run.cpu.get(who, 0.0) for run in runs) for who in PROCESSES}
    parts = [f"{who} {seconds:.1f}" for who, seconds in middle.items() if seconds >= LEAST]
    return f"{sum(middle.values()):.1f}: {', '.join(parts)}"


def _words(given: argparse.Namespace) -> str:
    return (
        f"Medians of {given.repeat} runs, the contenders in turns, each into a database of its own "
        "on one PostgreSQL server without fsync; no API limit, no latency. The second run comes "
        "after an hour of the account's life, for the device list at once. CPU by process; the "
        "API's server shares the machine, what it takes is left out.\n"
    )


def _parser() -> argparse.ArgumentParser:
    main = options("benchmarks.pipeline", __doc__)
    main.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    main.add_argument("--devices", type=int, default=20_000, help="of the device list")
    main.add_argument("--account", type=int, default=5_000, help="devices of the sandbox")
    main.add_argument("--work", nargs="+", choices=["devices", "account"])
    main.add_argument("--only", nargs="+", choices=CONTENDERS, help="these contenders only")
    main.set_defaults(work=["devices", "account"])
    return main


if __name__ == "__main__":
    sys.exit(main())
