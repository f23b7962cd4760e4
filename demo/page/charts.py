"""Charts of HTML and SVG without a script: shares as bars, days as lines, weeks as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.page.markup import NOTHING, Html, join, tag, text
from demo.page.words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.page.data import Row

STATES: Final = (
    ("patched", "patched", "ok"),
    ("restart_due", "restart due", "pale"),
    ("pending", "patches waiting", "amber"),
    ("failing", "failing", "red"),
    ("patch_unknown", "unknown", "unknown"),
)
"""Column, name and class of each part of a bar."""
WIDTH, HEIGHT = 600, 160
"""Of the lines' drawing, whose units are stretched to the room that there is."""
MOST_WEEKS: Final = 18
LABELS: Final = 6


def patch_bars(sites: Sequence[Row]) -> Html:
    """A bar for each site, and what its colours mean."""
    lines = [
        tag(
            "li",
            tag("span", text(row["site"]), class_="name"),
            _bar(row),
            tag("b", text(f"{row['compliance']} %" if row["known"] else "unknown")),
        )
        for row in sites
    ]
    keys = [tag("span", tag("i", class_=kind), text(name)) for _, name, kind in STATES]
    return join([tag("ul", *lines, class_="bars"), tag("p", *keys, class_="keys")])


def _bar(row: Row) -> Html:
    counted = [(int(row[column]), name, kind) for column, name, kind in STATES]
    total = sum(count for count, _, _ in counted)
    parts = [
        tag("i", class_=kind, style=f"width:{100 * count / total:.2f}%")
        for count, _, kind in counted
        if count
    ]
    said = ", ".join(f"{count} {name}" for count, name, _ in counted if count)
    return tag("span", *parts, class_="bar", role="img", aria_label=said, title=said)


def trend_lines(days: Sequence[Row]) -> Html:
    """Compliance and antivirus cover by day, with the newest values in the key."""
    lines = (("compliance", "patched", "line-1"), ("cover", "antivirus", "line-2"))
    paths, keys = [], []
    for column, name, kind in lines:
        known = [(n, row[column]) for n, row in enumerate(days) if row[column] is not None]
        if not known:
            continue
        points = " ".join(f"{_x(n, len(days))},{_y(share)}" for n, share in known)
        paths.append(f'<polyline class="{kind}" points="{points}"/>')
        keys.append(tag("span", tag("i", class_=kind), text(f"{name} {known[-1][1]} %")))
    grid = "".join(f'<line x1="0" x2="{WIDTH}" y1="{_y(s)}" y2="{_y(s)}"/>' for s in (0, 50, 100))
    drawing = Html(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{grid}{''.join(paths)}</svg>"
    )
    scale = tag("span", *(tag("span", text(f"{share} %")) for share in (100, 50, 0)), class_="y")
    dates = tag("span", *(tag("span", text(label)) for label in _labels(days, "day")), class_="x")
    return join(
        [
            tag("p", *keys, class_="keys"),
            tag("div", scale, tag("span", drawing, class_="plot"), dates, class_="chart"),
        ]
    )


def week_columns(weeks: Sequence[Row]) -> Html:
    """Alerts by week; the urgent ones at the foot of each column."""
    shown = weeks[-MOST_WEEKS:]
    most = max((row["alerts"] for row in shown), default=0)
    if not most:
        return NOTHING
    columns = [
        tag(
            "span",
            tag(
                "i",
                class_="rest",
                style=f"height:{100 * (row['alerts'] - row['urgent']) / most:.1f}%",
            ),
            tag("i", class_="red", style=f"height:{100 * row['urgent'] / most:.1f}%"),
            title=f"{words(row['week'])}: {row['alerts']} alerts, {row['urgent']} urgent",
        )
        for row in shown
    ]
    scale = tag("span", *(tag("span", text(n)) for n in (most, 0)), class_="y")
    dates = tag("span", *(tag("span", text(label)) for label in _labels(shown, "week")), class_="x")
    keys = [
        tag("span", tag("i", class_="rest"), text("other alerts")),
        tag("span", tag("i", class_="red"), text("critical and high")),
    ]
    return join(
        [
            tag("p", *keys, class_="keys"),
            tag("div", scale, tag("span", *columns, class_="plot weeks"), dates, class_="chart"),
        ]
    )


def _x(place: int, of: int) -> str:
    return f"{WIDTH * place / max(of - 1, 1):.1f}"


def _y(share: int) -> str:
    return f"{HEIGHT * (100 - share) / 100:.1f}"


def _labels(rows: Sequence[Row], column: str) -> list[str]:
    """A few dates, evenly spread, the first and the last among them."""
    count = min(LABELS, len(rows))
    places = [round(n * (len(rows) - 1) / max(count - 1, 1)) for n in range(count)]
    return [f"{rows[place][column].day} {rows[place][column]:%b}" for place in places]
