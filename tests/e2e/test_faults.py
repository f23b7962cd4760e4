"""The matrix: every fault at every place, through the command line; docs/reliability.md shows it.

A run leaves its figures in output/faults.json.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from datto_rmm_sandbox import Sandbox
from typing_extensions import override

from tests import truth
from tests.conftest import NOW, fast
from tests.e2e.warehouse import true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tests.commands import QuickTapCommand, Run, TapCommand

Records = dict[tuple[Any, ...], dict[str, Any]]

ROOT = Path(__file__).parents[2]


class Place(NamedTuple):
    """Where a fault strikes: a stream, and which of its calls."""

    stream: str
    selector: str
    times: int


PLACES = {
    "list page": Place("devices", "path=/v2/account/devices:after=1", 1),
    "audit": Place("device_audits", "path=/v2/audit/device/:every=20", 2),
    "activity log": Place("activity_logs", "path=/v2/activity-logs:after=1", 1),
    "token call": Place("users", "path=/auth/oauth/token", 1),
}
EVERYWHERE = tuple(PLACES)
SLOW = ("no answer in time", "headers that trickle in", "a body that trickles in")
WITH_A_BODY = EVERYWHERE[:3]

PASSING = {
    "500": ("status=500", EVERYWHERE),
    "502": ("status=502", EVERYWHERE),
    "503": ("status=503", EVERYWHERE),
    "503 with Retry-After": ("status=503", EVERYWHERE),
    "504": ("status=504", EVERYWHERE),
    "408": ("status=408", EVERYWHERE),
    "429 with Retry-After": ("status=429", EVERYWHERE),
    "429": ("status=429", EVERYWHERE),
    "connection reset": ("reset", EVERYWHERE),
    "no answer in time": ("hang=2", EVERYWHERE),
    "headers that trickle in": ("trickle-headers", EVERYWHERE),
    "a body that trickles in": ("trickle", EVERYWHERE),
    "an HTML page with 200": ("html", EVERYWHERE),
    "body cut short of its Content-Length": ("cut", EVERYWHERE),
    "chunked body cut": ("cut=chunked", EVERYWHERE),
    "cut JSON in a whole 200": ("cut-json", EVERYWHERE),
    "an empty 200": ("empty", EVERYWHERE),
    "broken gzip": ("gzip-error", EVERYWHERE),
    "an `error` in a 200": ("error-in-200", EVERYWHERE),
    "401 in mid-sync (token revoked)": ("revoke", WITH_A_BODY),
}
"""What passes when the request is sent again: fault, and places where it can strike."""

LASTING = {
    "500": ("status=500", "HTTP 500"),
    "connection reset": ("reset", "the connection failed or was cut"),
    "no answer in time": ("hang=2", r"no answer within 0.5 s \(`request_timeout`\)"),
    "headers that trickle in": ("trickle-headers", "no answer within 0.5 s"),
    "an empty 200": ("empty", "HTTP 200 with 0 bytes that are not JSON"),
    "an HTML page with 200": ("html", r"HTTP 200 with \d+ bytes that are not JSON \(text/html\)"),
    "cut JSON in a whole 200": ("cut-json", "that are not JSON"),
    "chunked body cut": ("cut=chunked", "the connection failed or was cut"),
    "an `error` in a 200": ("error-in-200", "java.sql.SQLTransientConnectionException"),
    "422": ("status=422", "HTTP 422"),
}
"""What does not pass: fault, and what the user reads."""

SECOND = {"window": 1.0}
"""A vendor's minute that lasts a second."""
QUICK = {**SECOND, "longest_wait": 0.1}
IMPATIENT = {**QUICK, "patience": 0.2, "first_patience": 0.2, "outage": 0.2}


