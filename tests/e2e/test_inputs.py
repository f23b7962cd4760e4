"""Files, pipes and standard input: in the encodings that tools write, and read once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.records.openapi import DOCUMENT_NAME, packaged
from tests.conftest import calls, fast
from tests.e2e.test_settings import FINE, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand
    from tests.e2e.conftest import Shell

ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32"]
"""PowerShell writes UTF-16 with a mark by `>`, and UTF-8 with one by `Out-File`."""


@pytest.fixture(scope="module")
def tiny(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=5)


@pytest.fixture
def users(quick: QuickTapCommand, tiny: Sandbox) -> dict[str, Any]:
    """A catalog of one stream."""
    calls(tiny)
    return quick.catalog(fast(tiny), "users")


# Encodings


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_config_catalog_and_state_are_read_by_their_byte_order_mark(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any], encoding: str
) -> None:
    first = quick(fast(tiny), catalog=users)
    given = {"config": fast(tiny, user_agent="Ümlaut"), "catalog": users, "state": first.state}
    for name, content in given.items():
        text = json.dumps(content, ensure_ascii=False)
        (quick.folder / f"{name}.txt").write_bytes(text.encode(encoding))
    run = quick(None, *(f"--{name}={quick.folder / name}.txt" for name in given))
    assert run.code == 0, run.err
    assert run.records == first.records
    assert run.state["bookmarks"].keys() == first.state["bookmarks"].keys()


def test_a_specification_that_powershell_wrote_is_read(quick: QuickTapCommand) -> None:
    file = quick.folder / "spec.json"
    text = packaged(DOCUMENT_NAME).read_text(encoding="utf-8")
    file.write_text(text.replace("\n", "\r\n"), encoding="utf-16")
    run = quick({"spec_path": str(file)}, "--discover")
    assert run.code == 0
    assert run.out == quick(None, "--discover").out


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
def test_a_file_in_an_old_code_page_is_one_line(quick: QuickTapCommand, option: str) -> None:
    file = quick.folder / "given.json"
    file.write_bytes('{"user_agent": "Müller"}'.encode("cp1252"))
    run = quick(None if option == "--config" else FINE, f"{option}={file}")
    assert run.code == 1
    (line,) = run.err.splitlines()
    assert f"{option} {file}: not valid JSON (neither UTF-8 nor UTF-16). Give " in line


@pytest.mark.parametrize(
    ("option", "text", "key"),
    [
        ("--config", '{"page_size": 5, "platform": "merlot", "page_size": 6}', "page_size"),
        ("--config", '{"refresh_hours": {"site_*": 1, "site_*": 1}}', "site_*"),
        ("--catalog", '{"streams": [{"stream": "users", "stream": "sites"}]}', "stream"),
        ("--state", '{"bookmarks": {"users": {}, "users": {"rows": 3}}}', "users"),
    ],
)
def test_a_key_that_is_there_twice_is_named(
    quick: QuickTapCommand, option: str, text: str, key: str
) -> None:
    file = quick.folder / "given.json"
    file.write_text(text, encoding="utf-8")
    run = quick(None if option == "--config" else FINE, f"{option}={file}", "--test=schema")
    assert run.code == 1
    assert run.out == ""
    (line,) = errors(run.err)
    assert line.startswith(f"{option} {file}: it has the key `{key}` twice in one object. Give ")


# Read once


def test_a_config_may_come_through_a_pipe(shell: Shell, tiny: Sandbox) -> None:
    (shell.folder / "config.json").write_text(json.dumps(fast(tiny)), encoding="utf-8")
    for script in (
        "$TAP --config <(cat config.json) --test=schema",
        "$TAP --config /dev/stdin --test=schema < config.json",
        "cat config.json | $TAP --config - --test=schema",
    ):
        run = shell(script)
        assert run.code == 0, run.err
        assert "users" in run.schemas


def test_config_catalog_and_state_may_all_come_through_pipes(
    shell: Shell, tiny: Sandbox, users: dict[str, Any]
) -> None:
    state = {"bookmarks": {"users": {"rows": 3}}}
    for name, content in {"config": fast(tiny), "catalog": users, "state": state}.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    pipes = " ".join(f"--{name} <(cat {name}.json)" for name in ("config", "catalog", "state"))
    run = shell(f"$TAP {pipes}")
    assert run.code == 0, run.err
    assert run.records["users"]
    assert run.state["bookmarks"]["users"]["rows"] == 3


@pytest.mark.parametrize("options", ["--config - --state -", "--state /dev/stdin --config -"])
def test_standard_input_can_be_given_to_one_option_only(shell: Shell, options: str) -> None:
    run = shell(f"$TAP {options}", given=b"{}")
    assert run.code == 1
    assert run.out == ""
    (line,) = errors(run.err)
    assert "has read standard input already. Give " in line


def test_standard_input_that_is_closed_is_one_line(shell: Shell) -> None:
    run = shell("$TAP --config - <&-")
    assert run.code == 1
    (line,) = errors(run.err)
    assert line.startswith("--config -: standard input is closed. Give ")


# Nothing yet


@pytest.mark.parametrize("content", ["", " \n", "\ufeff\r\n", "null\n", "{}"])
def test_a_state_without_anything_in_it_is_a_first_run(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any], content: str
) -> None:
    file = quick.folder / "state.json"
    file.write_text(content, encoding="utf-8")
    run = quick(fast(tiny), f"--state={file}", catalog=users)
    assert run.code == 0, run.err
    assert run.records == quick(fast(tiny), catalog=users).records


def test_a_state_from_a_pipe_that_gives_nothing_is_a_first_run(
    shell: Shell, tiny: Sandbox, users: dict[str, Any]
) -> None:
    (shell.folder / "config.json").write_text(json.dumps(fast(tiny)), encoding="utf-8")
    (shell.folder / "catalog.json").write_text(json.dumps(users), encoding="utf-8")
    files = "--config config.json --catalog catalog.json"
    run = shell(f"$TAP {files} --state <(tail -n 1 states.jsonl 2>/dev/null)")
    assert run.code == 0, run.err
    assert run.records["users"]


@pytest.mark.parametrize("what", ["messages", "states"])
def test_a_file_of_all_states_is_one_line_that_says_which_to_give(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any], what: str
) -> None:
    states = [m for m in quick(fast(tiny), catalog=users).messages if m["type"] == "STATE"]
    lines = [json.dumps(one if what == "messages" else one["value"]) for one in states]
    file = quick.folder / "states.jsonl"
    file.write_text("\n".join([*lines, *lines]), encoding="utf-8")
    run = quick(fast(tiny), f"--state={file}", catalog=users)
    assert run.code == 1
    assert run.out == ""
    (line,) = errors(run.err)
    assert "Give the last STATE of a run, one line, or leave --state out" in line
