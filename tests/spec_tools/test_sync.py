"""Bringing a document up to the vendor's, and what is left of it where that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import DOCUMENT_NAME
from tap_datto_rmm.records.openapi import packaged as packaged_file
from tap_datto_rmm.spec_tools import sync as syncs
from tap_datto_rmm.spec_tools.cli import main
from tap_datto_rmm.spec_tools.files import replace
from tests.spec_tools.documents import (
    REFERENCE,
    as_bytes,
    build_201,
    packaged,
    told,
    written_out,
)
from tests.spec_tools.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from datto_rmm_sandbox import Sandbox

UNCHANGED, FAILED, CHANGED = range(3)
OURS = packaged_file(DOCUMENT_NAME).read_bytes()


def is_ours(file: Path) -> bool:
    """Whether a file is the packaged document to the byte, but for where it came from."""
    content = orjson.loads(file.read_bytes())
    content["x-origin"] = orjson.loads(OURS)["x-origin"]
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(content, option=options) == OURS


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["sync", *arguments], env=environment)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A document that is up to date."""
    path = tmp_path / "document.json"
    path.write_bytes(OURS)
    return path


def test_nothing_is_written_where_nothing_changed(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    before = file.stat()
    result = run("--url", sandbox().url, "--output", str(file))
    assert result.exit_code == UNCHANGED
    assert "Nothing changed" in result.output
    after = file.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_prose_servers_and_writes_of_the_vendor_are_no_change(file: Path) -> None:
    with serving(as_bytes(written_out())) as url:
        assert run("--url", url, "--output", str(file)).exit_code == UNCHANGED
    assert is_ours(file)


def test_an_older_document_is_brought_up_and_says_what_changed(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    file.write_bytes(as_bytes(build_201()))
    result = run("--url", sandbox().url, "--output", str(file))
    assert result.exit_code == CHANGED
    assert "version  2.0.0 (Build 201_aadf6556) → 2.0.0 (Build 235_" in result.output
    assert "paths    39 → 46" in result.output
    assert "schemas  104 → 111" in result.output
    assert "1 breaking (1 made up for by wire-exceptions.json)" in result.output
    assert told(orjson.loads(file.read_bytes()), packaged()) == []


def test_a_new_file_is_the_packaged_document_word_for_word(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    file = tmp_path / "new.json"
    assert run("--url", sandbox().url, "--output", str(file)).exit_code == CHANGED
    assert is_ours(file)
    assert file.stat().st_mode & 0o777 == 0o644


def test_facts_are_the_vendors_and_words_are_ours(file: Path) -> None:
    vendor = written_out()
    properties = vendor["components"]["schemas"]["Site"]["properties"]
    properties["id"] = {"type": "string", "description": "Words of the vendor."}
    properties["tide"] = {"type": "string", "description": "Words of the vendor.", "example": "x"}
    vendor["info"]["version"] = "2.0.0 (Build 236_0)"
    with serving(as_bytes(vendor)) as url:
        result = run("--url", url, "--output", str(file))
    assert result.exit_code == CHANGED
    assert "1 without a description yet: Site.tide" in result.output
    text = file.read_text(encoding="utf-8")
    assert "Words of the vendor" not in text
    assert "In other words" not in text
    new, old = orjson.loads(text), packaged()
    site, was = (one["components"]["schemas"]["Site"]["properties"] for one in (new, old))
    assert site["id"] == {"type": "string", "description": was["id"]["description"]}
    assert site["tide"] == {"type": "string"}
    assert new["info"] == {**old["info"], "version": "2.0.0 (Build 236_0)"}
    assert new["servers"] == old["servers"]


def test_words_come_back_where_what_they_describe_comes_back(file: Path) -> None:
    lacking = packaged()
    del lacking["components"]["schemas"]["Site"]["properties"]["notes"]
    for content in (lacking, packaged()):
        with serving(as_bytes(content)) as url:
            assert run("--url", url, "--output", str(file)).exit_code == CHANGED
    assert is_ours(file)


@pytest.mark.vendor_builds
def test_the_vendors_own_build_is_what_the_packaged_document_states(file: Path) -> None:
    with serving((REFERENCE / "build-235.json").read_bytes()) as url:
        assert run("--url", url, "--output", str(file)).exit_code == UNCHANGED


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("status=404", "answered HTTP 404"),
        ("status=503", "answered HTTP 503"),
        ("html", "answered with a web page"),
        ("empty", "sent nothing"),
        ("cut", "answer to the end"),
        ("cut=chunked", "answer to the end"),
        ("cut-json", "is not valid JSON"),
        ("gzip-error", "answer to the end"),
        ("reset", "did not answer"),
        ("hang=5", "took longer than 0.5 s"),
        ("trickle", "took longer than 0.5 s"),
        ("redirect=https://elsewhere.invalid/x", "leads to another host"),
        ("redirect=http://[", "leads to what is no address"),
    ],
)
def test_a_failed_download_leaves_the_file_as_it_is(
    sandbox: Callable[..., Sandbox], file: Path, fault: str, says: str
) -> None:
    vendor = sandbox(devices=1, faults=(fault,))
    file.write_bytes(as_bytes(build_201()))
    timeout = "0.5" if fault in {"hang=5", "trickle"} else "20"
    result = run("--url", vendor.url, "--output", str(file), "--timeout", timeout)
    assert result.exit_code == FAILED
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert hash(file.read_bytes()) == hash(as_bytes(build_201()))
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]" + b" " * 2000, "is no OpenAPI 3 document"),
        (b'{"swagger": "2.0"}' + b" " * 2000, "is no OpenAPI 3 document"),
        (b'{"openapi": "3.1.0", "info": {"version": "1"}}' + b" " * 2000, "has no `paths`"),
        (b'{"openapi": "3.1.0"}', "has no `info`"),
        (b"x" * 20_000_001, "more than 20,000,000 bytes"),
    ],
)
def test_what_is_no_such_document_is_refused(file: Path, body: bytes, says: str) -> None:
    with serving(body) as url:
        result = run("--url", url, "--output", str(file))
    assert (result.exit_code, is_ours(file)) == (FAILED, True)
    assert says in result.stderr


