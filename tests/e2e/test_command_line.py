"""The command line: what each option prints, and how it fails."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tap_datto_rmm.settings.sources import variable
from tap_datto_rmm.tap import TapDattoRMM
from tests import truth
from tests.conftest import calls, fast
from tests.e2e.test_settings import FINE, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, TapCommand

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def test_version(tap: TapCommand) -> None:
    run = tap(None, "--version")
    assert run.code == 0
    assert run.out.startswith(f"tap-datto-rmm v{version('tap-datto-rmm')}, ")


def test_help_names_every_option(quick: QuickTapCommand) -> None:
    run = quick(None, "--help")
    assert run.code == 0
    named = set(re.findall(r"^  (--[a-z]+)", run.out, re.MULTILINE))
    assert named == {
        "--version",
        "--about",
        "--format",
        "--config",
        "--discover",
        "--test",
        "--catalog",
        "--state",
        "--help",
    }


def test_about_as_json_has_the_settings_with_their_defaults(
    quick: QuickTapCommand,
) -> None:
    run = quick(None, "--about", "--format=json")
    assert run.code == 0
    about = json.loads(run.out)
    assert about["name"] == "tap-datto-rmm"
    Draft202012Validator.check_schema(about["settings"])
    properties = about["settings"]["properties"]
    assert {name: properties[name].get("default") for name in truth.SETTINGS} == truth.SETTINGS
    assert about["settings"]["required"] == ["api_key", "api_secret"]
    secret = {name for name in truth.SETTINGS if properties[name].get("secret")}
    assert secret == {"api_key", "api_secret"}
    wanted = {"catalog", "state", "discover", "about", "activate-version", "stream-maps"}
    assert wanted <= set(about["capabilities"])


def test_about_is_for_people_in_100_columns(quick: QuickTapCommand) -> None:
    run = quick(None, "--about")
    assert run.code == 0
    assert max(map(len, run.out.splitlines())) <= 100
    assert run.out.isascii()
    for name, setting in TapDattoRMM.known_settings()["properties"].items():
        _, _, about = run.out.partition(f"\n{name} (")
        about = " ".join(about.partition("\n\n")[0].split())
        assert variable(name) in about
        assert " ".join(setting["description"].split()) in about
        assert "May be: " in about
    assert "one of pinotage, merlot, concord, vidal, zinfandel, syrah." in run.out


@pytest.mark.parametrize("options", [(), ("--format=markdown",)], ids=["text", "markdown"])
def test_about_describes_every_setting(quick: QuickTapCommand, options: tuple[str, ...]) -> None:
    run = quick(None, "--about", *options)
    assert run.code == 0
    assert [name for name in truth.SETTINGS if name not in run.out] == []
    assert "Traceback" not in run.err


def test_discover_needs_no_config_and_no_network(quick: QuickTapCommand) -> None:
    quick.environment = NO_NETWORK
    run = quick(None, "--discover")
    assert run.code == 0
    entries: list[dict[str, Any]] = json.loads(run.out)["streams"]
    assert {entry["stream"] for entry in entries} == truth.STREAMS.keys()
    assert len(entries) == len(truth.STREAMS)
    for entry in entries:
        declared = truth.STREAMS[entry["stream"]]
        assert entry["tap_stream_id"] == entry["stream"]
        assert tuple(entry["key_properties"]) == declared.keys
        method = "INCREMENTAL" if declared.incremental_by else "FULL_TABLE"
        assert entry["replication_method"] == method
        columns = entry["schema"]["properties"].keys()
        component = truth.COMPONENTS[declared.component]["properties"]
        assert columns >= component.keys() | set(declared.keys) | set(declared.adds)


def test_discover_is_the_same_with_and_without_a_config(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=1)
    with_config = quick(fast(sandbox_), "--discover")
    assert with_config.out == quick(None, "--discover").out
    assert sandbox_.requests == []


def test_what_is_discovered_can_be_described_property_by_property(quick: QuickTapCommand) -> None:
    entries = json.loads(quick(None, "--discover").out)["streams"]
    added = {"siteUid", "deviceUid", "jobUid", "channel", "lastAuditDate", "alertContextClass"}
    for entry in entries:
        for name in added & entry["schema"]["properties"].keys():
            assert entry["schema"]["properties"][name]["description"]


def test_the_connection_test_asks_for_one_record_of_each_stream(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=60)
    run = quick(fast(sandbox_), "--test")
    assert run.code == 0
    assert "Traceback" not in run.err
    counts = {stream: len(records) for stream, records in run.records.items()}
    assert counts.keys() == truth.STREAMS.keys()
    assert set(counts.values()) == {1}
    assert calls(sandbox_).total() < 8 * len(truth.STREAMS)


def test_the_connection_test_fails_with_wrong_credentials(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=5)
    run = quick(fast(sandbox_, api_secret="wrong-secret"), "--test")
    assert run.code == 1
    for setting in ("`api_key`", "`api_secret`", "`platform`"):
        assert setting in errors(run.err)[-1]
    assert "Traceback" not in run.err
    assert "wrong-secret" not in run.out + run.err
    assert len(sandbox_.requests) == 1


def test_the_connection_test_names_what_may_not_be_read(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=5, forbid=("/v2/account/users",))
    run = quick(fast(sandbox_), "--test")
    assert run.code == 1
    assert "/v2/account/users: HTTP 403" in errors(run.err)[-1]
    assert "Setup > Users" in errors(run.err)[-1]
    assert "Traceback" not in run.err


def test_the_schemas_can_be_had_without_records(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=1)
    run = quick(fast(sandbox_), "--test=schema")
    assert run.code == 0
    assert {message["type"] for message in run.messages} == {"SCHEMA"}
    assert run.schemas.keys() == truth.STREAMS.keys()
    assert sandbox_.requests == []


BROKEN = [
    (None, "No such file or directory"),
    ('{"api_key": "sandbox-secret", ', "not valid JSON"),
    ("[]", "valid JSON, but of another shape"),
    ('"sandbox-secret"', "valid JSON, but of another shape"),
    ('{"page_size": NaN}', "not valid JSON"),
]
"""Contents of a file, and what is said of them."""
NOTHING = [
    ("", "it is empty"),
    ("\ufeff \r\n", "it is empty"),
    ("null", "valid JSON, but of another shape"),
]
"""What only a state may be: it is a first run's."""
OPTIONS = ["--config", "--catalog", "--state"]


