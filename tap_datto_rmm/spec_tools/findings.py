"""What a probe found, for people and for programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.spec_tools.probe import RUMOURED
from tap_datto_rmm.spec_tools.shapes import in_runs, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.spec_tools.probe import Probed

LABELS: Final = {
    "unknown": "not in the description",
    "other_types": "of another type",
    "absent": "described, not sent",
    "dates": "dates",
    "orders": "ordered by",
    "no_guids": "no GUID",
}
BEFORE_SHARING: Final = (
    "No value is in this. Keys stand as they came, but for those that look like data (?): look "
    "them over before you share it."
)


def as_lines(probed: Probed) -> Iterator[str]:
    """Lines for a terminal, the first one with the path."""
    rumoured = " (rumoured)" if probed.path in RUMOURED else ""
    yield f"GET {probed.path}{rumoured}: {_said(probed)}"
    for name, found in _facts(probed).items():
        parts = found if isinstance(found, list) else _grouped(found)
        yield f"  {LABELS[name]}: {'; '.join(parts)}"


def as_content(probed: Probed) -> dict[str, Any]:
    """The same for programs."""
    return {
        "path": probed.path,
        "status": probed.status,
        "lacking": probed.lacking or None,
        **_facts(probed),
    }


def summary(all_of_them: Sequence[Probed]) -> str:
    """Sum up in one line."""
    asked = [one for one in all_of_them if not one.lacking]
    answered = sum(one.shape is not None for one in asked)
    return (
        f"{len(asked)} paths asked: {answered} answered, {len(asked) - answered} did not. "
        f"{len(all_of_them) - len(asked)} not asked."
    )


def _said(probed: Probed) -> str:
    if probed.lacking:
        return f"not asked, the account shows no {probed.lacking}"
    if probed.status is None:
        return "no answer, or none that can be read"
    known = probed.status in set(HTTPStatus)
    return f"{probed.status} {HTTPStatus(probed.status).phrase}" if known else str(probed.status)


def _facts(probed: Probed) -> dict[str, Mapping[str, str] | list[str]]:
    """What is to be told of an answer; nothing where it is as described and has no dates."""
    shape = probed.shape
    if shape is None:
        return {}
    found: dict[str, Mapping[str, str] | list[str]] = {
        "unknown": words(shape.unknown),
        "other_types": words(shape.other_types),
        "absent": list(in_runs(shape.absent)),
        "dates": words(shape.dates),
        "orders": shape.orders,
        "no_guids": sorted(shape.no_guids),
    }
    return {name: part for name, part in found.items() if part}


def _grouped(found: Mapping[str, str]) -> list[str]:
    """Paths of which the same is told, together."""
    by_what: dict[str, list[str]] = {}
    for path, what in found.items():
        by_what.setdefault(what, []).append(path or "all of it")
    return [f"{', '.join(paths)} ({what})" for what, paths in by_what.items()]
