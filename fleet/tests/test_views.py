"""The views over all accounts: every row once, with its account; columns that only some have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from fleet.accounts import Fleet
from fleet.errors import FleetError
from fleet.views import refresh
from fleet.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import SmallFleet

TABLES = """
    CREATE SCHEMA {acme};
    CREATE TABLE {acme}.devices (uid text PRIMARY KEY, hostname text, udf jsonb);
    INSERT INTO {acme}.devices VALUES ('a1', 'alpha', '{{}}'), ('a2', 'beta', NULL);
    CREATE SCHEMA {bolt};
    CREATE TABLE {bolt}.devices (uid text PRIMARY KEY, hostname text, "newColumn" bigint);
    INSERT INTO {bolt}.devices VALUES ('b1', 'alpha', 7);
    CREATE TABLE {bolt}.jobs (uid text PRIMARY KEY);
"""


class Views:
    """The views of a small fleet."""

    def __init__(self, fleet: SmallFleet, warehouse: Warehouse) -> None:
        self.fleet = fleet
        self.warehouse = warehouse

    def refresh(self) -> int:
        return refresh(self.warehouse, Fleet.load(self.fleet.accounts))

    def execute(self, text: str) -> None:
        schemas = {name: member.schema for name, member in self.fleet.members.items()}
        self.warehouse.connection.execute(text.format(**schemas).encode())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.warehouse.connection.execute(query.encode()).fetchall()


@pytest.fixture
def views(fleet: SmallFleet) -> Iterator[Views]:
    with Warehouse(fleet.postgres.uri) as warehouse:
        warehouse.connection.execute("DROP SCHEMA IF EXISTS datto_fleet CASCADE")
        made = Views(fleet, warehouse)
        made.execute(TABLES)
        yield made


def test_a_row_of_any_account_is_there_once_with_its_account(views: Views) -> None:
    assert views.refresh() == 2
    query = 'SELECT account, uid, hostname, udf, "newColumn" FROM datto_fleet.devices ORDER BY uid'
    assert views.ask(query) == [
        ("acme", "a1", "alpha", {}, None),
        ("acme", "a2", "beta", None, None),
        ("bolt", "b1", "alpha", None, 7),
    ]


def test_nothing_is_made_anew_where_nothing_changed(views: Views) -> None:
    views.refresh()
    assert views.refresh() == 0


def test_a_new_column_and_a_new_stream_appear_behind_what_views_of_others_rest_on(
    views: Views,
) -> None:
    views.refresh()
    views.execute("CREATE VIEW datto_fleet_names AS SELECT hostname FROM datto_fleet.devices")
    views.execute('ALTER TABLE {acme}.devices ADD "aNewOne" date')
    views.execute("CREATE TABLE {acme}.sites (uid text)")
    assert views.refresh() == 3
    assert views.ask('SELECT DISTINCT "aNewOne" FROM datto_fleet.devices') == [(None,)]
    views.execute("DROP VIEW datto_fleet_names")


def test_a_retired_account_leaves_the_views_and_keeps_its_schema(views: Views) -> None:
    views.refresh()
    del views.fleet.lines["bolt"]
    views.fleet.write_accounts()
    views.execute("CREATE VIEW datto_fleet.mine AS SELECT 1 AS one")
    views.refresh()
    assert views.ask("SELECT to_regclass('datto_fleet.jobs')") == [(None,)]
    assert views.ask("SELECT one FROM datto_fleet.mine") == [(1,)]
    assert views.ask("SELECT DISTINCT account FROM datto_fleet.devices") == [("acme",)]
    assert views.ask('SELECT "newColumn" FROM datto_fleet.devices LIMIT 1') == [(None,)]
    views.execute("INSERT INTO {bolt}.devices VALUES ('b2')")


def test_a_column_of_two_types_is_text(views: Views) -> None:
    views.execute("ALTER TABLE {acme}.devices ADD \"newColumn\" text DEFAULT 'seven'")
    views.refresh()
    query = 'SELECT DISTINCT "newColumn" FROM datto_fleet.devices ORDER BY 1'
    assert views.ask(query) == [("7",), ("seven",)]


def test_a_column_that_changes_its_type_names_the_views_that_are_in_its_way(views: Views) -> None:
    views.refresh()
    views.execute("CREATE VIEW datto_fleet.mine AS SELECT hostname FROM datto_fleet.devices")
    views.execute('ALTER TABLE {acme}.devices ADD "newColumn" text')
    with pytest.raises(FleetError, match=r"datto_fleet\.mine depends on|view mine depends on"):
        views.refresh()
    assert views.ask("SELECT uid FROM datto_fleet.jobs") == []
    views.execute("DROP VIEW datto_fleet.mine")
    assert views.refresh() == 2


def test_what_is_in_the_way_of_one_view_keeps_no_other_from_being_made(views: Views) -> None:
    views.refresh()
    views.execute("CREATE VIEW datto_fleet.mine AS SELECT uid FROM datto_fleet.jobs")
    views.execute("CREATE TABLE {acme}.notes (uid text); CREATE TABLE datto_fleet.notes (a text)")
    del views.fleet.lines["bolt"]
    views.fleet.write_accounts()
    with pytest.raises(FleetError) as raised:
        views.refresh()
    assert re.search(r"view (datto_fleet\.)?mine depends on", str(raised.value))
    assert '"datto_fleet"."notes" could not be made' in str(raised.value)
    assert views.ask("SELECT DISTINCT account FROM datto_fleet.devices") == [("acme",)]
    views.execute("DROP VIEW datto_fleet.mine; DROP TABLE datto_fleet.notes")
    assert views.refresh() == 2


def test_a_tables_own_column_account_stands_beside_ours(views: Views) -> None:
    views.refresh()
    views.execute("ALTER TABLE {acme}.devices ADD account bigint DEFAULT 7")
    views.refresh()
    query = "SELECT DISTINCT account, _account FROM datto_fleet.devices ORDER BY 1"
    assert views.ask(query) == [("acme", 7), ("bolt", None)]
    assert views.refresh() == 0


def test_a_retired_account_is_noted_and_one_that_comes_back_too(views: Views) -> None:
    views.execute(
        "INSERT INTO fleet.accounts (schema, account) VALUES ('{acme}', 'acme'), ('{bolt}', 'bolt')"
    )
    schemas = [member.schema for member in views.fleet.members.values()]
    query = "SELECT account FROM fleet.accounts WHERE retired_at IS NULL AND schema IN ('{}', '{}')"
    line = views.fleet.lines.pop("bolt")
    views.fleet.write_accounts()
    views.refresh()
    assert views.ask(query.format(*schemas)) == [("acme",)]
    views.fleet.lines["bolt"] = line
    views.fleet.write_accounts()
    views.refresh()
    assert sorted(views.ask(query.format(*schemas))) == [("acme",), ("bolt",)]


def test_a_view_that_somebody_dropped_is_made_again(views: Views) -> None:
    views.refresh()
    views.execute("DROP VIEW datto_fleet.jobs")
    assert views.refresh() == 2
    assert views.ask("SELECT uid FROM datto_fleet.jobs") == []
