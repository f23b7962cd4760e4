"""Pages: where the rows are, where the next page is, and when a list ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_datto_rmm.api.pages import Page, follow, page_of, read_pages
from tap_datto_rmm.errors import ApiError, PaginationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_datto_rmm.http.client import Client

    Make = Callable[[Callable[[dict[str, Any]], object]], "Script"]

HOST = "https://merlot-api.centrastage.net"
PATH = "/v2/account/devices"
URL = f"{HOST}/api{PATH}"

Answer = dict[str, Any]


@dataclass
class Script:
    """Answers requests by a function of their parameters, on the threads of a pool."""

    answer: Callable[[dict[str, Any]], object]
    executor: ThreadPoolExecutor
    host_url: str = HOST
    parallel: int = 4
    asked: list[dict[str, Any]] = field(default_factory=list)

    def get(self, path: str, params: Mapping[str, Any], read: Callable[[object], Page]) -> Page:
        assert path == PATH
        self.asked.append(dict(params))
        return read(self.answer(dict(params)))

    def rows(
        self, params: Mapping[str, Any] | None = None, *, alone: int | None = 1
    ) -> list[object]:
        pages = read_pages(cast("Client", self), PATH, params or {"max": 2}, alone=alone)
        return [row for page in pages for row in page.rows]


@pytest.fixture
def script() -> Iterator[Callable[[Callable[[dict[str, Any]], object]], Script]]:
    with ThreadPoolExecutor(4) as executor:
        yield lambda answer: Script(answer, executor)


def listing(
    rows: int, *, size: int = 2, total: object = None, end: object = None
) -> Callable[[dict[str, Any]], Answer]:
    """A list as the vendor pages it: from page 0, losing all parameters but `max` and `page`."""

    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        some = list(range(rows))[number * size : (number + 1) * size]
        more = (number + 1) * size < rows
        next_url = f"{URL}?max={size}&page={number + 1}" if more else end
        return {"pageDetails": {"totalCount": total, "nextPageUrl": next_url}, "devices": some}

    return answer


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ([1, 2], [1, 2]),
        ([], []),
        ({"uid": "a"}, [{"uid": "a"}]),
        ({"uid": "a", "nics": [1]}, [{"uid": "a", "nics": [1]}]),
        ({"pageDetails": {}, "devices": [1]}, [1]),
        ({"pageDetails": None, "devices": [1]}, [1]),
        ({"pageDetails": {}, "error": None, "activities": []}, []),
    ],
    ids=str,
)
def test_rows_are_found_in_a_page_an_array_or_an_object(answer: object, rows: list[Any]) -> None:
    assert page_of(answer, PATH) == Page(rows)


def test_rows_are_found_in_the_array_that_is_named() -> None:
    page = {"pageDetails": {}, "rows": [1], "others": [2]}
    assert page_of(page, PATH, "others").rows == [2]
    assert page_of({"inside": [3]}, PATH, "inside").rows == [3]


@pytest.mark.parametrize(
    ("answer", "key", "says"),
    [
        ("text", None, "the answer is str"),
        (None, None, "the answer is NoneType"),
        (7, None, "the answer is int"),
        ({"pageDetails": {}}, None, "no one array"),
        ({"pageDetails": {}, "a": [], "b": []}, None, "no one array"),
        ({"pageDetails": {}, "devices": [1]}, "sites", "no array `sites`"),
        ({"pageDetails": {}, "devices": {"a": 1}}, "devices", "no array `devices`"),
    ],
    ids=str,
)
def test_a_page_without_rows_is_a_damaged_answer(
    answer: object, key: str | None, says: str
) -> None:
    with pytest.raises(ApiError, match=says) as caught:
        page_of(answer, PATH, key)
    assert caught.value.path == PATH


@pytest.mark.parametrize(
    ("total", "known"), [(7, 7), (0, 0), (None, None), ("7", None), (-1, None), (True, None)]
)
def test_a_total_count_is_a_whole_number_or_unknown(total: object, known: int | None) -> None:
    assert page_of({"pageDetails": {"totalCount": total}, "rows": []}, PATH).total == known


def test_parameters_that_the_next_page_has_lost_are_put_back() -> None:
    query = {"max": 250, "muted": "false", "siteName": "A & B"}
    assert follow(f"{URL}?max=250&page=1", query, HOST, PATH) == {
        "max": "250",
        "page": "1",
        "muted": "false",
        "siteName": "A & B",
    }


def test_what_the_next_page_says_wins() -> None:
    query = {"max": 250, "page": "1", "searchAfter": "1,a"}
    url = f"{URL}?max=100&page=2&searchAfter=1785542402118%2C9d0c&empty="
    assert follow(url, query, HOST, PATH) == {
        "max": "100",
        "page": "2",
        "searchAfter": "1785542402118,9d0c",
        "empty": "",
    }


@pytest.mark.parametrize("url", [f"/api{PATH}?page=1", f"{PATH}?page=1", "?page=1"])
def test_a_next_page_may_be_relative(url: str) -> None:
    assert follow(url, {"max": 2}, HOST, PATH) == {"max": 2, "page": "1"}


@pytest.mark.parametrize(
    "url",
    [
        f"https://elsewhere.invalid/api{PATH}?page=1",
        f"https://merlot-api.centrastage.net.elsewhere.invalid/api{PATH}?page=1",
        f"https://merlot-api.centrastage.net@elsewhere.invalid/api{PATH}?page=1",
        f"https://merlot-api.centrastage.net:8443/api{PATH}?page=1",
        f"http://merlot-api.centrastage.net/api{PATH}?page=1",
        f"https://concord-api.centrastage.net/api{PATH}?page=1",
        f"//elsewhere.invalid/api{PATH}?page=1",
    ],
)
def test_a_next_page_on_another_host_is_refused(url: str) -> None:
    with pytest.raises(PaginationError, match="another host"):
        follow(url, {}, HOST, PATH)


def test_a_next_page_of_another_list_is_refused() -> None:
    with pytest.raises(PaginationError, match="another list"):
        follow(f"{HOST}/api/v2/account/sites?page=1", {}, HOST, PATH)


@pytest.mark.parametrize("alone", [1, 2, 3, None])
@pytest.mark.parametrize("end", [None, ""])
@pytest.mark.parametrize("total", [None, 7])
def test_every_page_is_read_in_order(
    script: Make, *, alone: int | None, end: object, total: int | None
) -> None:
    api = script(listing(7, end=end, total=total))
    assert api.rows({"max": 2, "muted": "true"}, alone=alone) == list(range(7))
    assert {params["muted"] for params in api.asked} == {"true"}
    assert sorted(int(params.get("page", 0)) for params in api.asked)[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize(("alone", "here"), [(1, 1), (3, 3), (None, 20)])
def test_pages_that_are_read_alone_need_no_thread_and_all_others_have_one(
    script: Make, alone: int | None, here: int
) -> None:
    threads = []

    def answer(params: dict[str, Any]) -> Answer:
        threads.append(current_thread())
        return listing(40, total=40)(params)

    script(answer).rows(alone=alone)
    assert threads[:here] == [main_thread()] * here
    assert len(threads) == 20
    assert main_thread() not in threads[here:]


def test_a_list_that_ends_where_others_would_be_fetched_ahead_ends(script: Make) -> None:
    api = script(listing(6))
    assert api.rows(alone=3) == list(range(6))
    assert len(api.asked) == 3


def test_with_a_total_count_no_page_is_asked_for_in_vain(script: Make) -> None:
    api = script(listing(40, total=40))
    api.rows()
    assert len(api.asked) == 20


def test_without_a_total_count_little_is_asked_for_in_vain(script: Make) -> None:
    api = script(listing(3))
    api.rows()
    assert len(api.asked) == 2
    api = script(listing(40))
    assert api.rows() == list(range(40))
    assert len(api.asked) <= 20 + api.parallel


def test_a_list_of_one_page_is_one_request(script: Make) -> None:
    api = script(listing(2, total=2))
    assert api.rows() == [0, 1]
    assert api.asked == [{"max": 2}]


def test_a_list_without_page_details_of_a_next_one_ends(script: Make) -> None:
    api = script(lambda _: {"pageDetails": {"count": 1}, "devices": [1]})
    assert api.rows() == [1]
    assert len(api.asked) == 1


@pytest.mark.parametrize("alone", [1, 2, 3, None])
def test_an_empty_page_ends_a_list_whatever_it_says_of_a_next_one(
    script: Make, *, alone: int | None
) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        next_url = f"{URL}?max=2&page={number + 1}"
        rows = [number] if number < 3 else []
        return {"pageDetails": {"nextPageUrl": next_url}, "devices": rows}

    assert script(answer).rows(alone=alone) == [0, 1, 2]


def test_pages_that_were_added_since_the_first_are_read_too(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        rows, total = (8, 4) if number == 0 else (8, 8)
        return listing(rows, total=total)(params)

    assert script(answer).rows() == list(range(8))


@pytest.mark.parametrize("alone", [1, 2, 3, None])
@pytest.mark.parametrize("back_to", [0, 1])
def test_pages_that_go_in_a_circle_are_noticed(
    script: Make, *, back_to: int, alone: int | None
) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        following = number + 1 if number < 2 else back_to
        details = {"nextPageUrl": f"{URL}?max=2&page={following}"}
        return {"pageDetails": details, "devices": [number]}

    api = script(answer)
    with pytest.raises(PaginationError, match="circle"):
        api.rows(alone=alone)
    assert len(api.asked) < 12


def test_cursors_that_go_in_a_circle_are_noticed(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        after = {"": "1,a", "1,a": "2,b", "2,b": "1,a"}[params.get("searchAfter", "")]
        details = {"nextPageUrl": f"{URL}?searchAfter={after}&page=next"}
        return {"pageDetails": details, "devices": [after]}

    api = script(answer)
    with pytest.raises(PaginationError, match="circle"):
        api.rows()
    assert len(api.asked) == 3


def test_a_later_page_on_another_host_is_refused_and_never_asked(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        page = listing(8)(params)
        if params.get("page") == 1:
            page["pageDetails"]["nextPageUrl"] = "https://elsewhere.invalid/api?page=2"
        return page

    api = script(answer)
    pages = read_pages(cast("Client", api), PATH, {"max": 2})
    assert next(pages).rows == [0, 1]
    with pytest.raises(PaginationError, match="another host"):
        list(pages)


def test_a_cursor_is_followed_page_by_page_to_its_last_rows(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        start = int(params.get("searchAfter", "0"))
        more = start + 2 < 7
        url = f"{URL}?searchAfter={start + 2}&page=next&size=2" if more else None
        return {"pageDetails": {"nextPageUrl": url}, "devices": list(range(7))[start : start + 2]}

    api = script(answer)
    assert api.rows({"size": 2, "order": "asc", "from": "2026-08-01T00:00:00Z"}) == list(range(7))
    assert [params.get("searchAfter") for params in api.asked] == [None, "2", "4", "6"]
    assert {params["from"] for params in api.asked} == {"2026-08-01T00:00:00Z"}
