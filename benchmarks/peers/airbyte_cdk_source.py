"""The work with Airbyte's CDK: the declarative source of `airbyte.yaml`, ten requests at once.

`airbyte_cdk_source.py read --config FILE --catalog FILE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource  # type: ignore[import-not-found]  # ty: ignore[import-not-found]


def main() -> None:
    """Run the source as Airbyte's own template for manifest-only sources does."""
    given = sys.argv[1:]
    source = YamlDeclarativeSource(
        path_to_yaml=str(Path(__file__).with_name("airbyte.yaml")),
        catalog=YamlDeclarativeSource.read_catalog(AirbyteEntrypoint.extract_catalog(given)),
        config=YamlDeclarativeSource.read_config(AirbyteEntrypoint.extract_config(given)),
        state=None,
    )
    launch(source, given)


if __name__ == "__main__":
    main()
