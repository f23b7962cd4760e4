"""What each kind of fault does to an answer. One table for each moment at which it can strike."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from datto_rmm_sandbox.answers import HTML, HTML_PAGE, Answer, ApiError, Delivery
from datto_rmm_sandbox.randomness import Topic, dice

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.faults import Fault

KEYS = ("uid", "alertUid", "id", "username", "patchId", "installStatus", "name", "version")
"""What wrong-types leaves alone, so that rows can still be told apart."""

OTHER_HOST = "elsewhere.invalid"

# Before the API is asked


async def _status(fault: Fault) -> Answer:
    """4xx as the API itself answers it, anything else as a gateway would."""
    status = int(fault.value)
    if status == HTTPStatus.NO_CONTENT:
        return Answer(status)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ApiError(status)
    return Answer(status, HTML_PAGE, HTML)


async def _gateway(fault: Fault) -> Answer:
    return Answer(int(fault.value), HTML_PAGE, HTML)


async def _reset(_fault: Fault) -> Answer:
    return Answer(delivery=Delivery.RESET)


async def _trickle_headers(_fault: Fault) -> Answer:
    return Answer(delivery=Delivery.TRICKLE_HEADERS)


async def _hang(fault: Fault) -> None:
    await asyncio.sleep(float(fault.value))


async def _html(_fault: Fault) -> Answer:
    return Answer(200, HTML_PAGE, HTML)


async def _empty(_fault: Fault) -> Answer:
    return Answer()


async def _null(_fault: Fault) -> Answer:
    return Answer(body=b"null")


async def _redirect(fault: Fault) -> Answer:
    return Answer(302, headers={"location": fault.value})


# After the API answered


def _cut(answer: Answer, fault: Fault) -> Answer:
    answer.delivery = Delivery.CUT_CHUNKED if fault.value == "chunked" else Delivery.CUT
    return answer


def _trickle(answer: Answer, _fault: Fault) -> Answer:
    answer.delivery = Delivery.TRICKLE
    return answer


def _cut_json(answer: Answer, _fault: Fault) -> Answer:
    answer.body = answer.body[: len(answer.body) * 2 // 3]
    return answer


def _gzip_error(answer: Answer, _fault: Fault) -> Answer:
    answer.headers["content-encoding"] = "gzip"
    answer.body = b"\x1f\x8b\x08\x00" + answer.body[: len(answer.body) // 2]
    return answer


def _in_rows(old: bytes, new: bytes, times: int) -> Callable[[bytes], bytes]:
    """Replace behind `pageDetails`, which damages of their own are for."""

    def damage(body: bytes) -> bytes:
        place = body.find(b"}") if body.startswith(b'{"pageDetails"') else 0
        return body[:place] + body[place:].replace(old, new, times)

    return damage


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "utf8": _in_rows(b':"', b':"\xff\xfe', 3),
    "nul": _in_rows(b':"', b':"\\u0000', 3),
    "surrogate": _in_rows(b':"', b':"\\ud800', 3),
    "nan": lambda body: body.replace(b":null", b":NaN", 3),
    "duplicate-keys": lambda body: re.sub(rb'\{"(\w+)":', rb'{"\1":null,"\1":', body),
    "huge": _in_rows(b":null", b':"' + b"x" * 10_000_000 + b'"', 1),
    "deep": _in_rows(b":null", b":" + b"[" * 500 + b"]" * 500, 1),
    "too-deep": _in_rows(b":null", b":" + b"[" * 50_000 + b"]" * 50_000, 1),
    "dates": lambda body: re.sub(rb'(?<!\\"):1[5-8]\d{11}\b', _absurd_date, body),
}
"""Values of the kind `hostile`: what a body can do to its reader, still with status 200."""

_ABSURD_DATES = (b":-999999999999999", b":253402300800000", b":1e308", b':"0000-00-00"', b":true")


def _absurd_date(found: re.Match[bytes]) -> bytes:
    return _ABSURD_DATES[found.start() % len(_ABSURD_DATES)]


def _hostile(answer: Answer, fault: Fault) -> Answer:
    answer.body = HOSTILE[fault.value](answer.body)
    return answer


def _error_in_200(data: Any, fault: Fault) -> Any:
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, list):
                data[key] = []
        data["error"] = fault.value
    return data


def _wrong_types(data: Any, _fault: Fault) -> Any:
    rows = _rows(data)
    if rows is None:
        return {
            key: _wrong(value, place) if key not in KEYS else value
            for place, (key, value) in enumerate(data.items())
        }
    for place, row in enumerate(rows):
        if isinstance(row, dict) and place % 3 == 0:
            rows[place] = {
                key: _wrong(value, place // 3 + n) if key not in KEYS else value
                for n, (key, value) in enumerate(row.items())
            }
    strangers: tuple[Any, ...] = (None, "text", 7, [], {})
    for item in strangers:
        rows.insert(len(rows) // 2, item)
    return data


def _wrong(value: Any, place: int) -> Any:
    """Another type for each fourth value, at any depth."""
    if place % 4 and isinstance(value, dict):
        return {key: _wrong(inner, place + n) for n, (key, inner) in enumerate(value.items())}
    if place % 4:
        return value
    match value:
        case bool():
            return "yes" if place % 8 else 2
        case int() | float():
            return str(value) if place % 8 else [value]
        case str():
            return {"text": value} if place % 8 else 12.5
        case _:
            return "neither object nor list" if place % 8 else True


def _unknown_keys(data: Any, _fault: Fault) -> Any:
    for row in _rows(data) or [data]:
        if isinstance(row, dict):
            row |= {
                "brandNew": 1,
                "brandNewObject": {"inner": [None, "ünknown"]},
                "brand.new key": None,
            }
            for value in row.values():
                if isinstance(value, dict):
                    value["brandNewInside"] = "x"
    return data


def _drop_key(data: Any, fault: Fault) -> Any:
    for row in (_rows(data) or [data])[::5]:
        if isinstance(row, dict):
            for key in (fault.value,) if fault.value else ("uid", "alertUid", "id", "username"):
                row.pop(key, None)
    return data


NEXT_PAGES = ("circle", "other-host", "empty", "missing", "no-details")
"""Values of the kind `next-page` beside addresses."""


def _next_page(data: Any, fault: Fault) -> Any:
    details = data.get("pageDetails") if isinstance(data, dict) else None
    if details and fault.value == "no-details":
        return {key: value for key, value in data.items() if key != "pageDetails"}
    if not details or not details.get("nextPageUrl"):
        return data
    url = urlsplit(details["nextPageUrl"])
    match fault.value:
        case "other-host":
            details["nextPageUrl"] = urlunsplit(url._replace(netloc=OTHER_HOST))
        case address if "://" in address:
            details["nextPageUrl"] = urlunsplit(urlsplit(address)[:2] + url[2:])
        case "empty":
            details["nextPageUrl"] = ""
        case "missing":
            del details["nextPageUrl"]
        case _:
            query = re.sub(r"page=\d+", "page=0", url.query)
            query = re.sub(r"&searchAfter=[^&]*", "", query)
            details["nextPageUrl"] = urlunsplit(url._replace(query=query))
    return data


def _short_page(data: Any, fault: Fault) -> Any:
    """Fewer rows than the page's own `count`."""
    del (_rows(data) or [])[-int(fault.value) :]
    return data


