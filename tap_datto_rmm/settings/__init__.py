"""What a user may set: declared, read from files and the environment, checked, and typed."""

from tap_datto_rmm.settings.cautions import cautions
from tap_datto_rmm.settings.checks import EXPECTED, Problem, problems
from tap_datto_rmm.settings.declaration import CONFIG_SCHEMA, MAX_PAGE_SIZE, PLATFORMS
from tap_datto_rmm.settings.values import (
    LOOPBACK_HOSTS,
    Settings,
    as_utc,
    host_url,
    package_version,
    platform_of,
)

__all__ = [
    "CONFIG_SCHEMA",
    "EXPECTED",
    "LOOPBACK_HOSTS",
    "MAX_PAGE_SIZE",
    "PLATFORMS",
    "Problem",
    "Settings",
    "as_utc",
    "cautions",
    "host_url",
    "package_version",
    "platform_of",
    "problems",
]
