"""The targets: what is installed, how each is configured, and what reads its tables afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from demo.pipeline import ROOT
from tools.targets import readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.postgres import Postgres
    from tools.targets.readers import Found

Config = dict[str, Any]


class Column(NamedTuple):
    """A stream's property."""

    stream: str
    name: str


@dataclass(frozen=True)
class Place:
    """Where a target may write."""

    folder: Path
    schema: str
    postgres: Postgres
    python: Path


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target and how it is used here.

    Attributes:
        name: of its environment.
        packages: what is installed; their versions are told.
        executable: its command.
        origin: whose it is, where its name does not say so.
        config: gives its configuration.
        read: gives what it holds.
        as_text: columns that the catalog must override to be text for it.
    """

    name: str
    packages: tuple[str, ...]
    executable: str
    origin: str = ""
    config: Callable[[Place], Config]
    read: Callable[[Place], Found]
    as_text: frozenset[Column] = field(default_factory=frozenset)


def _as_in_meltano_yml(place: Place) -> Config:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    loaders = {loader["name"]: loader for loader in project["plugins"]["loaders"]}
    config: Config = loaders["target-postgres"]["config"]
    return {
        **config,
        **place.postgres.settings,
        "port": place.postgres.port,
        "default_target_schema": place.schema,
    }


def _pipelinewise(place: Place) -> Config:
    settings: Config = dict(place.postgres.settings)
    return {
        **settings,
        "port": place.postgres.port,
        "dbname": settings.pop("database"),
        "default_target_schema": place.schema,
        "add_metadata_columns": True,
        "hard_delete": False,
    }


def _folder(place: Place) -> Config:
    return {"destination_path": str(place.folder)}


TARGETS: Final = (
    Target(
        name="meltanolabs-target-postgres",
        packages=("meltanolabs-target-postgres==0.8.1",),
        executable="target-postgres",
        config=_as_in_meltano_yml,
        read=lambda place: readers.postgres(place.postgres, place.schema),
    ),
    Target(
        name="pipelinewise-target-postgres",
        packages=("pipelinewise-target-postgres==2.1.2",),
        executable="target-postgres",
        config=_pipelinewise,
        read=lambda place: readers.postgres(place.postgres, place.schema),
    ),
    Target(
        name="target-duckdb",
        packages=("target-duckdb==0.8.0", "duckdb==1.0.0"),
        executable="target-duckdb",
        config=lambda place: {
            "path": str(place.folder / "datto.duckdb"),
            "default_target_schema": "datto_rmm",
        },
        read=lambda place: readers.by_script(place.python, "dump_duckdb", place.folder),
    ),
    Target(
        name="target-duckdb-newest",
        packages=("target-duckdb==0.8.0", "duckdb"),
        executable="target-duckdb",
        config=lambda place: {
            "path": str(place.folder / "datto.duckdb"),
            "default_target_schema": "datto_rmm",
        },
        read=lambda place: readers.by_script(place.python, "dump_duckdb", place.folder),
    ),
    Target(
        name="target-jsonl",
        packages=("target-jsonl==0.1.4",),
        executable="target-jsonl",
        config=lambda place: {**_folder(place), "do_timestamp_file": False},
        read=lambda place: readers.jsonl(place.folder),
    ),
    Target(
        name="meltanolabs-target-csv",
        packages=("meltanolabs-target-csv==0.5.0",),
        executable="target-csv",
        config=lambda place: {"output_path": str(place.folder)},
        read=lambda place: readers.csv_files(place.folder),
    ),
    Target(
        name="target-parquet",
        origin="Automattic",
        packages=("https://github.com/Automattic/target-parquet/archive/refs/tags/v1.1.2.tar.gz",),
        executable="target-parquet",
        config=_folder,
        read=lambda place: readers.by_script(place.python, "dump_parquet", place.folder),
        as_text=frozenset({Column("alerts", "alertContext")}),
    ),
    Target(
        name="target-sqlite",
        origin="MeltanoLabs",
        packages=(
            "https://github.com/MeltanoLabs/target-sqlite/archive/d4e802eadfd383d0b6993f97769e2d1ae8099507.tar.gz",
        ),
        executable="target-sqlite",
        config=lambda place: {"database": str(place.folder / "datto")},
        read=lambda place: readers.sqlite(place.folder / "datto.db"),
    ),
)
