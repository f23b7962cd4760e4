"""Whether a job is still under way: what it wrote on a device may then grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_datto_rmm.errors import RequestError

if TYPE_CHECKING:
    from tap_datto_rmm.http.client import Client

JOB_PATH: Final = "/v2/job/{jobUid}"
ACTIVE: Final = "active"


class JobStatus:
    """The status of jobs, as the stream of jobs has read it; else asked for, once a job."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._active: dict[str, bool] = {}

    def note(self, row: object) -> None:
        """Look at a row of a job."""
        if isinstance(row, dict) and row.get("uid"):
            self._active[str(row["uid"])] = is_active(row)

    def is_active(self, client: Client, job: str) -> bool:
        """Whether a job is under way; a job that cannot be read is taken for finished."""
        if job not in self._active:
            try:
                self._active[job] = is_active(client.get(JOB_PATH.format(jobUid=job)))
            except RequestError as error:
                if error.ends_the_run:
                    raise
                self._active[job] = False
        return self._active[job]


def is_active(row: object) -> bool:
    """Whether a job's row says that it is under way."""
    status = row.get("status") if isinstance(row, dict) else None
    return isinstance(status, str) and status.lower() == ACTIVE
