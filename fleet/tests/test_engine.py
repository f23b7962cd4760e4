"""`make fleet` as a test: five accounts on Dagster, two rounds, a kill -9 of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from rehearsal.engine import DATABASE
from rehearsal.show import ACCOUNTS, BROKEN, run_rounds, running_fleet, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from rehearsal.engine import Engine
    from rehearsal.show import Verdict
    from rehearsal.world import World


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Engine]]:
    with running_fleet(tmp_path_factory.mktemp("engine")) as (world, engine):
        yield world, engine


@pytest.fixture(scope="module")
def first_round(running: tuple[World, Engine]) -> dict[str, str]:
    return run_rounds(*running, print)


@pytest.fixture(scope="module")
def fleet(running: tuple[World, Engine], first_round: dict[str, str]) -> tuple[World, Engine]:
    assert first_round
    return running


@pytest.fixture(scope="module")
def found(fleet: tuple[World, Engine]) -> dict[str, Verdict]:
    world, _ = fleet
    return {verdict.account: verdict for verdict in verdicts(world)}


@pytest.mark.parametrize("name", [name for name in ACCOUNTS if name != BROKEN])
def test_every_schema_equals_its_account_whatever_was_killed(
    found: dict[str, Verdict], name: str
) -> None:
    assert not found[name].difference
    assert found[name].message == "complete"


def test_whatever_was_killed_was_run_again_in_the_same_round(first_round: dict[str, str]) -> None:
    assert first_round == {**dict.fromkeys(ACCOUNTS, "SUCCESS"), BROKEN: "FAILURE"}


def test_no_schema_has_a_row_of_another_account(fleet: tuple[World, Engine]) -> None:
    world, _ = fleet
    for member in world.members.values():
        uids = 'SELECT uid FROM {schema}.account UNION SELECT "accountUid" FROM {schema}.sites'
        with world.connect() as connection:
            query = sql.SQL(uids).format(schema=sql.Identifier(member.schema))
            assert connection.execute(query).fetchall() == [(member.uid,)]


def test_an_account_that_is_not_complete_says_so_and_has_all_that_could_be_read(
    fleet: tuple[World, Engine], found: dict[str, Verdict]
) -> None:
    _, engine = fleet
    results = engine.results()
    assert results
    assert results.pop(BROKEN) == "FAILURE"
    assert set(results.values()) == {"SUCCESS"}
    assert found[BROKEN].message != "complete"
    wrong = found[BROKEN].difference
    assert not wrong.foreign
    assert not wrong.other
    assert {stream for stream, *_ in wrong.missing} == {"device_audits"}
    assert all(key[1].endswith("a") for key in wrong.missing)


def test_no_secret_is_in_dagsters_history_its_logs_or_the_states(
    fleet: tuple[World, Engine],
) -> None:
    world, engine = fleet
    secrets = [path.read_text() for path in world.secrets.iterdir()]
    assert len(secrets) == 1 + 2 * len(world.members)
    warehouse = world.postgres.password
    written = [path.read_bytes() for path in engine.home.rglob("*") if path.is_file()]
    assert any(b"fleet: " in text or b"| fleet |" in text for text in written)
    for database in (DATABASE, "warehouse"):
        with world.postgres.connect(database) as connection:
            written += [text.encode() for text in contents(connection)]
    for secret in [*secrets, warehouse]:
        assert not [text for text in written if secret.encode() in text]


def contents(connection: Connection[Any]) -> Iterator[str]:
    """All tables of a database, each as one text."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for table in tables:
        query = sql.SQL("SELECT coalesce(string_agg(one::text, '\n'), '') FROM {} AS one")
        [(text,)] = connection.execute(query.format(sql.Identifier(*table)))
        yield text
