"""What the pages tell one to type, typed: as it stands, in a fresh folder, on the sandbox."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests import truth
from tests.answers.living import install_targets
from tests.docs.pages import PAGES, ROOT, Block, blocks, read
from tests.docs.shell import BACKGROUND, EXIT_CODE, FILE, SKIPPED, Reader, script
from tests.e2e.warehouse import true_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

ALL = [block for page in PAGES for block in blocks(page)]
RUN_HERE = {
    "README.md",
    "docs/answers.md",
    "docs/first-sync.md",
    "docs/meltano.md",
    "docs/operations.md",
    "docs/selecting.md",
    "docs/singer.md",
    "sandbox/README.md",
}
"""Pages with blocks that no comment excuses; a test follows each."""
AUDIT = "/v2/audit/device/{device_uid}"


def block(page: str, holds: str) -> Block:
    """Give the one block of a page that holds this text."""
    (found,) = [one for one in blocks(page) if holds in one.text]
    return found


CONFIG = block("README.md", "> config.json")
SELECT = block("docs/singer.md", "> catalog.json")
RECIPE = next(one for one in blocks("docs/singer.md") if "states.jsonl" in one.text)


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """See that Meltano's plugins are there."""
    install_targets(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def reader(tmp_path: Path, sandbox: Callable[..., Sandbox]) -> Reader:
    """A reader with an account of some devices."""
    return Reader(tmp_path, sandbox(devices=30))


@pytest.fixture
def newcomer(tmp_path: Path) -> Reader:
    """A reader without an account."""
    return Reader(tmp_path)


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_of_commands_is_run_or_says_why_not(block: Block) -> None:
    if not block.mark.startswith(SKIPPED):
        assert block.page in RUN_HERE
        known = (BACKGROUND, FILE, EXIT_CODE, "")
        assert block.mark in known or block.mark.startswith(known[1:3])
    elif block.mark.startswith("run by "):
        assert (ROOT / block.mark.removeprefix("run by ")).exists()
    else:
        assert block.mark.removeprefix("not run: ")


@pytest.mark.parametrize("page", PAGES)
def test_the_targets_of_make_that_a_page_names_are_there(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = re.findall(r"(?:^ *|`)make ([a-z-]+(?: [a-z-]+)*)", read(page), re.MULTILINE)
    assert {target for several in named for target in several.split()} <= targets


def test_the_readme_brings_a_newcomer_from_an_account_to_rows(reader: Reader) -> None:
    run = reader.follow("README.md")
    assert run.code == 0, run.err
    assert "A sync would work" in run.out
    dump = streams_of(reader.folder / "dump.jsonl")
    assert dump == {name for name, stream in truth.STREAMS.items() if stream.by_default}
    assert streams_of(reader.folder / "chosen.jsonl") == dump - {"users"} | {"device_patches"}
    assert (reader.folder / "config.json").stat().st_mode & 0o077 == 0
    edited = (reader.folder / "meltano.yml").read_text(encoding="utf-8")
    assert "'!device_patches.*'" not in edited
    assert "'!devices.udf'" in edited
    assert states(reader.folder)[-1]["bookmarks"]["device_audits"]
    assert list(reader.folder.glob("device_patches-*.jsonl"))


def test_the_first_sync_works_without_an_account(newcomer: Reader) -> None:
    run = newcomer.follow("docs/first-sync.md")
    assert run.code == 0, run.err
    assert "A sync would work" in run.out
    folder = newcomer.folder / "output" / "first-sync"
    wanted = {"sites", "devices", "alerts", "device_audits"}
    assert streams_of(folder / "first.jsonl") == streams_of(folder / "second.jsonl") == wanted
    first, second = (
        (folder / f"{name}.jsonl").read_text("utf-8").count('"stream":"device_audits"')
        for name in ("first", "second")
    )
    assert 1 < second < first / 4
    assert streams_of(folder / "third.jsonl") == wanted - {"alerts"}
    assert "alerts failed: /v2/account/alerts/open: HTTP 403" in run.err


def test_the_sandboxs_page_works(newcomer: Reader) -> None:
    run = newcomer.follow("sandbox/README.md")
    assert run.code == 0, run.err
    assert '"deviceUid"' in run.out


@pytest.mark.parametrize("page", ["docs/answers.md", "docs/operations.md", "docs/selecting.md"])
def test_a_page_for_those_with_a_configuration_works(reader: Reader, page: str) -> None:
    assert reader.type(script([CONFIG, SELECT])).code == 0
    run = reader.follow(page)
    assert run.code == 0, run.err


def test_meltanos_page_works(reader: Reader) -> None:
    run = reader.follow("docs/meltano.md")
    assert run.code == 0, run.err
    assert (reader.folder / "output" / "devices.jsonl").exists()
    state = json.loads((reader.folder / "state.json").read_text(encoding="utf-8"))
    assert state["singer_state"]["bookmarks"]["device_audits"]


# The pipe without Meltano


def test_the_pages_pipe_and_its_script_go_on_where_they_were(reader: Reader) -> None:
    assert reader.type(script([CONFIG])).code == 0
    run = reader.follow("docs/singer.md")
    assert run.code == 0, run.err
    assert len(states(reader.folder)) >= 1
    assert len(loaded(reader.folder, "sites")) == 2 * len(wanted(reader, "sites"))
    assert loaded_once(reader, "device_audits")


def test_a_first_run_that_fails_leaves_a_first_run_to_do(reader: Reader) -> None:
    assert reader.type(script([CONFIG, SELECT])).code == 0
    config = reader.folder / "config.json"
    right = config.read_text(encoding="utf-8")
    config.write_text(right.replace('"api_secret": "', '"api_secret": "no '), encoding="utf-8")
    assert reader.type(RECIPE.text).code == 1
    assert states(reader.folder) == []
    config.write_text(right, encoding="utf-8")
    assert reader.type(RECIPE.text).code == 0
    assert loaded(reader.folder, "device_audits") == wanted(reader, "device_audits")


def test_a_later_run_that_fails_keeps_the_state_before_it(reader: Reader) -> None:
    assert reader.type(script([CONFIG, SELECT])).code == 0
    assert reader.type(RECIPE.text).code == 0
    before = states(reader.folder)
    config = reader.folder / "config.json"
    right = config.read_text(encoding="utf-8")
    config.write_text(right.replace('"api_secret": "', '"api_secret": "no '), encoding="utf-8")
    assert reader.type(RECIPE.text).code == 1
    assert states(reader.folder) == before
    config.write_text(right, encoding="utf-8")
    assert reader.type(RECIPE.text).code == 0
    assert loaded_once(reader, "device_audits")


def test_ctrl_c_in_the_middle_repeats_one_device_at_most(
    tmp_path: Path, sandbox: Callable[..., Sandbox]
) -> None:
    account = sandbox(devices=150, latency_ms=100)
    reader = Reader(tmp_path, account)
    assert reader.type(script([CONFIG, SELECT])).code == 0
    assert reader.type("tap-datto-rmm-select devices device_audits > catalog.json").code == 0
    assert reader.type(script([SELECT])).code == 0 or True
    with reader.start(RECIPE.text) as shell:
        while audits_asked(account) < 20:
            time.sleep(0.05)
            assert shell.poll() is None
        os.killpg(shell.pid, signal.SIGINT)
        shell.communicate(timeout=60)
    assert shell.returncode != 0
    audits = wanted(reader, "device_audits")
    assert 0 < len(loaded(reader.folder, "device_audits")) < len(audits)
    assert reader.type(RECIPE.text).code == 0
    assert sorted(set(loaded(reader.folder, "device_audits"))) == audits
    assert len(loaded(reader.folder, "device_audits")) <= len(audits) + 1


def streams_of(file: Path) -> set[str]:
    """Name the streams with records in a file of messages."""
    messages = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {message["stream"] for message in messages if message["type"] == "RECORD"}


def states(folder: Path) -> list[dict[str, Any]]:
    """Give the states that the pipe has kept."""
    return [json.loads(line) for line in (folder / "states.jsonl").read_text().splitlines()]


def loaded(folder: Path, stream: str) -> list[str]:
    """Give the keys of the rows that the target wrote, in order."""
    rows = map(json.loads, (folder / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines())
    return sorted(str(truth.key_of(stream, row)) for row in rows)


def loaded_once(reader: Reader, stream: str) -> bool:
    """Whether each row is there once; those of devices that were never audited come each time."""
    text = (reader.folder / f"{stream}.jsonl").read_text(encoding="utf-8")
    rows = [row for row in map(json.loads, text.splitlines()) if row["lastAuditDate"]]
    keys = [str(truth.key_of(stream, row)) for row in rows]
    assert set(loaded(reader.folder, stream)) == set(wanted(reader, stream))
    return len(keys) == len(set(keys)) > 1


def wanted(reader: Reader, stream: str) -> list[str]:
    """Give the keys of the rows that the account has."""
    assert reader.sandbox
    return sorted(map(str, true_rows(reader.sandbox, stream)))


def audits_asked(sandbox: Sandbox) -> int:
    """Count the audits that were asked for."""
    return sum(entry.endpoint == AUDIT for entry in sandbox.requests)
