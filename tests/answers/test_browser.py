"""The page in a real browser, narrow and wide: what is there, and that nothing sticks out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo import report
from demo.browser import Browser, chromium
from demo.page.data import collect
from tests.answers.test_page import NASTY, NOON, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.answers.tables import Tables

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium here")

STICKS_OUT = """
[...document.querySelectorAll("body *")].filter(element => {
  const own = element.getBoundingClientRect();
  const card = (element.closest(".card, .tile") || document.body).getBoundingClientRect();
  return own.width && (own.right > card.right + 0.5 || own.left < card.left - 0.5);
}).map(element => element.outerHTML.slice(0, 80))
"""
CUT = """
[...document.querySelectorAll("td span, td small, .tile span, .tile b, .bars .name")].filter(
  element => element.offsetParent && element.scrollWidth > element.clientWidth + 1
    && getComputedStyle(element).overflow != "visible"
).map(element => element.textContent)
"""
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture
def page(tables: Tables, tmp_path: Path) -> Path:
    fill(tables)
    tables.add("sites", uid="long", name=LONG, onDemand=False)
    for number in range(3):
        tables.device(siteUid="long", hostname=f"{LONG}-{number}", lastSeen="2026-10-20 12:00")
    for day in range(1, 18):
        tables.add(
            "devices_daily",
            uid="device-1",
            day=f"2026-11-{day:02d}",
            siteUid="site",
            deviceClass="device",
            operatingSystem="Microsoft Windows 11 Pro",
            lastSeen=f"2026-11-{day:02d} 12:00",
            lastAuditDate=f"2026-11-{day:02d} 12:00",
            patchStatus="FullyPatched",
            antivirusStatus="NotRunning",
        )
    file = tmp_path / "fleet.html"
    file.write_text(report.render(collect(tables.postgres.uri), NOON), encoding="utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 390])
def test_nothing_sticks_out_or_is_cut(
    browser: Browser, page: Path, width: int, *, dark: bool
) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(STICKS_OUT) == []
    assert browser.evaluate(CUT) == []


def test_the_numbers_are_there_and_the_console_is_empty(browser: Browser, page: Path) -> None:
    browser.open(page)
    seen = browser.evaluate("[...document.querySelectorAll('.tile b')].map(b => b.innerText)")
    assert seen[:3] == ["87 %", "3", "100 %"]
    names = browser.evaluate(
        "[...document.querySelectorAll('.scorecard td:first-child')].map(td => td.innerText)"
    )
    assert NASTY in names
    assert names[-1] == "All sites"
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.problems == []


def test_on_a_phone_a_site_is_a_card_with_what_is_out_of_line(browser: Browser, page: Path) -> None:
    rows = "[...document.querySelectorAll('.scorecard tbody tr')]"
    display = f"getComputedStyle({rows}[0]).display"
    shown = f"{rows}.map(tr => [...tr.children].filter(td => td.offsetParent).length)"
    browser.open(page, width=1280)
    assert browser.evaluate(display) == "table-row"
    assert set(browser.evaluate(shown)) == {11}
    browser.open(page, width=390)
    assert browser.evaluate(display) == "grid"
    assert max(browser.evaluate(shown)) < 11
    plain = ".scorecard tbody td.number:not(.share):not(.amber):not(.red):not(:nth-child(2))"
    hidden = f"[...document.querySelectorAll('{plain}')].every(td => !td.offsetParent)"
    assert browser.evaluate(hidden)


def test_dark_is_dark_and_paper_is_white(browser: Browser, page: Path) -> None:
    colour = "getComputedStyle(document.body).color"
    browser.open(page, dark=False)
    light = browser.evaluate(colour)
    browser.open(page, dark=True)
    dark = browser.evaluate(colour)
    assert light != dark
    browser.tell("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate(colour) == light
    browser.tell("Emulation.setEmulatedMedia", media="")
