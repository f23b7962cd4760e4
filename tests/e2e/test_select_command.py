"""`tap-datto-rmm-select`: a catalog of what one names, which the tap then reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.selecting.patterns import PatternError, select
from tests import truth
from tests.conftest import fast
from tests.e2e.test_meltano_metadata import catalog_of_meltano

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand
    from tests.e2e.conftest import Shell

SELECT = "tap_datto_rmm.selecting"
BY_DEFAULT = {name for name, stream in truth.STREAMS.items() if stream.by_default}


def selected(catalog: dict[str, Any]) -> dict[str, set[str]]:
    """The columns that are selected, by stream; those inside others behind a dot."""
    found: dict[str, set[str]] = {}
    for stream in catalog["streams"]:
        flags = {
            ".".join(entry["breadcrumb"][1::2]): entry["metadata"].get("selected", False)
            for entry in stream["metadata"]
        }
        if flags.pop(""):
            found[stream["stream"]] = {name for name, is_selected in flags.items() if is_selected}
    return found


@pytest.fixture
def catalog(quick: QuickTapCommand) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(quick(None, "--discover").out)
    return content


def test_a_catalog_of_the_command_is_what_the_tap_reads(
    shell: Shell, quick: QuickTapCommand, sandbox: Callable[..., Sandbox]
) -> None:
    made = shell("$TAP sites devices.hostname 'devices.udf' '!devices.udf.udf5'", module=SELECT)
    assert made.code == 0, made.err
    assert made.err == ""
    run = quick(fast(sandbox(devices=20)), catalog=json.loads(made.out))
    assert run.code == 0, run.err
    assert run.records.keys() == {"sites", "devices"}
    assert list(run.schemas["sites"]["schema"]["properties"]) == truth.columns_of("sites")
    columns = run.schemas["devices"]["schema"]["properties"]
    assert columns.keys() == {"uid", "hostname", "udf"}
    assert columns["udf"]["properties"].keys() == truth.UDFS.keys() - {"udf5"}


@pytest.mark.parametrize(
    ("patterns", "streams"),
    [
        (["sites"], {"sites"}),
        (["sites.*"], {"sites"}),
        (["site_p*", "!*_audits"], {"site_patches"}),
        (["!users", "!*_audits"], BY_DEFAULT - {"users"} - {s for s in BY_DEFAULT if "_aud" in s}),
        (["default", "device_patches"], BY_DEFAULT | {"device_patches"}),
        (["*"], set(truth.STREAMS)),
        (["*.siteUid"], {s for s in truth.STREAMS if "siteUid" in truth.columns_of(s)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_patterns_name_streams(
    catalog: dict[str, Any], patterns: list[str], streams: set[str]
) -> None:
    select(catalog, patterns)
    assert selected(catalog).keys() == streams


def test_what_is_left_out_is_left_out_with_all_that_is_inside(catalog: dict[str, Any]) -> None:
    select(catalog, ["!devices.udf", "devices"])
    assert selected(catalog).keys() == {"devices"}
    names = {name.partition(".")[0] for name in selected(catalog)["devices"]}
    assert names == set(truth.columns_of("devices")) - {"udf"}


def test_a_column_inside_another_comes_alone(catalog: dict[str, Any]) -> None:
    select(catalog, ["devices.udf.udf7"])
    assert selected(catalog) == {"devices": {"udf", "udf.udf7"}}


@pytest.mark.parametrize("pattern", ["!users.*", "!users", "!user*.*"])
def test_what_leaves_out_all_that_is_inside_leaves_out_the_whole(
    catalog: dict[str, Any], pattern: str
) -> None:
    select(catalog, ["default", pattern])
    assert selected(catalog).keys() == BY_DEFAULT - {"users"}


def test_a_column_of_which_nothing_is_left_does_not_come_empty(catalog: dict[str, Any]) -> None:
    select(catalog, ["devices.hostname", "devices.udf.udf7", "!devices.udf.*"])
    assert selected(catalog) == {"devices": {"hostname"}}


def test_meltano_takes_the_same_patterns(tmp_path: Path, shell: Shell) -> None:
    patterns = ["site*.*", "users.*", "alerts.alert*", "devices.hostname", "devices.udf.udf5"]
    patterns += ["!users.*", "!site_[a-m]*.*", "!sites.description", "!*.alertContext"]
    by_meltano = selected(catalog_of_meltano(tmp_path, patterns))
    run = shell(" ".join(["$TAP", *(f"'{pattern}'" for pattern in patterns)]), module=SELECT)
    assert selected(json.loads(run.out)) == by_meltano
    assert {"sites", "site_variables", "alerts", "devices"} <= by_meltano.keys()
    assert "users" not in by_meltano


@pytest.mark.parametrize(
    "patterns",
    [
        "sites '!sites'",
        "sites '!sites.*'",
        "devices.hostname '!devices.host*'",
        "'!default'",
        "'!*'",
        "'!*.*'",
    ],
)
def test_a_selection_of_nothing_is_an_error_and_writes_nothing(shell: Shell, patterns: str) -> None:
    run = shell(f"$TAP {patterns}", module=SELECT)
    assert (run.code, run.out) == (1, "")
    none = f"none of the {len(truth.STREAMS)} streams"
    assert run.err == f"tap-datto-rmm-select: Nothing to read: the patterns leave {none}.\n"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("divices", "There is no stream `divices`. Did you mean `devices`?"),
        ("defualt", "There is no stream `defualt`. Did you mean `default`?"),
        ("!divices", "There is no stream `divices`. Did you mean `devices`?"),
        ("devices.hostnam", "`devices` has no column `hostnam`. Did you mean `hostname`?"),
        ("DEFAULT", "There is no stream `DEFAULT`. Did you mean `default`?"),
        ("SITES", "There is no stream `SITES`. Did you mean `sites`?"),
        ("devices.SITEUID", "`devices` has no column `SITEUID`. Did you mean `siteUid`?"),
        ("default.*", "`default.*` names nothing: `default` stands alone, without columns."),
        ("!Default.uid", "`Default.uid` names nothing: `default` stands alone, without columns."),
        ("devices.udf.x", "`devices.udf` has no column `x`."),
        ("x*", "There is no stream `x*`."),
    ],
)
def test_a_pattern_that_names_nothing_is_told_with_the_nearest_name(
    catalog: dict[str, Any], pattern: str, message: str
) -> None:
    with pytest.raises(PatternError) as raised:
        select(catalog, ["sites", pattern])
    assert str(raised.value) == message


def test_all_patterns_that_name_nothing_are_told_at_once(shell: Shell) -> None:
    run = shell("$TAP defualt '!devices.hostnam' sites", module=SELECT)
    assert (run.code, run.out) == (1, "")
    assert run.err.splitlines() == [
        "tap-datto-rmm-select: There is no stream `defualt`. Did you mean `default`?",
        "tap-datto-rmm-select: `devices` has no column `hostnam`. Did you mean `hostname`?",
    ]


def test_the_command_tells_it_in_one_line_and_writes_no_catalog(shell: Shell) -> None:
    run = shell("$TAP sites divices", module=SELECT)
    assert run.code == 1
    assert run.out == ""
    wanted = "tap-datto-rmm-select: There is no stream `divices`. Did you mean `devices`?\n"
    assert run.err == wanted


def test_custom_streams_are_selected_too(shell: Shell) -> None:
    status = {"name": "system_status", "path": "/v2/system/status", "primary_keys": ["version"]}
    config = {"custom_streams": [{**status, "component": "StatusResponse"}]}
    (shell.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    run = shell("$TAP --config config.json system_status", module=SELECT)
    assert run.code == 0, run.err
    assert selected(json.loads(run.out)).keys() == {"system_status"}
