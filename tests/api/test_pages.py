"""Pages: where the rows are, where the next page is, and what is damaged."""

from __future__ import annotations

from typing import Any

import pytest

from tap_datto_rmm.api.pages import Listing, Page, following, page_of
from tap_datto_rmm.errors import ApiError, DeclarationError, PaginationError
from tap_datto_rmm.http.decoding import NO_CONTENT

HOST = "https://merlot-api.centrastage.net"
PATH = "/v2/account/devices"
URL = f"{HOST}/api{PATH}"


def read(answer: object, key: str | None = None, *, paged: bool = False) -> Page:
    return page_of(answer, Listing(PATH, {}, key, paged=paged), {}, HOST)


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
    assert read(answer) == Page(rows)


def test_rows_are_found_in_the_array_that_is_named() -> None:
    page = {"pageDetails": {}, "rows": [1], "others": [2]}
    assert read(page, "others").rows == [2]
    assert read({"inside": [3]}, "inside").rows == [3]


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
        read(answer, key)
    assert caught.value.path == PATH


@pytest.mark.parametrize(
    ("answer", "key", "error"),
    [
        ({"pageDetails": {}, "a": [], "b": []}, None, DeclarationError),
        ({"pageDetails": {}, "a": [], "b": []}, "c", DeclarationError),
        ({"pageDetails": {}, "a": [], "b": {}}, "b", DeclarationError),
        ({"pageDetails": {}, "a": [], "b": None}, "b", ApiError),
        ({"pageDetails": {}}, "b", ApiError),
    ],
    ids=str,
)
def test_where_a_setting_names_the_array_an_answer_with_others_is_not_damaged(
    answer: object, key: str | None, error: type[Exception]
) -> None:
    listing = Listing(PATH, {}, key, paged=False, setting="custom_streams[0]")
    with pytest.raises(error, match=r"`custom_streams\[0\]\.records_key`"):
        page_of(answer, listing, {}, HOST)


@pytest.mark.parametrize(
    ("total", "known"), [(7, 7), (0, 0), (None, None), ("7", None), (-1, None), (True, None)]
)
def test_a_total_count_is_a_whole_number_or_unknown(total: object, known: int | None) -> None:
    assert read({"pageDetails": {"totalCount": total}, "rows": []}).total == known


def test_parameters_that_the_next_page_has_lost_are_put_back() -> None:
    query = {"max": 250, "muted": "false", "siteName": "A & B"}
    assert following(f"{URL}?max=250&page=1", query, HOST, PATH) == {
        "max": "250",
        "page": "1",
        "muted": "false",
        "siteName": "A & B",
    }


def test_what_the_next_page_says_wins() -> None:
    query = {"max": 250, "page": "1", "searchAfter": "1,a"}
    url = f"{URL}?max=100&page=2&searchAfter=1785542402118%2C9d0c&empty="
    assert following(url, query, HOST, PATH) == {
        "max": "100",
        "page": "2",
        "searchAfter": "1785542402118,9d0c",
        "empty": "",
    }


@pytest.mark.parametrize("url", [f"/api{PATH}?page=1", f"{PATH}?page=1", "?page=1"])
def test_a_next_page_may_be_relative(url: str) -> None:
    assert following(url, {"max": 2}, HOST, PATH) == {"max": 2, "page": "1"}


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
        following(url, {}, HOST, PATH)


def test_a_next_page_of_another_list_is_refused() -> None:
    with pytest.raises(PaginationError, match="another list"):
        following(f"{HOST}/api/v2/account/sites?page=1", {}, HOST, PATH)


@pytest.mark.parametrize(
    "answer",
    [
        NO_CONTENT,
        {"software": None, "pageDetails": {"count": 0}},
        {"software": [], "pageDetails": {"count": 0, "totalCount": 0}},
        {"pageDetails": {"count": 0}},
    ],
    ids=["no content", "null rows", "empty rows", "no rows"],
)
def test_a_well_formed_answer_without_rows_is_empty_and_not_damaged(answer: object) -> None:
    assert list(read(answer, paged=True).rows) == []


@pytest.mark.parametrize("answer", [{}, [], {"devices": [1]}, {"pageDetails": None, "devices": []}])
def test_what_should_be_a_page_and_is_none_is_damaged(answer: object) -> None:
    with pytest.raises(ApiError, match="no `pageDetails`"):
        read(answer, paged=True)


def test_a_page_with_fewer_rows_than_it_counts_is_damaged_and_not_the_last() -> None:
    page: dict[str, Any] = {"pageDetails": {"count": 3}, "devices": [1, 2]}
    with pytest.raises(ApiError, match="a page of 3 rows has 2"):
        read(page)
    assert read({**page, "devices": [1, 2, 3]}).rows == [1, 2, 3]


def test_the_next_page_is_known_by_its_query() -> None:
    answer = {"pageDetails": {"nextPageUrl": f"{URL}?max=2&page=1"}, "devices": [1]}
    listing = Listing(PATH, {"max": 2, "muted": "true"})
    page = page_of(answer, listing, listing.query, HOST)
    assert page.next_query == {"max": "2", "page": "1", "muted": "true"}
