"""The documentation as a site: the pages put together, then built by Zensical.

`make site`. The pages stay plain Markdown that GitHub shows as it is. For the site they are copied
into one folder, README first, and what links to a file that is no page links to GitHub instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = ROOT / "build" / "docs"
REPOSITORY: Final = "https://github.com/tap-datto-rmm/tap-datto-rmm/blob/main"
ELSEWHERE: Final = {
    "README.md": "index.md",
    "docs/README.md": "pages.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "sandbox/README.md": "sandbox.md",
}
"""Pages that the site has under another name."""
KINDS: Final = {".md", ".png", ".xml", ".json"}
LINK: Final = re.compile(r"""(\]\(|src="|srcset=")(?![a-z]+:)([^)"#\s]+)""")
"""A link, or a picture, to a file of the repository."""


class SiteError(Exception):
    """A page links to what is not there, or the generator is not content."""


def main() -> int:
    """Build the site."""
    try:
        gather()
        build()
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def sources() -> dict[str, str]:
    """Give every file of the site: its path in the repository, and its name on the site."""
    docs = sorted(file for file in (ROOT / "docs").rglob("*") if file.suffix in KINDS)
    found = {file.relative_to(ROOT).as_posix(): file for file in docs}
    return {path: path.removeprefix("docs/") for path in found} | ELSEWHERE


def gather() -> None:
    """Copy the pages into one folder.

    Raises:
        SiteError: a page links to a file that is not there.
    """
    shutil.rmtree(PAGES, ignore_errors=True)
    files = sources()
    for path, name in files.items():
        target = PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            text = (ROOT / path).read_text(encoding="utf-8")
            target.write_text(linked(text, PurePosixPath(path), files), encoding="utf-8")
        else:
            shutil.copy(ROOT / path, target)


def linked(text: str, path: PurePosixPath, files: dict[str, str]) -> str:
    """Let a page's links lead where the site has what they lead to.

    Args:
        text: the page's.
        path: of the page, in the repository.
        files: of the site, by their paths in the repository.

    Raises:
        SiteError: there is no such file.
    """

    def moved(link: re.Match[str]) -> str:
        to = normpath(str(path.parent / link[2]))
        if not (ROOT / to).exists():
            raise SiteError(f"{path} links to {link[2]}, which is not there")
        if f"{to}/README.md" in files:
            to = f"{to}/README.md"
        here = PurePosixPath(files[str(path)]).parent
        return link[1] + (relpath(files[to], here) if to in files else f"{REPOSITORY}/{to}")

    return "".join(part if is_code else LINK.sub(moved, part) for part, is_code in _parts(text))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Split a page into its text and its code."""
    for number, part in enumerate(
        re.split(r"(^ *```.*?^ *```$|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    ):
        yield part, number % 2 == 1


def build() -> None:
    """Let Zensical make the site; a link without a page or an anchor is an error.

    Raises:
        SiteError: it says why.
    """
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, encoding="utf-8")
    if done.returncode:
        said = done.stdout + done.stderr.partition("Traceback")[0]
        raise SiteError(re.sub(r"\x1b\[[\d;]*m", "", said))


if __name__ == "__main__":
    sys.exit(main())
