"""Mapped records: each column has a type that its SCHEMA allows, whatever an expression gave.

The SDK takes most expressions for text: `id + 1` writes a number into a column of text, and a
target refuses the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_datto_rmm.records.rules import JSON_TYPES, RuleCompiler
from tap_datto_rmm.records.schemas import types_of
from tap_datto_rmm.records.unknown import UnknownProperties

if TYPE_CHECKING:
    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.records.openapi import Schema

Record = dict[str, Any]


class MappedTypes:
    """Gives the values of a mapped record the types of its SCHEMA.

    Args:
        schema: as it is written.
        issues: counts what becomes null, as nothing else fits.
    """

    def __init__(self, schema: Schema, issues: DataIssues) -> None:
        """Compile the schema."""
        compiler = RuleCompiler(issues, UnknownProperties(issues, kept=False), lambda _: True)
        self._columns = {
            name: (set(types_of(of_column)), compiler.rule(of_column, (name,), of_column))
            for name, of_column in schema["properties"].items()
        }

    def fit(self, record: Record) -> Record:
        """Convert in place what does not fit."""
        for name, value in record.items():
            if value is None or name not in self._columns:
                continue
            allowed, rule = self._columns[name]
            given = list(value) if type(value) is tuple else value
            kind = JSON_TYPES.get(type(given), "string")  # what else there is, dates too
            if kind not in allowed and not (kind == "integer" and "number" in allowed):
                record[name] = rule(given)
        return record
