"""Pages of lists: 0-based numbers and `pageDetails`, and the activity log's cursor."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from datto_rmm_sandbox.account import logged
from datto_rmm_sandbox.answers import Answer, ApiError, json_answer
from datto_rmm_sandbox.jobs import activity_row
from datto_rmm_sandbox.records import MINUTE, Activity, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.quirks import Quirks
    from datto_rmm_sandbox.state import State

T = TypeVar("T")

LOG_PAGE = 250
LOG_WINDOW = 15 * MINUTE
_LOG_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def number(request: Request, name: str, default: int) -> int:
    """A query parameter that is a number.

    Args:
        request: The request.
        name: The parameter.
        default: Its value where the query lacks it.

    Returns:
        The number.

    Raises:
        ApiError: 400 where it is none.
    """
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise ApiError(400, f"Failed to convert '{name}' with value: '{text}'") from None


def page(
    request: Request,
    state: State,
    key: str,
    items: Sequence[T],
    render: Callable[[T], Row],
    *,
    total_count: str | None = None,
) -> Answer:
    """A page of a list. Past its end a page is empty, with status 200.

    Args:
        request: The request, for `page` (0-based), `max` and its own address.
        state: The sandbox; its quirks decide the open questions.
        key: The array's name.
        items: The whole list.
        render: Makes the row of an item; only those of this page are made.
        total_count: `number`, `null` or `absent`, where it differs from `list_total_count`.

    Returns:
        The answer.

    Raises:
        ApiError: 400 for a page number or size that is none, or too large where that is refused.
    """
    quirks = state.quirks
    at, size = number(request, "page", 0), number(request, "max", quirks.page_max)
    if at < 0 or size < 1:
        raise ApiError(400, "page must not be negative and max must be positive")
    if size > quirks.page_max:
        if quirks.over_max == "refuse":
            raise ApiError(400, f"max {size} exceeds the defined limit of {quirks.page_max}")
        size = quirks.page_max
    moves = quirks.drift == "reorder" and quirks.drifts(request.url.path)
    if moves:
        items = state.moves.arranged(request.url.path, items)
    rows = [render(item) for item in items[at * size : (at + 1) * size]]
    details: Row = {"count": len(rows)}
    match total_count or quirks.list_total_count:
        case "number":
            details["totalCount"] = len(items)
        case "null":
            details["totalCount"] = None
    details["prevPageUrl"] = _page_url(request, quirks, size, at - 1) if at else None
    has_next = (at + 1) * size < len(items)
    details["nextPageUrl"] = _page_url(request, quirks, size, at + 1) if has_next else None
    answer = json_answer({"pageDetails": details, key: rows})
    answer.is_page, answer.has_next = True, has_next
    if has_next and moves:
        state.moves.swap(request.url.path, at, size)
    return answer


def _own_url(request: Request, query: list[tuple[str, str]]) -> str:
    host = request.headers.get("host", request.url.netloc)
    return f"{request.url.scheme}://{host}{request.url.path}?{urlencode(query, safe=':,')}"


def _page_url(request: Request, quirks: Quirks, size: int, at: int) -> str:
    query = [("max", str(size)), ("page", str(at))]
    if quirks.next_page_url == "keep-params":
        kept = request.query_params.multi_items()
        query += [(name, value) for name, value in kept if name not in {"max", "page"}]
    return _own_url(request, query)


def activity_page(request: Request, account: Account, quirks: Quirks) -> Answer:
    """A page of the activity log.

    Without `from` only the last 15 minutes; `size`, not `max`; the cursor is the last row's time in
    milliseconds and id; no total count. Source: the vendor's document and one field report.

    Args:
        request: The request.
        account: The account.
        quirks: `next_page_url` decides whether the next address keeps the filters.

    Returns:
        The answer.

    Raises:
        ApiError: 400 for a parameter that cannot be read.
    """
    query = request.query_params
    size = number(request, "size", LOG_PAGE)
    order, direction = query.get("order", "desc"), query.get("page", "next")
    if size < 1 or order not in {"asc", "desc"} or direction not in {"next", "previous"}:
        raise ApiError(400, "size, order or page is not valid")
    size = min(size, LOG_PAGE)
    begin = _log_time(request, "from", (account.now - LOG_WINDOW) // 1000 * 1000)
    until = _log_time(request, "until", (account.now // 1000 + 1) * 1000)
    keep = _log_filter(request, account)
    log = account.activities
    low = bisect_left(log, (begin, ""), key=logged)
    high = bisect_right(log, (until, "\uffff"), key=logged)
    upwards = (order == "asc") == (direction == "next")
    cursor = _search_after(request)
    if cursor and upwards:
        low = max(low, bisect_right(log, cursor, key=logged))
    elif cursor:
        high = min(high, bisect_left(log, cursor, key=logged))
    found = list(islice(filter(keep, _walk(log, low, high, upwards=upwards)), size + 1))
    more, found = len(found) > size, found[:size]
    if direction == "previous":
        found.reverse()
    first = [
        ("size", str(size)),
        ("order", order),
        ("from", _log_text(begin)),
        ("until", _log_text(until)),
    ]
    if quirks.next_page_url == "keep-params":
        first += [item for item in query.multi_items() if item[0] in _LOG_FILTERS]

    def turn(to: str, row: Activity) -> str:
        return _own_url(request, [*first, ("searchAfter", f"{row.at},{row.uid}"), ("page", to)])

    has_next = more if direction == "next" else cursor is not None
    has_previous = cursor is not None if direction == "next" else more
    answer = json_answer(
        {
            "pageDetails": {
                "count": len(found),
                "totalCount": None,
                "prevPageUrl": turn("previous", found[0]) if found and has_previous else None,
                "nextPageUrl": turn("next", found[-1]) if found and has_next else None,
            },
            "activities": [activity_row(account, activity) for activity in found],
            "error": None,
        },
    )
    answer.is_page = True
    return answer


_LOG_FILTERS = ("entities", "categories", "actions", "siteIds", "userIds", "searchQuery")


def _walk(log: list[Activity], low: int, high: int, *, upwards: bool) -> Iterator[Activity]:
    places = range(low, high) if upwards else range(high - 1, low - 1, -1)
    return (log[place] for place in places)


def _log_time(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _LOG_TIME.fullmatch(text):
        raise ApiError(400, f"{name} must have the format yyyy-MM-ddTHH:mm:ssZ")
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError(400, f"{name} is no date") from None
    return int(at.timestamp()) * 1000


def _log_text(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _search_after(request: Request) -> tuple[int, str] | None:
    parts = ",".join(request.query_params.getlist("searchAfter")).split(",")
    if parts == [""]:
        return None
    try:
        at, uid = parts
        return int(at), uid
    except ValueError:
        raise ApiError(400, "searchAfter must be two values") from None


def _listed(request: Request, name: str) -> set[str]:
    return {part for text in request.query_params.getlist(name) for part in text.split(",") if part}


def _log_filter(request: Request, account: Account) -> Callable[[Activity], bool]:
    wanted = {name: _listed(request, name) for name in _LOG_FILTERS}
    if not any(wanted.values()):
        return lambda _: True
    entities = {entity.upper() for entity in wanted["entities"]}
    if entities - {"DEVICE", "USER"}:
        raise ApiError(400, "entities must be device or user")
    text = request.query_params.get("searchQuery", "").strip('"').casefold()

    def keep(activity: Activity) -> bool:
        row = activity_row(account, activity)
        site, user = row["site"] or {}, row["user"] or {}
        return (
            (not entities or row["entity"] in entities)
            and (not wanted["categories"] or row["category"] in wanted["categories"])
            and (not wanted["actions"] or row["action"] in wanted["actions"])
            and (not wanted["siteIds"] or str(site.get("id")) in wanted["siteIds"])
            and (not wanted["userIds"] or str(user.get("id")) in wanted["userIds"])
            and text in f"{row['hostname']} {row['details']}".casefold()
        )

    return keep
