"""Which setting came from where: a row for each, for people and for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from tap_datto_rmm.texts import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_datto_rmm.settings.reading import Given

DEFAULT: Final = "default"
LONGEST: Final = 60
"""Characters of a value that are shown."""

MAY_HOLD_SECRETS: Final = frozenset({"stream_maps", "stream_map_config"})
"""Settings of the SDK: seeds of hashes stand in them."""


class SettingRow(NamedTuple):
    """A setting in use."""

    name: str
    value: str
    """In words; of a secret only its length."""
    source: str
    """The path of a file, `environment` or `default`."""


def setting_rows(given: Given, known: Mapping[str, Any]) -> Iterator[SettingRow]:
    """Say of each setting what it is and who set it, as declared, those not set without default.

    Args:
        given: the settings as they were given.
        known: JSON Schema of all settings.
    """
    for name, setting in known["properties"].items():
        value = given.config.get(name)
        secret = bool(setting.get("secret")) or name in MAY_HOLD_SECRETS
        source = given.sources.get(name, DEFAULT)
        yield SettingRow(name, _shown(value, secret=secret), source)


def settings_table(rows: Iterable[SettingRow]) -> Table:
    """Lay the rows out."""
    table = Table(box=None, pad_edge=False)
    for head in ("setting", "value", "source"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _shown(value: object, *, secret: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if value is None or not bare(text):
        return "not set"
    if secret:
        return f"set, {len(bare(text))} characters"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
