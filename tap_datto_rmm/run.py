"""The run: what the streams of one sync share, put together and handed over as one plain object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.api.activity_log import ActivityLog
from tap_datto_rmm.api.fan_out import JOB_CHANNELS, JOB_DEVICES
from tap_datto_rmm.api.jobs import JobStatus
from tap_datto_rmm.api.wiring import inventory
from tap_datto_rmm.errors import RequestError, TapError
from tap_datto_rmm.records.timestamps import canonical
from tap_datto_rmm.singer.account_guard import identify, refuse_others
from tap_datto_rmm.singer.bookmark import Bookmark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_datto_rmm.api.fan_out import Demand, FanOut
    from tap_datto_rmm.api.inventory import Inventory
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.openapi import Spec
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.settings import Settings
    from tap_datto_rmm.telemetry.progress import Progress
    from tap_datto_rmm.telemetry.report import RunReport


@dataclass(slots=True, kw_only=True)
class Run:
    """One sync."""

    settings: Settings
    client: Client
    spec: Spec
    inventory: Inventory
    activity_log: ActivityLog
    jobs: JobStatus
    progress: Progress
    report: RunReport
    state: Any
    """As the last STATE message has it, or the next one will."""
    write_state: Callable[[], None]
    """Writes a STATE message where anything has changed since the last one."""
    started_at: Timestamp
    """When the run began; no bookmark goes beyond."""
    account_uid: str | None = None
    """The account's uid; None where it may not be read."""

    def is_fatal(self, error: TapError) -> bool:
        """Whether no other stream could do better."""
        ends_the_run = isinstance(error, RequestError) and error.ends_the_run
        return ends_the_run or not self.client.signed_in

    def remember_unlisted(self) -> None:
        """Let the state remember the devices that the account counts and no list has."""
        bookmark = Bookmark(self.state, "devices", None)
        bookmark.set("unlisted", self.inventory.devices.unlisted)

    def guard_the_account(self) -> None:
        """Find out whose account it is.

        Raises:
            AccountError: it is not the one that the settings or the state name.
        """
        of_stream = self.report.streams.get("account")
        client = self.client.for_stream(of_stream.counters) if of_stream else self.client
        self.progress.begin("looking up the account", None)
        uid, name = identify(lambda: self.inventory.account.row(client), self.settings)
        self.account_uid = uid
        self.report.account = {"uid": uid, "name": name}
        if uid is not None:
            refuse_others(uid, name, self.settings, Bookmark(self.state, "account", None))


def begin(
    settings: Settings,
    client: Client,
    spec: Spec,
    report: RunReport,
    *,
    state: Any,
    write_state: Callable[[], None],
    demands: Sequence[tuple[FanOut, Callable[[Settings, Timestamp], Demand]]] = (),
) -> Run:
    """Put a run together.

    Args:
        settings: checked.
        client: asks for a token here, whose answer tells the API's time.
        spec: the OpenAPI document in use.
        report: of the run.
        state: read and changed in place.
        write_state: writes it.
        demands: what each fan-out stream will ask for: nothing else is remembered.

    Raises:
        RequestError: there is no token.
    """
    client.token()
    progress = report.progress
    started_at = canonical(client.now().replace(microsecond=0))
    asked = [(fan_out, demand(settings, started_at)) for fan_out, demand in demands]
    unlisted = Bookmark(state, "devices", None).get("unlisted") or 0
    activity_log = ActivityLog(
        settings.page_size,
        started_at,
        canonical(settings.start_date) if settings.start_date else None,
        progress,
        keeps_devices=any(fan_out in (JOB_DEVICES, JOB_CHANNELS) for fan_out, _ in asked),
    )
    return Run(
        settings=settings,
        client=client,
        spec=spec,
        inventory=inventory(
            settings.page_size,
            progress,
            started_at,
            asked,
            unlisted,
            again=settings.emit_activate_version_messages,
        ),
        activity_log=activity_log,
        jobs=JobStatus(),
        progress=progress,
        report=report,
        state=state,
        write_state=write_state,
        started_at=started_at,
    )