def dangling(content: dict[str, Any]) -> None:
    del content["components"]["schemas"]["PaginationData"]


def elsewhere(content: dict[str, Any]) -> None:
    content["components"]["schemas"]["Site"]["properties"]["x"] = {"$ref": "https://x.invalid/y"}


def another_api(content: dict[str, Any]) -> None:
    content["paths"] = {"/pets": {"get": {"responses": {"200": {"description": "Pets."}}}}}


def damaged(content: dict[str, Any]) -> None:
    content["components"]["schemas"]["Site"]["properties"] = ["name"]


def damaged_path(content: dict[str, Any]) -> None:
    content["paths"]["/v2/account"]["get"]["parameters"] = {"page": 1}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (dangling, "PaginationData' leads nowhere"),
        (elsewhere, "'https://x.invalid/y' leads nowhere"),
        (another_api, "describes another API"),
        (damaged, "the schema `Site` is damaged"),
        (damaged_path, "the path '/v2/account' is damaged"),
    ],
)
def test_a_document_that_does_not_hang_together_is_refused(
    file: Path, spoil: Callable[[dict[str, Any]], None], says: str
) -> None:
    content = packaged()
    spoil(content)
    with serving(as_bytes(content)) as url:
        result = run("--url", url, "--output", str(file))
    assert (result.exit_code, is_ours(file)) == (FAILED, True)
    assert says in result.stderr


def test_a_redirect_on_the_same_host_is_followed_and_a_circle_is_not(file: Path) -> None:
    with serving(b"", 302, {"location": "/around"}) as url:
        result = run("--url", url, "--output", str(file))
    assert result.exit_code == FAILED
    assert "leads on and on" in result.stderr


def test_a_target_that_cannot_be_written_is_named(
    sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    missing = tmp_path / "nowhere" / "document.json"
    result = run("--url", sandbox(devices=1).url, "--output", str(missing))
    assert result.exit_code == FAILED
    assert f"Cannot write {missing}: No such file or directory" in result.stderr


def test_a_replacement_that_fails_half_way_leaves_nothing_behind(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpecError, match="No space left on device"):
        replace(file, b"new")
    assert is_ours(file)
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_damaged_file_is_made_anew(sandbox: Callable[..., Sandbox], file: Path) -> None:
    file.write_bytes(b'{"openapi": ')
    assert run("--url", sandbox(devices=1).url, "--output", str(file)).exit_code == CHANGED
    assert is_ours(file)


def test_a_damaged_packaged_document_is_not_replaced_by_one_without_words(
    sandbox: Callable[..., Sandbox], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(b'{"openapi": ')
    url = sandbox(devices=1).url
    monkeypatch.setattr(syncs, "packaged", lambda _: file)
    result = run("--url", url, "--output", str(file))
    assert result.exit_code == FAILED
    assert "git checkout -- " in result.stderr
    assert "--force" in result.stderr
    file.write_bytes(b'{"openapi": ')


def test_force_writes_also_what_is_the_same(sandbox: Callable[..., Sandbox], file: Path) -> None:
    plain = as_bytes(packaged())  # the same, not formatted
    file.write_bytes(plain)
    url = sandbox(devices=1).url
    assert run("--url", url, "--output", str(file)).exit_code == UNCHANGED
    assert hash(file.read_bytes()) == hash(plain)
    assert run("--url", url, "--output", str(file), "--force").exit_code == UNCHANGED
    assert hash(file.read_bytes()) != hash(plain)
    assert is_ours(file)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://merlot-api.centrastage.net", "is not https"),
        ("ftp://127.0.0.1/x", "is not https"),
        ("http://[", "is no address such as https://"),
        ("merlot", "is no address such as https://"),
    ],
)
def test_only_https_is_asked_but_for_this_machine(file: Path, url: str, says: str) -> None:
    result = run("--url", url, "--output", str(file))
    assert result.exit_code == FAILED
    assert says in result.stderr


def test_a_wrong_option_is_not_mistaken_for_a_change(file: Path) -> None:
    for wrong in (["--platform", "luna"], ["--timeout", "0"], ["--wrong"]):
        assert run("--output", str(file), *wrong).exit_code == FAILED
    assert run("--output", str(file), DATTO_PLATFORM="luna").exit_code == FAILED
    assert CliRunner().invoke(main, ["--wrong"]).exit_code == FAILED
    assert CliRunner().invoke(main, ["wrong"]).exit_code == FAILED


def test_without_output_the_checkouts_document_is_meant() -> None:
    assert syncs.default_output() == packaged_file(DOCUMENT_NAME)


def test_the_installed_package_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = packaged_file(DOCUMENT_NAME).parents[1] / "tap_datto_rmm" / "specs" / DOCUMENT_NAME
    monkeypatch.setattr(syncs, "packaged", lambda _: inside)
    assert str(syncs.default_output()) == DOCUMENT_NAME


def test_the_extraction_path_does_not_import_the_spec_tools() -> None:
    code = (
        "import sys, tap_datto_rmm.__main__; print([m for m in sys.modules if 'spec_tools' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
