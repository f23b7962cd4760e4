"""Hostile input through the command line: no crash, no broken SCHEMA, all of it counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox import Sandbox
from datto_rmm_sandbox.damage import HOSTILE
from jsonschema import Draft202012Validator

from tests import truth
from tests.conftest import NOW, fast
from tests.e2e.warehouse import selection, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.commands import QuickTapCommand, Run

DEVICES = 15
PASSING = {"too-deep"}
"""Not to be read at all, so that the page is asked for again."""
IN_VALUES = [f"hostile={kind}" for kind in HOSTILE if kind not in {*PASSING, "huge"}]
IN_VALUES += ["hostile=huge:times=5", "wrong-types", "unknown-keys"]  # 10 MB at a time
HARMS_KEYS = {"hostile=utf8", "hostile=surrogate"}

STREAMS = [name for name in truth.STREAMS if not name.startswith("job")]

OF_THE_ACCOUNT = {
    *("account", "sites", "devices", "devices_v3", "alerts", "activity_logs", "users"),
    *("account_variables", "components", "default_filters", "custom_filters"),
    "dnet_site_mappings",
}


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """One account for all tests."""
    with Sandbox(devices=DEVICES, seed=7, now=NOW, rate_limit=0) as sandbox:
        yield sandbox


@pytest.fixture
def hostile(account: Sandbox, quick: QuickTapCommand) -> Callable[..., Run]:
    """Sync streams, or all but those of jobs, while a fault is in force."""

    def sync(fault: str, streams: Sequence[str] = STREAMS) -> Run:
        account.call(lambda: account.state.faults.replace([fault]))
        quick.patience = {"longest_wait": 0.05}
        return quick(fast(account), catalog=selection(*streams))

    return sync


def keys(account: Sandbox, stream: str) -> set[tuple[Any, ...]]:
    return set(true_rows(account, stream))


def assert_that_every_record_fits_its_schema(run: Run) -> None:
    for stream, schema in run.schemas.items():
        validator = Draft202012Validator(schema["schema"])
        for record in run.records[stream]:
            validator.validate(record)
            assert None not in truth.key_of(stream, record)


LISTS = [name for name in STREAMS if name in OF_THE_ACCOUNT]
OF_PARENTS = [name for name in STREAMS if name not in OF_THE_ACCOUNT]


@pytest.mark.parametrize(
    ("where", "streams"),
    [("(account|filter|activity-logs)", LISTS), ("(audit|site|device)/", OF_PARENTS)],
    ids=["lists", "per parent"],
)
@pytest.mark.parametrize("fault", IN_VALUES)
def test_odd_values_cost_no_row(
    account: Sandbox,
    hostile: Callable[..., Run],
    fault: str,
    where: str,
    streams: list[str],
) -> None:
    run = hostile(f"{fault}:path=/v2/{where}", streams)
    assert run.code == 0, run.err
    assert "Traceback" not in run.err
    assert b"\\u0000" not in run.out.encode()
    assert_that_every_record_fits_its_schema(run)
    for stream in streams:
        got = [truth.key_of(stream, record) for record in run.records[stream]]
        whole = keys(account, stream)
        assert len(got) == len(set(got))
        if fault in HARMS_KEYS:
            assert len(got) >= len(whole)
        else:
            assert set(got) == whole, stream


def test_deep_pages_are_asked_for_again(hostile: Callable[..., Run]) -> None:
    run = hostile("hostile=too-deep:path=/v2/account/devices:times=1")
    assert run.code == 0
    assert len(run.records["devices"]) == DEVICES
    assert run.err.count("Trying again.") == 1


def test_rows_without_a_key_are_left_out_and_counted(
    account: Sandbox, hostile: Callable[..., Run]
) -> None:
    run = hostile("drop-key:path=/v2/account/users")
    whole = len(keys(account, "users"))
    dropped = len(range(0, whole, 5))
    assert run.code == 0
    assert len(run.records["users"]) == whole - dropped
    assert f"users: {dropped} left out: has no usable primary key" in run.err
    assert re.search(rf"users: \d+ records, .*, {dropped} left out", run.err)


def test_devices_without_a_key_are_found_in_the_lists_of_their_sites(
    hostile: Callable[..., Run],
) -> None:
    run = hostile("drop-key=uid:path=/v2/account/devices")
    assert run.code == 0
    assert len(run.records["devices"]) == DEVICES
    assert f"devices: {DEVICES // 5} left out: has no usable primary key" in run.err


def test_items_that_are_no_rows_are_left_out_and_counted(hostile: Callable[..., Run]) -> None:
    run = hostile("wrong-types:path=/v2/account/users")
    assert run.code == 0
    assert "users: 4 left out: is no object" in run.err
    assert "users: 1 left out: has no usable primary key" in run.err


def test_unknown_properties_are_named_once(hostile: Callable[..., Run]) -> None:
    run = hostile("unknown-keys:path=/v2/account/sites")
    assert run.err.count("the API sends `brandNew`, which the spec does not know") == 1
    assert not [record for record in run.records["sites"] if "brandNew" in record]
