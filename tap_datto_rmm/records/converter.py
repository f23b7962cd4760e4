"""The record converter: from an item as the API sent it to a record that fits its stream's SCHEMA.

Compiled once per stream from its schema and selection. One walk over an item writes every date as
the canonical timestamp, leaves out what is unknown or deselected, and converts or nulls what has
the wrong type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.records.scalars import SCALARS
from tap_datto_rmm.records.schemas import UNKNOWN_COLUMN, types_of
from tap_datto_rmm.records.secrets import SECRET_PROPERTIES, is_secret, without_secrets
from tap_datto_rmm.records.timestamps import as_date, as_timestamp

if TYPE_CHECKING:
    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.records.openapi import Schema

Record = dict[str, Any]
Convert = Callable[[Any], Any]
Rule = tuple[object, Convert]
Selected = Callable[[tuple[str, ...]], bool]


class RecordConverter:
    """Turns items into records.

    Args:
        schema: the stream's schema as its target will see it.
        primary_keys: an item without these is left out.
        issues: counts what is not as it should be.
        selected: whether the property at a path is selected.
        known: the stream's own schema where the catalog's is smaller: names that only it has are
            left out silently.
        copies: properties that repeat a nested one: name to path.
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
    ) -> None:
        """Compile the schema."""
        self._issues = issues
        self._selected = selected
        self._unknown: dict[str, Any] | None = None
        self._arrays: set[tuple[str, ...]] = set()
        self._keep = UNKNOWN_COLUMN in schema.get("properties", {}) and selected((UNKNOWN_COLUMN,))
        self._keys = tuple(primary_keys)
        self._copies = {
            name: tuple(path)
            for name, path in (copies or {}).items()
            if name in schema["properties"] and selected((name,))
        }
        self._columns = frozenset(n for n in schema["properties"] if selected((n,)))
        self._convert = self._object(schema, (), known or schema)

    def __call__(
        self, item: object, parent_columns: Mapping[str, Any] | None = None
    ) -> Record | None:
        """Make a record of an item, or None where it cannot be one (counted).

        Args:
            item: as the API sent it.
            parent_columns: values of columns that the item's parent adds; they win over its own.
        """
        if type(item) is not dict:
            self._issues.leave_out("is no object")
            return None
        self._unknown = {} if self._keep else None
        try:
            record: Record = self._convert(item)
        except RecursionError:
            self._issues.leave_out("is nested too deep")
            return None
        for name, value in (parent_columns or {}).items():
            if name in self._columns:
                record[name] = value
        for name, path in self._copies.items():
            value = item
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            record[name] = value if isinstance(value, str) else None
        if self._keep:
            record[UNKNOWN_COLUMN] = self._unknown or None
        values = [record.get(key) for key in self._keys]
        if None in values or not any(value != "" for value in values):
            self._issues.leave_out("has no usable primary key")
            return None
        return record

    def _rule(self, schema: Schema, path: tuple[str, ...], known: Schema) -> Rule:
        """Give the type that passes as it is, and what to do with every other value but null."""
        kinds = types_of(schema)
        if len(kinds) > 1:
            return None, self._any_of([(k, {**schema, "type": k}) for k in kinds], path, known)
        kind = kinds[0]
        where = ".".join(path)
        if kind == "object":
            return None, self._object(schema, path, known)
        if kind == "array":
            return None, self._array(schema.get("items") or {}, path, known.get("items") or {})
        if kind == "string" and schema.get("format") in {"date-time", "date"}:
            to_text: Convert = as_timestamp if schema["format"] == "date-time" else as_date
            return None, self._checked(to_text, where, f"a {schema['format']}")
        passes, convert, words = SCALARS[kind]
        return passes, self._checked(convert, where, words)

    def _checked(self, convert: Convert, where: str, wanted: str) -> Convert:
        wrong, name = self._issues.wrong_type, where.rpartition(".")[2]

        def checked(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            try:
                return convert(without_secrets(value, name) if type(value) in _NESTED else value)
            except (ValueError, TypeError, OverflowError, LookupError, RecursionError):
                wrong(where, value, wanted)
                return None

        return checked

    def _any_of(
        self, options: list[tuple[str, Schema]], path: tuple[str, ...], known: Schema
    ) -> Convert:
        rules = {kind: self._rule(schema, path, known) for kind, schema in options}

        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            kind = _JSON_TYPES.get(type(value), "string")
            if kind == "integer" and kind not in rules:
                kind = "number"
            passes, to = rules.get(kind) or rules.get("string") or next(iter(rules.values()))
            return value if type(value) is passes else to(value)

        return convert

    def _array(self, items: Schema, path: tuple[str, ...], known: Schema) -> Convert:
        self._arrays.add(path)
        passes, convert = self._rule(items, path, known)
        where, wrong = ".".join(path), self._issues.wrong_type

        def convert_array(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not list:
                wrong(where, value, "an array")
                return None
            return [v if v is None or type(v) is passes else convert(v) for v in value]

        return convert_array

    def _object(self, schema: Schema, path: tuple[str, ...], known: Schema) -> Convert:
        properties = schema.get("properties")
        if not properties:
            return self._open_object(path)
        known_properties = known.get("properties") or {}
        rules = {
            name: self._rule(prop, (*path, name), known_properties.get(name) or {})
            for name, prop in properties.items()
            if name != UNKNOWN_COLUMN and self._selected((*path, name))
        }
        silent = (properties.keys() | known_properties.keys()) - rules.keys()
        convert = self._known_object(rules, silent, path)
        if all(passes is str for passes, _ in rules.values()):
            return _texts(rules, convert)
        return convert

    def _open_object(self, path: tuple[str, ...]) -> Convert:
        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not dict:
                raise TypeError
            return value

        return self._checked(convert, ".".join(path), "an object")

    def _known_object(
        self, rules: Mapping[str, Rule], silent: AbstractSet[str], path: tuple[str, ...]
    ) -> Convert:
        where, wrong = ".".join(path), self._issues.wrong_type
        find, unknown = rules.get, self._meet_unknown

        def convert(value: Any) -> Any:  # noqa: ANN401 - any JSON value
            if type(value) is not dict:
                wrong(where, value, "an object")
                return None
            out = {}
            for name, content in value.items():
                rule = find(name)
                if rule is None:
                    if name not in silent:
                        unknown((*path, name), content)
                elif content is None or type(content) is rule[0]:
                    out[name] = content
                else:
                    out[name] = rule[1](content)
            return out

        return convert

    def _meet_unknown(self, path: tuple[str, ...], value: object) -> None:
        if path[-2:] in SECRET_PROPERTIES:
            return
        where = ".".join(path)
        self._issues.unknown_property(where, kept=self._keep)
        if self._unknown is None or is_secret(path[-1]):
            return
        try:
            value = without_secrets(value, path[-1], is_secret)
        except RecursionError:
            value = None
        if any(path[:length] in self._arrays for length in range(1, len(path))):
            self._unknown.setdefault(where, []).append(value)  # one for each item that has it
        else:
            self._unknown[where] = value


def _texts(rules: Mapping[str, Rule], convert: Convert) -> Convert:
    """Look at an object of nothing but text, such as 300 user-defined fields, as a whole."""
    names = rules.keys()
    usual: list[str] = []  # most objects have the same names in the same order

    def convert_texts(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        nonlocal usual
        if type(value) is not dict:
            return convert(value)
        given = list(value)
        if given != usual:
            if not value.keys() <= names:
                return convert(value)
            usual = given
        if _TEXT.issuperset([type(text) for text in value.values() if text is not None]):
            return value
        return convert(value)

    return convert_texts


_JSON_TYPES: Final = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}
_TEXT: Final = frozenset({str})
_NESTED: Final = frozenset({dict, list})
