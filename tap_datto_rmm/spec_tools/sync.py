"""Bring a document up to the vendor's: fetch, check, take over the facts, write in one step.

The packaged document is the project's own wording. What is taken from the vendor is facts only;
whatever still exists keeps its description, and what is new has none until somebody writes it.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as ReadTimeoutError

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import DOCUMENT_NAME, Schema, packaged
from tap_datto_rmm.settings import LOOPBACK_HOSTS, PLATFORMS, host_url, package_version
from tap_datto_rmm.spec_tools.readside import Document, read_side, same_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DOCS_PATH: Final = "/api/v3/api-docs/Datto-RMM"
MOST_BYTES: Final = 20_000_000
"""Seventy times build 235."""
LEAST_BYTES: Final = 1_000
MOST_REDIRECTS: Final = 3
CHUNK: Final = 65_536
SHOWN: Final = 5
"""So many names of a long list."""

PROSE: Final = ("summary", "description", "title")
OURS: Final = ("externalDocs", "security", "servers", "tags")
"""Parts of a document that are the project's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync came to.

    Attributes:
        old: the document that was there; None where there was none that could be read.
        new: the document with the vendor's facts.
        text: the new document, formatted.
        same: whether the facts are those that were there.
        written: whether the file was replaced.
    """

    old: Document | None
    new: Document
    text: bytes
    same: bool
    written: bool


def default_output() -> Path:
    """The document of a checkout; where the package is installed, a file of that name here."""
    document = packaged(DOCUMENT_NAME)
    package = Path(__file__).parents[1]
    return Path(DOCUMENT_NAME) if document.is_relative_to(package) else document


def document_url(platform: str, url: str | None = None) -> str:
    """Say where the vendor's document is.

    >>> document_url("merlot")
    'https://merlot-api.centrastage.net/api/v3/api-docs/Datto-RMM'

    Args:
        platform: one of the six.
        url: address of an API or of a document, in place of the platform's.

    Raises:
        SpecError: the address is none.
    """
    if url and _parts(url).path.strip("/") not in {"", "api"}:
        return url
    return host_url({"platform": platform, "api_url": url}) + DOCS_PATH


def fetch(url: str, timeout: float) -> bytes:
    """Download a document.

    Args:
        url: https, or http on this machine.
        timeout: seconds for all of it.

    Raises:
        SpecError: it did not come, or not whole.
    """
    ends = time.monotonic() + timeout
    headers = {
        "Accept": "application/json",
        "User-Agent": f"tap-datto-rmm-spec/{package_version()}",
    }
    home = _parts(url).hostname
    try:
        with requests.Session() as session:
            for _ in range(MOST_REDIRECTS + 1):
                _check_address(url, home)
                left = max(ends - time.monotonic(), 0.001)
                with session.get(
                    url, headers=headers, timeout=left, allow_redirects=False, stream=True
                ) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers["location"])
                        continue
                    return _body(response, url, ends, timeout)
    except (requests.Timeout, ReadTimeoutError):
        raise _too_slow(url, timeout) from None
    except (requests.RequestException, HTTPError) as error:
        why = type(error).__name__
        raise SpecError(f"{url} did not answer, or not to the end ({why}). {_NEXT}") from None
    raise SpecError(f"{url} leads on and on. {_NEXT}")


def sync(text: bytes, source: str, output: Path, *, force: bool = False) -> Outcome:
    """Take a vendor's document over into a file.

    Args:
        text: the vendor's document.
        source: where it came from, for errors.
        output: the file; its descriptions are kept, gaps filled from the packaged document.
        force: write even where nothing changed, or where the file cannot be read.

    Raises:
        SpecError: the text is no such document, or the file can be neither read nor written.
    """
    vendor = Document.parse(text, source)
    there = _there(output, force=force)
    ours = _there(packaged(DOCUMENT_NAME), force=True)
    side = read_side(vendor)
    bases = [document.content for document in (there, ours) if document]
    new = Document(worded(side, *bases), str(output))
    same = there is not None and same_facts(side, read_side(there))
    formatted = orjson.dumps(new.content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    if not same or force:
        replace(output, formatted)
    return Outcome(there, new, formatted, same, written=not same or force)


def replace(file: Path, content: bytes) -> None:
    """Replace a file in one step: readers see the old one or the new one.

    Raises:
        SpecError: it cannot be written; it is as before.
    """
    temporary = None
    try:
        target = file.resolve()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        raise SpecError(
            f"Cannot write {file}: {error.strerror}. Nothing was changed; name another file with "
            "`--output`."
        ) from None


def worded(side: Schema, *bases: Mapping[str, Any]) -> Schema:
    """Put words to the facts of a read side.

    Args:
        side: the facts.
        bases: documents whose words are kept wherever what they describe still exists; the first
            that has any wins. The first also gives the parts that are the project's own.
    """
    out = side
    for base in bases:
        out = _with_words(out, base)
    first = bases[0] if bases else {}
    for path, item in out["paths"].items():
        get = item["get"]
        known = (base["paths"][path].get("get", {}) for base in bases if path in base["paths"])
        before: Schema = next(known, {})
        get.update({key: before[key] for key in OURS if key in before})
        if not get["parameters"]:
            del get["parameters"]
        for status, response in get["responses"].items():
            response.setdefault("description", _phrase(status))
    info = {"title": "Datto RMM API, read side", **first.get("info", {}), **side["info"]}
    servers = [{"url": host_url({"platform": name}) + "/api"} for name in PLATFORMS]
    kept = {key: first[key] for key in OURS if key in first}
    components = {**first.get("components", {}), **out["components"]}
    return {"servers": servers, **kept, **out, "info": info, "components": components}


def undescribed(document: Document) -> Iterator[str]:
    """Name what a document's read side leaves without a description."""
    for path, item in document.content["paths"].items():
        get = item.get("get")
        if get is None:
            continue
        if not (get.get("summary") and get.get("description")):
            yield f"GET {path}"
        for parameter in get.get("parameters", ()):
            if not parameter.get("description"):
                yield f"GET {path} parameter {parameter.get('name')}"
    for name, schema in document.schemas.items():
        if not schema.get("description"):
            yield name
        yield from _undescribed_properties(schema, name)


