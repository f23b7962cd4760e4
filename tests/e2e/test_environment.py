"""Which setting came from where: files, a `.env`, the environment, and what is forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests import truth
from tests.commands import SECRETS
from tests.conftest import calls, fast
from tests.e2e.scene import IMPATIENT
from tests.e2e.test_settings import FINE, errors, in_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run
    from tests.e2e.conftest import Shell

PREFIX = "TAP_DATTO_RMM_"


@pytest.fixture(scope="module")
def tiny(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    return sandboxes(devices=5)


@pytest.fixture
def users(quick: QuickTapCommand, tiny: Sandbox) -> dict[str, Any]:
    """A catalog of one stream."""
    calls(tiny)
    return quick.catalog(fast(tiny), "users")


def write_dotenv(quick: QuickTapCommand, *lines: str, encoding: str = "utf-8") -> None:
    (quick.folder / ".env").write_text("\n".join(lines) + "\n", encoding=encoding)


def as_lines(settings: dict[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in in_environment(settings).items()]


def told(run: Run, level: str) -> list[str]:
    """What was told at a level; news have none before the text."""
    lines = [line.split(" | ") for line in run.err.splitlines()]
    return [parts[-1] for parts in lines if parts[1:-1] == ([] if level == "INFO" else [level])]


def asked_for(sandbox: Sandbox) -> set[str]:
    """Page sizes that were asked for."""
    return {entry.query for entry in sandbox.requests if entry.path.endswith("/account/users")}


# What counts


def test_the_dotenv_in_the_working_folder_is_read_and_named(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any]
) -> None:
    write_dotenv(quick, *as_lines(fast(tiny)))
    run = quick(None, "--config=ENV", catalog=users)
    assert run.code == 0, run.err
    assert run.records["users"]
    (line,) = [line for line in told(run, "INFO") if ".env" in line]
    assert line.endswith(f". Settings come from {quick.folder / '.env'}")


def test_a_dotenv_that_is_not_there_is_told_too(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any]
) -> None:
    quick.environment = in_environment(fast(tiny))
    run = quick(None, "--config", "ENV", catalog=users)
    assert run.code == 0, run.err
    said = "Settings come from environment (there is no .env in the working folder)"
    assert said in told(run, "INFO")[0]


def test_an_exported_variable_counts_before_the_dotenv_and_both_before_a_file(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any]
) -> None:
    sizes = [("3", "4", 5, "3"), ("", "4", 5, "4"), (" ", "", 5, "5"), ("", None, 5, "5")]
    for exported, dotenv, file, wanted in sizes:
        write_dotenv(quick, *([] if dotenv is None else [f"{PREFIX}PAGE_SIZE={dotenv}"]))
        quick.environment = {f"{PREFIX}PAGE_SIZE": exported}
        tiny.call(tiny.state.journal.reset)
        run = quick(fast(tiny, page_size=file), "--config=ENV", catalog=users)
        assert run.code == 0, run.err
        assert f"max={wanted}" in asked_for(tiny), (exported, dotenv, file)


def test_the_order_of_environment_and_file_on_the_command_line_does_not_matter(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any]
) -> None:
    file = quick.folder / "config.json"
    file.write_text(json.dumps(fast(tiny, page_size=5)), encoding="utf-8")
    quick.environment = {f"{PREFIX}PAGE_SIZE": "3"}
    run = quick(None, "--config=ENV", f"--config={file}", catalog=users)
    assert run.code == 0, run.err
    assert "max=3" in asked_for(tiny)


def test_only_the_working_folder_counts(quick: QuickTapCommand, tiny: Sandbox) -> None:
    write_dotenv(quick, *as_lines(fast(tiny)))
    below = quick.folder / "below"
    below.mkdir()
    quick.folder = below
    run = quick(None, "--config=ENV")
    assert run.code == 1
    *missing, where = errors(run.err)
    assert [line.split("`")[1] for line in missing] == ["api_key", "api_secret", "platform"]
    assert where == (
        "Settings were looked for in: environment. "
        f"There is no .env in the working folder, {below}."
    )


def test_where_settings_were_looked_for_is_told_where_one_is_missing_or_wrong(
    quick: QuickTapCommand,
) -> None:
    given = {key: value for key, value in FINE.items() if key != "api_key"}
    for lines in (as_lines(given), as_lines({**FINE, "page_size": 0})):
        write_dotenv(quick, *lines)
        run = quick(None, "--config=ENV")
        assert run.code == 1
        wrong, where = errors(run.err)
        assert wrong.startswith("Setting `")
        assert where == f"Settings were looked for in: {quick.folder / '.env'}, environment."


def test_the_environment_is_no_source_where_it_sets_nothing(quick: QuickTapCommand) -> None:
    lacks = "(there is no .env in the working folder)"
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 0, run.err
    assert told(run, "INFO")[0].endswith(f"config-1.json {lacks}")
    run = quick(None, "--config=ENV", "--discover")
    assert run.code == 0, run.err
    assert told(run, "INFO")[0].endswith(f". No setting is given {lacks}")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_dotenv_that_a_windows_editor_wrote_is_read(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any], encoding: str
) -> None:
    lines = [f"{line}\r" for line in as_lines(fast(tiny))]
    write_dotenv(quick, *lines, encoding=encoding)
    run = quick(None, "--config=ENV", catalog=users)
    assert run.code == 0, run.err
    assert run.records["users"]


def test_quotes_and_export_in_a_dotenv_are_not_part_of_a_value(
    quick: QuickTapCommand, tiny: Sandbox, users: dict[str, Any]
) -> None:
    values = in_environment(fast(tiny))
    write_dotenv(quick, *(f'export {name} = "{value}" # why' for name, value in values.items()))
    run = quick(None, "--config=ENV", catalog=users)
    assert run.code == 0, run.err
    assert run.records["users"]


def test_a_folder_of_that_name_is_no_dotenv(quick: QuickTapCommand) -> None:
    (quick.folder / ".env").mkdir()
    quick.environment = in_environment(FINE)
    run = quick(None, "--config=ENV", "--test=schema")
    assert run.code == 0, run.err


def test_a_dotenv_that_cannot_be_read_is_one_line(quick: QuickTapCommand) -> None:
    (quick.folder / ".env").write_bytes(f"{PREFIX}API_KEY={SECRETS[1]}\xff".encode("latin-1"))
    run = quick(FINE, "--config=ENV")
    assert run.code == 1
    (line,) = errors(run.err)
    assert line == f"{quick.folder / '.env'}: neither UTF-8 nor UTF-16. Save it as UTF-8."


def test_a_dotenv_may_be_a_pipe_as_password_managers_make_it(shell: Shell) -> None:
    lines = "\n".join(as_lines(FINE))
    script = f"mkfifo .env; cat > .env <<'EOF' & $TAP --config ENV --test=schema\n{lines}\nEOF\n"
    run = shell(script)
    assert run.code == 0, run.err
    assert run.schemas.keys() == truth.STREAMS.keys()


def test_a_dotenv_that_nobody_asks_for_is_not_looked_at(shell: Shell) -> None:
    (shell.folder / "config.json").write_text(json.dumps(FINE), encoding="utf-8")
    run = shell("mkfifo .env; $TAP --config config.json --test=schema")
    assert run.code == 0, run.err
    run = shell(
        "rm .env; printf 'not = \\377 for us' > .env; $TAP --config config.json --test=schema"
    )
    assert run.code == 0, run.err
    assert " WARNING " not in run.err
    run = shell("$TAP")
    assert run.code == 1
    assert len(errors(run.err)) == 3


def test_a_working_folder_that_is_gone_has_no_dotenv(shell: Shell) -> None:
    (shell.folder / "config.json").write_text(json.dumps(FINE), encoding="utf-8")
    script = "mkdir gone; cd gone; rmdir ../gone; $TAP --config ENV --config - --test=schema"
    run = shell(f"exec < config.json; {script}")
    assert run.code == 0, run.err
    assert "there is no .env in the working folder" in run.err


@pytest.mark.parametrize(
    "broken",
    [f"{PREFIX}API_SECRET {SECRETS[0]}", f'{PREFIX}API_SECRET="{SECRETS[0]}'],
    ids=["no sign", "open quotation mark"],
)
def test_a_line_of_a_dotenv_that_cannot_be_read_is_named_without_its_text(
    quick: QuickTapCommand, broken: str
) -> None:
    given = {key: value for key, value in FINE.items() if key != "api_secret"}
    write_dotenv(quick, *as_lines(given), "", broken)
    run = quick(None, "--config=ENV", "--test=schema")
    assert run.code == 1
    where = f"{quick.folder / '.env'}, line 4: "
    form = "not of the form NAME=value, or a quotation mark is not closed"
    line, missing, _ = errors(run.err)
    assert line == f"{where}{form}. Mend it."
    assert missing.startswith("Setting `api_secret` is missing")
    assert "parse" not in run.err


def test_an_open_quotation_mark_that_takes_the_next_line_with_it_names_both(
    quick: QuickTapCommand,
) -> None:
    write_dotenv(quick, "# ours", f'{PREFIX}ACCOUNT_UID="x', f'{PREFIX}USER_AGENT="y"')
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 1
    (line,) = errors(run.err)
    assert line.startswith(f"{quick.folder / '.env'}, lines 2 to 3: ")


def test_a_line_of_a_dotenv_that_is_nobodys_setting_is_told_and_left_out(
    quick: QuickTapCommand,
) -> None:
    write_dotenv(quick, "\r", f"some thing {SECRETS[0]}\r", *as_lines(FINE))
    run = quick(None, "--config=ENV", "--test=schema")
    assert run.code == 0, run.err
    (line,) = told(run, "WARNING")
    assert line.startswith(f"{quick.folder / '.env'}, line 2: not of the form NAME=value")
    assert line.endswith(". It is left out.")


@pytest.mark.parametrize("exported", [{}, {"HTTPS_PROXY": ""}], ids=["dotenv", "switched off"])
def test_what_else_a_dotenv_sets_counts_unless_it_is_exported(
    quick: QuickTapCommand, exported: dict[str, str]
) -> None:
    write_dotenv(quick, "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=")
    quick.patience = IMPATIENT
    quick.environment = exported
    run = quick({**FINE, "platform": None, "api_url": "https://127.0.0.1:9"}, "--config=ENV")
    assert run.code == 1
    assert ("HTTPS_PROXY" in errors(run.err)[-1]) is not bool(exported)


def test_the_log_level_may_stand_in_a_dotenv(quick: QuickTapCommand) -> None:
    write_dotenv(quick, "TAP_DATTO_RMM_LOGLEVEL=warning")
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 0
    assert told(run, "INFO") == []
    write_dotenv(quick, "LOGLEVEL=loud")
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 0
    assert told(run, "INFO")
    assert told(run, "WARNING") == [
        "LOGLEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO is used."
    ]


# What is misspelt, forgotten, or nobody's


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("START_DAT", "START_DATE"),
        ("APIKEY", "API_KEY"),
        ("MAX_REQUEST_PER_MINUTE", "MAX_REQUESTS_PER_MINUTE"),
        ("STREAM_MAP", "STREAM_MAPS"),
    ],
)
@pytest.mark.parametrize("in_dotenv", [False, True], ids=["exported", "dotenv"])
def test_a_misspelt_variable_gets_the_name_that_was_meant(
    quick: QuickTapCommand, name: str, meant: str, *, in_dotenv: bool
) -> None:
    if in_dotenv:
        write_dotenv(quick, f"{PREFIX}{name}=x")
    else:
        quick.environment = {f"{PREFIX}{name}": "x"}
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 1
    assert errors(run.err) == [
        f"Variable `{PREFIX}{name}` is not known. Did you mean `{PREFIX}{meant}`?"
    ]


def test_a_variable_that_is_like_none_is_told_and_does_no_harm(quick: QuickTapCommand) -> None:
    others = ("_SELECT", "_LOAD_SCHEMA", "LOGLEVEL")  # Meltano's, and the SDK's
    quick.environment = {f"{PREFIX}{name}": "info" for name in ("COLOUR", *others)}
    quick.environment[f"{PREFIX}ACME_API_KEY"] = "of another account"
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 0, run.err
    assert told(run, "WARNING") == [
        f"Variable `{PREFIX}{name}` is not known; nothing reads it."
        for name in ("ACME_API_KEY", "COLOUR")
    ]


def test_the_parts_of_an_object_that_meltano_exports_are_nobodys_mistake(
    quick: QuickTapCommand,
) -> None:
    quick.environment = {
        "MELTANO_EXTRACTOR_NAME": "tap-datto-rmm",
        f"{PREFIX}REFRESH_HOURS": '{"site_*": 24}',
        f"{PREFIX}REFRESH_HOURS_SITE__": "24",
        f"{PREFIX}STREAM_MAPS_DEVICES_SITENAME": "__NULL__",
    }
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert (run.code, told(run, "WARNING")) == (0, [])


@pytest.mark.parametrize("in_dotenv", [False, True], ids=["exported", "dotenv"])
def test_who_forgets_to_ask_for_the_environment_is_told(
    quick: QuickTapCommand, *, in_dotenv: bool
) -> None:
    if in_dotenv:
        write_dotenv(quick, *as_lines(FINE))
    else:
        quick.environment = in_environment(FINE)
    run = quick(None)
    assert run.code == 1
    lines = errors(run.err)
    assert len(lines) == 3
    who = f"{quick.folder / '.env'} sets {{}}" if in_dotenv else "{} is set"
    for name, line in zip(("api_key", "api_secret", "platform"), lines, strict=True):
        assert line.startswith(f"Setting `{name}` is missing")
        hint = who.format(f"{PREFIX}{name.upper()}")
        assert line.endswith(f" {hint}: add `--config ENV` to read it.")


@pytest.mark.parametrize(
    "name", ["TAP_DATO_RMM_API_KEY", "DATTO_RMM_API_KEY", "tap_datto_rmm_api_key"]
)
def test_a_variable_with_a_misspelt_prefix_is_found(quick: QuickTapCommand, name: str) -> None:
    quick.environment = {name: "x"}
    run = quick({**FINE, "api_key": ""}, "--config=ENV")
    assert run.code == 1
    line, _ = errors(run.err)
    assert line.endswith(f" `{name}` is set. Did you mean `TAP_DATTO_RMM_API_KEY`?")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TAP_DATTO_RM_ACCOUNT_UID", "ACCOUNT_UID"),
        ("TAP_DATO_RMM_ACCOUNT_UID", "ACCOUNT_UID"),
        ("tap_datto_rmm_account_uid", "ACCOUNT_UID"),
        ("Tap_Datto_Rmm_Page_Size", "PAGE_SIZE"),
        ("TAP_DATTO_RRM_LOOKBACK_MINUTES", "LOOKBACK_MINUTES"),
        ("TAPDATTO_RMM_ACOUNT_UID", "ACCOUNT_UID"),
    ],
)
@pytest.mark.parametrize("in_dotenv", [False, True], ids=["exported", "dotenv"])
def test_a_misspelt_prefix_of_a_setting_that_may_be_missing_is_named(
    quick: QuickTapCommand, name: str, meant: str, *, in_dotenv: bool
) -> None:
    if in_dotenv:
        write_dotenv(quick, f"{name}=7")
    else:
        quick.environment = {name: "7"}
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert run.code == 1
    assert errors(run.err) == [f"Variable `{name}` is not known. Did you mean `{PREFIX}{meant}`?"]


def test_names_that_are_others_on_purpose_are_no_misspelling(quick: QuickTapCommand) -> None:
    names = [
        *("TAP_OTHER_ACCOUNT_UID", "TAP_AUTOTASK_START_DATE", "DATTO_RMM_API_KEY", "DATTO_API_URL"),
        *("TAP_DATTO_BCDR_MAX_REQUESTS_PER_MINUTE", "TAP_DATTO_EDR_EMIT_ACTIVATE_VERSION_MESSAGES"),
        *("TAP_DATTO_RMM2_ACCOUNT_UID", "MY_TAP_DATTO_RMM_API_KEY", "X_TAP_DATTO_RMM_START_DATE"),
        *("MELTANO_EXTRACT__LOAD_SCHEMA", "MELTANO_EXTRACT_API_KEY", "TARGET_DATTO_RMM_START_DATE"),
        *("DATTO_PLATFORM", "TF_VAR_tap_datto_rmm_api_key", "TAP_DATTO_SAAS_ACCOUNT_UID"),
    ]
    quick.environment = dict.fromkeys(names, "x")
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert (run.code, told(run, "WARNING")) == (0, [])


def test_a_setting_that_is_set_needs_no_other_spelling(quick: QuickTapCommand) -> None:
    quick.environment = {f"{PREFIX}PAGE_SIZE": "50", "tap_datto_rmm_page_size": "50"}
    run = quick(FINE, "--config=ENV", "--test=schema")
    assert (run.code, told(run, "WARNING")) == (0, [])


def test_the_variables_of_another_tap_are_no_misspelling(quick: QuickTapCommand) -> None:
    quick.environment = {"TAP_AUTOTASK_API_KEY": "x", "TAP_DATTO_BCDR_API_KEY": "x"}
    run = quick({**FINE, "api_key": ""}, "--config=ENV")
    line, _ = errors(run.err)
    assert "Did you mean" not in line


def test_an_exported_variable_that_is_not_read_is_told(quick: QuickTapCommand) -> None:
    quick.environment = in_environment({"start_date": "2026-01-01", "page_size": 250})
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    assert told(run, "WARNING") == [
        "Not read, as `--config ENV` was not given: TAP_DATTO_RMM_START_DATE"
    ]


def test_a_dotenv_that_is_not_read_is_told_as_an_exported_variable_is(
    quick: QuickTapCommand,
) -> None:
    given = in_environment({"account_uid": "x", "lookback_minutes": 5, "page_size": 250})
    write_dotenv(
        quick, *(f"{name}={value}" for name, value in given.items()), "OTHER=x", "not ours"
    )
    quick.environment = in_environment({"start_date": "2026-01-01", "lookback_minutes": 6})
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    unread = "Not read, as `--config ENV` was not given:"
    assert told(run, "WARNING") == [
        f"{unread} TAP_DATTO_RMM_LOOKBACK_MINUTES, TAP_DATTO_RMM_START_DATE",
        f"{unread} TAP_DATTO_RMM_ACCOUNT_UID in {quick.folder / '.env'}",
    ]


@pytest.mark.parametrize("in_dotenv", [False, True], ids=["exported", "dotenv"])
def test_the_url_of_the_api_is_found_where_the_platform_is_missing(
    quick: QuickTapCommand, *, in_dotenv: bool
) -> None:
    given = in_environment({"api_url": "https://merlot-api.centrastage.net"})
    if in_dotenv:
        write_dotenv(quick, *(f"{name}={value}" for name, value in given.items()))
    else:
        quick.environment = given
    run = quick({**FINE, "platform": None})
    assert run.code == 1
    (line,) = errors(run.err)
    who = (
        f"{quick.folder / '.env'} sets {PREFIX}API_URL" if in_dotenv else f"{PREFIX}API_URL is set"
    )
    assert line.startswith("Setting `platform` is missing")
    assert line.endswith(f" {who}: add `--config ENV` to read it.")


def test_what_meltano_exports_is_not_told(quick: QuickTapCommand) -> None:
    quick.environment = in_environment({"api_key": "of another account"})
    quick.environment["MELTANO_EXTRACTOR_NAME"] = "tap-datto-rmm-acme"
    run = quick(FINE, "--test=schema")
    assert run.code == 0
    assert told(run, "WARNING") == []


def test_a_wrong_setting_is_told_with_where_it_was_set(quick: QuickTapCommand) -> None:
    write_dotenv(quick, f"{PREFIX}PAGE_SIZE=0")
    quick.environment = {f"{PREFIX}LOOKBACK_MINUTES": "-1"}
    more = quick.folder / "more.json"
    more.write_text('{"full_sweep_days": 0}', encoding="utf-8")
    run = quick(FINE, "--config=ENV", f"--config={more}")
    assert run.code == 1
    assert [line.split(". It is ")[-1] for line in errors(run.err)] == [
        f"set by {PREFIX}PAGE_SIZE in {quick.folder / '.env'}.",
        f"set by {PREFIX}LOOKBACK_MINUTES.",
        f"set in {more}.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("refresh_hours", '{"site_*": 1, "site_*": 2}', "site_*"),
        ("custom_streams", '[{"name": "a", "path": "/v2/a", "name": "b"}]', "name"),
    ],
)
def test_a_key_that_a_variable_has_twice_is_named(
    quick: QuickTapCommand, name: str, text: str, key: str
) -> None:
    quick.environment = in_environment({name: text})
    run = quick(FINE, "--config=ENV")
    assert run.code == 1
    assert f"Setting `{name}` has the key `{key}` twice in one object." in errors(run.err)[0]


@pytest.mark.parametrize("name", ["API_KEY", "apiKey", "api-key", "TAP_DATTO_RMM_API_KEY"])
def test_a_setting_in_other_letters_is_recognised(quick: QuickTapCommand, name: str) -> None:
    given = {key: value for key, value in FINE.items() if key != "api_key"}
    run = quick({**given, name: SECRETS[1]})
    assert run.code == 1
    assert f"Setting `{name}` is not known. Did you mean `api_key`?" in errors(run.err)
