"""Never another account's rows: whatever is mixed up, nothing is written and both are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from fleet.warehouse import Warehouse

if TYPE_CHECKING:
    from conftest import SmallFleet


def touched(fleet: SmallFleet, name: str) -> dict[str, tuple[int, int]]:
    """By table of an account's schema: its rows, and the last transaction that wrote one."""
    schema = fleet.members[name].schema
    found = {}
    with fleet.connect() as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT count(*), max(xmin::text::bigint) FROM {}")
            row = connection.execute(query.format(sql.Identifier(schema, table))).fetchone()
            assert row
            found[table] = row
    return found


def swap_keys(fleet: SmallFleet) -> None:
    """Give each the other's key; here a key opens one sandbox only, so its address comes along."""
    for part in ("api_url", "api_key", "api_secret"):
        acme, bolt = fleet.lines["acme"], fleet.lines["bolt"]
        acme[part], bolt[part] = bolt[part], acme[part]
    fleet.write_accounts()


def test_keys_that_were_swapped_after_the_first_round_write_nothing(fleet: SmallFleet) -> None:
    for name in ("acme", "bolt"):
        assert fleet.sync(name).code == 0
    before = {name: touched(fleet, name) for name in ("acme", "bolt")}
    swap_keys(fleet)
    for name, other in (("acme", "bolt"), ("bolt", "acme")):
        done = fleet.sync(name)
        assert done.code == 1
        assert fleet.members[name].uid in done.outcome.message
        assert fleet.members[other].uid in done.outcome.message
        assert fleet.entry(name)["message"] == done.outcome.message
    assert {name: touched(fleet, name) for name in ("acme", "bolt")} == before
    swap_keys(fleet)
    for name in ("acme", "bolt"):
        assert fleet.sync(name).code == 0
        assert not fleet.wrong_rows(name)


def test_a_key_of_another_account_is_refused_at_the_first_sync_too(fleet: SmallFleet) -> None:
    assert fleet.sync("acme").code == 0
    given = {part: fleet.lines["acme"][part] for part in ("api_url",)}
    fleet.lines["bolt"].update(given)
    for own, others in zip(
        fleet.members["bolt"].secrets, fleet.members["acme"].secrets, strict=True
    ):
        fleet.write_secret(own, (fleet.secrets / others).read_text())
    fleet.write_accounts()
    done = fleet.sync("bolt")
    assert done.code == 1
    assert fleet.members["acme"].uid in done.outcome.message
    assert "of acme. Give bolt the key that belongs to it" in done.outcome.message
    assert not touched(fleet, "bolt")


def test_a_schema_that_holds_rows_of_another_account_takes_no_more(fleet: SmallFleet) -> None:
    schema = fleet.members["bolt"].schema
    with fleet.connect() as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        query = f"CREATE TABLE {schema}.account AS SELECT 'somebody-else' AS uid"
        connection.execute(query.encode())
    done = fleet.sync("bolt")
    assert done.code == 1
    assert "somebody-else" in done.outcome.message
    assert fleet.members["bolt"].uid in done.outcome.message
    assert touched(fleet, "bolt").keys() == {"account"}


def test_a_schema_with_rows_of_nobody_knows_whom_takes_more_only_where_somebody_says_so(
    fleet: SmallFleet,
) -> None:
    bolt = fleet.members["bolt"].schema
    with fleet.connect() as connection:
        connection.execute(f"CREATE SCHEMA {bolt}".encode())
        connection.execute(f"CREATE TABLE {bolt}.devices (uid text PRIMARY KEY)".encode())
        table = sql.Identifier(bolt, "devices")
        connection.execute(sql.SQL("INSERT INTO {} (uid) VALUES ('a device')").format(table))
    before = touched(fleet, "bolt")
    done = fleet.sync("bolt")
    assert done.code == 1
    assert touched(fleet, "bolt") == before
    advice = done.outcome.message.partition("say so: ")[2]
    assert fleet.members["bolt"].uid in advice
    with fleet.connect() as connection:
        connection.execute(advice.encode())
    assert fleet.sync("bolt").code == 0


def test_stream_maps_do_not_change_whose_rows_they_are(fleet: SmallFleet) -> None:
    fleet.lines["acme"]["settings"] = {"stream_maps": {"account": {"uid": "md5(uid)"}}}
    fleet.write_accounts()
    assert fleet.sync("acme").code == 0
    assert fleet.entry("acme")["uid"] == fleet.members["acme"].uid


def test_variables_of_libpq_do_not_part_the_rows_from_the_state(fleet: SmallFleet) -> None:
    address = fleet.postgres.uri.rpartition("/")[0]
    done = fleet.sync("acme", WAREHOUSE_URL=address, PGDATABASE="warehouse")
    assert done.code == 1
    assert "does not exist" in done.outcome.message
    assert not touched(fleet, "acme")


def test_where_the_schema_was_dropped_all_is_read_anew(fleet: SmallFleet) -> None:
    assert fleet.sync("acme").code == 0
    with fleet.connect() as connection:
        connection.execute(f"DROP SCHEMA {fleet.members['acme'].schema} CASCADE".encode())
    done = fleet.sync("acme")
    assert done.code == 0
    assert "all is read anew" in done.log
    assert not fleet.wrong_rows("acme")