@dataclass
class Figures:
    """What the matrix did, for the documentation."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **row: object) -> None:
        self.rows.append(row)


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """Collect figures, and write them down at the end."""
    found = Figures()
    yield found
    sums = Counter[str]()
    for row in found.rows:
        sums.update({name: row[name] for name in ("injected", "wanted", "lost")})
    summary = {
        "date": time.strftime("%Y-%m-%d"),
        "combinations": len(found.rows),
        **sums,
        "rows": found.rows,
    }
    (ROOT / "output" / "faults.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """One account for all tests, in which nothing happens but what they inject."""
    with Sandbox(devices=60, seed=7, now=NOW, rate_limit=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def discovered(account: Sandbox, quickly: Callable[[str], QuickTapCommand]) -> str:
    """Discover once for all tests; give the catalog as JSON."""
    return json.dumps(quickly("catalog").catalog(fast(account)))


@pytest.fixture(scope="module")
def known() -> dict[str, Records]:
    """Keep the records that a test has asked for, by stream, for the tests after it."""
    return {}


@dataclass(frozen=True)
class Bench:
    """The account, the faults that a test puts in force there, and the tap that reads it."""

    account: Sandbox
    tap: QuickTapCommand
    discovered: str
    known: dict[str, Records]

    def inject(self, *faults: str, retry_after: str = "none") -> None:
        """Put these faults in force and nothing else."""
        state = self.account.state
        self.account.call(state.journal.reset)
        self.account.call(lambda: state.faults.replace(faults))
        state.quirks = self.account.options.quirks.changed({"retry_after": retry_after})
        state.tokens.issued = 0
        state.forbidden = []

    @property
    def struck(self) -> int:
        """How many times a fault has struck."""
        return sum(fault.struck for fault in self.account.state.faults.faults)

    def run(self, *streams: str, **settings: object) -> Run:
        """Sync these streams only."""
        return self.tap(fast(self.account, **settings), catalog=self.catalog(*streams))

    def catalog(self, *streams: str) -> dict[str, Any]:
        """Select these streams only, without discovering anew."""
        found: dict[str, Any] = json.loads(self.discovered)
        found["streams"] = [e for e in found["streams"] if e["stream"] in streams]
        for entry in found["streams"]:
            entry["metadata"].append({"breadcrumb": [], "metadata": {"selected": True}})
        return found

    def wanted(self, stream: str) -> Records:
        """Say what the records of a stream are, by key."""
        if stream not in self.known:
            self.known[stream] = true_rows(self.account, stream)
        return self.known[stream]


@pytest.fixture
def bench(
    account: Sandbox, quick: QuickTapCommand, discovered: str, known: dict[str, Records]
) -> Bench:
    """Start the test without faults."""
    bench = Bench(account, quick, discovered, known)
    bench.inject()
    return bench


def records(run: Run, stream: str) -> Records:
    """Give the records by key, each of which came once."""
    keys = Counter(truth.key_of(stream, record) for record in run.records[stream])
    assert set(keys.values()) <= {1}
    return {truth.key_of(stream, record): record for record in run.records[stream]}


@contextmanager
def listener() -> Generator[tuple[str, list[bytes]]]:
    """Listen on another port; give its URL and whatever anybody sends there."""
    heard: list[bytes] = []

    class Listens(BaseRequestHandler):
        @override
        def handle(self) -> None:
            heard.append(self.request.recv(10_000))

    with ThreadingTCPServer(("127.0.0.1", 0), Listens) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("fault", "place"), [(fault, place) for fault, (_, at) in PASSING.items() for place in at]
)
def test_a_fault_that_passes_costs_no_record(
    bench: Bench, figures: Figures, fault: str, place: str
) -> None:
    stream, selector, times = PLACES[place]
    text, _ = PASSING[fault]
    if "401" in fault:
        times = 1  # a second one might strike the request that is sent again: a failure
    bench.inject(
        f"{text}:{selector}:times={times}", retry_after="1" if "Retry" in fault else "none"
    )
    bench.tap.patience = QUICK
    started = time.monotonic()
    run = bench.run(stream, page_size=20, request_timeout=0.5 if fault in SLOW else 30)

    assert run.code == 0, run.err
    assert bench.struck == times
    assert time.monotonic() - started >= ("with Retry-After" in fault)  # seconds that it names
    got, whole = records(run, stream), bench.wanted(stream)
    figures.add(
        fault=fault,
        place=place,
        injected=times,
        wanted=len(whole),
        lost=len(whole.keys() - got.keys()),
    )
    assert len(whole) > 1
    assert got == whole
    if "401" in fault:
        assert bench.account.state.tokens.issued <= 1 + times
        assert "Trying again." not in run.err
    elif "429" in fault:
        assert re.search(r"HTTP 429 on \S+: all requests wait 1 s, then go slower", run.err)
        assert f"{times} request{'s' * (times > 1)} refused (HTTP 429)" in run.err
    else:
        assert run.err.count("Trying again.") == times
    assert "Traceback" not in run.err


@pytest.mark.parametrize("place", WITH_A_BODY)
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_fails_its_stream_and_no_other(
    bench: Bench, fault: str, place: str
) -> None:
    stream, selector, _ = PLACES[place]
    text, message = LASTING[fault]
    bench.inject(f"{text}:{selector.partition(':')[0]}")
    bench.tap.patience = IMPATIENT
    timeout = 0.5 if fault in SLOW else 30
    streams = ("sites", stream, "users", "printer_audits")
    run = bench.run(*streams, page_size=20, request_timeout=timeout)

    assert run.code == 1
    failed = [line for line in run.err.splitlines() if " FAILED: " in line]
    assert len(failed) >= 1
    assert f"{stream} FAILED: " in failed[0]
    assert re.search(message, failed[0])
    assert f"streams are not complete: {stream} (failed)" in run.err.splitlines()[-1]
    if fault in SLOW and place != "audit":  # each costs a minute: no search for what can be read
        assert bench.struck <= 10
    assert records(run, "users") == bench.wanted("users")
    assert records(run, "sites") == bench.wanted("sites")
    if place != "list page":
        assert records(run, "printer_audits") == bench.wanted("printer_audits")
        assert run.bookmark("printer_audits")
    assert "Traceback" not in run.err


@pytest.mark.parametrize("place", EVERYWHERE)
def test_a_redirect_is_not_followed(bench: Bench, place: str) -> None:
    stream, selector, _ = PLACES[place]
    with listener() as (elsewhere, heard):
        bench.inject(f"redirect={elsewhere}/api/v2/account:{selector.partition(':')[0]}")
        run = bench.run(stream, page_size=20)
    assert run.code == 1
    assert "redirects are not followed, so that the token stays with the API's host" in run.err
    assert heard == []


@pytest.mark.parametrize("place", ["list page", "activity log"])
def test_a_next_page_on_another_host_is_not_asked(bench: Bench, place: str) -> None:
    stream, selector, _ = PLACES[place]
    with listener() as (elsewhere, heard):
        bench.inject(f"next-page={elsewhere}:{selector.partition(':')[0]}")
        run = bench.run(stream, "users", page_size=20)
    assert run.code == 1
    assert re.search(f"{stream} FAILED: .*the next page is on another host", run.err)
    assert heard == []
    assert run.records["users"]


@pytest.mark.parametrize("place", ["list page", "activity log"])
def test_pages_in_a_circle_are_a_failure_and_not_endless(bench: Bench, place: str) -> None:
    stream, selector, _ = PLACES[place]
    bench.inject(f"next-page=circle:{selector.partition(':')[0]}")
    run = bench.run(stream, "users", page_size=20)
    assert run.code == 1
    assert re.search(f"{stream} FAILED: .* circle", run.err)
    assert run.records["users"]


@pytest.mark.parametrize("failure", ["401", "400"])
def test_a_wrong_key_ends_the_run_at_once_and_says_what_to_check(
    bench: Bench, failure: str
) -> None:
    bench.account.state.quirks = bench.account.state.quirks.changed({"token_failure": failure})
    run = bench.run(*truth.STREAMS, api_secret="wrong")
    assert run.code == 1
    assert run.err.splitlines()[-1].endswith(
        f"Datto RMM refused the credentials (HTTP {failure}). Check `api_key`, `api_secret` and "
        "`platform`: a key works only on the platform it was made on, and only while API access "
        "is enabled for its user."
    )
    assert [entry.path for entry in bench.account.requests] == ["/auth/oauth/token"]


def test_a_token_that_is_refused_for_ever_ends_the_run(bench: Bench) -> None:
    bench.inject("status=401:path=/v2/")
    run = bench.run("users", "device_audits")
    assert run.code == 1
    assert "HTTP 401 twice in a row, the second time with a new token" in run.err
    assert bench.account.state.tokens.issued <= 1 + 1 + 2 * 2  # at first, the account, the streams


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("status=502", "HTTP 502"),
        ("html", "that are not JSON (text/html)"),
        ("hang=2", "no answer within 0.5 s"),
        ("reset", "the connection failed or was cut"),
    ],
)
def test_without_a_token_no_stream_tries_its_luck(bench: Bench, fault: str, message: str) -> None:
    bench.inject(f"{fault}:path=/auth/oauth/token")
    bench.tap.patience = IMPATIENT
    run = bench.run(*truth.STREAMS, request_timeout=0.5 if "hang" in fault else 30)
    assert run.code == 1
    assert len(bench.account.requests) < len(truth.STREAMS)
    last = run.err.splitlines()[-1]
    assert "/auth/oauth/token: " in last
    assert message in last
    assert {entry.path for entry in bench.account.requests} <= {"/auth/oauth/token"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9", "127.0.0.1:9 refuses the connection; check outbound HTTPS"),
        (
            "https://nowhere.invalid",
            "the host name nowhere.invalid does not resolve; check `platform`/`api_url`",
        ),
    ],
)
def test_without_a_network_the_run_ends_soon(bench: Bench, url: str, message: str) -> None:
    run = bench.run(*truth.STREAMS, api_url=url)
    assert run.code == 1
    assert message in run.err.splitlines()[-1]
    assert "Trying again" not in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("socks5h://u:pr0xy@127.0.0.1:9", "127.0.0.1:9 refused or does not answer"),
        ("http://u:pr0xy@127.0.0.1:9", "127.0.0.1:9 refused or does not answer"),
        ("socks9://u:pr0xy@127.0.0.1:9", "no request can be made of this"),
    ],
)
def test_a_proxy_that_does_not_work_is_told_at_once(
    quick: QuickTapCommand, proxy: str, message: str
) -> None:
    assert message in refused_by_proxy(quick, proxy)


def test_what_a_socks_proxy_needs_is_told_where_it_is_missing(tap: TapCommand) -> None:
    (tap.folder / "socks.py").write_text("raise ImportError", encoding="utf-8")
    tap.environment["PYTHONPATH"] = str(tap.folder)
    last = refused_by_proxy(tap, "socks5://u:pr0xy@127.0.0.1:9")
    assert "is a SOCKS proxy, and the package for those is missing" in last
    assert "install tap-datto-rmm[socks]" in last


def refused_by_proxy(tap: TapCommand, proxy: str) -> str:
    """Run through a proxy; give the last line."""
    tap.environment |= {"ALL_PROXY": proxy, "NO_PROXY": ""}
    run = tap({"platform": "merlot", "api_key": "key", "api_secret": "secret"})
    assert run.code == 1
    last = run.err.splitlines()[-1]
    assert "/auth/oauth/token: " in last
    assert "check" in last
    assert "ALL_PROXY" in last
    assert "Trying again" not in run.err
    assert "Traceback" not in run.err
    assert "pr0xy" not in run.err
    return last


@pytest.mark.parametrize("fault", ["status=502", "reset", "html"])
@pytest.mark.parametrize("after", [2, 30], ids=["in the lists", "in the audits"])
def test_an_outage_is_waited_out_and_one_request_at_a_time_looks_for_its_end(
    bench: Bench, fault: str, after: int
) -> None:
    bench.inject(f"{fault}:after={after}:seconds=1.5")
    bench.tap.patience = {"longest_wait": 0.2, "patience": 0.1}
    run = bench.run("devices", "device_audits", max_parallel_requests=4)
    assert run.code == 0, run.err
    for stream in ("devices", "device_audits"):
        assert records(run, stream) == bench.wanted(stream)
    assert "Nothing else succeeds: an outage. All requests wait for its end" in run.err
    assert "The outage is over, after" in run.err
    failed = bench.struck
    probes = sum(entry.path.endswith("/v2/system/status") for entry in bench.account.requests)
    assert failed <= probes + 3 * 4


def test_an_outage_at_the_very_start_is_waited_out(bench: Bench) -> None:
    bench.inject("status=503:seconds=1")
    bench.tap.patience = {"longest_wait": 0.2}
    run = bench.run("users")
    assert run.code == 0, run.err
    assert records(run, "users") == bench.wanted("users")


def test_an_outage_that_does_not_end_ends_the_run(bench: Bench) -> None:
    bench.inject("status=502:after=30")
    bench.tap.patience = {"longest_wait": 0.2, "outage": 1.0}
    run = bench.run("sites", "device_audits", "users")
    assert run.code == 1
    last = run.err.splitlines()[-1]
    assert "No request has succeeded for 1 s: an outage of the API" in last
    assert "HTTP 502" in last
    assert "Traceback" not in run.err


def test_one_path_that_fails_while_others_succeed_is_no_outage(bench: Bench) -> None:
    bench.inject("status=502:path=/v2/account/users")
    bench.tap.patience = {**QUICK, "patience": 0.5}
    run = bench.run("users", "components")
    assert run.code == 1
    assert "outage" not in run.err
    assert records(run, "components") == bench.wanted("components")


def test_a_missing_permission_is_named_and_the_other_streams_are_complete(bench: Bench) -> None:
    bench.account.state.forbidden = [
        re.compile("/v2/account/users"),
        re.compile("/v2/activity-logs"),
    ]
    run = bench.run("sites", "users", "activity_logs", "printer_audits")
    assert run.code == 1
    failed = [line for line in run.err.splitlines() if " FAILED: " in line]
    assert len(failed) == 2
    assert re.search(
        r"users FAILED: /v2/account/users: HTTP 403\. The API user's .* needs: .*Users",
        failed[0],
    )
    assert re.search(
        r"activity_logs FAILED: /v2/activity-logs: HTTP 403\. .* needs: .*Administr",
        failed[1],
    )
    assert run.err.splitlines()[-1].endswith(
        "2 of 4 streams are not complete: users (failed), activity_logs (failed)"
    )
    for stream in ("sites", "printer_audits"):
        assert records(run, stream) == bench.wanted(stream)
    assert run.bookmark("printer_audits")


@pytest.mark.parametrize("status", [404, 400])
def test_a_device_without_an_audit_is_left_out_and_counted(bench: Bench, status: int) -> None:
    whole = bench.wanted("device_audits")
    gone = sorted(key[0] for key in whole)[:2]
    bench.inject(f"status={status}:path=/v2/audit/device/({'|'.join(gone)})$")
    run = bench.run("device_audits")
    assert run.code == 0
    got = records(run, "device_audits")
    assert got == {key: record for key, record in whole.items() if key[0] not in gone}
    assert f"device_audits: 2 left out: has nothing to give (HTTP {status})" in run.err
    assert re.search(r"device_audits: \d+ records, .* 2 left out", run.err)


@pytest.mark.parametrize("retry_after", ["none", "1"])
@pytest.mark.parametrize("parallel", [1, 16])
def test_above_the_limit_all_requests_stop_and_the_block_is_never_reached(
    sandbox: Callable[..., Sandbox],
    quick: QuickTapCommand,
    retry_after: str,
    parallel: int,
) -> None:
    crowded = sandbox(
        rate_limit=40, rate_window=3, block_after=20, retry_after=retry_after, slow_down_seconds=0
    )
    quick.patience = {"window": 3.0}
    config = fast(crowded, max_parallel_requests=parallel)
    run = quick.sync(config, "device_audits")
    statuses = crowded.state.journal.by_status
    assert run.code == 0, run.err
    assert statuses[403] == 0
    assert len(run.records["device_audits"]) == 50
    if parallel == 16:
        assert statuses[429] > 0
        assert re.search("all requests wait [13] s, then go slower", run.err)


@pytest.mark.parametrize("retry_after", ["none", "1"])
def test_an_ip_block_is_waited_out(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand, retry_after: str
) -> None:
    strict = sandbox(retry_after=retry_after, latency_ms=20)

    def block() -> None:
        while len(strict.requests) < 20:
            time.sleep(0.005)
        strict.state.limit._blocked_until = time.monotonic() + 1.5

    other_tool = Thread(target=block)
    other_tool.start()
    quick.patience = {"block": 1.6}
    run = quick.sync(fast(strict, max_parallel_requests=4), "device_audits", "printer_audits")
    other_tool.join()
    assert run.code == 0, run.err
    assert 2 <= strict.state.journal.by_status[403] < 20
    assert "HTTP 403 on every path: the IP address is blocked: all requests wait" in run.err
    assert len(run.records["device_audits"]) == 50


def test_a_block_that_does_not_end_ends_the_run(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand
) -> None:
    strict = sandbox(rate_limit=30, block_after=1, block_seconds=600, slow_down_seconds=0)
    quick.patience = {"window": 1.0, "block": 0.2, "refused": 2.5}
    run = quick.sync(fast(strict), "devices", "device_audits", "printer_audits")
    assert run.code == 1
    assert "HTTP 403 on every path: this IP address is blocked" in run.err.splitlines()[-1]
    assert len(run.records["devices"]) == 60
    assert strict.state.journal.by_status[403] < 50


def test_a_blocked_address_is_told_at_the_start(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand
) -> None:
    strict = sandbox(rate_limit=1, rate_window=9, block_after=1, block_seconds=600)
    for _ in range(2):
        strict.state.limit.arrive()
    run = quick.sync(fast(strict), *truth.STREAMS)
    assert run.code == 1
    assert "this IP address is blocked" in run.err.splitlines()[-1]
    assert len(strict.requests) == 2


def test_the_limit_that_others_use_up_for_good_ends_the_run(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand
) -> None:
    busy = sandbox(rate_limit=60, other_client_rate=10_000, block_after=1000)
    quick.patience = {"window": 0.2, "refused": 1.5}
    run = quick.sync(fast(busy), *truth.STREAMS)
    assert run.code == 1
    assert "Other tools use up the account's request limit" in run.err.splitlines()[-1]
    assert busy.state.journal.by_status[429] < 30


def test_the_run_ends_while_requests_hang(bench: Bench) -> None:
    """Threads that wait for a retry or for the budget do not hold up a run that has failed."""
    bench.inject(
        "status=503:path=/v2/account/(components|variables)",
        "status=401:path=/v2/account/users",
        "status=401:path=/auth/oauth/token:after=1",
    )
    started = time.monotonic()
    run = bench.run("users", "components", "account_variables")
    assert run.code == 1
    assert "refused the credentials" in run.err.splitlines()[-1]
    assert time.monotonic() - started < 15


def test_a_401_on_one_path_alone_costs_that_stream_only(bench: Bench) -> None:
    bench.inject("status=401:path=/v2/account/users")
    run = bench.run("users", "components", "account_variables")
    assert run.code == 1
    assert "users failed: /v2/account/users: HTTP 401 twice in a row" in run.err
    assert "1 of 3 streams are not complete: users (failed)" in run.err.splitlines()[-1]
    assert run.records["components"]
    assert run.records["account_variables"]


def test_an_answer_that_is_no_page_is_no_empty_list(bench: Bench) -> None:
    bench.inject("next-page=no-details:path=/v2/account/users:first=2")
    run = bench.run("users")
    assert run.code == 0, run.err
    assert "the answer is no page" in run.err
    assert run.records["users"]


def test_a_failing_look_at_the_account_does_not_cost_the_devices(bench: Bench) -> None:
    bench.inject("status=400:path=/api/v2/account$", "status=503:path=/v2/account/sites")
    run = bench.run("devices", "printer_audits")
    assert run.code == 0, run.err
    assert len(run.records["devices"]) == len(bench.account.account.devices)
    assert run.records["printer_audits"]
