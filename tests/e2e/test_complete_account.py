"""Whose account is read: said at the start, remembered, and never mixed with another's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox.expected import STREAMS

from tests.conftest import fast
from tests.e2e.scene import Scene, last_lines, told
from tests.e2e.warehouse import selection, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.commands import Run

REMEDY = "remove the state to read this account anew, or give the key that belongs to it"
OTHER = {"seed": 8, "account_name": "Nordwind Systeme", "account_uid": "cst-nordwind-08"}
ACCOUNT = "/v2/account$"


def no_record(run: Run) -> bool:
    return '"RECORD"' not in run.out


@pytest.mark.parametrize("streams", [("users",), ("account", "users"), ("printer_audits",)])
def test_the_state_remembers_whose_it_is_and_the_start_says_so(
    scene: Callable[..., Scene], streams: tuple[str, ...]
) -> None:
    at = scene(devices=30)
    uid, name = at.account.account.uid, at.account.account.name
    run = at.heal(*streams)
    assert at.bookmarks["account"]["account_uid"] == uid
    lines = run.err.splitlines()
    said = next(n for n, line in enumerate(lines) if name in line and uid in line)
    first = next((n for n, line in enumerate(lines) if "records" in line), len(lines))
    assert said < first
    assert at.calls(ACCOUNT) == 1
    paths = [entry.path for entry in at.entries if not re.search("/auth/|/system/", entry.path)]
    assert paths[0].endswith("/v2/account")
    at.heal(*streams, account_uid=uid)


def test_the_key_of_another_account_is_refused_before_a_record_is_written(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=30)
    run = at.run("users", "sites", account_uid="cst-nordwind-08")
    assert run.code == 1
    assert no_record(run)
    account = at.account.account
    assert all(text in last_lines(run) for text in (account.uid, account.name, "cst-nordwind-08"))
    assert "account_uid" in last_lines(run)
    assert at.calls("/v2/account/") == 0


@pytest.mark.parametrize("streams", [("users",), ("account", "devices")])
def test_the_state_of_another_account_is_refused_and_says_what_to_do(
    scene: Callable[..., Scene], streams: tuple[str, ...]
) -> None:
    mine, other = scene(devices=30), scene(devices=30, **OTHER)
    mine.heal(*streams)
    other.warehouse.state = mine.warehouse.state
    run = other.run(*streams)
    assert run.code == 1
    assert no_record(run)
    assert REMEDY in last_lines(run).lower()
    for account in (mine.account.account, other.account.account):
        assert account.uid in last_lines(run)
    assert other.account.account.name in last_lines(run)
    other.warehouse.state = {}
    other.heal(*streams)


def test_a_state_that_does_not_say_whose_it_is_is_accepted(scene: Callable[..., Scene]) -> None:
    at = scene(devices=30)
    at.heal("users", "alerts")
    del at.bookmarks["account"]["account_uid"]
    at.heal("users", "alerts")
    assert at.bookmarks["account"]["account_uid"] == at.account.account.uid


def test_without_the_right_to_read_the_account_the_guard_is_a_warning(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=30)
    at.forbid(ACCOUNT)
    run = at.heal("users", "printer_audits")
    assert told(run, "WARNING", "/v2/account")
    assert "account_uid" not in at.bookmarks.get("account", {})


def test_without_the_right_to_read_the_account_the_state_still_knows_whose_it_is(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=30)
    at.heal("users")
    at.forbid(ACCOUNT)
    at.heal("users")
    assert at.bookmarks["account"]["account_uid"] == at.account.account.uid


def test_a_guard_that_cannot_hold_is_a_refusal(scene: Callable[..., Scene]) -> None:
    at = scene(devices=30)
    at.forbid(ACCOUNT)
    run = at.run("users", account_uid=at.account.account.uid)
    assert run.code == 1
    assert no_record(run)
    assert "account_uid" in last_lines(run)
    assert "403" in last_lines(run)
    at.forbid()
    at.heal("users", account_uid=at.account.account.uid)


def test_an_account_that_does_not_answer_now_is_no_other_account(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=30)
    at.inject(f"status=500:path={ACCOUNT}")
    run = at.run("users", account_uid=at.account.account.uid)
    assert run.code == 1
    assert no_record(run)
    at.heal("users", account_uid=at.account.account.uid)


# Several accounts in one table


def with_account(config: dict[str, Any], at: Scene, *streams: str) -> dict[str, Any]:
    """Discover with the column: a catalog of its own."""
    return at.tap.catalog({**config, "account_column": True}, *streams)


def test_the_column_is_the_first_part_of_every_key(scene: Callable[..., Scene]) -> None:
    at = scene(devices=20)
    streams = tuple(STREAMS)
    catalog = with_account(fast(at.account), at, *streams)
    run = at.run(catalog=catalog, account_column=True)
    assert run.code == 0, run.err
    for stream in streams:
        schema = run.schemas[stream]
        assert schema["key_properties"][0] == "accountUid", stream
        assert schema["schema"]["properties"]["accountUid"]["type"] in ("string", ["string"])
    for stream, records in run.records.items():
        assert {record["accountUid"] for record in records} == {at.account.account.uid}, stream


def test_accounts_that_share_a_table_keep_their_rows_apart(scene: Callable[..., Scene]) -> None:
    mine, other = scene(devices=20), scene(devices=20, **OTHER)
    streams = ("default_filters", "account_variables", "users")
    keys = set()
    for at in (mine, other):
        catalog = with_account(fast(at.account), at, *streams)
        assert at.run(catalog=catalog, account_column=True).code == 0
        keys |= {(stream, key) for stream in streams for key in at.warehouse.tables[stream]}
    rows = [len(true_rows(at.account, stream)) for at in (mine, other) for stream in streams]
    assert len(keys) == sum(rows)


def test_the_column_and_marks_together_are_refused(scene: Callable[..., Scene]) -> None:
    at = scene(devices=20)
    run = at.tap(
        fast(at.account, account_column=True, emit_activate_version_messages=True),
        catalog=selection("users"),
    )
    assert run.code == 1
    assert no_record(run)
    assert "account_column" in last_lines(run)
    assert "emit_activate_version_messages" in last_lines(run)
    assert at.account.requests == []
