"""The accounts file: checked as a whole, every fault told at once, no secret in it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fleet.accounts import Fleet
from fleet.errors import AccountsFileError, FleetError, SecretError
from fleet.known import TAP, TARGET, Known
from fleet.secrets import Secrets
from fleet.settings import Settings
from rehearsal.world import PROJECT
from rehearsal.world import TAP as TAP_PROGRAM
from rehearsal.world import TARGET as TARGET_PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
warehouse: WAREHOUSE_URL
defaults:
  settings: {page_size: 100, refresh_hours: {"site_*": 24}}
  streams: {without: [jobs]}
target: {load_method: upsert}
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


def test_the_file_in_the_docs_is_right(tmp_path: Path) -> None:
    text = (PROJECT.parent / "docs/fleet.md").read_text()
    file = tmp_path / "accounts.yaml"
    file.write_text(text.partition("```yaml\n")[2].partition("```")[0])
    assert Fleet.load(file).names == ["acme", "bolt"]


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
        ([("datto_bolt", "b" * 56)], "accounts[1].schema (bolt): it takes up to 55 small letters"),
        ([("datto_bolt", "Bolt")], "accounts[1].schema (bolt): it takes up to 55 small letters"),
        (
            [("api_url: https://pinotage-api.centrastage.net", "api_url: ''")],
            "accounts[1].api_url (bolt): String should have at least 1 character",
        ),
        ([("streams: {without: [jobs]}", "{a: 1}: 2")], "is no YAML: a key is no text in line 5"),
        ([("target: {", "target: " + "[" * 5000 + "{")], "is nested too deeply"),
        ([("name: bolt", "name: no")], "accounts[1].name: Input should be a valid string"),
        (
            [("page_size: 50", "api_key: X")],
            "accounts[1].settings.api_key (bolt): write it in the account's entry",
        ),
        (
            [("page_size: 100", "report_path: X")],
            "defaults.settings.report_path: the fleet sets it itself",
        ),
        ([("load_method: ", "ssl_mode: ")], "target.ssl_mode: write it in the warehouse's address"),
        ([("load_method: upsert", "7: 8")], "target[7]: Input should be a valid string"),
        ([("  uid: bolt-uid", "  uid: bolt-uid\n  uid: b")], "'uid' is there more than once"),
        (
            [("[device_patches]", "[jobs, users]")],
            "accounts[1].streams (bolt): users: in `also` and in `without`",
        ),
        ([("warehouse: WAREHOUSE_URL", "")], "warehouse: Field required"),
        ([("warehouse: WAREHOUSE_URL", "warehouse: [")], "is no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], message: str
) -> None:
    assert message in fault(tmp_path, *changes)


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("target: ", "targets: ", "targets"),
        ("accounts:", "account:", "account"),
        ("  settings: {page_size: 100", "  setings: {page_size: 100", "defaults.setings"),
        ("page_size: 100", "page_sise: 100", "defaults.settings.page_sise"),
        ("without: [jobs]", "witout: [jobs]", "defaults.streams.witout"),
        ("load_method", "load_metod", "target.load_metod"),
        ("platform: merlot", "plattform: merlot", "accounts[0].plattform (acme)"),
        ("page_size: 50", "page_sizes: 50", "accounts[1].settings.page_sizes (bolt)"),
        ("also: ", "als: ", "accounts[1].streams.als (bolt)"),
    ],
)
def test_a_key_that_nobody_knows_is_named_at_any_depth_with_the_one_that_was_meant(
    tmp_path: Path, right: str, wrong: str, place: str
) -> None:
    meant = right.partition(":")[0].strip()
    said = f"{place}: there is no such key. Did you mean `{meant}`?"
    assert said in fault(tmp_path, (right, wrong))


def test_a_key_that_is_like_no_other_is_refused_too(tmp_path: Path) -> None:
    said = fault(tmp_path, ("load_method", "retries"), ("page_size: 50", "colour: blue"))
    assert "target.retries: there is no such key.\n" in said
    assert said.endswith("accounts[1].settings.colour (bolt): there is no such key.")


@pytest.mark.parametrize(("program", "known"), [(TAP_PROGRAM, TAP), (TARGET_PROGRAM, TARGET)])
def test_the_settings_that_we_know_are_those_that_the_program_has(
    program: Path, known: Known
) -> None:
    about = subprocess.run(
        [program, "--about", "--format=json"], capture_output=True, check=True, env={}
    )
    names = json.loads(about.stdout)["settings"]["properties"].keys()
    assert known.settings | known.elsewhere.keys() == names
    assert not known.settings & known.elsewhere.keys()


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


def test_a_secret_in_the_place_of_its_name_is_not_quoted(tmp_path: Path) -> None:
    said = fault(tmp_path, ("ACME_KEY", "P6RT82SECRETKEY0"), ("ACME_SECRET", "'unclosed-s3cr3t"))
    assert "SECRETKEY" not in said
    assert "unclosed" not in said
    said = fault(tmp_path, ("ACME_KEY", "P6RT82SECRETKEY0"))
    assert said.endswith(
        "accounts[0].api_key (acme): it takes the name of a secret such as ACME_KEY, not the secret"
    )


def test_merge_keys_and_dates_are_what_they_look_like(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    text = GOOD.replace("settings: {page_size: 50}", "settings: {start_date: 2026-02-01}")
    text = text.replace("{name: acme,", "&all {name: acme,")
    more = "{<<: *all, name: crux, schema: datto_crux, api_key: CRUX_KEY, api_secret: CRUX_SECRET}"
    file.write_text(f"{text}- {more}\n")
    fleet = Fleet.load(file)
    assert fleet.names == ["acme", "bolt", "crux"]
    assert fleet.account("crux").platform == "merlot"
    assert fleet.account("bolt").settings == {"start_date": "2026-02-01"}


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


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "99999999999", "²"])
def test_a_number_of_the_environment_that_is_none_is_refused(days: str) -> None:
    with pytest.raises(FleetError, match=r"FLEET_KEEP_DAYS .* from 1 to 36500"):
        Settings.from_environment({"FLEET_KEEP_DAYS": days})


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
