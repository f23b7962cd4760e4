"""Sections of Markdown files that programs write, each between two comments of its name."""

from __future__ import annotations

import re


def section(text: str, name: str) -> str:
    """Give a section's content.

    Args:
        text: the file's.
        name: of the section: it stands between `<!-- NAME: who writes it -->` and `<!-- /NAME -->`.

    Raises:
        ValueError: there is no such section.
    """
    return _split(text, name)[1]


def with_section(text: str, name: str, content: str) -> str:
    """Give the text with another content of a section.

    Args:
        text: the file's.
        name: as for `section`.
        content: what the section says from now on; ends with a line break.

    Raises:
        ValueError: there is no such section.
    """
    before, _, after = _split(text, name)
    return before + content + after


def _split(text: str, name: str) -> tuple[str, str, str]:
    found = re.fullmatch(rf"(.*<!-- {name}: [^\n]*-->\n)(.*)(<!-- /{name} -->.*)", text, re.DOTALL)
    if not found:
        raise ValueError(f"no section {name}")
    return found[1], found[2], found[3]
