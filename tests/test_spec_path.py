"""The setting `spec_path`: other builds than the packaged one, and files that are none."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Spec
from tap_datto_rmm.spec_tools.tables import table
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.tap import TapDattoRMM
from tests.conftest import fast
from tests.spec_tools.documents import (
    BUILDS,
    REFERENCE,
    as_bytes,
    build_1_22,
    build_201,
    packaged,
    written_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run
    from tests.spec_tools.documents import Content

CONFIG = {"platform": "merlot", "api_key": "key", "api_secret": "secret"}
NEW_IN_235 = ["devices_v3", "site_patches", "device_patches"]


def write(folder: Path, content: Content | bytes) -> str:
    file = folder / "document.json"
    file.write_bytes(content if isinstance(content, bytes) else as_bytes(content))
    return str(file)


def columns(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema's types and formats by path."""
    return {
        path: {key: row.get(key) for key in ("type", "format")}
        for path, row in table(schema).items()
    }


def schemas(path: str | None) -> dict[str, Any]:
    """Every stream's schema by a document, without words."""
    config = {**CONFIG, "spec_path": path} if path else CONFIG
    return {name: columns(one.schema) for name, one in TapDattoRMM(config=config).streams.items()}


@pytest.mark.parametrize(
    ("made", "missing"), [(build_1_22, NEW_IN_235), (build_201, NEW_IN_235), (written_out, [])]
)
def test_another_build_gives_the_same_schemas_less_the_streams_it_lacks(
    tmp_path: Path, made: Callable[[], Content], missing: list[str]
) -> None:
    found, ours = schemas(write(tmp_path, made())), schemas(None)
    assert [name for name in ours if name not in found] == missing
    assert found == {name: ours[name] for name in found}


@pytest.mark.vendor_builds
@pytest.mark.parametrize(
    ("name", "missing"), [*zip(BUILDS, (NEW_IN_235, NEW_IN_235, []), strict=True)]
)
def test_the_vendors_own_builds_give_the_same_schemas(name: str, missing: list[str]) -> None:
    found, ours = schemas(str(REFERENCE / f"build-{name}.json")), schemas(None)
    assert [name for name in ours if name not in found] == missing
    assert found == {name: ours[name] for name in found}


def test_streams_that_the_document_lacks_are_named_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, build_201())
    with caplog.at_level(logging.WARNING):
        tap = TapDattoRMM(config={**CONFIG, "spec_path": path})
        assert len(tap.streams) == len(STREAMS) - len(NEW_IN_235)
        assert tap.catalog_dict
    lines = [one.getMessage() for one in caplog.records if "Left out" in one.getMessage()]
    assert lines == [
        f"Left out, because {path} does not have them: devices_v3, site_patches, device_patches"
    ]


@pytest.fixture(scope="module")
def vendor(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    """A small account."""
    return sandboxes(devices=12)


@pytest.fixture(scope="module")
def ours(vendor: Sandbox, quickly: Callable[[str], QuickTapCommand]) -> Run:
    """A sync of it by the packaged document."""
    return quickly("ours")(fast(vendor))


@pytest.mark.vendor_builds
@pytest.mark.parametrize("name", BUILDS)
def test_a_sync_with_the_vendors_own_build_gives_every_record(
    quick: QuickTapCommand, vendor: Sandbox, ours: Run, name: str
) -> None:
    path = str(REFERENCE / f"build-{name}.json")
    has_same_records(quick(fast(vendor, spec_path=path)), ours)


@pytest.mark.parametrize("made", [build_1_22, build_201, written_out])
def test_a_sync_with_another_build_gives_every_record(
    quick: QuickTapCommand, vendor: Sandbox, ours: Run, tmp_path: Path, made: Callable[[], Content]
) -> None:
    has_same_records(quick(fast(vendor, spec_path=write(tmp_path, made()))), ours)


def has_same_records(run: Run, ours: Run) -> None:
    """See that both syncs worked and gave the same."""
    assert (run.code, ours.code) == (0, 0)
    assert set(run.records) == set(ours.records) >= {"devices", "alerts", "device_audits"}
    for name, rows in ours.records.items():
        assert in_order(run.records[name]) == in_order(rows)


def in_order(rows: list[dict[str, Any]]) -> list[bytes]:
    """Rows whose columns may stand in the order of another document."""
    return sorted(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows)


def failed_discovery(quick: QuickTapCommand, path: str) -> str:
    """Run discovery; give its one line of complaint."""
    run: Run = quick({**CONFIG, "spec_path": path}, "--discover")
    assert (run.code, run.out) == (1, "")
    assert "Traceback" not in run.err
    (line,) = (line for line in run.err.splitlines() if "| ERROR " in line)
    return line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"openapi": "3.1.0", "paths": {', "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b"<html>Service unavailable</html>", "is not valid JSON"),
        (b'{"swagger": "2.0"}', "is no OpenAPI 3 document"),
        (b'{"openapi": "3.1.0", "paths": [], "components": []}', "is no OpenAPI 3 document"),
        (
            b'{"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"Site": 7}}}',
            "the schema `Site` is damaged",
        ),
    ],
)
def test_a_corrupted_document_is_one_line_that_says_how_to_get_back(
    quick: QuickTapCommand, tmp_path: Path, content: bytes, says: str
) -> None:
    path = write(tmp_path, content)
    line = failed_discovery(quick, path)
    assert path in line
    assert says in line
    for way in ("Remove `spec_path`", "git checkout -- ", "tap-datto-rmm-spec sync"):
        assert way in line


def test_a_missing_document_is_one_line_too(quick: QuickTapCommand, tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere.json")
    assert f"Cannot read {path}: No such file or directory. Remove" in failed_discovery(quick, path)


def test_a_document_of_another_api_is_one_line_too(quick: QuickTapCommand, tmp_path: Path) -> None:
    content = packaged()
    content["paths"] = {"/pets": {"get": {"responses": {}}}}
    assert "describes another API" in failed_discovery(quick, write(tmp_path, content))


def test_a_reference_that_leads_nowhere_is_one_line_too(
    quick: QuickTapCommand, tmp_path: Path
) -> None:
    content = packaged()
    del content["components"]["schemas"]["ProxySettings"]
    line = failed_discovery(quick, write(tmp_path, content))
    assert "has no schema `ProxySettings`" in line


def test_a_path_stands_for_its_fixed_words_and_not_for_its_parameters_names() -> None:
    content = packaged()
    content["paths"]["/v2/account/{x}"] = content["paths"]["/v2/account/users"]
    spec = Spec(content, [], "document")
    channels = spec.paths_of("/v2/job/{jobUid}/results/{deviceUid}/{channel}")
    assert [path.rpartition("/")[2] for path in channels] == ["stderr", "stdout"]
    assert spec.paths_of("/v2/site/{uid}/settings") == ["/v2/site/{siteUid}/settings"]
    assert spec.paths_of("/v2/account/users") == ["/v2/account/users"]
    assert spec.paths_of("/v2/account/nothing") == []
    with pytest.raises(SpecError, match="has no schema `Nothing`"):
        spec.component("Nothing")


@pytest.mark.parametrize("options", [[], ["--format=json"], ["--format=markdown"]])
def test_about_names_the_build_that_the_packaged_document_describes(
    quick: QuickTapCommand, options: list[str]
) -> None:
    run = quick(None, "--about", *options)
    assert run.code == 0
    assert Spec.load().version in run.out
