"""The API's description that the sandbox publishes."""

from __future__ import annotations

from pathlib import Path

NAME = "datto-rmm-openapi.json"


def document() -> Path:
    """Where the document lies: inside the installed package, in a checkout under specs/."""
    package = Path(__file__).parent
    inside = package / "specs" / NAME
    return inside if inside.exists() else package.parents[1] / "specs" / NAME
