"""The documentation as a site: built without a complaint, and readable without a network."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from typing_extensions import override

from tests.docs.pages import PAGES, ROOT
from tools import site

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADED = {"img": "src", "script": "src", "source": "srcset", "link": "href", "iframe": "src"}
"""What a browser fetches by itself, by tag."""
NOT_ON_THE_SITE = {"SECURITY.md"}
"""GitHub shows it where it is looked for."""


class Addresses(HTMLParser):
    """What a page loads, what it links to, and where one may link to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if address := given.get(LOADED.get(tag, "")):
            self.loaded.append(address)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def built() -> dict[str, Addresses]:
    """The pages of the site, by their paths."""
    assert site.main() == 0
    folder = ROOT / "build" / "site"
    return {
        file.relative_to(folder).as_posix(): Addresses(file.read_text(encoding="utf-8"))
        for file in folder.rglob("*.html")
    }


def test_no_page_loads_anything_from_another_host(built: dict[str, Addresses]) -> None:
    loaded = [address for page in built.values() for address in page.loaded]
    assert any(address.endswith(".css") for address in loaded)
    assert any(address.endswith(".js") for address in loaded)
    assert [address for address in loaded if urlsplit(address).netloc] == []
    styles = (ROOT / "build" / "site").rglob("*.css")
    assert [
        file for file in styles if re.search(r"url\(['\"]?(https?:)?//", file.read_text())
    ] == []


def test_every_link_within_the_site_leads_somewhere(built: dict[str, Addresses]) -> None:
    folder = ROOT / "build" / "site"
    checked = 0
    for path, page in built.items():
        if path == "404.html":
            continue  # may be shown at any address
        for link in (urlsplit(one) for one in (*page.links, *page.loaded)):
            if link.scheme:
                continue
            target = (folder / path).parent / link.path if link.path else folder / path
            assert target.exists(), (path, link)
            name = target.resolve().relative_to(folder).as_posix()
            assert not link.fragment or link.fragment in built[name].ids | {"__top"}, (path, link)
            checked += 1
    assert checked > len(PAGES)


def test_every_page_is_in_the_navigation() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = list(names(config["project"]["nav"]))
    pages = {name for name in site.sources().values() if name.endswith(".md")}
    assert sorted(listed) == sorted(pages)
    assert set(PAGES) - site.sources().keys() == NOT_ON_THE_SITE


def names(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav if isinstance(nav, list) else nav.values():
            yield from names(part)


def test_the_search_knows_every_page(built: dict[str, Addresses]) -> None:
    index = (ROOT / "build" / "site" / "search.json").read_text(encoding="utf-8")
    for page in built.keys() - {"404.html"}:
        assert f'"{page}' in index or page == "index.html"


def test_a_page_links_to_the_repository_for_what_is_no_page() -> None:
    text = "[a](../sql/answers/install.sql) [b](meltano.md#state) `[c](nowhere.md)` [d](../demo)"
    moved = site.linked(text, PurePosixPath("docs/answers.md"), site.sources())
    assert moved == (
        f"[a]({site.REPOSITORY}/sql/answers/install.sql) [b](meltano.md#state) "
        f"`[c](nowhere.md)` [d]({site.REPOSITORY}/demo)"
    )


def test_a_link_to_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(
        site.SiteError, match=r"docs/answers.md links to no\.md, which is not there"
    ):
        site.linked("[a](no.md)", PurePosixPath("docs/answers.md"), site.sources())


@pytest.mark.usefixtures("built")
def test_a_link_to_a_heading_that_is_not_there_is_an_error() -> None:
    page = site.PAGES / "speed.md"
    page.write_text("[a](costs.md#nothing)\n", encoding="utf-8")
    with pytest.raises(site.SiteError, match=r"anchor does not exist(.|\n)*speed\.md"):
        site.build()
