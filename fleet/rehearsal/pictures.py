"""`make fleet-pictures`: the pictures of docs/fleet.md, of what Dagster's pages show at the end."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from demo.browser import Browser, BrowserError
from rehearsal.processes import wait_for
from rehearsal.show import BROKEN, run_rounds, running_fleet
from rehearsal.world import PROJECT

if TYPE_CHECKING:
    from rehearsal.engine import Engine
    from rehearsal.world import World

PICTURES = PROJECT.parent / "docs" / "pictures"
PORT = 3001
WIDTH = 1400
"""CSS pixels, as are the heights."""
MIXED_UP, ITS_KEY = "bolt", "acme"
"""An account that is given another one's key in the end, so that its check is red."""
PAUSE = 0.5
SHOWS = "document.body.innerText.includes({})"
CLICK = """
[...document.querySelectorAll('button')].some(one => one.innerText.trim() == {} && !one.click())
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One of Dagster's pages."""

    picture: str
    path: str
    height: int
    shows: str
    """A text that it shows when it is there."""
    click: str = ""
    """A button to press then."""


PAGES = (
    Page("fleet-runs", "/runs", 1000, MIXED_UP),
    Page(
        "fleet-account",
        f"/assets/datto_rmm?view=partitions&partition={BROKEN}",
        1150,
        "streams_incomplete",
    ),
    Page("fleet-plots", "/assets/datto_rmm?view=overview", 900, "Plots", "Plots"),
    Page("fleet-check", "/assets/datto_rmm?view=checks", 820, "Evaluation result"),
)


def take(browser: Browser, address: str) -> None:
    """Take them.

    Args:
        browser: in which the pages are opened.
        address: of Dagster's web server.
    """
    for page in PAGES:
        browser.open(address + page.path, width=WIDTH, height=page.height)
        _wait_until(browser, SHOWS, page.shows)
        if page.click:
            _wait_until(browser, CLICK, page.click)
        picture = PICTURES / f"{page.picture}.png"
        before = b""
        while before != (before := _taken(browser, picture, page.height)):
            time.sleep(PAUSE)  # it is still being drawn
        print(f"docs/pictures/{picture.name}  {len(before) // 1000} kB")


def _wait_until(browser: Browser, condition: str, text: str) -> None:
    wait_for(text, lambda: browser.evaluate(condition.format(json.dumps(text))) or None, PAUSE)


def _taken(browser: Browser, file: Path, height: int) -> bytes:
    browser.picture(file, height=height)
    return file.read_bytes()


def mix_up(world: World, engine: Engine) -> None:
    """Give an account another one's key, and let Dagster sync it."""
    one, other = world.lines[MIXED_UP], world.lines[ITS_KEY]
    for part in ("api_url", "api_key", "api_secret"):
        one[part], other[part] = other[part], one[part]
    world.write_accounts()
    before = engine.count()
    engine.ask_for([MIXED_UP])
    engine.wait_for_round([MIXED_UP], before)


def main() -> int:
    """Run the rehearsal, mix two keys up, take the pictures.

    Returns:
        0, or 1 where there is no Chromium.
    """
    try:
        with (
            Browser() as browser,
            TemporaryDirectory() as folder,
            running_fleet(Path(folder)) as (world, engine),
        ):
            run_rounds(world, engine, print)
            mix_up(world, engine)
            engine.serve(PORT)
            take(browser, f"http://127.0.0.1:{PORT}")
    except BrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