def test_an_account_with_another_uid_than_its_line_says_is_refused(fleet: SmallFleet) -> None:
    fleet.lines["acme"]["uid"] = "the-one-we-mean"
    fleet.write_accounts()
    done = fleet.sync("acme")
    assert done.code == 1
    assert "the-one-we-mean" in done.outcome.message
    assert fleet.members["acme"].uid in done.outcome.message
    assert not touched(fleet, "acme")


def test_a_state_that_was_copied_from_another_account_is_refused(fleet: SmallFleet) -> None:
    assert fleet.sync("acme").code == 0
    state = fleet.entry("acme")["state"]
    assert fleet.sync("bolt").code == 0
    before = touched(fleet, "bolt")
    with fleet.connect() as connection:
        connection.execute(
            "UPDATE fleet.accounts SET state = %s WHERE schema = %s",
            [Jsonb(state), fleet.members["bolt"].schema],
        )
    done = fleet.sync("bolt")
    assert done.code == 1
    assert fleet.members["acme"].uid in done.outcome.message
    assert fleet.members["bolt"].uid in done.outcome.message
    assert touched(fleet, "bolt") == before


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
def test_a_missing_secret_fails_its_account_alone_whatever_else_the_environment_has(
    fleet: SmallFleet, *, empty: bool
) -> None:
    key, _ = fleet.members["bolt"].secrets
    if empty:
        fleet.write_secret(key, "")
    else:
        (fleet.secrets / key).unlink()
    plain = {
        "TAP_DATTO_RMM_API_KEY": "k3y-of-acme",
        "TAP_DATTO_RMM_API_SECRET": "s3cret-of-acme",
        "TAP_DATTO_RMM_API_URL": fleet.members["acme"].sandbox.url,
    }
    done = fleet.sync("bolt", **plain)
    assert done.code == 1
    assert f"The secret {key} is " in done.outcome.message
    assert not touched(fleet, "bolt")
    assert fleet.sync("acme", **plain).code == 0


def test_a_key_that_is_refused_is_told_in_the_taps_words(fleet: SmallFleet) -> None:
    fleet.write_secret(fleet.members["acme"].secrets[1], "s3cret-of-nobody")
    done = fleet.sync("acme")
    assert done.code == 1
    assert "api_key" in done.outcome.message
    assert not touched(fleet, "acme")


def test_a_secret_that_is_no_text_fails_its_account_with_a_word(fleet: SmallFleet) -> None:
    key, _ = fleet.members["bolt"].secrets
    (fleet.secrets / key).write_bytes(b"k3y-\xe9")
    done = fleet.sync("bolt")
    assert done.code == 1
    assert f"The secret {key} in " in done.outcome.message
    assert "UTF-8" in done.outcome.message


def test_a_target_that_may_not_write_says_so_in_the_servers_words(fleet: SmallFleet) -> None:
    schema = fleet.members["acme"].schema
    with Warehouse(fleet.postgres.uri), fleet.connect() as connection:
        connection.execute(
            f"CREATE SCHEMA {schema};"
            "CREATE ROLE guest LOGIN PASSWORD 'guest'; GRANT CREATE ON DATABASE warehouse TO guest;"
            "GRANT ALL ON SCHEMA fleet TO guest; GRANT ALL ON ALL TABLES IN SCHEMA fleet TO guest;"
            f"GRANT USAGE ON SCHEMA {schema} TO guest".encode()
        )
    host = fleet.postgres.uri.rpartition("@")[2]
    done = fleet.sync("acme", WAREHOUSE_URL=f"postgresql://guest:guest@{host}")
    assert done.code == 1
    assert "permission denied for " in done.outcome.message
    assert "\n" not in done.outcome.message


@pytest.mark.parametrize(
    "address",
    [
        "s3cret-of-the-warehouse",
        "host=127.0.0.1 password=s3cret-of-the-warehouse",
        "postgresql://datto:s3cret-of-the-warehouse/x@127.0.0.1/warehouse",
        "postgresql://datto:1/s3cret-of-the-warehouse@127.0.0.1/warehouse",
        "postgresql://datto:x%s3cret-of-the-warehouse@127.0.0.1/warehouse",
        "postgresql://datto:x s3cret-of-the-warehouse@127.0.0.1/warehouse",
        "postgresql://datto:x@s3cret-of-the-warehouse@127.0.0.1/warehouse",
        "postgresql://datto:s3cret-of-the-warehouse@127.0.0.1:5432,127.0.0.2:5432/warehouse",
        "mysql://datto:s3cret-of-the-warehouse@127.0.0.1/warehouse",
    ],
)
def test_an_address_of_the_warehouse_that_is_none_is_not_quoted(
    fleet: SmallFleet, address: str
) -> None:
    done = fleet.sync("acme", WAREHOUSE_URL=address)
    assert done.code == 1
    assert done.outcome.message.startswith("The warehouse's address is not postgresql://")
