"""`refresh_hours`: whose hours they are, and which change nothing."""

from __future__ import annotations

import pytest

from tap_datto_rmm.settings.refresh import hours_of, is_pattern, without_effect

FULL = ["sites", "site_settings", "site_variables", "site_patches", "devices", "users"]
OTHERS = ["alerts", "device_audits", "device_patches"]


@pytest.mark.parametrize(
    ("refresh_hours", "hours"),
    [
        ({}, 0),
        ({"users": 24}, 0),
        ({"site_settings": 24}, 24),
        ({"site_*": 24}, 24),
        ({"*": 6}, 6),
        ({"site_[st]*": 12}, 12),
        ({"site_setting?": 12}, 12),
        ({"site_*": 24, "*_settings": 12}, 12),
        ({"site_*": 24, "site_settings": 48}, 48),
        ({"*": 24, "site_settings": 0}, 0),
    ],
    ids=str,
)
def test_a_name_counts_before_patterns_and_fewer_hours_before_more(
    refresh_hours: dict[str, float], hours: float
) -> None:
    assert hours_of("site_settings", refresh_hours) == hours


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("site_*", None),
        ("users", None),
        ("*", None),
        ("*_patches", None),
        ("user", "no stream matches `user`. Did you mean `users`?"),
        ("divices", "no stream matches `divices`. Did you mean `devices`?"),
        ("sites_*", "no stream matches `sites_*`. Did you mean `sites`?"),
        ("xyz_*", "no stream matches `xyz_*`."),
        ("alerts", "`alerts` has no effect, as alerts reads only what has changed, in each run."),
        (
            "device_*",
            (
                "`device_*` has no effect, as device_audits, device_patches read only what has "
                "changed, in each run."
            ),
        ),
    ],
)
def test_a_pattern_that_changes_nothing_is_told_with_the_nearest_name(
    pattern: str, told: str | None
) -> None:
    wanted = [f"Setting `refresh_hours`: {told}"] if told else []
    assert list(without_effect({pattern: 24}, FULL, OTHERS)) == wanted


@pytest.mark.parametrize("text", ["", "Sites", "site settings", "sites,users", "site-*é"])
def test_what_can_be_no_name_of_a_stream_is_no_pattern(text: str) -> None:
    assert not is_pattern(text)
