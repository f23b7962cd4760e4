"""The vendor's description is found wherever it is, and what cannot be had is never taken for gone.

Each way is played by the sandbox and asked through the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner

from tap_datto_rmm import settings
from tap_datto_rmm.settings import PLATFORMS
from tap_datto_rmm.spec_tools import discovery
from tap_datto_rmm.spec_tools.cli import main
from tests.spec_tools.documents import as_bytes, packaged, told
from tests.spec_tools.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from click.testing import Result
    from datto_rmm_sandbox import Sandbox

UNCHANGED, FAILED, CHANGED = range(3)
DOCS = "/api/v3/api-docs"
V3_PATHS = [path for path in packaged()["paths"] if path.startswith("/v3/")]


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["sync", *arguments], env=environment)


def older() -> dict[str, Any]:
    """The packaged document as it was before a property came."""
    content = packaged()
    del content["components"]["schemas"]["Site"]["properties"]["notes"]
    content["info"]["version"] = "2.0.0 (Build 234_0)"
    return content


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A document that is behind."""
    path = tmp_path / "document.json"
    path.write_bytes(as_bytes(older()))
    return path


def is_as_it_was(file: Path) -> bool:
    """Whether the document was left alone, and nothing lies beside it."""
    untouched = hash(file.read_bytes()) == hash(as_bytes(older()))
    return untouched and [one.name for one in file.parent.iterdir()] == [file.name]


