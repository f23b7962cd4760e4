"""The pages that people read, and the commands in them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "benchmarks" / "README.md",
        ROOT / "sandbox" / "README.md",
    ]
)
"""Of the repository, by their paths."""

FENCE: Final = re.compile(
    r"^(?: *<!-- (?P<mark>[^\n]*) -->\n)?(?P<indent> *)```sh\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of commands, as a reader copies it."""

    page: str
    line: int
    text: str
    mark: str
    """What the comment above it says: empty where it is run as it stands."""

    def __str__(self) -> str:
        """Say where it is."""
        return f"{self.page}:{self.line}"


def read(page: str) -> str:
    """Give a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Give a page's blocks of commands, in order."""
    text = read(page)
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")) + 1,
            textwrap.dedent(found["text"]),
            found["mark"] or "",
        )
        for found in FENCE.finditer(text)
    ]
