"""HTML that what it shows cannot break: one function makes `Html` of text, and it escapes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NewType

from demo.page.limits import Tone
from demo.page.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from demo.page.data import Row

Html = NewType("Html", str)
"""Markup that is safe to send."""
NOTHING = Html("")


def text(value: object) -> Html:
    """Escape anything for an element or an attribute; dates and numbers as people write them."""
    return Html(escape(words(value), quote=True))


def tag(name: str, *content: Html, **attributes: str) -> Html:
    """An element; `class_` stands for `class`, `_` for `-`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    return Html(f"<{name}{given}>{join(content)}</{name}>")


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Put markup together."""
    return Html(between.join(parts))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        head: its title.
        value: what stands in a row; a column of the row where it is text.
        tone: how it is shown.
        kind: classes of its cells: `number` stands on the right, `wide` is gone on a phone, `share`
            is never left out there.
        beside: what stands small and grey below it.
        beside_kind: class of that: `narrow` is there on a phone only.
    """

    head: str
    value: str | Callable[[Row], Any]
    tone: Callable[[Row], Tone] = lambda _: Tone.PLAIN
    kind: str = ""
    beside: Callable[[Row], str] = lambda _: ""
    beside_kind: str = ""

    def heading(self) -> Html:
        """Its title as a cell."""
        return tag("th", text(self.head), class_=self.kind, scope="col")

    def cell(self, row: Row) -> Html:
        """The cell of a row."""
        value = row[self.value] if isinstance(self.value, str) else self.value(row)
        parts = [tag("span", text(value))]
        if said := self.beside(row):
            parts.append(tag("small", text(said), class_=self.beside_kind))
        kinds = " ".join(filter(None, (self.kind, self.tone(row).value)))
        return tag("td", *parts, class_=kinds, data_head=self.head)


def number(
    head: str, value: str | Callable[[Row], Any], tone: Callable[[Row], Tone] = lambda _: Tone.PLAIN
) -> Column:
    """A column of numbers or dates."""
    return Column(head, value, tone, kind="number")


def table(
    columns: Sequence[Column], rows: Sequence[Row], *, foot: Row | None = None, class_: str = ""
) -> Html:
    """A table; its narrow form puts each title before its value."""
    heads = [column.heading() for column in columns]
    lines = [tag("tr", *(column.cell(row) for column in columns)) for row in rows]
    parts = [tag("thead", tag("tr", *heads)), tag("tbody", *lines)]
    if foot:
        parts.append(tag("tfoot", tag("tr", *(column.cell(foot) for column in columns))))
    return tag("table", *parts, class_=class_)


def note(message: str) -> Html:
    """A quiet line."""
    return tag("p", text(message), class_="note")


def card(title: str, about: str, *content: Html, class_: str = "") -> Html:
    """A section with a heading and one line that says what it is about."""
    heading = [tag("h2", text(title)), *([note(about)] if about else [])]
    return tag("section", *heading, *content, class_=f"card {class_}".strip())
