"""Catalogs as people, Meltano and older versions write them: no row is lost, and all fit."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from typing_extensions import override

from tests import truth
from tests.commands import Run, select
from tests.conftest import fast
from tests.e2e.test_settings import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand

Json = dict[str, Any]

STREAMS = ("sites", "devices", "alerts", "device_audits", "device_software")


@dataclass(frozen=True)
class Account:
    """An account, and what a whole sync of it gave."""

    config: Json
    tap: QuickTapCommand
    discovered: Json
    whole: Run

    def catalog(self, *streams: str) -> Json:
        """Select these streams only."""
        catalog = deepcopy(self.discovered)
        for entry in catalog["streams"]:
            select(entry, selected=entry["stream"] in streams)
        return catalog

    def sync(self, stream: str, edit: Edit, **settings: Any) -> Run:
        """Sync a stream by a catalog that was edited, and hold each row to the whole sync."""
        catalog = self.catalog(stream)
        edit(entry_of(catalog, stream))
        run = self.tap({**self.config, **settings}, catalog=catalog)
        assert run.code == 0, run.err
        assert_fits(run)
        assert keys_of(run, stream) == keys_of(self.whole, stream)
        return run


@pytest.fixture(scope="module")
def account(
    sandboxes: Callable[..., Sandbox], quickly: Callable[[str], QuickTapCommand]
) -> Account:
    tap, config = quickly("catalogs"), fast(sandboxes(devices=20, udf="absent"))
    discovered: Json = json.loads(tap(config, "--discover").out)
    return Account(config, tap, discovered, tap.sync(config, *STREAMS))


def entry_of(catalog: Json, stream: str) -> Json:
    entry: Json = next(one for one in catalog["streams"] if one["tap_stream_id"] == stream)
    return entry


def root_of(entry: Json) -> Json:
    root: Json = next(m["metadata"] for m in entry["metadata"] if not m["breadcrumb"])
    return root


def keys_of(run: Run, stream: str) -> list[str]:
    return sorted(str(truth.key_of(stream, record)) for record in run.records[stream])


def assert_fits(run: Run) -> None:
    """Each record fits the SCHEMA that was written: types, columns, order and keys."""
    for stream, message in run.schemas.items():
        properties, keys = message["schema"]["properties"], message["key_properties"]
        assert {*keys, *(message.get("bookmark_properties") or ())} <= properties.keys()
        assert keys
        validator = Draft202012Validator(message["schema"])
        for record in run.records[stream]:
            validator.validate(record)
            assert list(record) == list(properties)


def warnings(run: Run) -> list[str]:
    found = (line.partition(" | WARNING | ")[2] for line in run.err.splitlines())
    return [line for line in found if line]


@dataclass(frozen=True)
class Edit:
    """A change of a catalog's entry."""

    name: str
    change: Callable[[Json], object]

    def __call__(self, entry: Json) -> None:
        """Make it."""
        self.change(entry)

    @override
    def __str__(self) -> str:
        return self.name


NOTHING = Edit("nothing", lambda _: None)


def put(where: Callable[[Json], Json] = lambda entry: entry, **values: object) -> Edit:
    """Put values into an entry, or a part of it."""
    named = {n.replace("_", "-") if where is root_of else n: v for n, v in values.items()}
    return Edit(f"{named}", lambda entry: where(entry).update(deepcopy(named)))


def schema_of(entry: Json) -> Json:
    schema: Json = entry["schema"]
    return schema


def without(*names: str) -> Edit:
    return Edit(f"no {names}", lambda entry: [entry.pop(name, None) for name in names])


def column(name: str, schema: object) -> Edit:
    return Edit(f"{name} {schema}", lambda e: e["schema"]["properties"].update({name: schema}))


def no_column(*names: str) -> Edit:
    def change(entry: Json) -> None:
        for name in names:
            del entry["schema"]["properties"][name]
            entry["metadata"] = [m for m in entry["metadata"] if name not in m["breadcrumb"]]

    return Edit(f"no column {names}", change)


def every(*edits: Edit) -> Edit:
    changes = [edit.change for edit in edits]
    return Edit(" and ".join(map(str, edits)), lambda entry: [change(entry) for change in changes])


