"""The project's own files agree with each other and with the tap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.tap import TapDattoRMM

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETTINGS: dict[str, dict[str, Any]] = CONFIG_SCHEMA["properties"]
BUILT_IN: dict[str, dict[str, Any]] = TapDattoRMM.known_settings()["properties"]
"""The tap's settings and those that the SDK adds."""


def read_yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


def make_commands() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {f"make {target}" for target in re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)}


def test_ci_tests_every_python_version_that_the_package_claims() -> None:
    claimed = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    assert claimed[0] == PROJECT["requires-python"].removeprefix(">=")
    assert [int(version.partition(".")[2]) for version in claimed] == list(range(11, 15))

    jobs = read_yaml(ROOT / ".github/workflows/test.yml")["jobs"]
    inspect = next(step for step in jobs["package"]["steps"] if step.get("id") == "inspect")
    assert inspect["uses"].startswith("hynek/build-and-inspect-python-package@")
    output = jobs["package"]["outputs"]["python-versions"]
    assert output == "${{ steps.inspect.outputs.supported_python_classifiers_json_array }}"
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix == {"python-version": "${{ fromJson(needs.package.outputs.python-versions) }}"}
    assert jobs["test"]["env"]["PYTHON"] == "python${{ matrix.python-version }}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_ci_runs_only_what_a_developer_can_run(path: Path) -> None:
    commands = {step["run"] for step in steps(read_yaml(path)) if "run" in step}
    of_github = {command for command in commands if command.startswith("gh release create ")}
    assert commands - of_github <= make_commands()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_that_names_its_version(path: Path) -> None:
    uses = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert uses
    for action in uses:
        assert re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/\S+", action)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_a_document_names_the_two_commands_and_only_commands_that_exist(name: str) -> None:
    document = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^ *)(make [a-z-]+)", document, re.MULTILINE))
    assert {"make demo", "make test"} <= named <= make_commands()


def test_the_example_environment_holds_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^(?:# )?TAP_DATTO_RMM_([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in SETTINGS)


def test_the_example_environment_shows_the_defaults() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^# TAP_DATTO_RMM_([A-Z_]+)=(.*)$", example, re.MULTILINE))
    defaults = {
        name.upper(): prop["default"] for name, prop in SETTINGS.items() if "default" in prop
    }
    as_text = {name: str(value).lower() for name, value in defaults.items()}
    assert {name: shown[name] for name in as_text} == as_text


def private_imports(source: str) -> Iterator[str]:
    """Find imports of what the SDK keeps for itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in node.names:
                path = f"{module}.{name.name}".strip(".").split(".")
                if path[0] == "singer_sdk" and any(part.startswith("_") for part in path):
                    yield ".".join(path)


def test_nothing_imports_a_private_name_of_the_sdk() -> None:
    assert list(private_imports("from singer_sdk.helpers._util import utc_now"))
    assert list(private_imports("from singer_sdk.plugin_base import (\n    _ConfigInput,\n)"))
    assert not list(private_imports("from singer_sdk.helpers.conform import TypeConformanceLevel"))
    for path in (ROOT / "tap_datto_rmm").rglob("*.py"):
        assert list(private_imports(path.read_text(encoding="utf-8"))) == [], path


def meltano_settings() -> dict[str, dict[str, Any]]:
    plugins = read_yaml(ROOT / "meltano.yml")["plugins"]
    tap = next(plugin for plugin in plugins["extractors"] if plugin["name"] == "tap-datto-rmm")
    return {setting["name"]: setting for setting in tap["settings"]}


def meltano_kind(prop: dict[str, Any]) -> str | None:
    """The kind of setting that Meltano needs to read a value of this JSON type."""
    if "enum" in prop:
        return "options"
    if prop.get("format") == "date-time":
        return "date_iso8601"
    types = prop["type"] if isinstance(prop["type"], list) else [prop["type"]]
    kinds = {name: name for name in ("integer", "boolean", "array", "object")}
    kinds["number"] = "integer"  # Meltano 4.4 fails to write a decimal that a variable sets
    return next((kinds[name] for name in types if name in kinds), None)


def test_meltano_knows_every_setting_of_the_tap_and_of_the_sdk_and_no_other() -> None:
    assert SETTINGS.keys() < BUILT_IN.keys()
    assert {"stream_maps", "flattening_enabled"} <= BUILT_IN.keys()
    assert sorted(meltano_settings()) == sorted(BUILT_IN)


@pytest.mark.parametrize("name", SETTINGS)
def test_meltano_describes_a_setting_as_the_tap_does(name: str) -> None:
    prop, setting = SETTINGS[name], meltano_settings()[name]
    assert setting["label"] == prop["title"]
    assert setting["description"] == prop["description"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_meltano_reads_a_setting_as_the_tap_does(name: str) -> None:
    prop, setting = BUILT_IN[name], meltano_settings()[name]
    kind = setting.get("kind")
    assert (None if kind == "string" else kind) == meltano_kind(prop)
    assert setting.get("sensitive", False) == prop.get("secret", False)
    options = [option["value"] for option in setting.get("options", [])]
    assert options == [value for value in prop.get("enum", []) if value is not None]
    assert setting.get("value", prop.get("default")) == prop.get("default")


@pytest.mark.parametrize("name", PROJECT["scripts"])
def test_every_command_is_installed_and_starts(name: str) -> None:
    command = [str(Path(sys.executable).with_name(name)), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {name} ")
