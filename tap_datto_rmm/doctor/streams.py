"""Whether each stream can be read, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.api.fan_out import JOB_CHANNELS, JOB_DEVICES, JOBS
from tap_datto_rmm.api.pages import Listing
from tap_datto_rmm.doctor.activity import look_at_the_log
from tap_datto_rmm.doctor.asking import NO_BETTER, total_of
from tap_datto_rmm.doctor.costs import Cost, in_words, minutes
from tap_datto_rmm.doctor.findings import StreamCheck
from tap_datto_rmm.errors import (
    NotAvailableError,
    PermissionDeniedError,
    RequestError,
    TapError,
)
from tap_datto_rmm.streams.activity import ActivityLogsStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_datto_rmm.doctor.asking import Asking
    from tap_datto_rmm.doctor.findings import Findings
    from tap_datto_rmm.streams.base import DattoStream

Found = tuple[bool, str]
"""Whether a stream can be read, and what was seen."""


def ask_for_the_streams(asking: Asking, streams: Sequence[DattoStream]) -> dict[str, Found]:
    """Ask for one answer of each stream.

    Raises:
        AuthenticationError: no other request would do better.
        RateLimitError: the same.
    """
    found: dict[str, Found] = {}
    of_the_log = [stream for stream in streams if stream.bookmark_key == "date"]
    ahead = {
        stream.name: asking.client.submit(_probe, asking, stream)
        for stream in streams
        if stream not in of_the_log
    }
    if of_the_log:
        try:
            _ask_for_the_log(asking)
        except NO_BETTER:
            raise
        except RequestError as error:
            for stream in of_the_log:
                found[stream.name] = False, _without(stream, error)
    for stream in streams:
        if stream.name not in found:
            probe = ahead.get(stream.name)
            found[stream.name] = probe.result() if probe else _probe(asking, stream)
    return found


def count_the_cost(
    asking: Asking, findings: Findings, streams: Sequence[DattoStream], found: Mapping[str, Found]
) -> None:
    """Say of each stream what was found, and what it costs; and what all of them cost."""
    for stream in streams:
        ok, said = found[stream.name]
        cost = asking.figures.cost(stream)
        hours = stream.refresh_hours(asking.settings) or 0
        if ok and hours > 1:
            said += f"; due every {hours:g} hours"
        if ok and None in cost:
            words = in_words(stream, paged=True)
            said += f"; the API does not tell how many rows there are: {words}"
        findings.streams.append(StreamCheck(stream.name, ok, said, cost))
    findings.streams += _lists_for_others(asking, streams)
    pace = sum(asking.seconds) / max(len(asking.seconds), 1) / asking.client.parallel
    for place, name in enumerate(Cost._fields):
        known = [one.cost[place] for one in findings.streams if one.ok]
        calls = sum(number or 0 for number in known)
        findings.sync[name] = {
            "calls": calls,
            "minutes": round(minutes(calls, asking.client.limiter.ceiling, pace), 1),
            "at_least": None in known,
            "estimated": asking.figures.is_estimate,
        }


def _lists_for_others(asking: Asking, streams: Sequence[DattoStream]) -> Iterator[StreamCheck]:
    """Count the lists that are not selected, and are read to know what to ask for."""
    chosen = {stream.name for stream in streams}
    readers: dict[str, list[DattoStream]] = defaultdict(list)
    for stream in streams:
        if stream.fan_out and (name := stream.fan_out.listed_by) not in chosen:
            readers[name].append(stream)
    for name, of_list in readers.items():
        cost = asking.figures.cost_of_list(name, of_list)
        said = "not selected; read for those that are"
        yield StreamCheck(name, name not in asking.errors, said, cost)


def _ask_for_the_log(asking: Asking) -> None:
    """Learn what the account does in an hour, and a job to ask for."""
    size, start = asking.settings.page_size, asking.settings.start_date
    figures = look_at_the_log(asking.client, size, asking.now, start)
    asking.figures.entries = figures.hourly.entries
    asking.figures.is_estimate |= figures.is_estimate
    asking.figures.rows[ActivityLogsStream.name] = figures.full.entries
    for known, activity in (
        (asking.figures.hourly, figures.hourly),
        (asking.figures.parents, figures.full),
    ):
        known[JOBS], known[JOB_DEVICES] = activity.jobs, activity.job_devices
        known[JOB_CHANNELS] = 2 * activity.job_devices
    if figures.sample:
        job, device = figures.sample
        sample = {"jobUid": job, "deviceUid": device, "channel": "stdout"}
        asking.samples |= dict.fromkeys((JOBS, JOB_DEVICES, JOB_CHANNELS), sample)


def _probe(asking: Asking, stream: DattoStream) -> tuple[bool, str]:
    """Ask for one answer of a stream; say whether it can be read, and what was seen."""
    if stream.fan_out and stream.fan_out not in asking.samples:
        if error := asking.errors.get(stream.fan_out.listed_by):
            return False, str(error)
        return True, "not asked: there is nothing to ask it for"
    if isinstance(stream, ActivityLogsStream):  # its last hour has been read
        return True, "readable"
    columns = asking.samples.get(stream.fan_out)
    try:
        page = asking.page(_one_row(stream.listing(columns)))
        further = [asking.page(Listing(path, {"max": 1})) for path in stream.further_paths]
        if page.rows:
            _try_out(stream, page.rows[0], columns)
    except NotAvailableError as error:
        return stream.fan_out is not None, f"nothing there: {error}"
    except NO_BETTER:
        raise
    except TapError as error:
        return False, _without(stream, error)
    totals = [total_of(one) for one in (page, *further)]
    total = None if None in totals else sum(one or 0 for one in totals)
    if total is not None and stream.fan_out is None:
        asking.figures.rows[stream.name] = total
    elif total is not None:
        asking.figures.pages[stream.name] = asking.figures.pages_of(total)
    return True, "readable"


def _try_out(stream: DattoStream, row: object, columns: Mapping[str, Any] | None) -> None:
    """Make a record of a row, and map it, as a sync would."""
    record = stream.new_converter()(row, columns)
    if record is not None:
        list(stream.messages.of(record, None))


def _one_row(listing: Listing) -> Listing:
    query = {**listing.query, "max": 1} if "max" in listing.query else listing.query
    return replace(listing, query=query, paged=False)


def _without(stream: DattoStream, error: TapError) -> str:
    if isinstance(error, PermissionDeniedError):
        error.name_the_need(stream.permission)
    return str(error)
