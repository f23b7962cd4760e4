"""Documents that the vendor split say together what they said as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tap_datto_rmm.spec_tools.cli import main
from tap_datto_rmm.spec_tools.document import Document, Group
from tap_datto_rmm.spec_tools.merge import Merged, merge
from tap_datto_rmm.spec_tools.readside import read_side, same_facts
from tests.spec_tools.documents import (
    BUILDS,
    as_bytes,
    build,
    build_1_22,
    build_201,
    packaged,
    split,
    written_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from tests.spec_tools.documents import Content


def merged(parts: dict[str, Content]) -> Merged:
    return merge([Group(name, Document(content, name)) for name, content in parts.items()])


def is_the_same(merged: Merged, whole: Content) -> bool:
    sides = [read_side(one) for one in (merged.document, Document(whole, "whole"))]
    return same_facts(*sides)


def folder_of(parts: dict[str, Content], folder: Path) -> str:
    folder.mkdir()
    for name, content in parts.items():
        (folder / f"{name}.json").write_bytes(as_bytes(content))
    return str(folder)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("whole", [packaged, written_out, build_201, build_1_22])
def test_parts_merge_back_to_the_same_facts(whole: Callable[[], Content]) -> None:
    parts = split(whole())
    assert len(parts) == 2
    for order in (parts, dict(reversed(parts.items()))):
        found = merged(order)
        assert is_the_same(found, whole())
        assert found.notes == []


@pytest.mark.vendor_builds
@pytest.mark.parametrize("name", BUILDS)
def test_the_vendors_own_builds_merge_back_to_the_same_facts(name: str) -> None:
    found = merged(split(build(name)))
    assert is_the_same(found, build(name))
    assert found.notes == []


@pytest.mark.vendor_builds
def test_the_parts_are_as_large_as_those_that_were_seen() -> None:
    """55 paths and 118 schemas are in the part of version 2: docs/datto-rmm-api.md §12."""
    part = split(build("235"))["Datto-RMM-v2"]
    assert (len(part["paths"]), len(part["components"]["schemas"])) == (55, 118)


def test_diff_and_check_take_a_folder_of_parts_as_one_document(tmp_path: Path) -> None:
    whole = tmp_path / "whole.json"
    whole.write_bytes(as_bytes(packaged()))
    parts = folder_of({**split(packaged()), "pets": pets()}, tmp_path / "parts")
    for arguments in ((str(whole), parts), (parts, str(whole))):
        result = run("diff", *arguments, "--fail-on", "risky")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.endswith("\nNothing changed for the streams.\n")
    assert run("check", parts).stdout.endswith("Problems: 0, notes: 0.\n")


def test_parts_that_contradict_each_other_are_told_apart_from_the_answer(tmp_path: Path) -> None:
    parts = split(packaged())
    parts["Datto-RMM-v2"]["components"]["schemas"]["DeviceV3"] = {"type": "string"}
    result = run("check", folder_of(parts, tmp_path / "parts"))
    assert result.stderr.startswith("note: Schema DeviceV3 differs between ")
    assert "note" not in result.stdout.replace("notes: 0", "")


def test_a_folder_without_a_document_of_this_api_is_refused(tmp_path: Path) -> None:
    folder = folder_of({"pets": pets()}, tmp_path / "parts")
    result = run("check", folder)
    assert result.exit_code == 1
    assert result.stderr == (
        f"tap-datto-rmm-spec: {folder} holds no document (*.json) of this API.\n"
    )


def pets() -> Content:
    return {"openapi": "3.1.0", "info": {"version": "1"}, "paths": {"/v1/pets": {"get": {}}}}


def test_the_schema_counts_whose_paths_use_it() -> None:
    parts = split(packaged())
    stale = {"type": "object", "properties": {"uid": {"type": "integer"}}}
    parts["Datto-RMM-v2"]["components"]["schemas"]["DeviceV3"] = stale
    found = merged(parts)
    assert is_the_same(found, packaged())
    (note,) = found.notes
    assert note.startswith("Schema DeviceV3 differs between Datto-RMM-v2 and Datto-RMM-v3: that of")
    assert "Datto-RMM-v3 is taken" in note
    assert "lost" not in note


def test_where_both_use_a_schema_the_streams_decide_and_the_loss_is_told() -> None:
    parts = split(packaged())
    other = parts["Datto-RMM-v3"]["components"]["schemas"]["PaginationData"]["properties"]
    other["cursor"] = {"type": "string"}
    found = merged(parts)
    assert is_the_same(found, packaged())
    (note,) = found.notes
    assert "that of Datto-RMM-v2 is taken" in note
    assert note.endswith("Where the others use it, their facts are lost.")


def test_what_only_writes_use_is_no_contradiction() -> None:
    parts = split(packaged())
    for number, one in enumerate(parts.values()):
        one["components"]["schemas"]["Wish"] = {"type": ("string", "integer")[number]}
    assert merged(parts).notes == []


def test_a_path_in_both_documents_is_told_where_it_differs() -> None:
    parts = split(packaged())
    path = "/v2/account"
    parts["Datto-RMM-v3"]["paths"][path] = {
        "get": {"responses": {"200": {"description": "OK"}}},
        "post": {"responses": {}},
    }
    found = merged(parts)
    assert is_the_same(found, packaged())
    (note,) = found.notes
    assert note.startswith("GET /v2/account differs between Datto-RMM-v2 and Datto-RMM-v3: ")
    assert note.endswith("that of Datto-RMM-v2 is taken.")
    assert "post" in found.document.content["paths"][path]


def test_documents_of_different_builds_are_told() -> None:
    parts = split(packaged())
    parts["Datto-RMM-v3"]["info"] = {"version": "2.0.0 (Build 240_0)"}
    found = merged(parts)
    assert found.document.version == packaged()["info"]["version"]
    assert found.notes[0].endswith("Datto-RMM-v3 2.0.0 (Build 240_0).")
