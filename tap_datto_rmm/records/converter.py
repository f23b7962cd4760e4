"""The record converter: from an item as the API sent it to a record that fits its stream's SCHEMA.

Compiled once per stream from its schema and selection. One walk over an item writes every date as
the canonical timestamp, leaves out what is unknown or deselected, and converts or nulls what has
the wrong type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_datto_rmm.records.rules import RuleCompiler, without_nulls
from tap_datto_rmm.records.schemas import UNKNOWN_COLUMN
from tap_datto_rmm.records.unknown import UnknownProperties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.records.rules import Selected

Record = dict[str, Any]
"""One row as it is written: every selected column, in the order of its SCHEMA."""


class RecordConverter:
    """Turns items into records.

    Args:
        schema: the stream's schema as its target will see it.
        primary_keys: columns of the schema, selected; an item without them is left out.
            Of its text parts only the first must be there: the others become "".
        issues: counts what is not as it should be.
        selected: whether the property at a path is selected.
        known: the stream's own schema where the catalog's differs: names that only it has are left
            out silently.
        copies: properties that repeat a nested one: name to path.
        drop_nulls: properties whose own properties are left out where they are null.
    """

    def __init__(
        self,
        schema: Schema,
        primary_keys: Sequence[str],
        issues: DataIssues,
        *,
        selected: Selected = lambda _: True,
        known: Schema | None = None,
        copies: Mapping[str, Sequence[str]] | None = None,
        drop_nulls: Collection[str] = (),
    ) -> None:
        """Compile the schema."""
        known = known or schema
        columns = [name for name in schema["properties"] if selected((name,))]
        self._issues = issues
        self._unknown = UnknownProperties(issues, kept=UNKNOWN_COLUMN in columns)
        compiler = RuleCompiler(issues, self._unknown, selected)
        self._rules = {
            name: without_nulls(rule) if name in drop_nulls else rule
            for name, rule in compiler.rules_of(schema, (), known).items()
            if name != UNKNOWN_COLUMN
        }
        self._convert = compiler.object(
            self._rules,
            (schema["properties"].keys() | known["properties"].keys()) - self._rules.keys(),
            columns=dict.fromkeys(columns),
        )
        self._keys = tuple(primary_keys)
        self._may_be_missing = frozenset(k for k in self._keys[1:] if self._rules[k].passes is str)
        self._copies = {n: path for n, path in (copies or {}).items() if n in self._rules}
        self._parent_columns: Mapping[str, Any] | None = None
        self._of_parent: Record = {}

    def __call__(
        self, item: object, parent_columns: Mapping[str, Any] | None = None
    ) -> Record | None:
        """Make a record of an item, or None where it cannot be one (counted).

        Args:
            item: as the API sent it.
            parent_columns: values of columns that the tap adds: those of the item's parent, or
                the account's uid. They win over its own. All items of a parent come with the same
                object, which does not change.
        """
        if type(item) is not dict:
            self._issues.leave_out("is no object")
            return None
        self._unknown.of_item = {}
        try:
            record: Record = self._convert(item)
        except RecursionError:
            self._issues.leave_out("is nested too deep")
            return None
        if parent_columns is not self._parent_columns:
            self._parent_columns = parent_columns
            self._of_parent = self._converted(parent_columns or {})
        record.update(self._of_parent)
        if self._copies:
            record.update(self._converted({n: _at(item, p) for n, p in self._copies.items()}))
        if self._unknown.kept:
            record[UNKNOWN_COLUMN] = self._unknown.of_item or None
        if not self._has_key(record):
            self._issues.leave_out("has no usable primary key")
            return None
        return record

    def _converted(self, values: Mapping[str, Any]) -> Record:
        rules = self._rules
        return {name: rules[name](value) for name, value in values.items() if name in rules}

    def _has_key(self, record: Record) -> bool:
        """Tell whether the key is whole, empty text in the place of parts that may be missing."""
        missing = [key for key in self._keys if record.get(key) is None]
        if missing:
            if not self._may_be_missing.issuperset(missing) or self._is_empty(record):
                return False
            record.update(dict.fromkeys(missing, ""))
        return not self._keys or bool(record[self._keys[0]] != "")

    def _is_empty(self, record: Record) -> bool:
        """Tell whether the item itself gave nothing to a record."""
        return all(value is None for name, value in record.items() if name not in self._of_parent)


def _at(item: object, path: Sequence[str]) -> object:
    """Follow a path into an item; None where it ends before."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def with_columns(
    items: Iterable[tuple[Any, Mapping[str, Any] | None]], constant: Mapping[str, Any]
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Add columns that all rows share; one object for each parent, as the converter counts on.

    Args:
        items: rows as the API sent them, and the values of their parent's columns.
        constant: the values that all have.
    """
    parent: Mapping[str, Any] | None = None
    columns = constant
    for item, of_parent in items:
        if of_parent is not parent:
            parent, columns = of_parent, {**(of_parent or {}), **constant}
        yield item, columns
