"""The activity log, and the jobs that only it names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_datto_rmm.api import activity_log
from tap_datto_rmm.api.changes import earlier
from tap_datto_rmm.api.completeness import Rows
from tap_datto_rmm.api.fan_out import JOB_CHANNELS, JOB_DEVICES, JOBS, SEPARATOR
from tap_datto_rmm.api.jobs import JOB_PATH, is_active
from tap_datto_rmm.records.timestamps import timestamp_of
from tap_datto_rmm.singer.bookmark import is_too_old
from tap_datto_rmm.streams.fan_out_stream import FanOutStream
from tap_datto_rmm.streams.list_stream import ListStream

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.api.fan_out import Parent
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.singer.bookmark import Marked
    from tap_datto_rmm.streams.sync import Item

KEYS_TO_COMPARE: Final = 100_000
"""The log comes in order, so what comes twice comes soon; a first load may have millions."""

UNFINISHED: Final = frozenset({"pending", "running"})
"""Of a job's results on a device."""

ADMINISTRATOR: Final = "the Administrator security level, as everything from the activity log"


class ActivityLogsStream(ListStream):
    """The account's audit trail."""

    name = "activity_logs"
    path = activity_log.PATH
    component = "ActivityLog"
    primary_keys = ("id",)
    replication_key = "date"
    permission = ADMINISTRATOR

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give the entries since the bookmark less the look-back, oldest first.

        The bookmark follows page by page, as long as they come in that order; it stops before a
        second that the API cannot give.
        """
        log, keys = self.run.activity_log, self.new_deduplicator(recent=KEYS_TO_COMPARE)
        lookback = timedelta(minutes=self.run.settings.lookback_minutes)
        since = earlier(self.bookmark.value, lookback)
        newest: Timestamp | None = None
        in_order = True
        for page in (pages := Rows(log.read(self.client, since))):
            for row in page.rows:
                key = keys.key_of(row)
                if key is None or keys.is_new(key):
                    yield row, None
                date = timestamp_of(row, "date")
                in_order = in_order and (newest or "") <= (date or newest or "")
                newest = max(filter(None, (newest, date)), default=None)
            if in_order and log.gap is None:
                self.advance(newest)
                self.run.write_state()
        if not self.holds_bookmark(pages.completeness):
            self.advance(newest)
        return pages.completeness


class _JobStream(FanOutStream):
    """What the log's entries since the bookmark lead to, and what was unfinished before."""

    permission = ADMINISTRATOR

    @override
    def asked_again(self, started_at: Timestamp) -> set[str]:
        """Ask again for what was not finished when it was read."""
        unfinished = self.bookmark.unfinished.items()
        return {key for key, since in unfinished if not is_too_old(since, started_at)}

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give what the log names; the log has then been read up to the start of the run."""
        self._unfinished: Marked = {}
        completeness = yield from super().read()
        self.bookmark.unfinished = self._unfinished
        if not self.holds_bookmark(self.run.activity_log.completeness):
            self.advance(self.run.activity_log.newest)
        return completeness

    def note_unfinished(self, key: str) -> None:
        """Let the state name what the API will say more of, without a new entry in the log."""
        before = self.bookmark.unfinished
        self._unfinished[key] = before.get(key, self.run.started_at)
        self.bookmark.unfinished = before | self._unfinished


class JobsStream(_JobStream):
    """Jobs."""

    name = "jobs"
    path = JOB_PATH
    component = "Job"
    primary_keys = ("uid",)
    fan_out = JOBS

    @override
    def seen(self, row: object, columns: Mapping[str, Any]) -> None:
        """Note whether the job is under way."""
        self.run.jobs.note(row)
        if is_active(row):
            self.note_unfinished(columns["jobUid"])


class JobComponentsStream(_JobStream):
    """Components that a job runs."""

    name = "job_components"
    path = "/v2/job/{jobUid}/components"
    component = "JobComponent"
    primary_keys = ("jobUid", "uid")
    fan_out = JOBS
    parent_columns = ("jobUid",)
    selected_by_default = False


class JobResultsStream(_JobStream):
    """What a job did on a device."""

    name = "job_results"
    path = "/v2/job/{jobUid}/results/{deviceUid}"
    component = "JobResults"
    primary_keys = ("jobUid", "deviceUid")
    fan_out = JOB_DEVICES
    selected_by_default = False

    @override
    def seen(self, row: object, columns: Mapping[str, Any]) -> None:
        """Note whether the device has finished."""
        status = row.get("jobDeploymentStatus") if isinstance(row, dict) else None
        if isinstance(status, str) and status.lower() in UNFINISHED:
            self.note_unfinished(SEPARATOR.join((columns["jobUid"], columns["deviceUid"])))


class JobOutputsStream(_JobStream):
    """What a job wrote on a device, by component and channel."""

    name = "job_outputs"
    path = "/v2/job/{jobUid}/results/{deviceUid}/{channel}"
    component = "JobStdData"
    primary_keys = ("jobUid", "deviceUid", "componentUid", "channel")
    fan_out = JOB_CHANNELS
    parent_columns = ("jobUid", "deviceUid", "channel")
    selected_by_default = False

    @override
    def dealt_with(self, parent: Parent) -> None:
        """Read it again while the job is under way, even if there was no output."""
        if self.run.jobs.is_active(self.client, parent.columns["jobUid"]):
            self.note_unfinished(parent.key)
