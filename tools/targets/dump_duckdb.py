"""Writes what a DuckDB file holds as JSON lines; runs where target-duckdb is installed."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

connection = import_module("duckdb").connect(str(Path(sys.argv[1]) / "datto.duckdb"))
connection.execute("SET TimeZone = 'UTC'")
for (table,) in connection.execute(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'datto_rmm'"
).fetchall():
    columns = connection.execute(f'DESCRIBE datto_rmm."{table}"').fetchall()
    print(json.dumps([table, {name: kind.lower() for name, kind, *_ in columns}, None]))
    rows = connection.execute(f'SELECT * FROM datto_rmm."{table}"')  # noqa: S608 - the catalogue's
    for row in rows.fetchall():
        named = dict(zip((name for name, *_ in columns), row, strict=True))
        print(json.dumps([table, None, named], default=str))
