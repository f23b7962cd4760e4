"""The command line: its exit codes, and one line for each failure."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from tap_datto_rmm.spec_tools.cli import main
from tap_datto_rmm.spec_tools.verdicts import ELSEWHERE, RULES
from tests.spec_tools.documents import as_bytes, build_1_22, build_201, packaged

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Builds 1.22, 201 and 235."""
    made = []
    for number, content in enumerate((build_1_22(), build_201(), packaged())):
        file = tmp_path / f"{number}.json"
        file.write_bytes(as_bytes(content))
        made.append(str(file))
    return made


def test_diff_ends_with_0_whatever_it_finds_unless_asked(files: list[str]) -> None:
    assert run("diff", files[1], files[2]).exit_code == 0
    assert run("diff", files[1], files[2], "--fail-on", "breaking").exit_code == 1
    assert run("diff", files[1], files[2], "--fail-on", "risky").exit_code == 1
    assert run("diff", files[0], files[1], "--fail-on", "risky").exit_code == 0
    assert run("diff", files[2], files[2], "--fail-on", "risky").exit_code == 0


def test_diff_says_so_where_nothing_changed(files: list[str]) -> None:
    assert run("diff", files[2], files[2]).stdout.endswith("\nNothing changed for the streams.\n")


def test_diff_as_json_is_for_programs(files: list[str]) -> None:
    found = orjson.loads(run("diff", files[0], files[1], "--format", "json").stdout)
    assert found["verdict"] == "compatible"
    assert found["counts"] == {"breaking": 0, "not seen": 0, "risky": 0, "compatible": 6}
    assert found["old"]["schemas"] == 103
    assert found["new"]["origin"] == packaged()["x-origin"]
    assert found["changes"][0] == {
        "stream": "devices",
        "verdict": "compatible",
        "kind": "property new",
        "where": "udf.udf31 to udf.udf300",
        "before": None,
        "after": "string",
        "count": 270,
        "kept_by_exceptions": True,
        "why": "a new column, nullable as all are",
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "Cannot read {file}: No such file or directory."),
        (b'{"openapi": "3.1.0", ', "{file} is not valid JSON"),
        (b"<html>", "{file} is not valid JSON"),
        (b"\xff\xfe", "{file} is not valid JSON"),
        (b"{}", "{file} is no OpenAPI 3 document."),
        (b'{"openapi": "3.1.0", "info": [], "paths": {}}', "{file} has no `info`."),
    ],
)
@pytest.mark.parametrize("command", ["check", "diff"])
def test_a_file_that_is_no_document_is_one_line(
    tmp_path: Path, command: str, content: bytes | None, says: str
) -> None:
    file = tmp_path / "spoiled.json"
    if content is not None:
        file.write_bytes(content)
    result = run(*([command, str(file)] if command == "check" else [command, str(file), str(file)]))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"tap-datto-rmm-spec: {says.format(file=file)}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["-h"], ["sync", "-h"], ["diff", "-h"], ["check", "-h"]])
def test_help_is_there(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 0


def test_the_page_of_the_description_repeats_the_rules() -> None:
    page = (ROOT / "docs" / "api-description.md").read_text(encoding="utf-8")
    for kind, rule in RULES.items():
        elsewhere = ELSEWHERE[rule.verdict].verdict
        assert f"| {kind} | {rule.verdict} | {elsewhere} | {rule.why} |" in page