def _lose_rows(data: Any, fault: Fault) -> Any:
    """Rows are missing, other ones each time, and `count` agrees with what is left."""
    rows = _rows(data) or []
    chance = dice(fault.struck, Topic.FAULT)
    for place in sorted(chance.sample(range(len(rows)), min(int(fault.value), len(rows))))[::-1]:
        del rows[place]
    if isinstance(data, dict) and "pageDetails" in data:
        data["pageDetails"]["count"] = len(rows)
    return data


TOTAL_COUNTS = ("absent", "null")
"""Values of the kind `total-count` beside numbers."""


def _total_count(data: Any, fault: Fault) -> Any:
    details = data.get("pageDetails") if isinstance(data, dict) else None
    match fault.value:
        case _ if not details:
            pass
        case "absent":
            details.pop("totalCount", None)
        case "null":
            details["totalCount"] = None
        case number if isinstance(details.get("totalCount"), int):
            details["totalCount"] += int(number)
    return data


def _rows(data: Any) -> list[Any] | None:
    """The rows of a page or of a bare array; None for a single object."""
    if isinstance(data, list):
        return data
    if "pageDetails" in data:
        return next((value for value in data.values() if isinstance(value, list)), [])
    return None


BEFORE: dict[str, Callable[[Fault], Any]] = {
    "status": _status,
    "reset": _reset,
    "trickle-headers": _trickle_headers,
    "hang": _hang,
    "html": _html,
    "empty": _empty,
    "null": _null,
    "gateway": _gateway,
    "redirect": _redirect,
}
"""Kinds that answer in the API's place, or only make it wait."""

