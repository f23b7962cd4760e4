"""The examination: a few calls, each of which answers a question that a user has before a sync."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_datto_rmm.api.account import ACCOUNT_PATH, DELETED_DEVICES, SITES_PATH
from tap_datto_rmm.api.connection import IMPATIENT, connect
from tap_datto_rmm.api.devices import DEVICES_PATH
from tap_datto_rmm.api.fan_out import (
    COMPUTERS,
    DEVICES,
    ESXI_HOSTS,
    JOB_CHANNELS,
    JOB_DEVICES,
    JOBS,
    PRINTERS,
    SITES,
)
from tap_datto_rmm.api.pages import Listing, Page, fetch_page
from tap_datto_rmm.api.quota import QuotaMonitor
from tap_datto_rmm.doctor.activity import HOUR, look_at_the_log
from tap_datto_rmm.doctor.costs import Cost, Figures, in_words, minutes
from tap_datto_rmm.errors import (
    AuthenticationError,
    NotAvailableError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    TransportError,
)
from tap_datto_rmm.records.timestamps import canonical, timestamp_of
from tap_datto_rmm.settings import MAX_PAGE_SIZE
from tap_datto_rmm.streams.activity import ActivityLogsStream
from tap_datto_rmm.streams.alerts import AlertsStream

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tap_datto_rmm.api.fan_out import FanOut
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.streams.base import DattoStream
    from tap_datto_rmm.tap import TapDattoRMM

TOLERABLE_SKEW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Check:
    """An answer to one question."""

    name: str
    ok: bool
    said: str
    advises: bool = False
    """There is something to do, although a sync would work."""


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """What was found of one selected stream."""

    name: str
    ok: bool
    """False: it cannot be read."""
    said: str
    cost: Cost


@dataclass(slots=True)
class Findings:
    """All answers."""

    checks: list[Check] = field(default_factory=list)
    streams: list[StreamCheck] = field(default_factory=list)
    account: dict[str, int | str | None] = field(default_factory=dict)
    """Its name, and how many sites, devices and open alerts it has."""
    sync: dict[str, dict[str, float | bool]] = field(default_factory=dict)
    """Of a `full` and an `hourly` sync: `calls`, `minutes`, and whether it is `at_least` that."""
    calls: int = 0
    """That the examination took."""

    @property
    def ok(self) -> bool:
        """Whether a sync would work."""
        return all(one.ok for one in self.checks) and all(one.ok for one in self.streams)

    def note(self, name: str, said: str, *, ok: bool = True, advises: bool = False) -> None:
        """Add an answer."""
        self.checks.append(Check(name, ok, said, advises))


def examine(tap: TapDattoRMM) -> Findings:
    """Ask the API what a user wants to know before a sync, with less patience than a sync has.

    Args:
        tap: with its config and catalog.
    """
    client, findings = connect(tap.settings, IMPATIENT), Findings()
    try:
        if _can_sign_in(client, findings):
            _Examination(tap, client, findings).run()
    finally:
        findings.note("specification", tap.spec.version)
        findings.calls = client.counters.calls
        client.close()
    return findings


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


class _Examination:
    """What is asked once the API has let us in."""

    def __init__(self, tap: TapDattoRMM, client: Client, findings: Findings) -> None:
        self._client = client
        self._settings = tap.settings
        self._streams = tap.chosen
        self._findings = findings
        self._now = client.now()
        self._figures = Figures(tap.settings)
        self._samples: dict[FanOut | None, dict[str, Any]] = {}
        self._seconds: list[float] = []
        self._found: dict[str, tuple[bool, str]] = {}

    def run(self) -> None:
        """Ask for the quota and the inventory first; the streams need parents to ask for."""
        try:
            self._ask_for_the_quota()
            self._ask_for_the_inventory()
            self._ask_for_the_streams()
        except (AuthenticationError, RateLimitError) as error:
            self._findings.note("requests", str(error), ok=False)
            return
        self._count_the_cost()

    def _ask_for_the_quota(self) -> None:
        try:
            quota = QuotaMonitor(self._client).look()
        except (AuthenticationError, RateLimitError):
            raise
        except RequestError as error:
            self._findings.note("quota", f"not known: {error}", advises=True)
            return
        self._findings.note(
            "quota",
            f"{quota.used} of the account's {quota.limit} requests a minute are used, "
            f"{quota.others} by other tools; the tap may make {self._client.limiter.ceiling}",
        )

    def _ask_for_the_inventory(self) -> None:
        size = {"max": self._settings.page_size}
        listings = [
            Listing(ACCOUNT_PATH, paged=False),
            *(Listing(path, size) for path in (SITES_PATH, DEVICES_PATH, AlertsStream.path)),
        ]
        asked = [self._client.submit(self._page, listing) for listing in listings]
        account, sites, devices, alerts = (self._page_or_none(page) for page in asked)
        row = account.rows[0] if account and account.rows else {}
        found: dict[str, int | str | None] = {
            "name": row.get("name") if isinstance(row, dict) else None,
            "uid": row.get("uid") if isinstance(row, dict) else None,
            "sites": _total(sites),
            "devices": _total(devices),
            "open_alerts": _total(alerts),
        }
        self._findings.account = found
        self._note_sites(sites)
        self._note_devices(devices)

    def _note_sites(self, page: Page | None) -> None:
        found = _objects(page)
        real = [row for row in found if row.get("name") != DELETED_DEVICES]
        if real:
            self._samples[SITES] = {"siteUid": real[0].get("uid")}
        if (total := _total(page)) is not None:
            self._figures.parents[SITES] = total - (len(found) - len(real))

    def _note_devices(self, page: Page | None) -> None:
        rows, total = _objects(page), _total(page)
        recent = canonical(self._now - HOUR)
        for row in rows:
            self._samples.setdefault(DEVICES, {"deviceUid": row.get("uid")})
        for fan_out in (COMPUTERS, ESXI_HOSTS, PRINTERS):
            of_class = [row for row in rows if row.get("deviceClass") == fan_out.device_class]
            if of_class:
                self._samples[fan_out] = {"deviceUid": of_class[0].get("uid")}
            if total is not None and rows:
                audited = [timestamp_of(row, "lastAuditDate") for row in of_class]
                new = sum(not date or date >= recent for date in audited)
                self._figures.parents[fan_out] = round(total * len(of_class) / len(rows))
                self._figures.hourly[fan_out] = round(total * new / len(rows))
        if total is not None:
            self._figures.parents[DEVICES] = total

    def _ask_for_the_log(self) -> None:
        """Learn what the account does in an hour, and a job to ask for."""
        size, start = self._settings.page_size, self._settings.start_date
        figures = look_at_the_log(self._client, size, self._now, start)
        self._figures.entries = figures.hourly.entries
        self._figures.rows[ActivityLogsStream.name] = figures.full.entries
        for known, activity in (
            (self._figures.hourly, figures.hourly),
            (self._figures.parents, figures.full),
        ):
            known[JOBS], known[JOB_DEVICES] = activity.jobs, activity.job_devices
            known[JOB_CHANNELS] = 2 * activity.job_devices
        if figures.sample:
            job, device = figures.sample
            sample = {"jobUid": job, "deviceUid": device, "channel": "stdout"}
            self._samples |= dict.fromkeys((JOBS, JOB_DEVICES, JOB_CHANNELS), sample)

    def _ask_for_the_streams(self) -> None:
        of_the_log = [stream for stream in self._streams if stream.bookmark_key == "date"]
        ahead = {
            stream.name: self._client.submit(self._probe, stream)
            for stream in self._streams
            if stream not in of_the_log
        }
        if of_the_log:
            try:
                self._ask_for_the_log()
            except PermissionDeniedError as error:
                for stream in of_the_log:
                    self._found[stream.name] = False, _without(stream, error)
        for stream in self._streams:
            if stream.name not in self._found:
                probe = ahead.get(stream.name)
                self._found[stream.name] = probe.result() if probe else self._probe(stream)

    def _probe(self, stream: DattoStream) -> tuple[bool, str]:
        """Ask for one answer of a stream; say whether it can be read, and what was seen."""
        if stream.fan_out and stream.fan_out not in self._samples:
            return True, "not asked: there is nothing to ask it for"
        if isinstance(stream, ActivityLogsStream):  # its last hour has been read
            return True, "readable"
        try:
            page = self._page(self._one_row(stream.listing(self._samples.get(stream.fan_out))))
        except NotAvailableError as error:
            return stream.fan_out is not None, f"nothing there: {error}"
        except PermissionDeniedError as error:
            return False, _without(stream, error)
        except (AuthenticationError, RateLimitError):
            raise
        except RequestError as error:
            return False, str(error)
        further = [self._page(Listing(path, {"max": 1})) for path in stream.further_paths]
        totals = [_total(one) for one in (page, *further)]
        total = None if None in totals else sum(one or 0 for one in totals)
        if total is not None and stream.fan_out is None:
            self._figures.rows[stream.name] = total
        elif total is not None:
            self._figures.pages[stream.name] = max(1, math.ceil(total / MAX_PAGE_SIZE))
        return True, "readable"

    def _one_row(self, listing: Listing) -> Listing:
        query = {**listing.query, "max": 1} if "max" in listing.query else listing.query
        return replace(listing, query=query, paged=False)

    def _page(self, listing: Listing) -> Page:
        started = time.monotonic()
        page = fetch_page(self._client, listing)
        self._seconds.append(time.monotonic() - started)
        return page

    def _page_or_none(self, page: Future[Page]) -> Page | None:
        try:
            return page.result()
        except (AuthenticationError, RateLimitError):
            raise
        except RequestError:
            return None  # the stream's own probe tells why

    def _count_the_cost(self) -> None:
        findings, client = self._findings, self._client
        for stream in self._streams:
            ok, said = self._found[stream.name]
            cost = self._figures.cost(stream)
            hours = stream.refresh_hours(self._settings) or 0
            if ok and hours > 1:
                said += f"; due every {hours:g} hours"
            if ok and None in cost:
                words = in_words(stream, paged=True)
                said += f"; the API does not tell how many rows there are: {words}"
            findings.streams.append(StreamCheck(stream.name, ok, said, cost))
        pace = sum(self._seconds) / max(len(self._seconds), 1) / client.parallel
        for place, name in enumerate(Cost._fields):
            known = [one.cost[place] for one in findings.streams if one.ok]
            calls = sum(number or 0 for number in known)
            findings.sync[name] = {
                "calls": calls,
                "minutes": round(minutes(calls, client.limiter.ceiling, pace), 1),
                "at_least": None in known,
            }


def _objects(page: Page | None) -> list[dict[str, Any]]:
    return [row for row in (page.rows if page else ()) if isinstance(row, dict)]


def _total(page: Page | None) -> int | None:
    if page is None or page.total is not None:
        return page.total if page else None
    return len(page.rows) if page.next_query is None else None


def _without(stream: DattoStream, error: PermissionDeniedError) -> str:
    error.name_the_need(stream.permission)
    return str(error)
