"""The API's description is published in each way that the vendor has, or might have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox.description import LISTED
from datto_rmm_sandbox.quirks import CHOICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

DOCS = "/v3/api-docs"
WHOLE = {"one-document": "", "old-address": "/Datto-RMM", "bare-address": ""}


def documents(client: Client) -> dict[str, Any]:
    """The documents that the list names, by the name that it gives them."""
    config = client.get(f"{DOCS}/swagger-config").json()
    named = config.get("urls", [{"url": config.get("url"), "name": "all"}])
    base = client.sandbox.url
    return {
        one["name"]: client.session.get(base + one["url"].removeprefix(base), timeout=10).json()
        for one in named
        if "elsewhere.invalid" not in one["url"]
    }


def test_each_way_is_a_switch() -> None:
    assert set(CHOICES["description"]) == set(LISTED)


@pytest.mark.parametrize("way", ["groups", "absolute", "with-others", "contradicting"])
def test_the_parts_hold_all_paths_once_and_what_they_need(
    client: Callable[..., Client], way: str
) -> None:
    whole = client(description="bare-address").get(DOCS).json()
    parts = documents(client(description=way))
    paths = [path for name in LISTED["groups"] for path in parts[name]["paths"]]
    assert sorted(paths) == sorted(whole["paths"])
    assert "DeviceV3" not in parts["Datto-RMM-v2"]["components"]["schemas"]
    assert "DeviceV3" in parts["Datto-RMM-v3"]["components"]["schemas"]
    assert ("Operations" in parts) == (way == "with-others")


@pytest.mark.parametrize("way", WHOLE)
def test_one_document_holds_everything(client: Callable[..., Client], way: str) -> None:
    one = client(description=way)
    whole = one.get(f"{DOCS}{WHOLE[way]}").json()
    assert {"/v2/account", "/v3/account/devices"} <= set(whole["paths"])
    status = one.get(f"{DOCS}/swagger-config").status_code
    assert status == (200 if way == "one-document" else 404)
    if way == "one-document":
        assert documents(one) == {"all": whole}


def test_the_old_address_answers_500_since_there_is_a_list(client: Callable[..., Client]) -> None:
    one = client()
    assert one.get(f"{DOCS}/Datto-RMM").status_code == 500
    assert one.get(DOCS).status_code == 404
    assert one.get(f"{DOCS}/Datto-RMM-v9").status_code == 404


def test_nothing_is_published(client: Callable[..., Client]) -> None:
    one = client(description="nowhere")
    for path in ("", "/swagger-config", "/Datto-RMM", "/Datto-RMM-v2"):
        assert one.get(f"{DOCS}{path}").status_code == 500


def test_a_part_may_be_said_to_lie_on_another_host(client: Callable[..., Client]) -> None:
    urls = client(description="elsewhere").get(f"{DOCS}/swagger-config").json()["urls"]
    assert [one["url"] for one in urls] == [
        "/api/v3/api-docs/Datto-RMM-v2",
        "https://elsewhere.invalid/api/v3/api-docs/Datto-RMM-v3",
    ]
