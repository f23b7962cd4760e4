"""The command `tap-datto-rmm-spec`: an expected failure is one line and exit code 1."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any, Final

import click
from typing_extensions import override

from tap_datto_rmm.errors import SpecError, TapError
from tap_datto_rmm.files import ENVIRONMENT, JsonFile
from tap_datto_rmm.records.openapi import DOCUMENT_NAME, packaged, wire_exceptions
from tap_datto_rmm.settings import PLATFORMS, package_version
from tap_datto_rmm.settings.reading import SettingsError
from tap_datto_rmm.settings.sources import Layer
from tap_datto_rmm.spec_tools import check as checks
from tap_datto_rmm.spec_tools import findings
from tap_datto_rmm.spec_tools import probe as probing
from tap_datto_rmm.spec_tools import sync as syncs
from tap_datto_rmm.spec_tools.diff import compare
from tap_datto_rmm.spec_tools.discovery import Search, platform_of
from tap_datto_rmm.spec_tools.document import Document
from tap_datto_rmm.spec_tools.merge import merged
from tap_datto_rmm.spec_tools.report import FORMATS, plain, told
from tap_datto_rmm.spec_tools.verdicts import Verdict
from tap_datto_rmm.tap import TapDattoRMM

PROGRAM: Final = "tap-datto-rmm-spec"

UNCHANGED, FAILED, CHANGED = range(3)
"""Exit codes of `sync`."""

PATH: Final = re.compile(r"/v\d+(/(\{\w+\}|[\w.~-]+))+")
"""What `probe` can be told to ask besides."""

FILE = click.Path(path_type=Path)


class _Failure(click.ClickException):
    """Shows a failure in one line; several wrong settings in one line each."""

    exit_code = FAILED

    @override
    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"{PROGRAM}: {line}", err=True)


class _Misuse(click.UsageError):
    """Wrong options: shown as click does, with an exit code that is not that of a change."""

    exit_code = FAILED


class _Group(click.Group):
    """Commands whose expected failures are one line each."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _Misuse(error.format_message(), error.ctx) from None

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TapError as error:
            lines = error.problems if isinstance(error, SettingsError) else [str(error)]
            raise _Failure("\n".join(map(plain, lines))) from None
        except click.UsageError as error:
            raise _Misuse(error.format_message(), error.ctx) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_version(), prog_name=PROGRAM)
def main() -> None:
    """Fetch, compare and prove the OpenAPI document that the tap's schemas are made from."""


@main.command()
@click.option(
    "--platform",
    type=click.Choice(PLATFORMS),
    default="merlot",
    show_default=True,
    envvar=["TAP_DATTO_RMM_PLATFORM", "DATTO_PLATFORM"],
    show_envvar=True,
    help="Platform to ask first; the others follow where it does not give everything.",
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="In place of the platforms: address of an API, of a swagger-config, or of a document. "
    "May be repeated: what they give is merged.",
)
@click.option(
    "--output",
    type=FILE,
    help=f"File to bring up to date.  [default: specs/ of a checkout, else ./{DOCUMENT_NAME}]",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Take over what could be seen even if something could not; the rest stays as it was.",
)
@click.option(
    "--force", is_flag=True, help="Write even if nothing changed, or over a damaged file."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Seconds that each answer may take.",
)
def sync(
    *,
    platform: str,
    urls: tuple[str, ...],
    output: Path | None,
    partial: bool,
    force: bool,
    timeout: float,
) -> None:
    """Take the vendor's newest facts over; descriptions stay as they are.

    Exit code: 0 nothing changed, 2 the file was changed, 1 it failed and the file is as it was.
    """
    search = Search(timeout)
    found = search.addresses(urls) if urls else search.platforms(platform)
    click.echo("Asked:")
    for answer in search.answers:
        click.echo(plain(f"  {answer.url}: {answer.said}"))
    done = syncs.sync(found, output or syncs.default_output(), partial=partial, force=force)
    for line in told(done):
        click.echo(plain(line))
    if done.written:
        click.get_current_context().exit(UNCHANGED if done.same else CHANGED)


@main.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice([Verdict.BREAKING, Verdict.RISKY], case_sensitive=False),
    help="End with exit code 1 where a change is that bad, or worse.",
)
def diff(*, old: Path, new: Path, form: str, fail_on: Verdict | None) -> None:
    """Tell what changed for the streams from OLD to NEW, with a verdict for each change.

    Only what can be read counts, and only facts: other words are no change. OLD and NEW are files,
    or folders: the documents in a folder count as one.
    """
    difference = compare(_read(old), _read(new), wire_exceptions())
    click.echo(FORMATS[form](difference), nl=False)
    order = list(Verdict)
    bad = difference.changes and fail_on and order.index(difference.verdict) <= order.index(fail_on)
    click.get_current_context().exit(FAILED if bad else 0)


@main.command()
@click.argument("file", type=FILE, required=False)
def check(*, file: Path | None) -> None:
    """Prove that every stream can be made from FILE, or else from the packaged document.

    Exit code: 0 every stream can, 1 one cannot.
    """
    found = checks.check(_read(file or packaged(DOCUMENT_NAME)), wire_exceptions())
    click.echo(f"{found.source}: {plain(found.version)}")
    for note in found.notes:
        click.echo(f"  note: {plain(note)}")
    for problem in found.problems:
        click.echo(f"  PROBLEM: {plain(problem)}")
    click.echo(f"Problems: {len(found.problems)}, notes: {len(found.notes)}.")
    click.get_current_context().exit(FAILED if found.problems else 0)


@main.command()
@click.option(
    "--config",
    "configs",
    multiple=True,
    required=True,
    type=JsonFile("config"),
    help="Configuration file as for the tap, or ENV for environment variables. May be repeated.",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    help="Another path to ask, such as /v2/site/{siteUid}/things. May be repeated.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def probe(*, configs: tuple[Layer | str, ...], paths: tuple[str, ...], form: str) -> None:
    """Ask an account each path of the description once, and tell what is not as described.

    Asked are also paths that are talked of and not described. It takes about 50 calls, and nothing
    is written. Told are status, keys, types and forms of dates; every value is left out.

    Exit code: 0 the account was asked, 1 it could not be.
    """
    for path in paths:
        if not PATH.fullmatch(path):
            raise SpecError(f"--path {path}: give a path such as /v2/site/{{siteUid}}/things.")
    logging.disable(logging.WARNING)  # what matters is told below
    tap = TapDattoRMM(
        config=[each for each in configs if isinstance(each, Layer)],
        parse_env_config=ENVIRONMENT in configs,
    )
    platform = platform_of(tap.settings.host_url) or "another host than the vendor's"
    probed = probing.probe(tap, paths)
    if form == "json":
        content = {
            "platform": platform,
            "version": tap.spec.version,
            "paths": [findings.as_content(one) for one in probed],
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(plain(f"Asked: {platform}. Description: {tap.spec.version}."))
    found = []
    for one in probed:
        found.append(one)
        for line in findings.as_lines(one):
            click.echo(plain(line))
    click.echo(findings.summary(found))
    click.echo(findings.BEFORE_SHARING)


def _read(file: Path) -> Document:
    """Read a document, or a folder of documents that are one together."""
    try:
        if file.expanduser().is_dir():
            one = merged(sorted(file.expanduser().glob("*.json")), str(file))
            for note in one.notes:
                click.echo(plain(f"note: {note}"), err=True)
            return one.document
        return Document.parse(file.expanduser().read_bytes(), str(file))
    except OSError as error:
        raise SpecError(f"Cannot read {file}: {error.strerror}.") from None
