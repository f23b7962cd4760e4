"""Settings that are allowed and most likely not meant: a warning for each.

A sandbox on this machine is spared: there small pages and short time-outs are an experiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pendulum

from tap_datto_rmm.settings.declaration import PLATFORMS
from tap_datto_rmm.settings.values import MOST_PARALLEL, Settings, host_url, is_this_machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SMALL_PAGE: Final = 10
SLOW_BUDGET: Final = 10
ACCOUNT_LIMIT: Final = 600
"""Reads in any rolling minute that the vendor allows all tools of an account together."""
SHORT_TIMEOUT: Final = 5
LONG_LOOKBACK: Final = 7 * 24 * 60
BEFORE_THE_PRODUCT: Final = pendulum.datetime(2000, 1, 1)


def cautions(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which settings are absurd, and what happens.

    Args:
        config: settings that `checks.problems` found nothing wrong with.
    """
    settings = Settings.from_config(config)
    yield from _about_the_account(config, settings)
    if (asked := config.get("max_parallel_requests") or 0) > MOST_PARALLEL:
        yield (
            f"`max_parallel_requests`: {MOST_PARALLEL} are made at once; more would only wait for "
            f"the limit of requests per minute. You asked for {asked}."
        )
    if settings.start_date and settings.start_date < BEFORE_THE_PRODUCT:
        yield "`start_date`: nothing is that old; everything is read, as without it."
    if settings.lookback_minutes > LONG_LOOKBACK:
        days = settings.lookback_minutes // (24 * 60)
        yield f"`lookback_minutes`: each run reads the last {days} days again; an hour is plenty."
    if not is_this_machine(settings.host_url):
        yield from _about_the_pace(settings)


def _about_the_account(config: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    if settings.api_key and settings.api_key == settings.api_secret:
        yield "`api_key` and `api_secret` are the same text; they are two."
    platform = config.get("platform")
    of_url = {host_url({"platform": name}): name for name in PLATFORMS}.get(settings.host_url)
    if platform and of_url and of_url != platform:
        yield f"`api_url` counts, not `platform`: {settings.host_url} is asked, not {platform}."


def _about_the_pace(settings: Settings) -> Iterator[str]:
    if settings.page_size < SMALL_PAGE:
        yield (
            f"`page_size`: with {settings.page_size} rows a page, 1,000 devices take "
            f"{-(-1000 // settings.page_size):,} requests instead of 4."
        )
    if settings.max_requests_per_minute > ACCOUNT_LIMIT:
        yield (
            f"`max_requests_per_minute`: the vendor allows {ACCOUNT_LIMIT} to all tools of an "
            "account together; above it the API refuses, and then blocks this address."
        )
    if settings.max_requests_per_minute < SLOW_BUDGET:
        hours = 1000 / settings.max_requests_per_minute / 60
        yield (
            f"`max_requests_per_minute`: at this pace the audits of 1,000 devices take "
            f"{hours:.0f} hours."
        )
    if settings.request_timeout < SHORT_TIMEOUT:
        yield (
            f"`request_timeout`: the API takes longer than {settings.request_timeout:g} s for many "
            "answers; each is cut off and asked for again."
        )
