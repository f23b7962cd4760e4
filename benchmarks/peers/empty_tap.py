"""A Singer SDK tap that does nothing: what the SDK alone takes to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from singer_sdk import Tap
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream


class EmptyTap(Tap):
    """No settings, no streams."""

    name = "tap-empty"
    config_jsonschema: ClassVar[dict[str, object]] = {"type": "object", "properties": {}}

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return []


if __name__ == "__main__":
    EmptyTap.cli()
