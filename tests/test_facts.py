"""What code says of the API, the fact sheet has a source for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
SHEET: Final = (ROOT / "docs" / "datto-rmm-api.md").read_text(encoding="utf-8")
FOLDERS: Final = ("tap_datto_rmm", "sandbox", "specs", "tests", "tools", "docs")
KINDS: Final = {".py", ".md", ".json", ".xml"}

SECTION: Final = re.compile(r"§(\d+(?:\.\d+)?)")
NAMED: Final = re.compile(r"^(?:#+ §|\* \*\*)(\d+(?:\.\d+)?)(?: |\*\*)", re.MULTILINE)
"""A section's heading, or the number of an item of a list."""


def citations() -> Iterator[tuple[str, str]]:
    """The files that cite a section of the sheet, and which."""
    texts = (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*")))
    for file in texts:
        if file.suffix in KINDS and file != Path(__file__):
            for section in SECTION.findall(file.read_text(encoding="utf-8")):
                yield str(file.relative_to(ROOT)), section


def test_the_sheet_has_every_section_that_is_cited() -> None:
    sections = set(NAMED.findall(SHEET))
    assert {str(number) for number in range(13)} <= sections
    cited = list(citations())
    assert len(cited) > len(sections)
    assert [one for one in cited if one[1] not in sections] == []


def test_each_source_that_a_citation_names_is_explained() -> None:
    (table,) = re.findall(r"^## §0 Sources\n(.*?)^## ", SHEET, re.DOTALL | re.MULTILINE)
    keys = set(re.findall(r"^\| ([A-Z]{2}) \|", table, re.MULTILINE))
    exceptions = (ROOT / "specs" / "wire-exceptions.json").read_text(encoding="utf-8")
    cited = set(re.findall(r"\b([A-Z]{2})\b", " ".join(re.findall(r"§.*?\((.*)\)", exceptions))))
    assert cited
    assert cited <= keys | {"SP"}  # SP is followed by the number of a build
