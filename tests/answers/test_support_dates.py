"""The ends of support are data: each with a source, each looked at within a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from datto_rmm_sandbox.catalogue import SUPPORT_ENDS

if TYPE_CHECKING:
    from tests.answers.tables import Tables


def test_no_date_was_checked_more_than_a_year_ago(tables: Tables) -> None:
    rows = tables.ask("support_dates")
    year_ago = datetime.now(UTC).date() - timedelta(days=365)
    stale = [row["system"] for row in rows if row["checked_on"] < year_ago]
    assert not stale, "Look at the sources in sql/answers/base/support_dates.sql and set checked_on"
    assert all(row["source"].startswith("https://") for row in rows)
    assert len({row["place"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        *SUPPORT_ENDS.items(),
        ("Microsoft Windows 11 Pro Education 10.0.26100", "2026-10-13"),
        ("Microsoft Windows 11 Enterprise 10.0.26100", "2027-10-12"),
        ("Microsoft Windows 11 Enterprise LTSC 10.0.26100", "2029-10-09"),
        ("Microsoft Windows 11 IoT Enterprise LTSC 10.0.26100", "2034-10-10"),
        ("Microsoft Windows 10 Home 10.0.17134", "2025-10-14"),
        ("Microsoft Windows 8.1 Pro 6.3.9600", "2023-01-10"),
        ("Microsoft Windows 7 Professional  6.1.7601", "2020-01-14"),
        ("Microsoft Windows Server 2012 R2 Standard 6.3.9600", "2023-10-10"),
        ("Microsoft Windows Server 2008 R2 Standard 6.1.7601", "2020-01-14"),
        ("Microsoft Windows 11 Pro 10.0.99999", None),
        ("macOS 26.0.1", None),
        (None, None),
    ],
)
def test_each_system_has_the_date_of_its_version_and_edition(
    tables: Tables, name: str | None, ends: str | None
) -> None:
    tables.device(operatingSystem=name)
    (row,) = tables.ask("unsupported_systems")
    assert row["support_ends"] == (date.fromisoformat(ends) if ends else None)
    assert (row["state"] == "unknown") is (ends is None)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ("2026-10-12", "ends within a year"),
        ("2027-10-12", "ends within a year"),
        ("2027-10-13", "out of support"),
        ("2026-10-11", "supported"),
    ],
)
def test_the_last_day_of_support_is_still_supported(tables: Tables, seen: str, state: str) -> None:
    tables.device(lastSeen=seen)  # Windows 11 25H2, until 2027-10-12
    assert [row["state"] for row in tables.ask("unsupported_systems")] == [state]
