"""From a schema to what becomes of each value: compiled once per stream, run for every value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_datto_rmm.records.scalars import SCALARS, as_text
from tap_datto_rmm.records.schemas import types_of
from tap_datto_rmm.records.secrets import SECRET_PROPERTIES, without_secrets
from tap_datto_rmm.records.timestamps import as_date, as_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from tap_datto_rmm.records.data_issues import DataIssues
    from tap_datto_rmm.records.openapi import Schema
    from tap_datto_rmm.records.unknown import UnknownProperties

Convert = Callable[[Any], Any]
Path = tuple[str, ...]
"""Names of a property and of those around it, the outermost first."""
Selected = Callable[[Path], bool]

CANNOT_CONVERT: Final = (ValueError, TypeError, OverflowError, LookupError, RecursionError)
JSON_TYPES: Final = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}


class Rule(NamedTuple):
    """What becomes of a property's value. Null stays null."""

    passes: type | None
    """Values of this Python type stay as they are."""
    convert: Convert
    """What becomes of every other value; None where something would be lost."""

    def __call__(self, value: Any) -> Any:
        """Apply the rule."""
        return value if value is None or type(value) is self.passes else self.convert(value)


class RuleCompiler:
    """Makes the rules of a stream.

    Args:
        issues: counts the values that become null.
        unknown: takes what the spec does not know.
        selected: whether the property at a path is selected.
    """

    def __init__(self, issues: DataIssues, unknown: UnknownProperties, selected: Selected) -> None:
        """Keep them."""
        self._issues = issues
        self._unknown = unknown
        self._selected = selected

    def rule(self, schema: Schema, path: Path, known: Schema) -> Rule:
        """Make the rule of a property.

        Args:
            schema: what its values are to be.
            path: where it is.
            known: the stream's own schema of it: properties that only this one has are no news.
        """
        kinds = types_of(schema)
        if len(kinds) > 1:
            return Rule(None, self._any_of({k: {**schema, "type": k} for k in kinds}, path, known))
        kind = kinds[0]
        if kind == "object":
            return Rule(None, self._object(schema, path, known))
        if kind == "array":
            return Rule(None, self._array(schema.get("items") or {}, path, known))
        if kind == "string":
            return self._text(schema.get("format", ""), path)
        passes, convert, wanted = SCALARS[kind]
        return Rule(passes, self._checked(convert, path, wanted))

    def rules_of(self, schema: Schema, path: Path, known: Schema) -> dict[str, Rule]:
        """Make the rules of an object's properties that are selected and no secrets."""
        known_properties = known.get("properties") or {}
        return {
            name: self.rule(prop, (*path, name), known_properties.get(name) or {})
            for name, prop in schema["properties"].items()
            if self._selected((*path, name)) and (*path[-1:], name) not in SECRET_PROPERTIES
        }

    def object(
        self,
        rules: Mapping[str, Rule],
        silent: AbstractSet[str],
        path: Path = (),
        columns: Mapping[str, Any] | None = None,
    ) -> Convert:
        """Make the conversion of an object whose properties are known.

        Args:
            rules: of its properties.
            silent: names that it may have as well, and that are left out without a word.
            path: where it is.
            columns: what each object has from the start, in order; its own values replace them.
        """
        passes = {name: rule.passes for name, rule in rules.items()}.get
        converts = {name: rule.convert for name, rule in rules.items()}
        start, where = dict(columns or {}), ".".join(path)
        wrong_type, unknown = self._issues.wrong_type, self._unknown.meet

        def convert(value: Any) -> Any:
            if type(value) is not dict:
                wrong_type(where, value, "an object")
                return None
            out = start.copy()
            for name, content in value.items():
                if type(content) is passes(name):
                    out[name] = content
                elif name in converts:
                    out[name] = None if content is None else converts[name](content)
                elif name not in silent:
                    unknown((*path, name), content)
            return out

        return convert

    def _object(self, schema: Schema, path: Path, known: Schema) -> Convert:
        if not schema.get("properties"):
            return self._checked(lambda value: _open_object(value, path[-1]), path, "an object")
        rules = self.rules_of(schema, path, known)
        named = schema["properties"].keys() | (known.get("properties") or {}).keys()
        return self.object(rules, named - rules.keys(), path)

    def _array(self, items: Schema, path: Path, known: Schema) -> Convert:
        self._unknown.array_at(path)
        passes, convert = self.rule(items, path, known.get("items") or {})
        where, wrong_type = ".".join(path), self._issues.wrong_type

        def convert_array(value: Any) -> Any:
            if type(value) is not list:
                wrong_type(where, value, "an array")
                return None
            return [v if v is None or type(v) is passes else convert(v) for v in value]

        return convert_array

    def _text(self, text_format: str, path: Path) -> Rule:
        if text_format == "date-time":
            return Rule(None, self._checked(as_timestamp, path, "a date-time"))
        if text_format == "date":
            return Rule(None, self._checked(as_date, path, "a date"))
        name = path[-1]
        convert = self._checked(lambda value: as_text(without_secrets(value, name)), path, "text")
        return Rule(str, convert)

    def _any_of(self, options: Mapping[str, Schema], path: Path, known: Schema) -> Convert:
        rules = {kind: self.rule(schema, path, known) for kind, schema in options.items()}
        usual = rules.get("string") or next(iter(rules.values()))

        def convert(value: Any) -> Any:
            kind = JSON_TYPES.get(type(value), "string")
            if kind == "integer" and kind not in rules:
                kind = "number"
            return rules.get(kind, usual)(value)

        return convert

    def _checked(self, convert: Callable[[Any], Any], path: Path, wanted: str) -> Convert:
        where, wrong_type = ".".join(path), self._issues.wrong_type

        def checked(value: Any) -> Any:
            try:
                return convert(value)
            except CANNOT_CONVERT:
                wrong_type(where, value, wanted)
                return None

        return checked


def without_nulls(rule: Rule) -> Rule:
    """Make the rule of an object that is nearly all nulls (docs/datto-rmm-api.md §5): none is kept.

    They are left out first: what is left is little, and nothing else looks at the nulls.
    """

    def convert(value: Any) -> Any:
        if type(value) is dict:
            value = {name: content for name, content in value.items() if content is not None}
        return rule.convert(value)

    return Rule(rule.passes, convert)


def _open_object(value: Any, name: str) -> Any:
    if type(value) is not dict:
        raise TypeError
    return without_secrets(value, name)
