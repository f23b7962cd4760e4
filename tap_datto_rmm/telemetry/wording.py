"""One line about a sync under way, in as many columns as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tap_datto_rmm.telemetry.progress import Progress
    from tap_datto_rmm.telemetry.time_left import Budget

TENTHS_UNTIL: Final = 10
SECONDS_UNTIL: Final = 600
GUESSED_SECONDS_UNTIL: Final = 90
"""Seconds from which on fewer digits are told."""

WHAT, DOING, WHOLE = range(3)
SHRINK: Final = (DOING, WHOLE, WHAT, WHOLE, WHAT, DOING, WHOLE, WHOLE)
"""Which part becomes shorter next, as long as the line does not fit."""


def line(progress: Progress, waits: str, budget: Budget, left: float | None, columns: int) -> str:
    """Word it, as in `device_audits 4,120/9,830 (42 %), stream 9 of 20, about 14 min left in all`.

    Args:
        progress: of the sync.
        waits: what it waits for; empty: for nothing.
        budget: the rate limit.
        left: seconds that are left; None: not known.
        columns: of the line.
    """
    parts = [_what(progress), [waits] if waits else _pace(progress, budget), _whole(progress, left)]
    sizes = [0, 0, 0]
    for part in (None, *SHRINK):
        if part is not None:
            sizes[part] = min(sizes[part] + 1, len(parts[part]) - 1)
        chosen = (forms[size] for forms, size in zip(parts, sizes, strict=True))
        text = ", ".join(filter(None, chosen))
        if len(text) <= columns:
            return text
    return f"{text[: columns - 3]}..."


def counted(number: int, one: str, many: str = "") -> str:
    """Word a number of things.

    >>> counted(1, "record"), counted(4_391, "record"), counted(0, "retry", "retries")
    ('1 record', '4,391 records', '0 retries')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def span(seconds: float) -> str:
    """Word a length of time.

    >>> span(0.42), span(171.4), span(700), span(3_720)
    ('0.4 s', '171 s', '12 min', '1 h 2 min')
    """
    if seconds < TENTHS_UNTIL:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < SECONDS_UNTIL else whole_span(seconds)


def whole_span(seconds: float) -> str:
    """Word a length of time that nobody knows to a tenth of a second."""
    if seconds < GUESSED_SECONDS_UNTIL:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _what(progress: Progress) -> list[str]:
    stretch = progress.stretch
    if not stretch.total:
        return [f"{stretch.name} {stretch.done:,}" if stretch.done else stretch.name]
    share = _percent(stretch.done, stretch.total)
    again = ", once more" if stretch.again else ""
    return [
        f"{stretch.name} {stretch.done:,}/{stretch.total:,} ({share}){again}",
        f"{stretch.name} {stretch.done:,}/{stretch.total:,}{again}",
        f"{stretch.name} {share}{again}",
    ]


def _pace(progress: Progress, budget: Budget) -> list[str]:
    pace = progress.calls_per_second
    if pace is None:
        return [""]
    words = f"{pace:.1f} calls/s"
    return [f"{words}, budget {_percent(budget.used, budget.ceiling)} used", words, ""]


def _whole(progress: Progress, left: float | None) -> list[str]:
    if not progress.number:
        return [""]
    which = f"{progress.number} of {progress.of}"
    if left is None:
        return [f"stream {which}", which, ""]
    words = whole_span(left)
    return [
        f"stream {which}, about {words} left in all",
        f"{which}, {words} left in all",
        f"{words} left in all",
        f"{words} left",
        "",
    ]


def _percent(part: float, whole: float) -> str:
    return f"{min(part / whole, 1) * 100:.0f} %"
