"""The examination: a few calls, each of which answers a question that a user has before a sync."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.api.connection import IMPATIENT, connect
from tap_datto_rmm.doctor.account import ask_for_the_inventory, ask_for_the_quota
from tap_datto_rmm.doctor.asking import NO_BETTER, Asking
from tap_datto_rmm.doctor.costs import Figures
from tap_datto_rmm.doctor.findings import Findings
from tap_datto_rmm.doctor.streams import ask_for_the_streams, count_the_cost
from tap_datto_rmm.errors import AuthenticationError, RequestError, TransportError
from tap_datto_rmm.streams.course import SelectionError, check_selection
from tap_datto_rmm.telemetry.progress import Progress
from tap_datto_rmm.telemetry.watch import Sources, watching

if TYPE_CHECKING:
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.tap import TapDattoRMM
    from tap_datto_rmm.telemetry.screen import Screen

TOLERABLE_SKEW: Final = timedelta(minutes=1)


def examine(tap: TapDattoRMM, screen: Screen) -> Findings:
    """Ask the API what a user wants to know before a sync, with less patience than a sync has.

    Args:
        tap: with its config and catalog.
        screen: told what is waited for.
    """
    client, findings, progress = connect(tap.settings, IMPATIENT), Findings(), Progress()
    progress.begin("asking the API", client.counters)
    sources = Sources(progress, client.counters, client.limiter, (client.waits_for,))
    try:
        _check_the_selection(tap, findings)
        with watching(sources, screen):
            if _can_sign_in(client, findings):
                _ask(tap, client, findings)
    finally:
        findings.note("specification", tap.spec.version)
        findings.calls = client.counters.calls
        client.close()
    return findings


def _check_the_selection(tap: TapDattoRMM, findings: Findings) -> None:
    try:
        check_selection(tap.input_catalog, tap.all_streams, tap.chosen)
    except SelectionError as error:
        findings.note("selection", str(error), ok=False)


def _can_sign_in(client: Client, findings: Findings) -> bool:
    try:
        token = client.token()
    except TransportError as error:
        findings.note("platform", f"{client.host_url} is not reachable. {error}", ok=False)
        return False
    except AuthenticationError as error:
        findings.note("platform", f"{client.host_url} answers")
        findings.note("key", str(error), ok=False)
        return False
    except RequestError as error:
        findings.note("platform", f"{client.host_url} does not let you in. {error}", ok=False)
        return False
    findings.note("platform", f"{client.host_url} answers")
    findings.note("key", "accepted")
    findings.note("token", f"good for {token.lifetime / 3600:.0f} hours")
    skew = client.clock_offset
    seconds = timedelta(seconds=round(abs(skew.total_seconds())))
    if abs(skew) < TOLERABLE_SKEW:
        findings.note("clock", "right")
        return True
    way = "behind" if skew > timedelta() else "ahead of"
    said = f"this machine's is {seconds} {way} the API's, which counts; set it right"
    findings.note("clock", said, advises=True)
    return True


def _ask(tap: TapDattoRMM, client: Client, findings: Findings) -> None:
    """Ask for the quota and the inventory first; the streams need somebody to ask for."""
    asking = Asking(client, tap.settings, client.now(), Figures(tap.settings))
    try:
        ask_for_the_quota(asking, findings)
        ask_for_the_inventory(asking, findings)
        found = ask_for_the_streams(asking, tap.chosen)
    except NO_BETTER as error:
        findings.note("requests", str(error), ok=False)
        return
    count_the_cost(asking, findings, tap.chosen, found)
