"""Reading: every page in order, several at once, and in smaller pages where one fails."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.api.reading import ListReader, fetch_pages, one_by_one, read_on
from tap_datto_rmm.errors import ApiError, OutageError, PaginationError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_datto_rmm.api.pages import Page
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

    def get(
        self,
        path: str,
        params: Mapping[str, Any],
        read: Callable[[object], Page],
        *,
        patience: float | None = None,
    ) -> Page:
        assert path == PATH
        assert patience is None or patience >= 0
        self.asked.append(dict(params))
        return read(self.answer(dict(params)))

    def submit(self, fetch: Callable[..., Any], *args: object) -> Future[Any]:
        return self.executor.submit(fetch, *args)

    @property
    def client(self) -> Client:
        return cast("Client", self)

    def pages(self, params: Mapping[str, Any] | None = None, *, ahead: int = 1) -> Iterator[Page]:
        listing = Listing(PATH, dict(params or {"max": 2}))
        return read_on(self.client, listing, fetch_pages(self.client, listing, ahead))

    def rows(self, params: Mapping[str, Any] | None = None, *, ahead: int = 1) -> list[object]:
        return [row for page in self.pages(params, ahead=ahead) for row in page.rows]


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


@pytest.mark.parametrize("ahead", [1, 2, 3])
@pytest.mark.parametrize("end", [None, ""])
@pytest.mark.parametrize("total", [None, 7])
def test_every_page_is_read_in_order(
    script: Make, *, ahead: int, end: object, total: int | None
) -> None:
    api = script(listing(7, end=end, total=total))
    assert api.rows({"max": 2, "muted": "true"}, ahead=ahead) == list(range(7))
    assert {params["muted"] for params in api.asked} == {"true"}
    assert sorted(int(params.get("page", 0)) for params in api.asked)[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize("ahead", [1, 3])
def test_pages_that_are_fetched_first_need_no_thread_and_all_others_have_one(
    script: Make, ahead: int
) -> None:
    threads = []

    def answer(params: dict[str, Any]) -> Answer:
        threads.append(current_thread())
        return listing(40, total=40)(params)

    script(answer).rows(ahead=ahead)
    assert threads[:ahead] == [main_thread()] * ahead
    assert len(threads) == 20
    assert main_thread() not in threads[ahead:]


def test_a_list_that_ends_where_others_would_be_fetched_ahead_ends(script: Make) -> None:
    api = script(listing(6))
    assert api.rows(ahead=3) == list(range(6))
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


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_an_empty_page_ends_a_list_whatever_it_says_of_a_next_one(
    script: Make, *, ahead: int
) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        next_url = f"{URL}?max=2&page={number + 1}"
        rows = [number] if number < 3 else []
        return {"pageDetails": {"nextPageUrl": next_url}, "devices": rows}

    assert script(answer).rows(ahead=ahead) == [0, 1, 2]


def test_pages_that_were_added_since_the_first_are_read_too(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        rows, total = (8, 4) if number == 0 else (8, 8)
        return listing(rows, total=total)(params)

    assert script(answer).rows() == list(range(8))


@pytest.mark.parametrize("ahead", [1, 2, 3])
@pytest.mark.parametrize("back_to", [0, 1])
def test_pages_that_go_in_a_circle_are_noticed(script: Make, *, back_to: int, ahead: int) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        number = int(params.get("page", 0))
        following = number + 1 if number < 2 else back_to
        details = {"nextPageUrl": f"{URL}?max=2&page={following}"}
        return {"pageDetails": details, "devices": [number]}

    api = script(answer)
    with pytest.raises(PaginationError, match="circle"):
        api.rows(ahead=ahead)
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
    pages = api.pages()
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


# Bad rows


def with_bad_rows(*bad: int, rows: int = 40, total: object = 40) -> Callable[..., Answer]:
    """A list each page of which answers 500 that holds one of these rows."""

    def answer(params: dict[str, Any]) -> Answer:
        size, number = int(params["max"]), int(params.get("page", 0))
        if any(number * size <= row < (number + 1) * size for row in bad):
            raise ApiError("HTTP 500", path=PATH, status=500)
        return listing(rows, size=size, total=total)(params)

    return answer


@pytest.mark.parametrize("total", [40, None])
@pytest.mark.parametrize("bad", [0, 5, 11, 39])
def test_one_bad_row_costs_one_row(script: Make, bad: int, total: int | None) -> None:
    api = script(with_bad_rows(bad, total=total))
    pages = list(api.pages({"max": 10}))
    rows = [row for page in pages for row in page.rows]
    assert rows == [row for row in range(40) if row != bad]
    assert sum(page.unreadable for page in pages) == 1


def test_several_bad_rows_cost_just_themselves(script: Make) -> None:
    bad = (0, 1, 17, 38, 39)
    pages = list(script(with_bad_rows(*bad)).pages({"max": 10}))
    assert [row for page in pages for row in page.rows] == [r for r in range(40) if r not in bad]
    assert sum(page.unreadable for page in pages) == len(bad)


def test_a_list_of_which_no_part_comes_fails_after_a_few_tries(script: Make) -> None:
    api = script(with_bad_rows(*range(40)))
    with pytest.raises(ApiError, match="HTTP 500"):
        list(api.pages({"max": 10}))
    assert len(api.asked) < 20


def test_a_page_of_which_nothing_comes_costs_a_bounded_number_of_calls(script: Make) -> None:
    api = script(with_bad_rows(*range(250, 500), rows=750, total=750))
    pages = list(api.pages({"max": 250}))
    assert sum(len(page.rows) for page in pages) == 500
    assert sum(page.unreadable for page in pages) == 250
    assert len(api.asked) < 70


@pytest.mark.parametrize(
    "error",
    [
        OutageError("the host answers nobody", path=PATH),
        ApiError("HTTP 405", path=PATH, status=405),
        PaginationError("elsewhere", path=PATH),
    ],
)
def test_a_failure_that_is_no_rows_is_not_looked_into(script: Make, error: Exception) -> None:
    def answer(_: dict[str, Any]) -> Answer:
        raise error

    api = script(answer)
    with pytest.raises(type(error)):
        list(api.pages({"max": 10}))
    assert len(api.asked) == 1


def test_a_page_that_takes_too_long_comes_in_smaller_ones(script: Make) -> None:
    def answer(params: dict[str, Any]) -> Answer:
        if int(params["max"]) > 5:
            raise TransportError("no answer in time", path=PATH)
        return listing(30, size=int(params["max"]), total=30)(params)

    assert script(answer).rows({"max": 10}) == list(range(30))


# A reader, and pages one by one


def test_a_first_page_that_was_asked_for_early_is_asked_for_once(script: Make) -> None:
    api = script(listing(6, total=6))
    reader = ListReader(Listing(PATH, {"max": 2}))
    reader.begin(api.client)
    reader.begin(api.client)
    for _ in range(2):  # a second pass starts anew
        assert [row for page in reader.pages(api.client) for row in page.rows] == list(range(6))
    assert len(api.asked) == 6


def test_pages_that_are_read_one_by_one_are_not_asked_for_ahead(script: Make) -> None:
    api = script(listing(40, total=40))
    pages = one_by_one(api.client, Listing(PATH, {"max": 2}))
    assert [next(pages).rows, next(pages).rows] == [[0, 1], [2, 3]]
    assert len(api.asked) == 2
