"""`make pictures`: the pictures at the top of the README, of what `make demo` has left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from demo.answers import question
from demo.browser import Browser, BrowserError
from demo.pipeline import ROOT
from demo.run import PAGE, SCREEN

PICTURES: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 1280
"""CSS pixels, as are all of these."""
SCORECARD_ENDS: Final = (
    "Math.ceil(document.querySelector('.scorecard').closest('.card')"
    ".getBoundingClientRect().bottom) + 24"
)
PHONE_HEIGHT: Final = 1400
SCREEN_WIDTH: Final = 760
SCREEN_STYLE: Final = """<style>
body { margin: 0; padding: 18px 22px; background: #16191f !important; color: #d7dce3 !important; }
pre { margin: 0; font: 14px/1.35 "DejaVu Sans Mono", Menlo, Consolas, monospace !important; }
</style>"""


def take() -> None:
    """Take them.

    Raises:
        BrowserError: there is no Chromium.
        OSError: there is nothing to take pictures of.
    """
    PICTURES.mkdir(exist_ok=True)
    with Browser() as browser, TemporaryDirectory() as folder:
        for name, dark in (("fleet", False), ("fleet-dark", True)):
            browser.open(PAGE, width=WIDTH, dark=dark)
            height = browser.evaluate(SCORECARD_ENDS)
            browser.picture(PICTURES / f"{name}.png", height=height)
        browser.open(PAGE, width=390)
        browser.picture(PICTURES / "fleet-phone.png", height=PHONE_HEIGHT)
        screen = Path(folder) / "screen.html"
        screen.write_text(answers_of(SCREEN.read_text(encoding="utf-8")), encoding="utf-8")
        browser.open(screen, width=SCREEN_WIDTH, height=100, dark=True)
        browser.picture(PICTURES / "demo.png")


def answers_of(screen: str) -> str:
    """Leave out the tables of rows and calls: the steps, and the answers, are what one looks at."""
    steps = screen[: _before(screen, "Rows in PostgreSQL")]
    answers = screen[_before(screen, question("scorecard")) : screen.index("What next?")]
    body = steps.replace("</head>", f"{SCREEN_STYLE}</head>", 1) + answers.rstrip()
    return f"{body}</code></pre></body></html>"


def _before(screen: str, title: str) -> int:
    """Where the element begins that holds a title."""
    return screen.rindex("<span", 0, screen.index(title))


def main() -> int:
    """Take the pictures.

    Returns:
        0, or 1 where something is missing.
    """
    try:
        take()
    except (BrowserError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for picture in sorted(PICTURES.glob("*.png")):
        print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
