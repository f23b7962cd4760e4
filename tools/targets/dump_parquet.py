"""Writes what a folder of Parquet files holds as JSON lines; runs where target-parquet is."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

read_table = import_module("pyarrow.parquet").read_table
for folder in Path(sys.argv[1]).iterdir():
    for path in folder.glob("*.parquet"):
        table = read_table(path)
        types = {field.name: str(field.type) for field in table.schema}
        print(json.dumps([folder.name, types, None]))
        for row in table.to_pylist():
            print(json.dumps([folder.name, None, row], default=str))
