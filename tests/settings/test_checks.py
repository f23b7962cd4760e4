"""What is found wrong with settings, apart from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from tap_datto_rmm.settings import CONFIG_SCHEMA, EXPECTED, cautions, problems
from tap_datto_rmm.settings.checks import expected
from tap_datto_rmm.settings.custom import PARTS, REQUIRED, custom_stream_problems
from tap_datto_rmm.tap import TapDattoRMM
from tests import truth

FINE = {"api_key": "k", "api_secret": "s", "platform": "merlot"}


def test_every_setting_has_words_for_what_it_may_be() -> None:
    assert EXPECTED.keys() == truth.SETTINGS.keys() == CONFIG_SCHEMA["properties"].keys()
    of_the_sdk = TapDattoRMM.known_settings()["properties"].keys() - EXPECTED.keys()
    words = [*EXPECTED.values(), *map(expected, of_the_sdk)]
    assert len(words) > len(EXPECTED)
    assert all(words)
    assert not any("documentation" in each for each in words)


def test_the_parts_of_a_custom_stream_are_those_that_are_declared() -> None:
    declared = CONFIG_SCHEMA["properties"]["custom_streams"]["items"]
    assert declared["properties"].keys() == PARTS.keys()
    assert tuple(declared["required"]) == REQUIRED


@pytest.mark.parametrize("missing", ["api_key", "api_secret", "platform"])
def test_what_discovery_can_do_without_is_told_apart(missing: str) -> None:
    given = {name: value for name, value in FINE.items() if name != missing}
    (problem,) = problems({**given, "page_size": 250}, CONFIG_SCHEMA)
    assert (problem.setting, problem.missing) == (missing, True)
    (problem,) = problems({**FINE, "page_size": 251}, CONFIG_SCHEMA)
    assert (problem.setting, problem.missing) == ("page_size", False)


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("a", [("", "must be: a list of {name, path,")]),
        ([], []),
        (["a"], [("[0]", "must be: an object {name, path,")]),
        (
            [{}],
            [
                ("[0]", "(no name): `name` is missing; it must be small letters"),
                ("[0]", "(no name): `path` is missing; it must be a path"),
                ("[0]", "(no name): `primary_keys` is missing; it must be a list"),
            ],
        ),
        (
            [
                {"name": "a", "path": "/v2/a", "primary_keys": ["uid"], "parent": None},
                {"name": "b", "path": "/v2/b", "primary_keys": []},
                {"name": "c", "path": "v2/c", "primary_keys": ["uid"], "schema": "object"},
                {"name": "default", "path": "/v2/d", "primary_keys": ["uid"]},
            ],
            [
                ("[1]", "(b): `primary_keys` is missing"),
                ("[2]", "(c): `path` must be a path below"),
                ("[2]", "(c): `schema` must be a JSON Schema"),
                ("[3]", "(default): `name` must be small letters"),
            ],
        ),
    ],
    ids=["text", "none", "list of texts", "nothing in it", "several"],
)
def test_each_part_of_a_custom_stream_that_is_wrong_is_named_with_its_place(
    declared: object, found: list[tuple[str, str]]
) -> None:
    got = list(custom_stream_problems(declared))
    assert [place for place, _ in got] == [place for place, _ in found]
    for (_, words), (_, start) in zip(got, found, strict=True):
        assert words.startswith(start)


@pytest.mark.parametrize(
    "settings", [{"page_size": 1}, {"request_timeout": 1}, {"max_requests_per_minute": 6000}]
)
def test_a_sandbox_on_this_machine_is_spared_from_cautions(settings: dict[str, Any]) -> None:
    keys = {"api_key": "k", "api_secret": "s"}
    assert list(cautions({**keys, "api_url": "http://127.0.0.1:8080", **settings})) == []
    assert len(list(cautions({**keys, "platform": "merlot", **settings}))) == 1
