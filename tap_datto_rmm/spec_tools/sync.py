"""Bring a document up to the vendor's: merge what was found, take over the facts, write it.

What is taken from the vendor is facts only; the words are the project's (`words`). What nobody
could see is never taken for removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import DOCUMENT_NAME, Schema, component_name, packaged
from tap_datto_rmm.settings import PLATFORMS
from tap_datto_rmm.spec_tools.document import ORIGIN, Document, Origin, references, some
from tap_datto_rmm.spec_tools.files import replace
from tap_datto_rmm.spec_tools.merge import merge
from tap_datto_rmm.spec_tools.readside import read_side, same_facts
from tap_datto_rmm.spec_tools.words import worded

if TYPE_CHECKING:
    from tap_datto_rmm.spec_tools.discovery import Found

NEXT: Final = (
    "Nothing was changed. Try again later, or another address with `--url`, or begin with another "
    f"platform: `--platform {{{'|'.join(PLATFORMS)}}}`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sync came to.

    Attributes:
        old: the document that was there; None where there was none that could be read.
        new: the document with the vendor's facts.
        same: whether the facts are those that were there.
        written: whether the file was replaced.
        missing: documents that could not be had.
        kept: paths that nobody could see, and that stay as they were.
        notes: where the vendor's documents contradict each other.
    """

    old: Document | None
    new: Document
    same: bool
    written: bool
    missing: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def default_output() -> Path:
    """The document of a checkout; where the package is installed, a file of that name here."""
    document = packaged(DOCUMENT_NAME)
    package = Path(__file__).parents[1]
    return Path(DOCUMENT_NAME) if document.is_relative_to(package) else document


def sync(found: Found, output: Path, *, partial: bool = False, force: bool = False) -> Outcome:
    """Take the vendor's documents over into a file.

    Args:
        found: the documents.
        output: the file; its descriptions are kept, gaps filled from the packaged document.
        partial: take over what could be seen, and keep the rest of the file.
        force: write even where nothing changed, or where the file cannot be read.

    Raises:
        SpecError: not everything could be seen, the documents do not fit together, or the file can
            be neither read nor written. It is as before then.
    """
    if not found.groups:
        raise SpecError(f"{' '.join(found.missing.values())} {NEXT}")
    vendor, notes = merge(found.groups)
    there = _there(output, force=force)
    side = read_side(vendor)
    before = read_side(there) if there else {"paths": {}}
    origin = Origin(
        urls=tuple(group.document.source for group in found.groups),
        date=datetime.now(UTC).date().isoformat(),
        missing=tuple(found.missing),
    )
    seen = _with_origin(vendor, origin)
    unseen = sorted(p for p in before["paths"].keys() - side["paths"].keys() if seen.is_blind_to(p))
    if (found.missing or unseen) and not partial:
        raise _not_seen(found, unseen)
    side = _with_paths(side, before, unseen)
    same = there is not None and same_facts(side, before)
    ours = _there(packaged(DOCUMENT_NAME), force=True)
    bases = [document.content for document in (there, ours) if document]
    new = Document({**worded(side, *bases), ORIGIN: origin.note()}, str(output))
    if not same or force:
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        replace(output, orjson.dumps(new.content, option=options))
    return Outcome(
        old=there,
        new=new,
        same=same,
        written=not same or force,
        missing=[*found.missing],
        kept=unseen,
        notes=notes,
    )


def _with_origin(document: Document, origin: Origin) -> Document:
    return Document({**document.content, ORIGIN: origin.note()}, document.source)


def _not_seen(found: Found, unseen: list[str]) -> SpecError:
    """Say what could not be seen, and what to do."""
    what = [f"{name} ({reason.removesuffix('.')})" for name, reason in found.missing.items()]
    if not what:
        what = [f"{len(unseen)} paths that the file has ({some(unseen)})"]
    return SpecError(
        f"Not seen: {'; '.join(what)}. {NEXT} Or take over what was seen, and keep the rest as it "
        "is, with `--partial`."
    )


def _with_paths(side: Schema, before: Schema, paths: list[str]) -> Schema:
    """Add paths of an older read side, with what they need."""
    schemas = {**side["components"]["schemas"]}
    kept = {path: before["paths"][path] for path in paths}
    waiting = [*references(kept)]
    while waiting:
        name = component_name(waiting.pop())
        if name not in schemas:
            schemas[name] = before["components"]["schemas"][name]
            waiting += references(schemas[name])
    return {**side, "paths": {**side["paths"], **kept}, "components": {"schemas": schemas}}


def _there(file: Path, *, force: bool) -> Document | None:
    """Read the document that is to be replaced; None where there is none."""
    try:
        return Document.parse(file.read_bytes(), str(file))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SpecError(f"Cannot read {file}: {error.strerror}.") from None
    except SpecError as error:
        if force or file.resolve() != packaged(DOCUMENT_NAME).resolve():
            return None
        raise SpecError(
            f"{error} Its descriptions would be lost: restore it with `git checkout -- {file}` "
            "first, or write one without them with `--force`."
        ) from None
