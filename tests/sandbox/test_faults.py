"""Faults: what goes wrong, where, and how often."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import requests
from datto_rmm_sandbox.damage import AFTER, BEFORE, HELP, HOSTILE, KINDS
from datto_rmm_sandbox.faults import FaultList, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

PATH = "/v2/account/devices"


def test_every_kind_is_either_before_or_after_the_api_or_a_revocation() -> None:
    assert {*BEFORE, *AFTER, "revoke"} == set(KINDS)


def test_every_kind_is_explained() -> None:
    assert set(HELP) == set(KINDS)


@pytest.mark.parametrize(
    "wrong",
    [
        "earthquake",
        "status=abc",
        "hang=long",
        "reset:path=(",
        "status=999",
        "hostile=loud",
        "gateway=none",
        "short-page=all",
        "total-count=many",
        "reset:until=later",
        "reset:seconds=some",
        "reset:every=0",
        "reset:rate=2",
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse(wrong)


def test_a_value_may_hold_colons() -> None:
    fault = parse("redirect=https://elsewhere.invalid:8443/x:path=/v2/account:times=1")
    assert fault.value == "https://elsewhere.invalid:8443/x"
    assert fault.times == 1


@pytest.mark.parametrize(
    ("selectors", "struck"),
    [
        ("", "111111"),
        ("every=3", "001001"),
        ("first=2", "110000"),
        ("times=2", "110000"),
        ("after=4", "000011"),
        ("every=2:times=1", "010000"),
        ("method=POST", "000000"),
        ("path=/v2/sites", "000000"),
    ],
)
def test_selectors_choose_the_calls(selectors: str, struck: str) -> None:
    fault = FaultList([f"reset:{selectors}" if selectors else "reset"])
    found = [fault.strike("GET", f"/api{PATH}") is not None for _ in range(6)]
    assert found == [digit == "1" for digit in struck]


def test_a_fault_lasts_for_some_seconds_from_its_first_call() -> None:
    second = [100.0]
    faults = FaultList(["status=502:path=/v2/:after=1:seconds=20"], clock=lambda: second[0])

    def strikes(at: float, path: str = PATH) -> bool:
        second[0] = at
        return faults.strike("GET", path) is not None

    assert not strikes(150.0, "/auth/oauth/token")
    assert not strikes(160.0)
    assert [strikes(at) for at in (200.0, 210.0, 219.9, 220.0, 300.0)] == [True] * 3 + [False] * 2


def test_a_fault_lasts_until_a_moment_of_the_accounts_clock(client: Callable[..., Client]) -> None:
    one = client(faults=("status=502:path=/v2/account/sites:until=2026-11-18T12:00:00Z",))
    assert one.get("/v2/account/sites").status_code == 502
    one.control("POST", "/advance", {"minutes": 24 * 60})
    assert one.get("/v2/account/sites").status_code == 200


def test_one_bad_row_spoils_every_page_that_holds_it_and_no_other(
    client: Callable[..., Client],
) -> None:
    one = client()
    bad = one.sandbox.account.devices[37].uid
    one.control("POST", "/faults", {"faults": [f"status=500:path={PATH}:holds={bad}"]})
    found = {
        (size, page)
        for size in (60, 20, 5, 1)
        for page in range(60 // size)
        if one.get(PATH, max=size, page=page).status_code == 500
    }
    assert found == {(60, 0), (20, 1), (5, 7), (1, 37)}
    assert one.control("GET", "/faults")[0]["struck"] == 4


def test_a_row_can_spoil_an_answer_in_other_ways(client: Callable[..., Client]) -> None:
    one = client()
    bad = one.sandbox.account.devices[3].uid
    one.control("POST", "/faults", {"faults": [f"cut-json:holds={bad}"]})
    with pytest.raises(requests.JSONDecodeError):
        one.get(f"/v2/device/{bad}").json()
    assert one.get(f"/v2/device/{one.sandbox.account.devices[4].uid}").json()


def test_no_content_has_no_body(client: Callable[..., Client]) -> None:
    answer = client(faults=("status=204:path=/v2/account$",)).get("/v2/account")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"content-length", "content-type"} & {name.lower() for name in answer.headers}


def test_a_gateway_answers_404_with_its_own_page(client: Callable[..., Client]) -> None:
    answer = client(faults=("gateway:path=/v2/account$",)).get("/v2/account")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html")


def test_null_comes_with_200(client: Callable[..., Client]) -> None:
    answer = client(faults=("null:path=/v2/account$",)).get("/v2/account")
    assert (answer.status_code, answer.content) == (200, b"null")


def test_headers_have_no_end(client: Callable[..., Client]) -> None:
    one = client(faults=("trickle-headers:path=/v2/account$:first=1",))
    host, port = one.sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /api/v2/account HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        got = b""
        while len(got) < len(b"HTTP/1.1 200 OK\r\nX-Padding: xx"):
            got += connection.recv(100)
    assert got.startswith(b"HTTP/1.1 200 OK\r\nX-Padding: xx")
    assert one.get("/v2/account").status_code == 200


def test_a_page_has_fewer_rows_than_it_says(client: Callable[..., Client]) -> None:
    page = client(faults=(f"short-page=3:path={PATH}",)).get(PATH, max=20).json()
    assert (len(page["devices"]), page["pageDetails"]["count"]) == (17, 20)


def test_rows_are_missing_that_the_total_counts_and_other_ones_each_time(
    client: Callable[..., Client],
) -> None:
    one = client(faults=(f"lose-rows=7:path={PATH}",))
    everything = {line["row"]["uid"] for line in one.expected("devices")}
    found = []
    for _ in range(2):
        page = one.get(PATH).json()
        assert page["pageDetails"]["count"] == 53
        assert page["pageDetails"]["totalCount"] == 60
        found.append({row["uid"] for row in page["devices"]})
    assert len(found[0]) == len(found[1]) == 53
    assert found[0] != found[1]
    assert found[0] | found[1] <= everything


@pytest.mark.parametrize(
    ("value", "wanted"), [("+4", 64), ("-2", 58), ("absent", "-"), ("null", None)]
)
def test_the_total_count_is_wrong(
    client: Callable[..., Client], value: str, wanted: object
) -> None:
    page = client(faults=(f"total-count={value}:path={PATH}",)).get(PATH).json()
    assert page["pageDetails"].get("totalCount", "-") == wanted


def test_the_account_alone_may_not_be_read(client: Callable[..., Client]) -> None:
    one = client(forbid=("/v2/account$",))
    assert one.get("/v2/account").status_code == 403
    assert one.get("/v2/account/sites").status_code == 200


def test_chance_is_repeatable() -> None:
    def struck() -> list[bool]:
        faults = FaultList(["status=503:rate=0.2"], seed=5)
        return [faults.strike("GET", "/") is not None for _ in range(500)]

    assert struck() == struck()
    assert 60 < sum(struck()) < 140


def test_a_status_comes_back_on_every_second_call(client: Callable[..., Client]) -> None:
    one = client(faults=("status=503:path=/v2/account/sites:every=2",))
    path = "/v2/account/sites"
    assert [one.get(path).status_code for _ in range(4)] == [200, 503, 200, 503]
    assert one.get("/v2/account").status_code == 200
    assert one.control("GET", "/faults")[0]["struck"] == 2
    assert one.control("GET", "/requests")["faults"] == {"status": 2}


def test_a_refusal_has_the_apis_own_body(client: Callable[..., Client]) -> None:
    one = client(faults=("status=429:path=/v2/account",), retry_after="3")
    answer = one.get("/v2/account")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json()["error"] == "Too Many Requests"


def test_the_token_call_can_fail_too(client: Callable[..., Client]) -> None:
    one = client(faults=("status=500:path=/auth/:first=1",))
    assert [one.log_in().status_code for _ in range(2)] == [500, 200]


def test_a_connection_is_reset(client: Callable[..., Client]) -> None:
    one = client(faults=(f"reset:path={PATH}:first=1",))
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        one.get(PATH)
    assert one.get(PATH).status_code == 200
    deadline = time.monotonic() + 5
    while {entry.status for entry in one.sandbox.requests} != {200, 0}:  # once it has noticed
        assert time.monotonic() < deadline


@pytest.mark.parametrize("kind", ["cut", "cut=chunked"])
def test_a_body_is_cut_and_the_connection_ends(client: Callable[..., Client], kind: str) -> None:
    one = client(faults=(f"{kind}:path={PATH}:first=1",))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        one.get(PATH)
    assert one.get(PATH).status_code == 200


def test_json_is_cut_in_a_complete_answer(client: Callable[..., Client]) -> None:
    answer = client(faults=(f"cut-json:path={PATH}",)).get(PATH)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_page_of_html_or_nothing_comes_with_200(client: Callable[..., Client]) -> None:
    one = client(faults=("html:path=/v2/account$", "empty:path=/v2/account/sites"))
    page = one.get("/v2/account")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    assert page.text.startswith("<!DOCTYPE html>")
    assert one.get("/v2/account/sites").content == b""


def test_compressed_data_is_broken(client: Callable[..., Client]) -> None:
    one = client(faults=(f"gzip-error:path={PATH}",))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        one.get(PATH)


def test_an_answer_hangs(client: Callable[..., Client]) -> None:
    one = client(faults=("hang=0.1:path=/v2/account$",))
    assert one.get("/v2/account").elapsed.total_seconds() >= 0.1


def test_a_client_that_gives_up_does_not_stop_the_sandbox(client: Callable[..., Client]) -> None:
    one = client(faults=("hang=0.5:path=/v2/account$:first=1",))
    one.token = one.log_in().json()["access_token"]
    began = time.perf_counter()
    with pytest.raises(requests.Timeout):
        one.session.get(f"{one.sandbox.url}/api/v2/account", timeout=0.05)
    assert one.get("/v2/account").status_code == 200
    assert time.perf_counter() - began < 0.5


def test_an_error_hides_in_a_200(client: Callable[..., Client]) -> None:
    answer = client(faults=("error-in-200:path=activity-logs",)).get("/v2/activity-logs")
    assert answer.status_code == 200
    assert answer.json()["activities"] == []
    assert "SQLTransientConnectionException" in answer.json()["error"]


def test_a_redirect_leads_elsewhere(client: Callable[..., Client]) -> None:
    one = client(faults=("redirect=https://elsewhere.invalid/x:path=/v2/account",))
    answer = one.session.get(f"{one.sandbox.url}/api/v2/account", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.invalid/x")


def test_a_good_token_is_revoked_once(client: Callable[..., Client]) -> None:
    one = client(faults=("revoke:path=/v2/account:first=1",))
    assert [one.get("/v2/account").status_code for _ in range(2)] == [401, 401]
    one.token = None
    assert one.get("/v2/account").status_code == 200


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("circle", "/api/v2/account/devices?max=25&page=0"),
        ("other-host", "http://elsewhere.invalid/api/v2/account/devices?max=25&page=1"),
        ("http://[::1]:9", "http://[::1]:9/api/v2/account/devices?max=25&page=1"),
        ("empty", ""),
        ("missing", "-"),
    ],
)
def test_the_next_page_leads_astray(client: Callable[..., Client], value: str, wanted: str) -> None:
    one = client(faults=(f"next-page={value}:path={PATH}",))
    details = one.get(PATH, max=25).json()["pageDetails"]
    assert details.get("nextPageUrl", "-").removeprefix(one.sandbox.url) == wanted


def test_values_have_wrong_types_but_keys_stay(client: Callable[..., Client]) -> None:
    one = client(faults=(f"wrong-types:path={PATH}",))
    rows = one.get(PATH).json()["devices"]
    good = {line["row"]["uid"]: line["row"] for line in one.expected("devices")}
    objects = [row for row in rows if isinstance(row, dict) and row]
    assert {row["uid"] for row in objects} == set(good)
    assert len(rows) == len(good) + 5
    changed = [row for row in objects if row != good[row["uid"]]]
    assert 10 < len(changed) < len(good)
    kinds: set[tuple[str, str]] = set()
    for row in changed:
        for key, value in row.items():
            if value != good[row["uid"]][key]:
                kinds.add((type(good[row["uid"]][key]).__name__, type(value).__name__))
    assert {("int", "str"), ("str", "dict"), ("bool", "str"), ("dict", "str")} <= kinds


def test_a_single_object_has_wrong_types_too(client: Callable[..., Client]) -> None:
    one = client(faults=("wrong-types:path=/v2/audit",))
    line = next(line for line in one.expected("device_audits") if line["row"]["systemInfo"])
    answer = one.get(f"/v2/audit/device/{line['parent']['deviceUid']}")
    assert answer.json().keys() == line["row"].keys()
    assert answer.json() != line["row"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_body_is_hostile(client: Callable[..., Client], value: str) -> None:
    one = client(faults=(f"hostile={value}:path=/v2/account/devices",))
    answer = one.get(PATH)
    truth = b"".join(orjson.dumps(line["row"]) for line in one.expected("devices"))
    assert answer.status_code == 200
    mark = {"utf8": b"\xff", "nan": b":NaN", "duplicate-keys": b'{"id":null,"id":'}
    mark |= {"huge": b"x" * 10_000, "deep": b"[" * 500, "too-deep": b"[" * 50_000}
    mark |= {"dates": b":253402300800000", "nul": b"\\u0000", "surrogate": b"\\ud800"}
    assert mark[value] in answer.content
    assert mark[value] not in truth


def test_unknown_keys_appear_at_both_depths(client: Callable[..., Client]) -> None:
    one = client(faults=(f"unknown-keys:path={PATH}",))
    row: dict[str, Any] = one.get(PATH).json()["devices"][0]
    assert row["brandNew"] == 1
    assert row["deviceType"]["brandNewInside"] == "x"


def test_a_key_is_missing_in_each_fifth_row(client: Callable[..., Client]) -> None:
    one = client(faults=(f"drop-key=uid:path={PATH}",))
    rows = one.get(PATH).json()["devices"]
    assert ["uid" in row for row in rows[:6]] == [False, True, True, True, True, False]


def test_faults_are_replaced_while_it_runs(client: Callable[..., Client]) -> None:
    one = client()
    one.control("POST", "/faults", {"faults": ["status=502:path=/v2/account"]})
    assert one.get("/v2/account").status_code == 502
    answer = one.session.post(
        f"{one.sandbox.url}/_sandbox/faults", json={"faults": ["nonsense"]}, timeout=5
    )
    assert answer.status_code == 400
    assert one.get("/v2/account").status_code == 502
    one.control("POST", "/faults", {"faults": []})
    assert one.get("/v2/account").status_code == 200
