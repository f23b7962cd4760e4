"""Where settings come from, layer by layer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.doctor.settings import setting_rows
from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.settings.reading import SettingsError, read_settings
from tap_datto_rmm.settings.sources import Environment, Layer, laid_over, variable

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"api_key": "0123456789", "api_secret": "01234567890123456789", "platform": "merlot"}


def environment(path: Path | None = None, **texts: dict[str, str]) -> Environment:
    """Make one of texts by the name of their setting, `exported` or `dotenv`."""
    exported, dotenv = (
        {variable(name): text for name, text in texts.get(which, {}).items()}
        for which in ("exported", "dotenv")
    )
    return Environment(exported, dotenv, path)


def test_the_last_layer_counts_and_each_setting_knows_its_own() -> None:
    layers = [Layer("a.json", {"x": 1, "y": 2}), Layer("b.json", {"y": 3})]
    assert laid_over(layers) == ({"x": 1, "y": 3}, {"x": "a.json", "y": "b.json"})


def test_an_exported_variable_counts_before_the_dotenv_and_an_empty_one_does_not(
    tmp_path: Path,
) -> None:
    dotenv = tmp_path / ".env"
    found = environment(
        dotenv,
        exported={"page_size": "3", "platform": "", "request_timeout": "2.5"},
        dotenv={"page_size": "4", "platform": "syrah", "user_agent": "x"},
    )
    layers = [Layer("a.json", {**KEYS, "user_agent": "y", "lookback_minutes": 5})]
    given = read_settings(layers, found, CONFIG_SCHEMA, from_environment=True)
    sources = {
        "page_size": (3, "environment"),
        "platform": ("syrah", str(dotenv)),
        "request_timeout": (2.5, "environment"),
        "user_agent": ("x", str(dotenv)),
        "lookback_minutes": (5, "a.json"),
    }
    for name, (value, source) in sources.items():
        assert (given.config[name], given.sources[name]) == (value, source)
    assert "full_sweep_days" not in given.sources
    assert given.config["full_sweep_days"] == 7
    assert given.places == f"Settings come from a.json, {dotenv}, environment"


def test_without_being_asked_the_environment_does_not_count() -> None:
    found = environment(exported={"page_size": "3"})
    given = read_settings([Layer("a.json", KEYS)], found, CONFIG_SCHEMA, from_environment=False)
    assert given.settings.page_size == 250
    assert given.places == "Settings come from a.json"
    assert given.warnings == ("Not read, as `--config ENV` was not given: TAP_DATTO_RMM_PAGE_SIZE",)


def test_discovery_needs_no_credentials_and_checks_what_is_given() -> None:
    def read(config: dict[str, Any]) -> None:
        read_settings(
            [Layer("a.json", config)],
            environment(),
            CONFIG_SCHEMA,
            from_environment=False,
            needs_all=False,
        )

    read({})
    with pytest.raises(SettingsError) as caught:
        read({"page_size": 0, "start_date": "soon"})
    assert [line.split("`")[1] for line in caught.value.problems] == ["start_date", "page_size"]


def test_what_else_a_dotenv_sets_is_exported_and_settings_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "environ", {})
    texts = {"HTTPS_PROXY": "http://x", variable("api_key"): "k", "TAP_DATTO_RMM_LOGLEVEL": "DEBUG"}
    found = Environment({"NO_PROXY": ""}, {**texts, "NO_PROXY": "y"}, tmp_path / ".env")
    assert found.export() == {"HTTPS_PROXY", "TAP_DATTO_RMM_LOGLEVEL"}
    assert os.environ == {"HTTPS_PROXY": "http://x", "TAP_DATTO_RMM_LOGLEVEL": "DEBUG"}


def test_for_the_doctor_each_setting_has_a_value_and_a_source() -> None:
    custom = [{"name": "a" * 80, "path": "/v2/a", "primary_keys": ["uid"], "component": "A"}]
    given = read_settings(
        [Layer("a.json", {**KEYS, "custom_streams": custom, "user_agent": "Ümlaut"})],
        environment(exported={"page_size": "50"}),
        CONFIG_SCHEMA,
        from_environment=True,
    )
    rows = {row.name: row[1:] for row in setting_rows(given, CONFIG_SCHEMA)}
    assert rows.keys() == CONFIG_SCHEMA["properties"].keys()
    assert rows["api_key"] == ("set, 10 characters", "a.json")
    assert rows["api_secret"] == ("set, 20 characters", "a.json")
    assert rows["platform"] == ("merlot", "a.json")
    assert rows["page_size"] == ("50", "environment")
    assert rows["request_timeout"] == ("60", "default")
    assert rows["start_date"] == ("not set", "default")
    assert rows["user_agent"] == ("Ümlaut", "a.json")
    assert rows["keep_unknown_properties"] == ("false", "default")
    assert rows["custom_streams"][0].startswith('[{"name": "aaa')
    assert len(rows["custom_streams"][0]) == 60
