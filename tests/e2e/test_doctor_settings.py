"""`tap-datto-rmm-doctor`: which setting came from where, whatever the surroundings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests import truth
from tests.commands import SECRETS
from tests.conftest import fast
from tests.e2e.test_settings import in_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.e2e.conftest import Shell

DOCTOR = "tap_datto_rmm.doctor"


def test_each_setting_is_shown_with_its_value_and_its_source(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    config = fast(sandbox(devices=3), page_size=9, start_date="1980-01-01")
    (shell.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    dotenv = shell.folder / ".env"
    dotenv.write_text("TAP_DATTO_RMM_PAGE_SIZE=8\nTAP_DATTO_RMM_LOOKBACK_MINUTES=30\n", "utf-8")
    run = shell(
        "$TAP --config config.json --config ENV --format json",
        environment={"TAP_DATTO_RMM_PAGE_SIZE": "7", "TAP_DATTO_RMM_USER_AGENT": ""},
        module=DOCTOR,
    )
    assert run.code == 0, run.err
    found = json.loads(run.out)
    rows = {row["name"]: (row["value"], row["source"]) for row in found["settings"]}
    assert rows.keys() > truth.SETTINGS.keys()
    secret, key = SECRETS
    assert rows["api_key"] == (f"set, {len(key)} characters", "config.json")
    assert rows["api_secret"] == (f"set, {len(secret)} characters", "config.json")
    assert rows["page_size"] == ("7", "environment")
    assert rows["lookback_minutes"] == ("30", str(dotenv))
    assert rows["full_sweep_days"] == ("7", "default")
    assert rows["user_agent"] == ("not set", "default")
    assert len(found["warnings"]) == 1
    assert "`start_date`: nothing is that old" in found["warnings"][0]


def test_for_people_it_is_a_table_that_needs_no_unicode(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    settings = in_environment(fast(sandbox(devices=3), user_agent="Ümlaut", start_date="1980"))
    surroundings = {"PYTHONIOENCODING": "ascii", "LANG": "C", "COLUMNS": "none", "NO_COLOR": ""}
    run = shell("$TAP --config ENV", environment={**settings, **surroundings}, module=DOCTOR)
    assert run.code == 0, run.err
    assert run.out.isascii()
    words = [line.split() for line in run.out.splitlines()]
    assert ["setting", "value", "source"] in words
    assert ["api_key", "set,", str(len(SECRETS[1])), "characters", "environment"] in words
    assert ["page_size", "250", "default"] in words
    assert ["user_agent", "\\xdcmlaut", "environment"] in words
    assert "Setting `start_date`: nothing is that old" in run.out


def test_a_terminal_without_a_width_gets_the_table_too(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    (shell.folder / "config.json").write_text(json.dumps(fast(sandbox(devices=3))), "utf-8")
    run = shell("$TAP --config config.json", environment={"COLUMNS": "0"}, module=DOCTOR)
    assert run.code == 0, run.err
    assert run.out.split()[:3] == ["setting", "value", "source"]
    assert max(map(len, run.out.splitlines())) <= 40


def test_wrong_settings_are_lines(shell: Shell) -> None:
    run = shell("$TAP --config <(echo '{\"page_size\": 0}')", module=DOCTOR)
    assert run.code == 1
    assert run.out == ""
    lines = run.err.splitlines()
    assert [line.split("`")[1] for line in lines] == [
        "api_key",
        "api_secret",
        "platform",
        "page_size",
    ]
    assert all(line.startswith("tap-datto-rmm-doctor: Setting `") for line in lines)


def test_output_that_cannot_be_written_is_one_line(
    shell: Shell, sandbox: Callable[..., Sandbox]
) -> None:
    (shell.folder / "config.json").write_text(json.dumps(fast(sandbox(devices=3))), "utf-8")
    run = shell("$TAP --config config.json >/dev/full", module=DOCTOR)
    assert run.code == 1
    assert run.err.splitlines() == [
        "tap-datto-rmm-doctor: standard output cannot be written: No space left on device."
    ]
