"""The activity log, and the jobs that only it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from tap_datto_rmm.api import activity_log as activities
from tap_datto_rmm.api.fan_out import earlier
from tap_datto_rmm.records.timestamps import timestamp_of
from tap_datto_rmm.streams.base import DattoStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


KEYS_TO_COMPARE: Final = 100_000
"""The log comes in order, so what comes twice comes soon; a first load may have millions."""

ADMINISTRATOR: Final = "the Administrator security level, as everything from the activity log"


class ActivityLogsStream(DattoStream):
    """The account's audit trail."""

    name = "activity_logs"
    path = activities.PATH
    component = "ActivityLog"
    primary_keys = ("id",)
    replication_key = "date"
    follows = "date"
    permission = ADMINISTRATOR

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Give the entries since the bookmark less the look-back, oldest first."""
        since = earlier(self.bookmark, self._tap.settings.lookback_minutes)
        seen = self._new_seen(recent=KEYS_TO_COMPARE)
        for page in self._tap.activities.read(since):
            dates = []
            for row in page.rows:
                key = seen.key_of(row)
                if key is None or seen.add(key):
                    yield row, None
                dates.append(timestamp_of(row, "date"))
            self.advance(max(filter(None, dates), default=None))
            self._tap.write_state()


class _JobStream(DattoStream):
    """What the log's entries since the bookmark lead to."""

    follows = "date"
    permission = ADMINISTRATOR

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Ask for what the log names; the log has then been read up to the start of the run."""
        yield from super().items()
        self.advance(self._tap.started_at)


class JobsStream(_JobStream):
    """Jobs."""

    name = "jobs"
    path = "/v2/job/{jobUid}"
    component = "Job"
    primary_keys = ("uid",)
    parent = "jobs"


class JobComponentsStream(_JobStream):
    """Components that a job runs."""

    name = "job_components"
    path = "/v2/job/{jobUid}/components"
    component = "JobComponent"
    primary_keys = ("jobUid", "uid")
    parent = "jobs"
    adds = ("jobUid",)
    selected_by_default = False


class JobResultsStream(_JobStream):
    """What a job did on a device."""

    name = "job_results"
    path = "/v2/job/{jobUid}/results/{deviceUid}"
    component = "JobResults"
    primary_keys = ("jobUid", "deviceUid")
    parent = "job_devices"
    selected_by_default = False


class JobOutputsStream(_JobStream):
    """What a job wrote on a device, by component and channel."""

    name = "job_outputs"
    path = "/v2/job/{jobUid}/results/{deviceUid}/{channel}"
    component = "JobStdData"
    primary_keys = ("jobUid", "deviceUid", "componentUid", "channel")
    parent = "job_channels"
    adds = ("jobUid", "deviceUid", "channel")
    selected_by_default = False
