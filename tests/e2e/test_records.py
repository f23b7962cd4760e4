"""Records at the end of the way: none goes for a null in its key or breaks its SCHEMA."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tests.e2e.warehouse import Sync, Warehouse, assert_equal, selection, true_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox


def assert_fit(sync: Sync, stream: str) -> None:
    """Check the records against the SCHEMA that a target was given, columns in its order."""
    (schema,) = (m["schema"] for m in sync.messages if m["type"] == "SCHEMA")
    validator = Draft202012Validator(schema)
    for record in sync.records(stream):
        assert list(record) == list(schema["properties"])
        validator.validate(record)


def column_of(catalog: dict[str, Any], stream: str, name: str) -> dict[str, Any]:
    """Find a column's schema in a catalog, made where there is none."""
    (entry,) = (one for one in catalog["streams"] if one["stream"] == stream)
    schema: dict[str, Any] = entry["schema"]["properties"].setdefault(name, {})
    return schema


def test_software_without_a_version_and_patches_without_a_status_are_rows(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(devices=60, null_keys="on", udf="absent"), Warehouse()
    streams = ("device_software", "site_patches")
    sync = warehouse.sync(account, *streams, emit_activate_version_messages=True)
    assert sync.failure is None
    assert_equal(warehouse, account, *streams)
    for stream in streams:
        assert any(key[-1] == "" for key in warehouse.tables[stream])
    assert sync.activated() == ["site_patches"]


def test_the_uid_of_the_account_does_not_make_up_for_a_row_without_a_key(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse, catalog = sandbox(), Warehouse(), selection("users")
    (entry,) = (one for one in catalog["streams"] if one["stream"] == "users")
    entry["key_properties"] = ["accountUid", "username"]
    text = {"accountUid": {"type": "string"}}
    entry["schema"]["properties"] = text | entry["schema"]["properties"]
    account.call(lambda: account.state.faults.replace(["drop-key:path=/v2/account/users"]))
    sync = warehouse.sync(account, catalog=catalog, account_column=True)
    assert warehouse.keys == {"users": ["accountUid", "username"]}
    whole = len(true_rows(account, "users"))
    assert len(sync.records("users")) == whole - len(range(0, whole, 5))
    assert all(record["accountUid"] and record["username"] for record in sync.records("users"))
    assert_fit(sync, "users")


def test_a_catalog_that_wants_an_object_as_text_gets_its_json(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse, catalog = sandbox(), Warehouse(), selection("alerts")
    column = column_of(catalog, "alerts", "alertContext")
    column.clear()
    column["type"] = ["string", "null"]
    sync = warehouse.sync(account, catalog=catalog)
    assert_fit(sync, "alerts")
    wanted = true_rows(account, "alerts")
    assert warehouse.tables["alerts"].keys() == wanted.keys()
    for key, record in warehouse.tables["alerts"].items():
        context = json.loads(record["alertContext"]) if record["alertContext"] else None
        assert {**record, "alertContext": context} == wanted[key]


def test_a_column_that_only_the_catalog_has_is_null_in_every_record(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse, catalog = sandbox(), Warehouse(), selection("sites")
    column_of(catalog, "sites", "region")["type"] = ["string", "null"]
    sync = warehouse.sync(account, catalog=catalog)
    assert_fit(sync, "sites")
    wanted = {key: {**row, "region": None} for key, row in true_rows(account, "sites").items()}
    assert warehouse.tables["sites"] == wanted