def content_of(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(file.read_bytes())
    return content


def asked(sandbox: Sandbox) -> list[str]:
    """Paths that a sandbox was asked for, below the folder of descriptions."""
    return [entry.path.removeprefix(DOCS).lstrip("/") for entry in sandbox.requests]


CONFIG, V2, V3 = "swagger-config", "Datto-RMM-v2", "Datto-RMM-v3"


@pytest.mark.parametrize(
    ("way", "requests", "origin"),
    [
        ("groups", [CONFIG, V2, V3], [V2, V3]),
        ("absolute", [CONFIG, V2, V3], [V2, V3]),
        ("contradicting", [CONFIG, V2, V3], [V2, V3]),
        ("with-others", [CONFIG, V2, V3, "Operations"], [V2, V3]),
        ("one-document", [CONFIG, ""], [""]),
        ("old-address", [CONFIG, "Datto-RMM"], ["Datto-RMM"]),
        ("bare-address", [CONFIG, "Datto-RMM", ""], [""]),
    ],
)
def test_the_whole_description_is_found_and_its_address_kept(
    sandbox: Callable[..., Sandbox], file: Path, way: str, requests: list[str], origin: list[str]
) -> None:
    vendor = sandbox(devices=1, description=way)
    result = run("--url", vendor.url, "--output", str(file))
    assert result.exit_code == CHANGED, result.output
    assert asked(vendor) == requests
    content = content_of(file)
    assert told(content, packaged()) == []
    urls = [f"{vendor.url}{DOCS}/{name}".rstrip("/") for name in origin]
    assert content["x-origin"]["urls"] == urls
    assert "missing" not in content["x-origin"]


def test_what_was_asked_and_answered_is_one_readable_list(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    vendor = sandbox(devices=1, description="with-others", faults=(f"status=404:path={V3}",))
    docs = vendor.url + DOCS
    lines = run("--url", vendor.url, "--output", str(file)).stdout.splitlines()
    assert lines == [
        "Asked:",
        f"  {docs}/swagger-config: lists Datto-RMM-v2, Datto-RMM-v3, Operations",
        f"  {docs}/Datto-RMM-v2: {packaged()['info']['version']}, 41 paths",
        f"  {docs}/Datto-RMM-v3: answered HTTP 404.",
        f"  {docs}/Operations: left out: describes another API (its paths: /actuator/health).",
    ]


def test_a_contradiction_between_documents_is_told(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    vendor = sandbox(devices=1, description="contradicting")
    result = run("--url", vendor.url, "--output", str(file))
    assert (
        "note: Schema Site differs between Datto-RMM-v2 and Datto-RMM-v3: that of Datto-RMM-v2 is "
        "taken (used by 2 paths of Datto-RMM-v2)."
    ) in result.stdout
    site = content_of(file)["components"]["schemas"]["Site"]
    assert (
        site["properties"].keys()
        == packaged()["components"]["schemas"]["Site"]["properties"].keys()
    )


def test_no_other_host_is_asked(sandbox: Callable[..., Sandbox], file: Path) -> None:
    vendor = sandbox(devices=1, description="elsewhere")
    result = run("--url", vendor.url, "--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert "elsewhere.invalid/api/v3/api-docs/Datto-RMM-v3: is on another host" in result.stdout
    assert "Not seen: Datto-RMM-v3 (" in result.stderr


BROKEN = [
    ("status=500", "answered HTTP 500"),
    ("cut", "did not answer to the end"),
    ("cut=chunked", "did not answer to the end"),
    ("cut-json", "is not valid JSON"),
    ("html", "answered with a web page"),
    ("empty", "sent nothing"),
    ("reset", "did not answer"),
]


@pytest.mark.parametrize(("fault", "says"), BROKEN)
def test_a_group_that_cannot_be_had_stops_the_sync(
    sandbox: Callable[..., Sandbox], file: Path, fault: str, says: str
) -> None:
    vendor = sandbox(devices=1, faults=(f"{fault}:path=Datto-RMM-v3",))
    result = run("--url", vendor.url, "--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert len(result.stderr.splitlines()) == 1
    assert "Not seen: Datto-RMM-v3 (" in result.stderr
    assert says in result.stderr
    assert "--partial" in result.stderr


@pytest.mark.parametrize("way", ["elsewhere", "v2-only", "groups"])
def test_partial_takes_over_what_was_seen_and_keeps_the_rest(
    sandbox: Callable[..., Sandbox], file: Path, way: str
) -> None:
    faults = ("status=500:path=Datto-RMM-v3",) if way == "groups" else ()
    vendor = sandbox(devices=1, description=way, faults=faults)
    result = run("--url", vendor.url, "--output", str(file), "--partial")
    assert result.exit_code == CHANGED, result.output
    assert "not seen, kept as it was: /v3/account/devices" in result.stdout
    assert ("  not seen: Datto-RMM-v3\n" in result.stdout) == (way != "v2-only")
    assert "breaking" not in result.stdout.replace("0 breaking", "")
    content = content_of(file)
    assert told(content, packaged()) == []
    assert set(V3_PATHS) <= set(content["paths"])
    missing = [] if way == "v2-only" else ["Datto-RMM-v3"]
    assert content["x-origin"].get("missing", []) == missing
    again = run("--url", vendor.url, "--output", str(file), "--partial")
    assert again.exit_code == UNCHANGED


def test_a_list_without_a_version_that_the_file_has_is_no_removal(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    vendor = sandbox(devices=1, description="v2-only")
    for url in (vendor.url, f"{vendor.url}{DOCS}/swagger-config", f"{vendor.url}{DOCS}/{V2}"):
        result = run("--url", url, "--output", str(file))
        assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
        assert "Not seen: 5 paths that the file has (/v3/account/devices" in result.stderr


def test_nothing_anywhere_is_one_line(sandbox: Callable[..., Sandbox], file: Path) -> None:
    vendor = sandbox(devices=1, description="nowhere")
    result = run("--url", vendor.url, "--output", str(file), "--partial")
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.count("answered HTTP 500") == 3


def test_what_the_vendor_names_cannot_break_out_of_a_line(file: Path) -> None:
    odd = {"openapi": "3.1.0", "info": {}, "paths": {"/a\n::error::\x1b[31m": {}}}
    with serving(orjson.dumps(odd)) as url:
        result = run("--url", f"{url}/odd", "--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert len(result.stderr.splitlines()) == 1
    assert "\x1b" not in result.output
    assert not [line for line in result.output.splitlines() if line.startswith("::")]


# `--url`


@pytest.mark.parametrize("named", ["", "/api", "/api/", f"{DOCS}/swagger-config"])
def test_url_takes_an_api_or_a_list(
    sandbox: Callable[..., Sandbox], file: Path, named: str
) -> None:
    vendor = sandbox(devices=1)
    assert run("--url", vendor.url + named, "--output", str(file)).exit_code == CHANGED
    assert told(content_of(file), packaged()) == []


def test_several_urls_are_merged(sandbox: Callable[..., Sandbox], file: Path) -> None:
    docs = f"{sandbox(devices=1).url}{DOCS}"
    urls = ("--url", f"{docs}/Datto-RMM-v3", "--url", f"{docs}/Datto-RMM-v2")
    assert run(*urls, "--output", str(file)).exit_code == CHANGED
    assert told(content_of(file), packaged()) == []
    assert content_of(file)["x-origin"]["urls"] == [f"{docs}/Datto-RMM-v3", f"{docs}/Datto-RMM-v2"]


def test_one_of_several_urls_that_fails_stops_the_sync(
    sandbox: Callable[..., Sandbox], file: Path
) -> None:
    docs = f"{sandbox(devices=1).url}{DOCS}"
    urls = ("--url", f"{docs}/Datto-RMM-v2", "--url", f"{docs}/Datto-RMM-v9")
    result = run(*urls, "--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert "Datto-RMM-v9 answered HTTP 404" in result.stderr


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"urls": []}, "is no OpenAPI 3 document"),
        ({"urls": "Datto-RMM-v2"}, "is no OpenAPI 3 document"),
        ({"urls": ["Datto-RMM-v2"]}, "has an entry without `url`"),
        ({"urls": [{"name": "Datto-RMM-v2"}]}, "has an entry without `url`"),
        (
            {"urls": [{"url": f"/{n}", "name": f"{n}"} for n in range(31)]},
            "is no list of documents",
        ),
        ({"url": "http://["}, "is no address"),
        ({"url": "http://x:y/"}, "is no address such as"),
        ({"url": "/round"}, "is no OpenAPI 3 document"),
    ],
)
def test_a_list_that_is_none_is_refused(file: Path, config: dict[str, Any], says: str) -> None:
    with serving(orjson.dumps(config)) as url:
        result = run("--url", f"{url}/list", "--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


# Platforms


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Put other addresses in the platforms' place; the rest of them refuse connections."""

    def put(addresses: Mapping[str, str]) -> None:
        def host_url(config: Mapping[str, Any]) -> str:
            name = config.get("platform")
            return addresses.get(name, "http://127.0.0.1:1") if name else settings.host_url(config)

        monkeypatch.setattr(discovery, "host_url", host_url)

    return put


def test_the_platform_that_is_asked_first_comes_from_the_option_or_the_environment(
    platforms: Callable[[Mapping[str, str]], None], file: Path
) -> None:
    platforms({name: f"http://127.0.0.1:{port}" for port, name in enumerate(PLATFORMS, start=1)})

    def first(*arguments: str, **environment: str) -> str:
        line = run("--output", str(file), *arguments, **environment).stdout.splitlines()[1]
        port = line.removeprefix("  http://127.0.0.1:").partition("/")[0]
        return PLATFORMS[int(port) - 1]

    assert first() == "merlot"
    for name in ("DATTO_PLATFORM", "TAP_DATTO_RMM_PLATFORM"):
        assert first(**{name: "concord"}) == "concord"
    assert first("--platform", "syrah", DATTO_PLATFORM="concord") == "syrah"


@pytest.mark.parametrize("first", ["nowhere", "v2 broken", "down"])
def test_where_one_platform_fails_another_one_is_asked(
    sandbox: Callable[..., Sandbox],
    platforms: Callable[[Mapping[str, str]], None],
    file: Path,
    first: str,
) -> None:
    good = sandbox(devices=1)
    addresses = {"pinotage": good.url}
    if first == "nowhere":
        addresses["merlot"] = sandbox(devices=1, description="nowhere").url
    elif first == "v2 broken":
        addresses["merlot"] = sandbox(devices=1, faults=("status=500:path=v2",)).url
    platforms(addresses)
    result = run("--output", str(file))
    assert result.exit_code == CHANGED, result.output
    assert content_of(file)["x-origin"]["urls"] == [f"{good.url}{DOCS}/{name}" for name in (V2, V3)]
    assert told(content_of(file), packaged()) == []


def test_all_platforms_down_is_one_line_and_each_was_asked(
    platforms: Callable[[Mapping[str, str]], None], file: Path
) -> None:
    platforms({})
    result = run("--output", str(file))
    assert (result.exit_code, is_as_it_was(file)) == (FAILED, True)
    assert len(result.stdout.splitlines()) == 1 + len(PLATFORMS)
    assert len(result.stderr.splitlines()) == 1


def test_platforms_are_never_mixed(
    sandbox: Callable[..., Sandbox],
    platforms: Callable[[Mapping[str, str]], None],
    file: Path,
) -> None:
    half = sandbox(devices=1, faults=("status=500:path=v3$",))
    other_half = sandbox(devices=1, faults=("status=500:path=v2$",))
    platforms({"merlot": half.url, "pinotage": other_half.url})
    assert run("--output", str(file)).exit_code == FAILED
    assert is_as_it_was(file)
    assert run("--output", str(file), "--partial").exit_code == CHANGED
    assert content_of(file)["x-origin"]["urls"] == [f"{half.url}{DOCS}/{V2}"]