ON_BYTES: dict[str, Callable[[Answer, Fault], Answer]] = {
    "cut": _cut,
    "trickle": _trickle,
    "cut-json": _cut_json,
    "gzip-error": _gzip_error,
    "hostile": _hostile,
}
"""Kinds that change how the API's answer arrives."""

ON_JSON: dict[str, Callable[[Any, Fault], Any]] = {
    "error-in-200": _error_in_200,
    "wrong-types": _wrong_types,
    "unknown-keys": _unknown_keys,
    "next-page": _next_page,
    "drop-key": _drop_key,
    "short-page": _short_page,
    "lose-rows": _lose_rows,
    "total-count": _total_count,
}
"""Kinds that change what the API's answer says."""

AFTER = {*ON_BYTES, *ON_JSON}

KINDS: dict[str, str] = {
    "status": "503",
    "gateway": "404",
    "reset": "",
    "hang": "30",
    "html": "",
    "empty": "",
    "null": "",
    "redirect": f"https://{OTHER_HOST}/api/v2/account",
    "revoke": "",
    "cut": "",
    "trickle": "",
    "trickle-headers": "",
    "cut-json": "",
    "gzip-error": "",
    "hostile": "utf8",
    "error-in-200": "java.sql.SQLTransientConnectionException",
    "wrong-types": "",
    "unknown-keys": "",
    "next-page": "circle",
    "drop-key": "",
    "short-page": "1",
    "lose-rows": "1",
    "total-count": "+1",
}
"""Every kind and the value that it has where none is given."""

HELP: dict[str, str] = {
    "status": "this HTTP status: 4xx with the API's own body, 5xx with a gateway's page",
    "gateway": "this HTTP status with a gateway's page, 404 too",
    "reset": "the connection is reset",
    "hang": "the answer comes so many seconds later",
    "html": "a page of HTML with 200",
    "empty": "nothing at all with 200",
    "null": "JSON's null with 200",
    "redirect": "a redirect to this address",
    "revoke": "the request's token ends",
    "cut": "the body ends half-way; =chunked without a Content-Length",
    "trickle": "the body comes byte by byte",
    "trickle-headers": "the headers come byte by byte and have no end",
    "cut-json": "the JSON ends early in an answer that is whole",
    "gzip-error": "the body says that it is compressed, and is not",
    "hostile": f"a body that harms its reader: {', '.join(HOSTILE)}",
    "error-in-200": "no rows, and this text as the body's `error`",
    "wrong-types": "each third row has values of other types, and there are strange rows",
    "unknown-keys": "keys that no document has",
    "next-page": "nextPageUrl is circle, other-host, an address, empty, missing, or no-details",
    "drop-key": "each fifth row lacks this key; left out, all that are keys",
    "short-page": "so many rows are missing although the page counts them",
    "lose-rows": "so many rows are missing, other ones each time, and totalCount counts them",
    "total-count": "totalCount is so much higher or lower, absent, or null",
}
"""What each kind does, for the command line's help."""


def change(answer: Answer, fault: Fault) -> Answer:
    """Let a fault change an answer of the API.

    Args:
        answer: The true answer; one that is no success is left alone.
        fault: A fault; one whose kind is not in `AFTER` changes nothing.

    Returns:
        What is sent instead.
    """
    if answer.status != HTTPStatus.OK or fault.kind not in AFTER:
        return answer
    if fault.kind in ON_BYTES:
        return ON_BYTES[fault.kind](answer, fault)
    answer.body = orjson.dumps(ON_JSON[fault.kind](orjson.loads(answer.body), fault))
    return answer
