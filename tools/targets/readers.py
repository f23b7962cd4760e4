"""What a target holds: rows and column types by stream, whatever it keeps them in."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from demo.postgres import Postgres

Row = dict[str, Any]


@dataclass
class Found:
    """What a target holds.

    Attributes:
        rows: by stream.
        types: of the columns, by stream; none where all is text.
    """

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))


def postgres(server: Postgres, schema: str) -> Found:
    """Read the tables of a schema."""
    found = Found()
    with server.connect() as connection:
        columns = connection.execute(
            """
            SELECT relname, attname, format_type(atttypid, atttypmod)
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND attnum > 0
              AND NOT attisdropped
            """,
            [schema],
        )
        for table, column, kind in columns:
            found.types[table][column] = kind
        for table in found.types:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
            cursor = connection.cursor(row_factory=dict_row)
            found.rows[table] = cursor.execute(query).fetchall()
    return found


def sqlite(path: Path) -> Found:
    """Read the tables of an SQLite file."""
    found = Found()
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")'):
            found.types[table][column] = kind.lower()
        rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - from the catalogue
        found.rows[table] = [dict(row) for row in rows]
    connection.close()
    return found


def jsonl(folder: Path) -> Found:
    """Read a folder of JSONL files."""
    found = Found()
    for path in folder.glob("*.jsonl"):
        lines = path.read_text(encoding="utf-8").splitlines()
        found.rows[path.stem] = [json.loads(line) for line in lines]
    return found


def csv_files(folder: Path) -> Found:
    """Read a folder of CSV files."""
    csv.field_size_limit(sys.maxsize)
    found = Found()
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found.rows[path.stem] = list(csv.DictReader(file))
    return found


def by_script(python: Path, script: str, folder: Path) -> Found:
    """Read by a script beside this file, in an environment that has what it takes.

    Args:
        python: of that environment.
        script: its name.
        folder: what it reads.
    """
    path = Path(__file__).with_name(f"{script}.py")
    dumped = subprocess.run([python, path, folder], stdout=subprocess.PIPE, check=True).stdout
    found = Found()
    for line in dumped.splitlines():
        stream, types, row = json.loads(line)
        if row is None:
            found.types[stream] = types
        else:
            found.rows[stream].append(row)
    return found
