"""Data issues: each kind is logged once, all are counted, and no value is in a line."""

from __future__ import annotations

from tap_datto_rmm.records.data_issues import MOST_NAMES, DataIssues


def test_an_api_that_names_properties_by_what_is_in_them_does_not_fill_the_log() -> None:
    logged: list[str] = []
    issues = DataIssues(logged.append)
    for number in range(2 * MOST_NAMES):
        issues.unknown_property(f"at.{number}", kept=False)
    assert len(logged) == MOST_NAMES
    assert len(issues.unknown) == MOST_NAMES + 1
    assert issues.unknown["others"] == MOST_NAMES


def test_a_name_is_one_short_line_whatever_the_api_sends() -> None:
    logged: list[str] = []
    DataIssues(logged.append).unknown_property("a\nb" + "x" * 1000, kept=True)
    (line,) = logged
    assert "\n" not in line
    assert "goes into `_unknown`" in line
    assert len(line) < 300


def test_what_is_left_out_is_counted_by_cause() -> None:
    issues = DataIssues(lambda _: None)
    for why in ("is no object", "has no usable primary key", "is no object"):
        issues.leave_out(why)
    assert issues.left_out == {"is no object": 2, "has no usable primary key": 1}
