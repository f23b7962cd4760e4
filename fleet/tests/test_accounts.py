"""The accounts file: checked as a whole, every fault told at once, no secret in it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fleet.accounts import Fleet
from fleet.errors import AccountsFileError, SecretError
from fleet.secrets import Secrets

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
warehouse: WAREHOUSE_URL
defaults:
  settings: {page_size: 100, refresh_hours: {"site_*": 24}}
accounts:
- {name: acme, platform: merlot, schema: datto_acme, api_key: ACME_KEY, api_secret: ACME_SECRET}
- name: bolt
  api_url: https://pinotage-api.centrastage.net
  schema: datto_bolt
  api_key: BOLT_KEY
  api_secret: BOLT_SECRET
  uid: bolt-uid
  settings: {page_size: 50}
  streams: {also: [device_patches], without: [users]}
"""


def fault(path: Path, *changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = path / "accounts.yaml"
    file.write_text(text)
    with pytest.raises(AccountsFileError) as raised:
        Fleet.load(file)
    return str(raised.value)


def test_an_account_has_the_settings_of_all_and_its_own(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(GOOD)
    fleet = Fleet.load(file)
    assert fleet.settings_of(fleet.account("acme")) == {
        "page_size": 100,
        "refresh_hours": {"site_*": 24},
        "platform": "merlot",
    }
    assert fleet.settings_of(fleet.account("bolt")) == {
        "page_size": 50,
        "refresh_hours": {"site_*": 24},
        "api_url": "https://pinotage-api.centrastage.net",
    }
    assert fleet.streams_of(fleet.account("bolt")).also == ["device_patches"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("name: bolt", "name: acme")], "the name 'acme' is there more than once"),
        ([("datto_bolt", "datto_acme")], "the schema 'datto_acme' is there more than once"),
        ([("BOLT_KEY", "ACME_KEY")], "the secret 'ACME_KEY' is there more than once"),
        ([("BOLT_SECRET", "BOLT_KEY")], "the secret 'BOLT_KEY' is there more than once"),
        ([("BOLT_KEY", "WAREHOUSE_URL")], "the secret 'WAREHOUSE_URL' is there more than once"),
        (
            [("{name: acme,", "{name: acme, uid: bolt-uid,")],
            "the uid 'bolt-uid' is there more than once",
        ),
        (
            [("platform: merlot", "plattform: merlot")],
            "accounts[0].plattform (acme): there is no such key",
        ),
        ([("platform: merlot, ", "")], "accounts[0] (acme): give either `platform` or `api_url`"),
        ([("merlot", "bordeaux")], "accounts[0].platform (acme): Input should be 'pinotage', "),
        (
            [("datto_bolt", "datto_fleet")],
            "accounts[1].schema (bolt): this schema is not for an account",
        ),
        (
            [("datto_bolt", "pg_toast")],
            "accounts[1].schema (bolt): this schema is not for an account",
        ),
        (
            [("datto_bolt", "b_answers")],
            "accounts[1].schema (bolt): this schema is not for an account",
        ),
        ([("datto_bolt", "b" * 56)], "accounts[1].schema (bolt): String should match pattern"),
        ([("name: bolt", "name: no")], "accounts[1].name: Input should be a valid string"),
        (
            [("page_size: 50", "api_key: X")],
            "accounts[1].settings (bolt): the fleet sets api_key itself",
        ),
        ([("page_size: 100", "platform: X")], "defaults.settings: the fleet sets platform itself"),
        ([("  uid: bolt-uid", "  uid: bolt-uid\n  uid: b")], "'uid' is there more than once"),
        ([("warehouse: WAREHOUSE_URL", "")], "warehouse: Field required"),
        ([("warehouse: WAREHOUSE_URL", "warehouse: [")], "is no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], message: str
) -> None:
    assert message in fault(tmp_path, *changes)


def test_all_faults_are_told_at_once_and_no_value_that_may_be_a_secret(tmp_path: Path) -> None:
    said = fault(
        tmp_path,
        ("ACME_KEY", "s3cr3t-key!"),
        ("BOLT_KEY", "s3cr3t-key!"),
        ("merlot", "bordeaux"),
        ("datto_bolt", "datto_acme"),
    )
    places = [line.split(": ")[1] for line in said.splitlines()]
    assert places == [
        "accounts[0].platform (acme)",
        "accounts[0].api_key (acme)",
        "accounts[1].api_key (bolt)",
        "the schema 'datto_acme' is there more than once",
    ]
    assert "s3cr3t" not in said


@pytest.mark.parametrize("content", ["", "- a\n", "accounts: 7\n", "accounts: [7, {name: [1]}]\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(content)
    with pytest.raises(AccountsFileError, match=r"accounts|the file"):
        Fleet.load(file)


def test_the_command_prints_the_names_and_warns_of_secrets_that_are_missing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(GOOD)
    secrets = {"ACME_KEY": "a", "ACME_SECRET": "b", "BOLT_KEY": "c", "FLEET_SECRETS": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "fleet.accounts"],
        env={"FLEET_ACCOUNTS": str(file), **secrets},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "acme\nbolt\n"
    assert done.stderr.startswith("bolt: The secret BOLT_SECRET is missing")
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccountsFileError, match=r"nowhere\.yaml: No such file"):
        Fleet.load(tmp_path / "nowhere.yaml")


def test_a_secret_comes_from_the_environment_from_a_named_file_or_from_the_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "A").write_text("from the folder\n")
    (tmp_path / "named").write_text("from the named file\n")
    folder = {"FLEET_SECRETS": str(tmp_path)}
    assert Secrets(folder).get("A") == "from the folder"
    named = {**folder, "A_FILE": str(tmp_path / "named")}
    assert Secrets(named).get("A") == "from the named file"
    assert Secrets({**named, "A": "from the environment"}).get("A") == "from the environment"
    with pytest.raises(SecretError, match="The secret B is missing"):
        Secrets(folder).get("B")


def test_another_process_is_given_the_places_of_the_named_secrets_only() -> None:
    environment = {"A": "1", "B_FILE": "/b", "C": "3", "FLEET_SECRETS": "/s", "PATH": "/bin"}
    assert Secrets(environment).variables("A", "B") == {
        "A": "1",
        "B_FILE": "/b",
        "FLEET_SECRETS": "/s",
    }
