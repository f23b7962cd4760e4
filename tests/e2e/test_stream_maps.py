"""Stream maps and flattening: what a user maps is mapped, and nothing else suffers for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import calls, fast
from tests.e2e.test_catalogs import assert_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run

Sync = dict[str, Any]
MARKS: Sync = {"emit_activate_version_messages": True}


@pytest.fixture(scope="module")
def account(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=40, udf="absent")


def marked(run: Run) -> set[str]:
    return {m["stream"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}


@pytest.mark.parametrize("name", ["*", "job_results", "job_*", "devices_v3"])
def test_maps_of_unselected_streams_do_nothing(
    quick: QuickTapCommand, account: Sandbox, name: str
) -> None:
    run = quick.sync(fast(account, stream_maps={name: {"mapped": "1"}}), "users", "sites")
    assert run.code == 0, run.err
    assert {"mapped" in record for record in run.records["users"]} == {name == "*"}


@pytest.mark.parametrize(
    ("stream", "expression"),
    [
        ("users", "email.upper()"),
        ("sites", "notes.strip()"),
        ("sites", "notes[:10]"),
        ("users", "float(username)"),
        ("users", "no_such_name"),
    ],
)
def test_an_expression_that_meets_a_null_fails_its_stream_by_name_and_no_other(
    quick: QuickTapCommand, account: Sandbox, stream: str, expression: str
) -> None:
    maps = {stream: {"mapped": expression}}
    run = quick.sync(fast(account, stream_maps=maps), "users", "sites", "components")
    assert run.code == 1
    assert "Traceback" not in run.err
    assert f"1 of 3 streams are not complete: {stream} (failed)" in run.err
    assert f"in the expression `{expression}` on the record with " in run.err
    assert run.records["components"]
    assert run.state


@pytest.mark.parametrize("maps", [{"usres": {"email": None}}, {"x": {"__source__": "usres"}}])
def test_a_map_of_a_stream_that_there_is_not_is_told_with_the_nearest_name(
    quick: QuickTapCommand, account: Sandbox, maps: Sync
) -> None:
    run = quick.sync(fast(account, stream_maps=maps), "users")
    assert run.code == 0
    assert "there is no stream `usres`, so nothing is mapped. Did you mean `users`?" in run.err


@pytest.mark.parametrize("taken_out", [{"emial": None}, {"emial": "__NULL__"}], ids=str)
def test_a_column_to_take_out_that_there_is_not_is_told_with_the_nearest_name(
    quick: QuickTapCommand, account: Sandbox, taken_out: Sync
) -> None:
    maps = {"users": {**taken_out, "lastAccess": None}}
    run = quick.sync(fast(account, stream_maps=maps), "users")
    assert run.code == 0
    assert (
        "Setting `stream_maps.users`: there is no column `emial`, so nothing is left out. Did you "
        "mean `email`?"
    ) in run.err
    assert "lastAccess" not in run.err
    assert "lastAccess" not in run.schemas["users"]["schema"]["properties"]


@pytest.mark.parametrize("depth", [1, 3])
def test_flattened_records_fit_the_schema_that_was_written(
    quick: QuickTapCommand, account: Sandbox, depth: int
) -> None:
    settings = {"flattening_enabled": True, "flattening_max_depth": depth}
    run = quick(fast(account, **settings))
    assert run.code == 0, run.err
    for stream, records in run.records.items():
        columns = list(run.schemas[stream]["schema"]["properties"])
        assert all(list(record) == columns for record in records), stream


@pytest.mark.parametrize(
    ("expression", "kind", "is_as_meant"),
    [
        ("id + 1", "string", lambda value, row: value == str(row["id"] + 1)),
        ("online == True", "string", lambda value, row: value == str(row["online"]).lower()),
        ("[id, uid]", "string", lambda value, row: json.loads(value) == [row["id"], row["uid"]]),
        ("{'a': uid}", "string", lambda value, row: json.loads(value) == {"a": row["uid"]}),
        ("float(id)", "number", lambda value, row: value == row["id"]),
        ("bool(online)", "boolean", lambda value, row: value is bool(row["online"])),
        ("siteName", "string", lambda value, row: value == row["siteName"]),
        ("patchManagement", "object", lambda value, row: value == row["patchManagement"]),
        ("datetime.date.today()", "string", lambda value, _: len(value) == len("2026-11-18")),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_an_expression_gives_fits_the_schema_that_was_written(
    quick: QuickTapCommand,
    account: Sandbox,
    expression: str,
    kind: str,
    is_as_meant: Callable[[Any, Sync], bool],
) -> None:
    run = quick.sync(fast(account, stream_maps={"devices": {"mapped": expression}}), "devices")
    assert run.code == 0, run.err
    assert run.schemas["devices"]["schema"]["properties"]["mapped"]["type"] == [kind, "null"]
    assert_fits(run)
    assert all(is_as_meant(row["mapped"], row) for row in run.records["devices"])


@pytest.mark.parametrize(
    ("maps", "left"),
    [
        ({"devices": {"day": "'x'"}}, {"devices"}),
        ({"devices_daily": {"__source__": "devices", "__key_properties__": ["uid", "day"],
                            "day": "'x'"}}, {"devices"}),
        ({"computers": {"__source__": "devices", "__filter__": "online"}}, {"devices"}),
        ({"copied": {"__source__": "devices", "day": "'x'"}}, {"devices", "copied"}),
        ({"devices": {"__filter__": "online"}}, set()),
        ({"devices": None}, set()),
    ],
)  # fmt: skip
def test_marks_are_withheld_only_where_a_map_filters_or_re_keys(
    quick: QuickTapCommand, account: Sandbox, maps: Sync, left: set[str]
) -> None:
    run = quick.sync(fast(account, **MARKS, stream_maps=maps), "devices")
    assert run.code == 0, run.err
    assert marked(run) == left


@pytest.mark.parametrize(
    ("maps", "table"),
    [
        ({"users": {"__alias__": "sites"}}, "sites"),
        ({"*": {"__alias__": "all"}}, "all"),
        ({"components": {"__source__": "users"}}, "components"),
    ],
)
def test_two_streams_in_one_table_are_refused_before_the_first_call(
    quick: QuickTapCommand, account: Sandbox, maps: Sync, table: str
) -> None:
    catalog = quick.catalog(fast(account), "users", "sites", "components")
    calls(account)
    run = quick(fast(account, stream_maps=maps), catalog=catalog)
    assert run.code == 1
    assert run.out == ""
    assert f"Setting `stream_maps` cannot be followed: several streams become `{table}`" in run.err
    assert not calls(account)


def test_a_stream_may_take_the_name_of_one_that_is_not_selected(
    quick: QuickTapCommand, account: Sandbox
) -> None:
    run = quick.sync(fast(account, stream_maps={"users": {"__alias__": "devices"}}), "users")
    assert run.code == 0, run.err
    assert run.records.keys() == {"devices"}