def some(names: Sequence[str]) -> str:
    """Name the first few."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _undescribed_properties(schema: Schema, where: str) -> Iterator[str]:
    for name, prop in schema.get("properties", {}).items():
        if not prop.get("description"):
            yield f"{where}.{name}"
        yield from _undescribed_properties(prop, f"{where}.{name}")
    for member in (schema.get("items"), *schema.get("allOf", ())):
        if isinstance(member, dict):
            yield from _undescribed_properties(member, where)


def _with_words(part: Any, base: Any) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(part, list):
        before = {_name_of(one): one for one in base} if isinstance(base, list) else {}
        return [_with_words(one, before.get(_name_of(one))) for one in part]
    if not isinstance(part, dict):
        return part
    base = base if isinstance(base, dict) else {}
    out = {key: _with_words(value, base.get(key)) for key, value in part.items()}
    # Properties may be called `description` too; what describes them is no text.
    words = {key: base[key] for key in PROSE if isinstance(base.get(key), str)}
    return {**words, **out}


def _name_of(member: Any) -> str:  # noqa: ANN401 - a parameter, a schema, or a value
    if not isinstance(member, dict):
        return str(member)
    if "in" in member:
        return f"{member['in']} {member['name']}"
    return str(member.get("$ref", ""))


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase if status.isdigit() else "Any other answer"


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


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.hostname:
            return parts
    raise SpecError(f"{url} is no address such as {document_url(PLATFORMS[0])}.")


def _check_address(url: str, home: str | None) -> None:
    parts = _parts(url)
    if parts.hostname != home:
        raise SpecError(f"The address leads to another host, {url}, which is not followed.")
    secure = parts.scheme == "https"
    if not secure and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise SpecError(f"{url} is not https, which only addresses of this machine may do without.")


def _body(response: requests.Response, url: str, ends: float, timeout: float) -> bytes:
    if response.status_code != HTTPStatus.OK:
        raise SpecError(f"{url} answered HTTP {response.status_code}. {_NEXT}")
    body = bytearray()
    # `iter_content` would wait for whole chunks, however slowly they trickle in.
    while part := response.raw.read1(CHUNK, decode_content=True):
        body += part
        if time.monotonic() > ends:
            raise _too_slow(url, timeout)
        if len(body) > MOST_BYTES:
            raise SpecError(
                f"{url} sends more than {MOST_BYTES:,} bytes: that is no such document."
            )
    if body.lstrip()[:1] == b"<":
        raise SpecError(f"{url} answered with a web page, not with an OpenAPI document. {_NEXT}")
    if len(body) < LEAST_BYTES:
        raise SpecError(f"{url} sent {len(body)} bytes: that is no such document. {_NEXT}")
    return bytes(body)


def _too_slow(url: str, timeout: float) -> SpecError:
    return SpecError(f"{url} took longer than {timeout:g} s. Give it more with `--timeout`.")


_NEXT: Final = (
    "Nothing was changed. Try again, or another platform with `--platform "
    f"{{{'|'.join(PLATFORMS)}}}`."
)