@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        *((option, *broken) for option in OPTIONS for broken in BROKEN),
        *((option, *nothing) for option in OPTIONS[:2] for nothing in NOTHING),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_cannot_be_used_is_one_line(
    quick: QuickTapCommand, option: str, content: str | None, says: str
) -> None:
    file = quick.folder / "given.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    run = quick(None if option == "--config" else FINE, f"{option}={file}")
    assert run.code == 1
    assert run.out == ""
    (line,) = run.err.splitlines()
    assert f"{option} {file}: {says}" in line
    assert ". Give " in line


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--catalog", {}),
        ("--catalog", {"streams": {}}),
        ("--catalog", {"streams": ["devices"]}),
        ("--catalog", {"streams": [{"stream": "devices"}]}),
        ("--state", {"bookmarks": []}),
        ("--state", {"bookmarks": {"devices": "2026-01-01"}}),
    ],
    ids=str,
)
def test_json_of_another_shape_is_one_line(
    quick: QuickTapCommand, option: str, content: dict[str, Any]
) -> None:
    file = quick.folder / "given.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    run = quick(FINE, f"{option}={file}")
    assert run.code == 1
    (line,) = run.err.splitlines()
    assert f"{option} {file}: valid JSON, but of another shape" in line


def test_a_folder_or_bytes_for_a_config_are_one_line(quick: QuickTapCommand) -> None:
    run = quick(None, f"--config={quick.folder}")
    assert run.code == 1
    assert "Is a directory" in run.err
    assert len(run.err.splitlines()) == 1

    file = quick.folder / "bytes.json"
    file.write_bytes(b"\xff\xfe\x00{}")
    run = quick(None, f"--config={file}")
    assert run.code == 1
    assert "not valid JSON" in run.err
    assert len(run.err.splitlines()) == 1


def test_several_configs_are_laid_over_one_another(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=1)
    file = quick.folder / "more.json"
    file.write_text('{"keep_unknown_properties": true}', encoding="utf-8")
    run = quick(fast(sandbox_), f"--config={file}", "--test=schema")
    assert run.code == 0
    assert "_unknown" in run.schemas["account"]["schema"]["properties"]


def test_an_option_that_does_not_exist_is_a_usage_error(quick: QuickTapCommand) -> None:
    run = quick(None, "--nonsense")
    assert run.code == 2
    assert "No such option" in run.err
    assert "Traceback" not in run.err


def test_a_catalog_entry_of_a_stream_that_does_not_exist_is_ignored(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    sandbox_ = sandbox(devices=5)
    catalog = quick.catalog(fast(sandbox_), "users")
    catalog["streams"].append(
        {"tap_stream_id": "gone", "stream": "gone", "schema": {"properties": {}}, "metadata": []}
    )
    run = quick(fast(sandbox_), catalog=catalog)
    assert run.code == 0
    assert run.records.keys() == {"users"}
