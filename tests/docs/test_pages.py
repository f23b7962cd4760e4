"""The pages say what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fast
from tests.docs.pages import PAGES, ROOT, read
from tools.sections import section

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import TapCommand

MOST_LINES = 172
"""Of the README, without its table of streams: one more of them is no longer text."""

WITH_COMMENTS = {".py", ".sql", ".yml", ".md", ".example"}
"""Ends of names of files that point to pages."""


def test_the_tables_are_those_of_the_code_and_of_the_benchmarks() -> None:
    check = [sys.executable, "-m", "tools.tables", "--check"]
    run = subprocess.run(check, check=False, capture_output=True, cwd=ROOT, encoding="utf-8")
    assert run.returncode == 0, f"run `make docs`: {run.stdout}{run.stderr}"


def test_the_readme_is_short() -> None:
    page = read("README.md")
    table = section(page, "streams")
    assert len(page.splitlines()) - len(table.splitlines()) < MOST_LINES


def test_the_custom_streams_of_the_page_work(
    sandbox: Callable[..., Sandbox], tap: TapCommand
) -> None:
    page = read("docs/selecting.md")
    (example,) = re.findall(r"```json\n(\{\"custom_streams\".*?)```", page, re.DOTALL)
    declared = json.loads(example)
    names = [stream["name"] for stream in declared["custom_streams"]]
    run = tap.sync(fast(sandbox(), **declared), *names)
    assert run.code == 0, run.err
    assert names
    assert set(run.records) == set(names)


def test_the_stream_that_a_page_shows_is_declared_so() -> None:
    page = read("docs/how-it-is-built.md")
    (example,) = re.findall(r"```python\n(class .*?)```", page, re.DOTALL)
    assert example in (ROOT / "tap_datto_rmm" / "streams" / "sites.py").read_text(encoding="utf-8")


def test_the_modules_that_a_page_names_are_there() -> None:
    page = read("docs/how-it-is-built.md")
    rows = re.findall(r"^\| .*? \| `(\w+)/` \| (.*) \|$", page, re.MULTILINE)
    named = [(room, file) for room, text in rows for file in re.findall(r"`([\w/]+\.py)`", text)]
    assert len(named) > len(rows) > 8
    package = ROOT / "tap_datto_rmm"
    assert [
        file
        for room, file in named
        if not any((package / p).exists() for p in (f"{room}/{file}", file))
    ] == []


def test_the_tests_that_a_page_names_are_there() -> None:
    page = read("docs/reliability.md")
    named = set(re.findall(r"`(test_\w+?)(?:_…)?`", page))
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    defined = {
        name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    }
    assert len(named) > 40
    assert [one for one in named if not any(name.startswith(one) for name in defined)] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", read(page))
    here = ROOT / page
    files = [(here.parent / path if path else here, anchor) for path, anchor in links]
    assert [file for file, _ in files if not file.exists()] == []
    assert [(file, a) for file, a in files if a and a not in anchors(file.read_text("utf-8"))] == []


def test_what_a_comment_points_to_is_there() -> None:
    folders = ("tap_datto_rmm", "sandbox", "sql", "demo")
    code = [file for name in folders for file in (ROOT / name).rglob("*")]
    files = [*code, *map(ROOT.joinpath, (*PAGES, ".env.example", "meltano.yml"))]
    texts = [file.read_text("utf-8") for file in files if file.suffix in WITH_COMMENTS]
    pages = {page for text in texts for page in re.findall(r"\bdocs/[\w-]+\.md\b", text)}
    assert [page for page in pages if page not in PAGES] == []
    named = re.findall(r'(README|docs/[\w-]+\.md), "([A-Z][^"\n]*)"', "\n".join(texts))
    assert {"README", "docs/answers.md", "docs/selecting.md"} <= {page for page, _ in named}
    assert [
        (page, heading)
        for page, heading in named
        if not re.search(
            rf"^#+ {heading}$", read(page.replace("README", "README.md")), re.MULTILINE
        )
    ] == []


def anchors(text: str) -> set[str]:
    """Give the names by which GitHub lets one link to a page's headings."""
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_page_of_the_documentation_is_on_its_list() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", read("docs/README.md")))
    assert listed == {p.removeprefix("docs/") for p in PAGES if p.startswith("docs/")} - {
        "README.md"
    }


def test_every_published_result_says_when_and_on_what_it_was_measured() -> None:
    text = read("benchmarks/README.md")
    names = re.findall(r"<!-- ([\w-]+): written by", text)
    origin = r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC · \d+ cores, \S.* · Python 3\.\d+\.\d+ · load"
    assert {"table", "limit", "start", "calls"} < set(names)
    for name in names:
        content = section(text, name)
        if "|" not in content:
            continue  # not measured on a quiet machine yet: nothing is claimed
        assert re.search(origin, content, re.MULTILINE), name
        assert "\n| " in content, name
