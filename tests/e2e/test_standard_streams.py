"""Standard streams that are closed, full or unread, and a log that is set up wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests import truth
from tests.conftest import fast
from tests.e2e.test_settings import FINE, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand
    from tests.e2e.conftest import Shell

SCHEMAS = "$TAP --config config.json --test=schema"


@pytest.fixture
def config(shell: Shell) -> None:
    """A config in the shell's folder."""
    (shell.folder / "config.json").write_text(json.dumps(FINE), encoding="utf-8")


# Standard error


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_without_standard_error_the_tap_works(shell: Shell, closed: str) -> None:
    run = shell(f"{SCHEMAS} {closed}")
    assert run.code == 0
    assert run.schemas.keys() == truth.STREAMS.keys()


def test_a_sync_works_without_standard_error(shell: Shell, sandbox: Callable[..., Sandbox]) -> None:
    config = json.dumps(fast(sandbox(devices=5)))
    (shell.folder / "config.json").write_text(config, encoding="utf-8")
    run = shell("$TAP --config config.json 2>&-")
    assert run.code == 0
    assert len(run.records["devices"]) == 5


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_a_failure_keeps_its_exit_code_without_standard_error(shell: Shell, closed: str) -> None:
    assert shell(f"$TAP --config nowhere.json {closed}").code == 1


# Standard output


@pytest.mark.parametrize("what", [SCHEMAS, "$TAP --discover", "$TAP --help", "$TAP --about"])
@pytest.mark.usefixtures("config")
def test_without_standard_output_there_is_one_line(shell: Shell, what: str) -> None:
    run = shell(f"{what} >&-")
    assert run.code == 1
    assert run.err == "tap-datto-rmm: standard output is closed; there is nowhere to write to.\n"
    assert shell(f"{what} >&- 2>&-").code == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("what", ["--discover", "--help", "--version", "--about"])
def test_output_for_a_full_disk_is_one_line(shell: Shell, what: str, unbuffered: str) -> None:
    run = shell(f"$TAP {what} >/dev/full", environment={"PYTHONUNBUFFERED": unbuffered})
    assert run.code == 1
    said = "tap-datto-rmm: standard output cannot be written: No space left on device."
    assert run.err.splitlines() == [said]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("output", "why"),
    [(">/dev/full", "No space left on device"), ("1</dev/null", "Bad file descriptor")],
)
def test_messages_that_cannot_be_written_end_the_run(shell: Shell, output: str, why: str) -> None:
    run = shell(f"{SCHEMAS} {output}")
    assert run.code == 1
    assert run.err.splitlines()[-1].endswith(f"standard output cannot be written: {why}")


def test_a_sync_into_a_full_disk_is_no_matter_of_one_stream(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=5)
    (shell.folder / "config.json").write_text(json.dumps(fast(account)), encoding="utf-8")
    run = shell("$TAP --config config.json >/dev/full")
    assert run.code == 1
    assert "standard output cannot be written: No space left on device" in run.err
    assert "failed:" not in run.err


# Other surroundings


@pytest.mark.parametrize("what", ["--discover", "--help", "--about", "--about --format=markdown"])
def test_what_is_printed_needs_no_unicode(shell: Shell, what: str) -> None:
    surroundings = {"PYTHONIOENCODING": "ascii", "LANG": "C", "COLUMNS": "none", "TERM": "unknown"}
    run = shell(f"$TAP {what}", environment=surroundings)
    assert run.code == 0, run.err
    assert run.out.isascii()


@pytest.mark.parametrize("name", ["LOGLEVEL", "TAP_DATTO_RMM_LOGLEVEL"])
@pytest.mark.parametrize("level", ["verbose", "10", "warn ing"])
def test_a_log_level_that_there_is_not_is_told_and_info_is_used(
    quick: QuickTapCommand, name: str, level: str
) -> None:
    quick.environment = {name: level}
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    assert "WARNING" in run.err.splitlines()[0]
    assert f"{name} must be DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO is used." in run.err
    assert "Settings come from" in run.err
    assert " DEBUG " not in run.err


@pytest.mark.parametrize(
    ("levels", "debug"),
    [
        ({"LOGLEVEL": ""}, False),
        ({"LOGLEVEL": " debug "}, True),
        ({"TAP_DATTO_RMM_LOGLEVEL": " ", "LOGLEVEL": "Debug"}, True),
        ({"TAP_DATTO_RMM_LOGLEVEL": "info", "LOGLEVEL": "verbose"}, False),
    ],
    ids=str,
)
def test_a_log_level_may_be_empty_and_in_any_letters(
    quick: QuickTapCommand, levels: dict[str, str], *, debug: bool
) -> None:
    quick.environment = levels
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    assert (" DEBUG " in run.err) is debug
    assert " WARNING " not in run.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("version: 1\nroot: {handlers: [none]}", "Unable to configure root logger"),
        ("version: [", "while parsing"),
        ("- 1", "dictionary"),
        (None, "Is a directory"),
    ],
    ids=["no such handler", "no YAML", "no mapping", "a folder"],
)
def test_a_log_that_is_set_up_wrongly_is_told_and_the_usual_one_is_used(
    quick: QuickTapCommand, content: str | None, why: str
) -> None:
    path = quick.folder / "log.yml"
    path.mkdir() if content is None else path.write_text(content, encoding="utf-8")
    quick.environment = {"SINGER_SDK_LOG_CONFIG": str(path)}
    run = quick({**FINE, "page_size": 0})
    assert run.code == 1
    assert "Traceback" not in run.err
    (warning,) = [line for line in run.err.splitlines() if " WARNING " in line]
    assert f"SINGER_SDK_LOG_CONFIG: {path} is not used: " in warning
    assert why in warning
    assert len(errors(run.err)) == 1


def test_a_log_of_ones_own_shows_what_is_wrong(quick: QuickTapCommand) -> None:
    path = quick.folder / "log.yml"
    handlers = "handlers: {h: {class: logging.StreamHandler}}"  # and other loggers off, unsaid
    path.write_text(f"version: 1\n{handlers}\nroot: {{handlers: [h]}}", encoding="utf-8")
    quick.environment = {"SINGER_SDK_LOG_CONFIG": str(path)}
    run = quick({**FINE, "page_size": 0})
    assert run.code == 1
    assert "Setting `page_size` must be: " in run.err


def test_an_empty_variable_for_the_log_is_none(quick: QuickTapCommand) -> None:
    quick.environment = {"SINGER_SDK_LOG_CONFIG": ""}
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    assert " WARNING " not in run.err
