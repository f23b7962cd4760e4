"""The command `tap-datto-rmm-select`: the catalog on standard output."""

from __future__ import annotations

import json

import click

from tap_datto_rmm.files import ENVIRONMENT, JsonFile
from tap_datto_rmm.selecting.patterns import select
from tap_datto_rmm.settings import package_version
from tap_datto_rmm.settings.sources import Layer
from tap_datto_rmm.tap import TapDattoRMM

PROGRAM = "tap-datto-rmm-select"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_version(), prog_name=PROGRAM)
@click.option(
    "--config",
    multiple=True,
    type=JsonFile("config"),
    help="As for the tap; needed only where custom streams or other columns are set there.",
)
@click.argument("patterns", nargs=-1, required=True)
def command(config: tuple[Layer | str, ...], patterns: tuple[str, ...]) -> None:
    """Write a catalog in which what the PATTERNS name is selected. No request is made.

    \b
    sites               a stream with all of its columns
    devices.hostname    one column, beside those that always come
    'site_*'            every stream of such a name
    '!devices.udf'      not this
    default             every stream that is selected without a catalog

    Where all patterns begin with !, they take away from `default`.
    """  # noqa: D301 - the backspace is click's: it keeps the lines as they are
    tap = TapDattoRMM(
        config=[each for each in config if isinstance(each, Layer)],
        parse_env_config=ENVIRONMENT in config,
        validate_config=False,
    )
    catalog = tap.catalog_dict
    select(catalog, patterns)
    click.echo(json.dumps(catalog, indent=2))
