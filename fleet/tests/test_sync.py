"""One sync of one account: whose rows they are, who may run, what a kill costs."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import own_network
import pytest
from psycopg import sql

from fleet.warehouse import Warehouse
from rehearsal.processes import find, kill, wait_for

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from conftest import SmallFleet

    from rehearsal.processes import Kind


def test_a_sync_fills_the_schema_with_the_accounts_rows_and_keeps_its_state(
    fleet: SmallFleet,
) -> None:
    first = fleet.sync("acme")
    assert (first.code, first.outcome.message) == (0, "complete")
    assert first.outcome.report
    assert not fleet.wrong_rows("acme")
    fleet.members["acme"].sandbox.advance(60)
    second = fleet.sync("acme")
    assert second.outcome.report
    assert second.outcome.report.calls < first.outcome.report.calls / 2
    assert not fleet.wrong_rows("acme")
    entry = fleet.entry("acme")
    assert entry["uid"] == fleet.members["acme"].uid
    assert entry["state"]["bookmarks"]["account"]["account_uid"] == fleet.members["acme"].uid


def test_an_account_with_its_own_selection_has_what_its_settings_add_too(
    fleet: SmallFleet,
) -> None:
    custom = {"name": "my_sites", "path": "/v2/account/sites", "component": "Site"}
    keys = {"primary_keys": ["uid"], "records_key": "sites"}
    fleet.lines["acme"]["settings"] = {"custom_streams": [custom | keys], "account_column": True}
    fleet.lines["acme"]["streams"] = {"without": ["users"]}
    fleet.write_accounts()
    done = fleet.sync("acme")
    assert done.code == 0
    assert done.outcome.report
    assert "users" not in done.outcome.report.streams
    with fleet.connect() as connection:
        query = 'SELECT DISTINCT "accountUid" FROM {}'
        table = sql.Identifier(fleet.members["acme"].schema, "my_sites")
        found = connection.execute(sql.SQL(query).format(table)).fetchall()
    assert found == [(fleet.members["acme"].uid,)]


def started_in_earnest(fleet: SmallFleet, name: str) -> int | None:
    return len(fleet.members[name].sandbox.requests) > 25 or None


@pytest.mark.parametrize("kind", ["tap", "target", "sync"])
def test_after_kill_9_nothing_is_left_running_and_the_next_sync_makes_good(
    fleet: SmallFleet, kind: Kind
) -> None:
    process = fleet.start("acme")
    wait_for("the audits", lambda: started_in_earnest(fleet, "acme"))
    kill("acme", kind)
    process.communicate()
    assert process.returncode == (-signal.SIGKILL if kind == "sync" else 128 + signal.SIGKILL)
    wait_for("the ends", lambda: None if find("acme", "tap") or find("acme", "target") else True)
    assert fleet.sync("acme").code == 0
    assert not fleet.wrong_rows("acme")


def test_sigterm_keeps_the_state_of_what_was_written(fleet: SmallFleet) -> None:
    process = fleet.start("acme")
    wait_for("the audits", lambda: started_in_earnest(fleet, "acme"))
    process.terminate()
    done = fleet.ended(process)
    assert done.code == 128 + signal.SIGTERM
    assert fleet.entry("acme")["state"]["bookmarks"]
    assert fleet.sync("acme").code == 0


def test_a_second_sync_of_an_account_ends_at_once_with_75_and_reads_nothing(
    fleet: SmallFleet,
) -> None:
    first = fleet.start("acme")
    wait_for("the audits", lambda: started_in_earnest(fleet, "acme"))
    second = fleet.sync("acme")
    assert (second.code, second.outcome.message) == (
        os.EX_TEMPFAIL,
        "Another run of acme is under way.",
    )
    assert fleet.ended(first).code == 0


def test_a_sync_that_loses_the_warehouse_and_so_its_lock_ends_at_once(fleet: SmallFleet) -> None:
    process = fleet.start("acme")
    wait_for("the audits", lambda: started_in_earnest(fleet, "acme"))
    with fleet.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'datto-rmm-fleet'"
        )
    done = fleet.ended(process)
    assert done.code == 1
    assert done.outcome.message.startswith("The warehouse: ")
    assert find("acme", "tap") is find("acme", "target") is None
    assert fleet.sync("acme").code == 0
    assert not fleet.wrong_rows("acme")


def home_of_a_machine(fleet: SmallFleet, home: Path) -> dict[str, str]:
    """Copy the accounts file and the secrets; give the environment that finds them there."""
    shutil.copytree(fleet.secrets, home / "secrets")
    shutil.copy(fleet.accounts, home)
    places = {"FLEET_ACCOUNTS": home / "accounts.yaml", "FLEET_SECRETS": home / "secrets"}
    return {name: str(path) for name, path in {**places, "HOME": home}.items()}


OWN_NETWORK = own_network.is_to_be_had()

Machine = Callable[[], "subprocess.Popen[str]"]
"""Starts a sync of acme."""


@pytest.fixture(params=["own-network" if OWN_NETWORK else "same-network"])
def machines(fleet: SmallFleet, tmp_path: Path) -> tuple[Machine, Machine]:
    """Two machines, each with its own environment, the second with its own network if possible."""
    ports = fleet.postgres.port, int(fleet.members["acme"].sandbox.url.rpartition(":")[2])
    prefix = own_network.prefix(*ports) if OWN_NETWORK else []
    one, two = (home_of_a_machine(fleet, tmp_path / name) for name in ("one", "two"))
    return partial(fleet.start, "acme", **one), partial(fleet.start, "acme", prefix=prefix, **two)


def test_of_two_machines_that_start_an_account_at_once_one_runs_it(
    fleet: SmallFleet, machines: tuple[Machine, Machine]
) -> None:
    sandbox = fleet.members["acme"].sandbox
    for _ in range(2):
        before = sandbox.state.journal.by_endpoint["/v2/account/devices"]
        processes = [start() for start in machines * 2]
        codes = sorted(fleet.ended(process).code for process in processes)
        assert codes == [0, os.EX_TEMPFAIL, os.EX_TEMPFAIL, os.EX_TEMPFAIL]
        assert sandbox.state.journal.by_endpoint["/v2/account/devices"] == before + 1
    assert not fleet.wrong_rows("acme")


def test_each_of_two_machines_keeps_the_other_from_the_account_that_it_syncs(
    fleet: SmallFleet, machines: tuple[Machine, Machine]
) -> None:
    acme = fleet.members["acme"]
    acme.sandbox.state.options = replace(acme.sandbox.state.options, latency_ms=200)
    for one, other in (machines, machines[::-1]):
        first = one()
        with Warehouse(fleet.postgres.uri) as warehouse:
            wait_for("its lock", lambda: warehouse.locked_accounts() or None)
        assert fleet.ended(other()).code == os.EX_TEMPFAIL
        assert fleet.ended(first).code == 0
    assert not fleet.wrong_rows("acme")
