"""The log as people read it: few lines, each worth its place; and nothing read is no success."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests import truth
from tests.commands import select
from tests.conftest import fast
from tests.e2e.scene import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run
    from tests.e2e.scene import Scene

TIME = r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d \| "


def texts(run: Run) -> list[str]:
    """The lines without the time."""
    return [re.sub(f"^{TIME}", "", line) for line in run.err.splitlines()]


def test_a_sync_is_a_start_line_a_line_a_stream_and_a_table(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=30)
    run = quick.sync(fast(account), "sites", "users", "printer_audits")
    assert run.code == 0
    where, one, *lines = texts(run)
    assert re.fullmatch(r"tap-datto-rmm \S+\. Settings come from \S+\.json", where)
    host, whose = account.settings["api_url"].removeprefix("http://"), account.account
    assert one == f"Account {whose.name} ({whose.uid}) on {host}; 3 streams, all due"
    ended, (head, *table) = lines[:3], lines[3:]
    for name, line in zip(("sites", "users", "printer_audits"), ended, strict=True):
        records = len(run.records[name])
        assert re.fullmatch(rf"{name}: {records} records?, \d+ calls?, [\d.]+ s(, up to .*)?", line)
    assert re.fullmatch(r"Done after [\d.]+ s: 3 of 3 streams complete", head)
    assert [line.split()[0] for line in table] == [
        *("stream", "sites", "users", "printer_audits", "in", "Waited"),
    ]
    assert max(map(len, table)) <= 100


def test_the_day_stands_in_the_first_line_only(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    run = quick.sync(fast(sandbox(devices=1)), "users")
    first, *others = [line for line in run.err.splitlines() if " | " in line]
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| ", first)
    assert all(re.match(r"\d\d:\d\d:\d\d \| ", line) for line in others)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"api_secret": "wrong"}, "refused the credentials"),
        ({"account_uid": "another"}, "`account_uid` names another"),
        ({"api_url": "http://127.0.0.1:9"}, "127.0.0.1:9 refuses the connection"),
    ],
    ids=["secret", "account", "host"],
)
def test_a_sync_that_cannot_begin_is_three_lines(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], settings: dict[str, Any], says: str
) -> None:
    run = quick(fast(sandbox(devices=1), **settings))
    assert run.code == 1
    _, nothing, error = texts(run)
    by_default = sum(stream.by_default for stream in truth.STREAMS.values())
    assert nothing == f"WARNING | Nothing was read: 0 of {by_default} streams were reached."
    assert error.startswith("ERROR | ")
    assert says in error


def test_at_the_level_of_warnings_the_failures_are_told_all_the_same(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    quick.environment = {"LOGLEVEL": "WARNING"}
    account = sandbox(devices=5, forbid=("/v2/account/users",))
    run = quick(fast(account), catalog=quick.catalog(fast(account), "sites", "users"))
    assert run.code == 1
    lines = texts(run)
    assert lines[-2].startswith("ERROR | users FAILED: /v2/account/users: HTTP 403")
    assert lines[-1] == "ERROR | 1 of 2 streams are not complete: users (failed)"
    assert "sites" not in run.err


def test_a_run_that_ends_early_says_what_it_did_not_reach(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=5, faults=("status=401:path=/v2/account/users",))
    quick.patience = {"outage": 1.0, "patience": 1.0}
    run = quick.sync(fast(account), "sites", "users", "printer_audits")
    assert run.code == 1
    assert "0 failed" not in run.err
    head = next(line for line in texts(run) if line.startswith("Ended with exit code 1"))
    assert "1 failed" in head


# Nothing read


def test_a_catalog_that_selects_nothing_is_refused_before_the_first_request(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=1)
    run = quick.sync(fast(account))
    assert run.code == 1
    assert run.out == ""
    _, error = texts(run)
    nothing = f"Nothing to read: the catalog selects none of the {len(truth.STREAMS)} streams."
    assert error.startswith(f"ERROR | {nothing}")
    assert '"selected": true' in error
    assert account.requests == []


def test_a_catalog_without_streams_is_refused_too(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    run = quick(fast(sandbox(devices=1)), catalog={"streams": []})
    assert run.code == 1
    assert "Nothing to read" in texts(run)[-1]


@pytest.mark.parametrize("others", [("sites",), ()], ids=["with others", "alone"])
def test_a_selected_name_that_is_no_stream_is_refused_with_the_nearest_one(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], others: tuple[str, ...]
) -> None:
    account = sandbox(devices=1)
    catalog = quick.catalog(fast(account), *others)
    for entry in catalog["streams"]:
        if entry["stream"] in {"device_audits", "users"}:
            entry["stream"] = entry["tap_stream_id"] = entry["stream"][:-1]
            select(entry, selected=True)
    run = quick(fast(account), catalog=catalog)
    assert run.code == 1
    assert run.out == ""
    says = "ERROR | The catalog selects `{}`, but there is no such stream. Did you mean `{}s`?"
    wanted = [says.format(name, name) for name in ("user", "device_audit")]
    assert texts(run)[-2:] == wanted
    assert account.requests == []


def test_streams_that_are_not_due_are_no_error(scene: Callable[..., Scene]) -> None:
    at = scene(devices=10)
    settings: dict[str, Any] = {"refresh_hours": {"site*": 24, "users": 24}}
    at.run("sites", "users", **settings)
    at.rests(HOUR)
    run = at.run("sites", "users", **settings)
    assert run.code == 0
    lines = texts(run)
    assert "2 streams, all due but sites, users" in lines[1]
    assert lines[2:4] == ["sites: not due", "users: not due"]
    assert "0 of 2 streams complete, 2 not due" in lines[4]
