"""The answers over all accounts: each account's are those that its sandbox knows to be true."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from conftest import SmallFleet
from psycopg import sql
from psycopg.rows import dict_row

from rehearsal.world import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NOON = 1_795_000_000_000
A_MONTH = 30 * 86_400_000
STREAMS = {"also": ["device_patches", "site_patches"]}

HISTORY = """
    CREATE TABLE {schema}.devices_daily (LIKE datto_answers_absent.devices_daily);
    INSERT INTO {schema}.devices_daily (uid, day, "deviceClass", "lastSeen")
    SELECT uid, "lastSeen"::date - 1, "deviceClass", "lastSeen" - interval '1 day'
    FROM {schema}.devices;
"""

Row = dict[str, Any]


class Answered(SmallFleet):
    """Two accounts a month apart, and what is known to be true of each."""

    def refresh(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fleet.views"],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def truth(self, account: str) -> dict[str, list[Row]]:
        with urlopen(f"{self.members[account].sandbox.url}/_sandbox/answers") as answer:  # noqa: S310
            found: dict[str, list[Row]] = json.load(answer)
        # A forecast takes a history of audits.
        found["full_disks"] = [row for row in found["full_disks"] if row["is_nearly_full"]]
        return found

    def ask(self, account: str, view: str) -> list[Row]:
        query = sql.SQL("SELECT * FROM {} WHERE account = %s").format(
            sql.Identifier("datto_fleet_answers", view)
        )
        with self.connect() as connection:
            return connection.cursor(row_factory=dict_row).execute(query, [account]).fetchall()


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    with Answered(tmp_path_factory.mktemp("answered")) as fleet:
        fleet.add("bolt", devices=40, now=NOON - A_MONTH)
        fleet.add("acme", devices=40, now=NOON)
        fleet.write_accounts(defaults={"streams": STREAMS})
        for name in fleet.members:
            assert fleet.sync(name).code == 0
        assert fleet.refresh().returncode == 0
        yield fleet


def counted(rows: Iterable[Row], columns: Iterable[str]) -> Counter[str]:
    """How often each row is there, whatever their order."""
    names = sorted({*columns} - {"days_to_full"})
    return Counter(repr([_plain(row[name]) for name in names]) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return round(float(value), 3) if isinstance(value, Decimal | float) else value


@pytest.mark.parametrize("name", ["acme", "bolt"])
def test_each_accounts_answers_are_its_own_truth_by_its_own_clock(
    answered: Answered, name: str
) -> None:
    truth = answered.truth(name)
    assert len([answer for answer, wanted in truth.items() if wanted]) > 10
    for answer, wanted in truth.items():
        columns = wanted[0] if wanted else ()
        assert counted(answered.ask(name, answer), columns) == counted(wanted, columns), answer


def test_alerts_are_open_in_every_account_whichever_was_read_last(answered: Answered) -> None:
    for name in answered.members:
        assert sum(row["open_alerts"] for row in answered.ask(name, "scorecard"))


def test_what_has_not_changed_is_not_made_anew_and_a_new_stream_is(answered: Answered) -> None:
    assert "0 views made" in answered.refresh().stderr
    schema = answered.members["acme"].schema
    before = len(answered.ask("acme", "trend_computers"))
    with answered.connect() as connection:
        connection.execute(HISTORY.format(schema=schema).encode())
    assert answered.refresh().returncode == 0
    assert len(answered.ask("acme", "trend_computers")) > before


def test_an_account_whose_tables_do_not_fit_is_named_and_the_others_have_theirs(
    answered: Answered, tmp_path: Path
) -> None:
    shutil.copytree(ANSWERS, tmp_path / "answers")
    with (tmp_path / "answers/install.sql").open("a") as script:
        script.write("-- a newer version\n")
    schema = answered.members["acme"].schema
    with answered.connect() as connection:
        rename = f"ALTER TABLE {schema}.sites RENAME COLUMN name TO title"
        connection.execute(rename.encode())
        done = answered.refresh(FLEET_ANSWERS=str(tmp_path / "answers"))
        connection.execute(f"ALTER TABLE {schema}.sites RENAME COLUMN title TO name".encode())
    assert done.returncode == 1
    assert done.stderr.startswith("acme: no new answers: column site.name does not exist")
    assert done.stderr.count("\n") == 1
    assert answered.ask("acme", "scorecard")
    assert answered.refresh(FLEET_ANSWERS=str(tmp_path / "answers")).returncode == 0


def test_answers_that_are_not_there_are_named(answered: Answered, tmp_path: Path) -> None:
    done = answered.refresh(FLEET_ANSWERS=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path / 'install.sql'}: No such file or directory; "
        "FLEET_ANSWERS names the folder sql/answers.\n"
    )