def metadata_of_key(name: str, **metadata: object) -> Edit:
    def change(entry: Json) -> None:
        entry["metadata"] = [m for m in entry["metadata"] if name not in m["breadcrumb"]]
        entry["metadata"].append({"breadcrumb": ["properties", name], "metadata": metadata})

    return Edit(f"{name} {metadata}", change)


# What may be missing, or is not the tap's


@pytest.mark.parametrize(
    ("stream", "edit"),
    [
        ("sites", put(key_properties=[])),
        ("sites", without("key_properties")),
        ("sites", every(put(key_properties=[]), put(root_of, table_key_properties=[]))),
        ("sites", no_column("uid")),
        ("device_software", no_column("deviceUid", "version")),
        ("sites", metadata_of_key("uid", inclusion="available", selected=False)),
        ("sites", metadata_of_key("uid", inclusion="unsupported")),
        ("sites", without("metadata")),
        ("sites", put(metadata=None)),
        ("sites", put(root_of, selected="true")),
        ("sites", without("schema")),
        ("sites", put(schema={"properties": None})),
        ("sites", without("stream")),
        ("alerts", without("replication_key", "replication_method")),
        ("alerts", put(replication_method="full_table")),
        ("alerts", no_column("resolvedOn")),
        ("device_audits", no_column("lastAuditDate", "bios")),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_catalog_leaves_out_costs_no_row(account: Account, stream: str, edit: Edit) -> None:
    run = account.sync(stream, edit)
    assert run.schemas[stream]["key_properties"] == list(truth.STREAMS[stream].keys)
    assert warnings(run) == []


@pytest.mark.parametrize(
    "edit",
    [
        column("name", True),  # noqa: FBT003
        column("name", {"type": "string"}),
        column("name", {"type": []}),
        column("name", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        column("devicesStatus", {"$ref": "#/definitions/none"}),
        column("devicesStatus", {"type": "string", "maxLength": 3}),
        column("id", {"type": "number"}),
        column("uid", {"type": ["null", "string"]}),
        put(schema_of, required=["name"], additionalProperties=False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_schema_that_is_written_is_one_that_the_rows_fit(account: Account, edit: Edit) -> None:
    assert warnings(account.sync("sites", edit)) == []


def test_an_open_object_is_written_as_text_where_a_target_needs_it(account: Account) -> None:
    run = account.sync("alerts", column("alertContext", {"type": ["string", "null"]}))
    contexts = [json.loads(record["alertContext"]) for record in run.records["alerts"]]
    assert contexts == [record["alertContext"] for record in account.whole.records["alerts"]]


@pytest.mark.parametrize("said", [{"type": "string"}, {"type": "integer"}, {}], ids=str)
def test_dates_fit_whatever_type_a_catalog_gives_them(account: Account, said: Json) -> None:
    account.sync("alerts", every(column("resolvedOn", said), column("timestamp", said)))


@pytest.mark.parametrize(("stream", "name"), [("alerts", "timestamp"), ("devices", "lastSeen")])
def test_of_a_moment_the_day_is_written_where_a_catalog_asks_for_a_day(
    account: Account, stream: str, name: str
) -> None:
    run = account.sync(stream, column(name, {"type": "string", "format": "date"}))
    moments = [record[name] for record in account.whole.records[stream]]
    assert [record[name] for record in run.records[stream]] == [m and m[:10] for m in moments]
    assert any(moments)


# What is fixed


@pytest.mark.parametrize(
    ("stream", "edit", "told"),
    [
        ("sites", put(key_properties=["no_such"]), "key `no_such`: `uid` tells rows apart"),
        ("sites", put(root_of, table_key_properties=["id"]), "key `id`: `uid` tells rows apart"),
        ("device_audits", every(no_column("deviceUid"), put(key_properties=["x"])), "key `x`: "),
        ("sites", column("uid", {"type": "integer"}), "another type of `uid`: a key is written"),
        ("sites", put(replication_method="INCREMENTAL", replication_key="updated_at"),
         "replication method INCREMENTAL, replication key `updated_at`: the API cannot be asked"),
        ("sites", put(root_of, replication_method="INCREMENTAL", replication_key="name"),
         "replication method INCREMENTAL, replication key `name`: the API cannot be asked"),
        ("sites", put(root_of, forced_replication_method="LOG_BASED"),
         "replication method LOG_BASED: the API cannot be asked"),
        ("alerts", put(replication_key="updated_at"),
         "replication key `updated_at`: the tap goes on from `resolvedOn`"),
        ("device_audits", put(root_of, replication_key="lastSeen"),
         "replication key `lastSeen`: the tap goes on from `lastAuditDate`"),
        ("sites", put(stream="my_sites"), "name `my_sites`: `__alias__` in `stream_maps` renames"),
        ("sites", every(column("severity", {"type": "integer"}), column("team", {"type": "string"}),
                        put(key_properties=["no_such"])),
         "key `no_such`, columns `severity`, `team`: `uid` tells rows apart; "),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_a_catalog_cannot_change_is_told_in_one_line_with_why(
    account: Account, stream: str, edit: Edit, told: str
) -> None:
    run = account.sync(stream, edit)
    (line,) = warnings(run)
    assert f"{stream}: the catalog asks in vain for {told}" in line
    declared = truth.STREAMS[stream]
    message = run.schemas[stream]
    assert message["key_properties"] == list(declared.keys)
    assert (message.get("bookmark_properties") or [None]) == [declared.incremental_by]


def test_what_is_asked_of_all_streams_in_vain_is_told_once(account: Account) -> None:
    catalog = account.catalog("sites", "users", "components")
    for entry in catalog["streams"]:
        root_of(entry)["replication-method"] = "INCREMENTAL"
    run = account.tap(account.config, catalog=catalog)
    assert run.code == 0
    (line,) = warnings(run)
    assert line.startswith("sites, users, components: the catalog asks in vain for replication me")


@pytest.mark.parametrize(
    "edit",
    [
        put(replication_method="FULL_TABLE"),
        put(root_of, forced_replication_method="FULL_TABLE"),
        put(root_of, replication_method="FULL_TABLE"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", ["alerts", "device_audits"])
def test_a_forced_full_table_reads_everything_wherever_it_is_written(
    account: Account, stream: str, edit: Edit
) -> None:
    catalog = account.catalog(stream)
    state = account.tap(account.config, catalog=catalog).state
    again = account.tap(account.config, catalog=catalog, state=state)
    assert keys_of(again, stream) != keys_of(account.whole, stream)
    edit(entry_of(catalog, stream))
    forced = account.tap(account.config, catalog=catalog, state=state)
    assert forced.code == 0, forced.err
    assert keys_of(forced, stream) == keys_of(account.whole, stream)
    assert warnings(forced) == []


# Catalogs that were made before


@pytest.mark.parametrize("stream", STREAMS)
def test_the_accounts_column_is_in_each_table_whenever_the_catalog_was_made(
    account: Account, stream: str
) -> None:
    run = account.sync(stream, NOTHING, account_column=True)
    assert run.schemas[stream]["key_properties"] == ["accountUid", *truth.STREAMS[stream].keys]
    (uid,) = {record["accountUid"] for record in run.records[stream]}
    assert uid == run.state["bookmarks"]["account"]["account_uid"]
    assert warnings(run) == []


def test_a_catalog_that_knows_the_accounts_column_works_without_it(account: Account) -> None:
    catalog = json.loads(account.tap({**account.config, "account_column": True}, "--discover").out)
    for entry in catalog["streams"]:
        select(entry, selected=entry["stream"] == "users")
    run = account.tap(account.config, catalog=catalog)
    assert run.code == 0, run.err
    assert_fits(run)
    assert run.schemas["users"]["key_properties"] == ["username"]
    (line,) = warnings(run)
    assert "key `accountUid`, `username`, columns `accountUid`: `username` tells" in line


def test_settings_that_the_catalog_is_too_old_for_are_told(account: Account) -> None:
    custom = {
        "name": "status",
        "path": "/v2/system/status",
        "primary_keys": ["version"],
        "component": "StatusResponse",
    }
    settings = {"custom_streams": [custom], "keep_unknown_properties": True}
    run = account.sync("sites", NOTHING, **settings)
    assert warnings(run) == [
        "The catalog lacks `status` of `custom_streams`, not read; make it anew by --discover.",
        (
            "The catalog lacks the column `_unknown`, which `keep_unknown_properties` asks for; "
            "make it anew by --discover."
        ),
    ]


# Catalogs as a whole


def test_streams_that_there_are_not_are_named_with_what_may_be_meant(account: Account) -> None:
    catalog = account.catalog("users")
    entry_of(catalog, "sites")["tap_stream_id"] = "datto-sites"
    run = account.tap(account.config, catalog=catalog)
    assert run.records.keys() == {"users"}
    (line,) = warnings(run)
    assert line == (
        "The catalog has streams that there are not: `datto-sites`. Did you mean `sites`?"
    )


def test_of_a_stream_that_is_there_twice_the_last_counts_and_it_is_told(account: Account) -> None:
    catalog = account.catalog("users", "sites")
    again = deepcopy(entry_of(catalog, "sites"))
    select(again, selected=False)
    catalog["streams"].append(again)
    run = account.tap(account.config, catalog=catalog)
    assert run.records.keys() == {"users"}
    assert warnings(run) == ["The catalog has sites twice; the last one counts."]


@pytest.mark.parametrize(
    "edit", [put(root_of, selected="False"), put(root_of, selected=False), put(metadata=[
        {"breadcrumb": ["properties", "uid"], "metadata": {"inclusion": "automatic"}}])],
    ids=str,
)  # fmt: skip
def test_nothing_selected_is_no_success(account: Account, edit: Edit) -> None:
    catalog = account.catalog("sites")
    edit(entry_of(catalog, "sites"))
    run = account.tap(account.config, catalog=catalog)
    assert run.code == 1
    assert run.out == ""
    assert "ERROR | Nothing to read: the catalog selects none of the" in run.err


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (put(key_properties="uid"), ".key_properties` must be a list of names"),
        (put(replication_key=["a"]), ".replication_key` must be text"),
        (put(metadata={"selected": True}), ".metadata` must be a list"),
        (put(metadata=[7]), '.metadata[0]` must be {"breadcrumb": [...], "metadata": {...}}'),
        (put(metadata=[{"breadcrumb": "properties.uid", "metadata": {}}]), ".metadata[0]` must be"),
        (put(metadata=[{"breadcrumb": []}]), ".metadata[0]` must be"),
        (put(metadata=[{"breadcrumb": [], "metadata": {"selected": 1}}]),
         ".metadata[0].metadata.selected` must be true or false"),
        (put(root_of, replication_method=7), ".metadata.replication-method` must be text"),
        (put(root_of, table_key_properties="id"), ".table-key-properties` must be a list of names"),
        (put(schema="x"), ".schema` must be a JSON Schema"),
        (put(schema={"properties": []}), ".schema.properties` must be an object"),
        (column("name", None), ".schema.properties.name` must be a JSON Schema"),
        (column("name", {"type": "varchar"}), ".schema.properties.name.type` may be string, int"),
        (column("name", {"type": 7}), ".schema.properties.name.type` may be string, integer"),
        (column("name", {"anyOf": ["string"]}), ".name.anyOf` must be a JSON Schema"),
        (column("name", {"oneOf": {}}), ".name.oneOf` must be a list"),
        (column("name", json.loads('{"type": "array", "items": ' * 90 + "{}" + "}" * 90)),
         ".items` is nested too deep"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_is_no_catalog_is_one_line_that_names_the_place(
    account: Account, edit: Edit, where: str
) -> None:
    catalog = account.catalog("sites")
    edit(entry_of(catalog, "sites"))
    run = account.tap(account.config, catalog=catalog)
    assert run.code == 1
    assert run.out == ""
    (line,) = errors(run.err)
    assert f"{where}" in line
    assert "`streams[1] (sites)." in line
    assert line.endswith("Give a catalog as `--discover` prints it.")


@pytest.mark.parametrize(
    "maps", [{"sites": {"__else__": None, "uid": "uid"}}, {"sites": {"day": "'x'"}}], ids=str
)
def test_stream_maps_work_on_what_the_catalog_lacked(account: Account, maps: Json) -> None:
    account.sync("sites", every(no_column("uid"), put(key_properties=[])), stream_maps=maps)
