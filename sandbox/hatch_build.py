"""Put the API's description from specs/, where both distributions have it, into this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from typing_extensions import override

NAME = "datto-rmm-openapi.json"


class DescriptionHook(BuildHookInterface[Any]):
    """Copies the document, unless it is inside already (a source distribution) or not needed."""

    @override
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the file to take along.

        Args:
            version: `editable` reads it from specs/ instead.
            build_data: what is built; `force_include` is changed.
        """
        document = Path(self.root).parent / "specs" / NAME
        if version != "editable" and document.exists():
            build_data["force_include"][str(document)] = f"datto_rmm_sandbox/specs/{NAME}"
