"""The report that the tap leaves of a run, as far as the fleet reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

Status = Literal["complete", "incomplete", "failed", "not_due", "not_reached"]


class AccountReport(BaseModel):
    """Whose rows they are."""

    uid: str | None = None
    name: str | None = None


class StreamReport(BaseModel):
    """One stream's part of a run."""

    status: Status
    records: int = 0
    calls: int = 0
    retries: int = 0
    left_out: int = 0
    outstanding: int = 0
    reasons: list[str] = []
    bookmark: str | None = None


class Report(BaseModel):
    """The whole run."""

    tap: str = ""
    account: AccountReport | None = None
    exit_code: int
    complete: bool
    calls: int = 0
    retries: int = 0
    seconds_waited: float = 0
    streams: dict[str, StreamReport] = {}

    @property
    def records(self) -> int:
        """Rows of all streams."""
        return sum(stream.records for stream in self.streams.values())

    def of_status(self, *statuses: Status) -> list[str]:
        """The streams that ended so."""
        return [name for name, stream in self.streams.items() if stream.status in statuses]


def read(path: Path) -> Report | None:
    """Read a report; None where the tap was killed before it could write one."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
