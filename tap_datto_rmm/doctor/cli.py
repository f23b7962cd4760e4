"""The command `tap-datto-rmm-doctor`: 0 where a sync would work, 1 where it would not."""

from __future__ import annotations

import json
import logging
import math
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from tap_datto_rmm.doctor.examine import examine
from tap_datto_rmm.doctor.settings import SettingRow, setting_rows, settings_table
from tap_datto_rmm.files import ENVIRONMENT, JsonFile
from tap_datto_rmm.settings import package_version
from tap_datto_rmm.settings.sources import Layer
from tap_datto_rmm.tap import TapDattoRMM, cautions
from tap_datto_rmm.telemetry.screen import LogLines

if TYPE_CHECKING:
    from tap_datto_rmm.doctor.findings import Findings, StreamCheck

PROGRAM: Final = "tap-datto-rmm-doctor"
NARROWEST: Final = 40
"""Columns that the tables need."""
SYNCS: Final = {"full": "The first sync", "hourly": "A later one, each hour"}
MINUTES_IN_WORDS: Final = 100
"""What takes longer is told in hours."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_version(), prog_name=PROGRAM)
@click.option(
    "--config",
    multiple=True,
    type=JsonFile("config"),
    help="Configuration file as for the tap, or ENV for environment variables. May be repeated.",
)
@click.option(
    "--catalog",
    type=JsonFile("catalog"),
    help="Catalog whose selected streams are examined.  [default: those selected by default]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for machines.",
)
def command(config: tuple[Layer | str, ...], catalog: TextIO | None, form: str) -> None:
    """Tell whether a sync would work, and what it would cost.

    Makes about 10 calls to the API, one for each selected stream, one for each that may not be
    read, and one for each 250 entries of the activity log's last hour: 31 for the default streams.
    It writes nothing, asks for every kind of row once, and does not wait where others have used up
    the account's limit. A small `max_requests_per_minute` holds for it, too.

    Exit code 0: a sync would work. 1: it would not, or some streams cannot be read.
    """
    logging.disable(logging.WARNING)  # what matters is told below
    tap = TapDattoRMM(
        config=[each for each in config if isinstance(each, Layer)],
        catalog=json.load(catalog) if catalog else None,
        parse_env_config=ENVIRONMENT in config,
    )
    settings = list(setting_rows(tap.given, tap.known_settings()))
    warnings = [*tap.given.warnings, *cautions(tap)]
    console = Console(quiet=form == "json")
    console.width = max(console.width, NARROWEST)  # some surroundings set COLUMNS=0
    console.print(settings_table(settings))
    for warning in warnings:
        console.print(Text(warning))
    console.print()
    findings = examine(tap, ErrorLines())
    _show(findings, console)
    if form == "json":
        click.echo(json.dumps(_as_json(findings, settings, warnings), indent=2))
    sys.exit(not findings.ok)


class ErrorLines(LogLines):
    """Lines on standard error that tell what is waited for."""

    @override
    def show(self, text: str) -> None:
        click.echo(f"{PROGRAM}: {text}", err=True)


def _as_json(findings: Findings, settings: list[SettingRow], warnings: list[str]) -> dict[str, Any]:
    streams = [
        {
            "stream": one.name,
            "ok": one.ok,
            "message": one.said,
            "calls": {"full": one.cost.full, "hourly": one.cost.hourly},
        }
        for one in findings.streams
    ]
    return {
        "ok": findings.ok,
        "settings": [row._asdict() for row in settings],
        "warnings": warnings,
        "checks": [
            {"check": one.name, "ok": one.ok, "advice": one.advises, "message": one.said}
            for one in findings.checks
        ],
        "account": findings.account,
        "streams": streams,
        "sync": findings.sync,
        "calls_made": findings.calls,
    }


def _show(findings: Findings, console: Console) -> None:
    checks = Table(box=None, show_header=False, pad_edge=False)
    for check in findings.checks:
        checks.add_row(_mark(ok=check.ok, advises=check.advises), check.name, Text(check.said))
    for name, said in findings.account.items():
        mark = "" if said is None else _mark(ok=True)
        why = findings.unknown.get(name, "the API does not tell")
        words = f"not known: {why}" if said is None else _told(said)
        checks.add_row(mark, name.replace("_", " "), Text(words))
    console.print(checks)
    if findings.streams:
        console.print()
        console.print(_streams(findings.streams))
        console.print()
    for name, sync in findings.sync.items():
        about = "at least " if sync["at_least"] else "about " if sync["estimated"] else ""
        console.print(
            f"{SYNCS[name]}: {about}{sync['calls']:,} calls, {_how_long(sync['minutes'])}"
        )
    console.print(_verdict(findings))


def _verdict(findings: Findings) -> str:
    if not findings.ok:
        return "A sync would fail, or lack streams."
    advice = [check.name for check in findings.checks if check.advises]
    return f"A sync would work; see to: {', '.join(advice)}." if advice else "A sync would work."


def _how_long(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    if minutes < MINUTES_IN_WORDS:
        return f"about {math.ceil(minutes)} min"
    return f"about {minutes / 60:,.1f} hours"


def _streams(found: list[StreamCheck]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column()
    table.add_column("stream")
    table.add_column("calls: full", justify="right")
    table.add_column("hourly", justify="right")
    table.add_column()
    for one in found:
        full, hourly = ("1+" if calls is None else _told(calls) for calls in one.cost)
        table.add_row(_mark(ok=one.ok), one.name, full, hourly, Text(one.said))
    return table


def _mark(*, ok: bool, advises: bool = False) -> str:
    if not ok:
        return "[red]FAILS[/]"
    return "[yellow]see to[/]" if advises else "[green]ok[/]"


def _told(said: int | str) -> str:
    return f"{said:,}" if isinstance(said, int) else said
