"""The settings as the SDK, `--about` and other tools see them: name, type, default, meaning."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th

PLATFORMS: Final = ("pinotage", "merlot", "concord", "vidal", "zinfandel", "syrah")
"""The vendor's six platforms; a key belongs to one (help page "APIv2", section "Access")."""

MAX_PAGE_SIZE: Final = 250
"""Default and maximum rows per page (`GET /v2/system/pagination`)."""

SHORTEST_TIMEOUT: Final = 0.1
"""Seconds. No exchange over a network is faster; each would be cut off and tried again."""

MOST_HOURS: Final = 8760
"""A year: what is read less often is not kept in step at all."""

STREAM_NAME: Final = r"^[a-z][a-z0-9_]*$"

_CUSTOM_STREAM = th.ObjectType(
    th.Property("name", th.StringType(pattern=STREAM_NAME), required=True, nullable=False),
    th.Property("path", th.StringType(pattern=r"^/\S+$"), required=True, nullable=False),
    th.Property(
        "primary_keys",
        th.ArrayType(th.StringType(nullable=False)),
        required=True,
        nullable=False,
    ),
    th.Property("records_key", th.StringType, description="Array of a page that holds the rows."),
    th.Property("component", th.StringType, description="Schema of the spec."),
    th.Property("schema", th.ObjectType(), description="JSON Schema given in place."),
    th.Property("parent", th.StringType(allowed_values=["sites", "devices"])),
    additional_properties=False,
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API key",
        description="API key of a Datto RMM user (Setup > Users > Generate API Keys).",
    ),
    th.Property(
        "api_secret",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API secret",
        description="API secret key that was shown with the API key.",
    ),
    th.Property(
        "platform",
        th.StringType(allowed_values=PLATFORMS),
        title="Platform",
        description="Platform of the account. Required unless `api_url` is given.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description=(
            "Overrides the URL that follows from `platform`; `https://host` and "
            "`https://host/api` both work."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Nothing older is read by activity logs and resolved alerts.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_PAGE_SIZE),
        default=MAX_PAGE_SIZE,
        title="Page size",
        description="Rows per page.",
    ),
    th.Property(
        "max_requests_per_minute",
        th.IntegerType(minimum=1),
        default=540,
        title="Requests per minute",
        description=(
            "The tap's own budget in any rolling 60 seconds. At 540 of the account's 600 the "
            "vendor starts to slow answers down."
        ),
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(minimum=1),
        default=8,
        title="Parallel requests",
        description="Requests under way at once.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=3600),
        default=60,
        title="Request time-out",
        description="Seconds that one request may take.",
    ),
    th.Property(
        "lookback_minutes",
        th.IntegerType(minimum=0, maximum=525_600),
        default=60,
        title="Look-back",
        description=(
            "Overlap, in minutes, that every incremental stream reads again, the audits included."
        ),
    ),
    th.Property(
        "full_sweep_days",
        th.IntegerType(minimum=1, maximum=3650),
        default=7,
        title="Full sweep",
        description=(
            "Days after which all resolved alerts are read, whatever order the tap has seen them "
            "in."
        ),
    ),
    th.Property(
        "audit_sweep_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=30,
        title="Audit sweep",
        description=(
            "Days within which the audits of every device are read again, spread evenly over the "
            "runs; 0: never."
        ),
    ),
    th.Property(
        "refresh_hours",
        th.ObjectType(additional_properties=th.NumberType(minimum=0, maximum=MOST_HOURS)),
        default={},
        title="Refresh hours",
        description=(
            "Full-table streams that need not be read in each run: stream name or pattern, and "
            'after how many hours it is due again, such as `{"site_*": 24}`.'
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION",
        description=(
            "Lets targets mark or remove rows that a complete full-table read no longer has."
        ),
    ),
    th.Property(
        "deletion_guard_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=20,
        title="Deletion guard",
        description=(
            "With `emit_activate_version_messages`: no such message when more than this share "
            "of the last complete read would vanish."
        ),
    ),
    th.Property(
        "keep_unknown_properties",
        th.BooleanType,
        default=False,
        title="Keep unknown properties",
        description=(
            "Adds an object column `_unknown` with what the API sent and the spec does not know."
        ),
    ),
    th.Property(
        "account_uid",
        th.StringType,
        title="Account",
        description=(
            "Uid of the account that the key must belong to; any other is refused before a record "
            "is written."
        ),
    ),
    th.Property(
        "account_column",
        th.BooleanType,
        default=False,
        title="Account column",
        description=(
            "Adds `accountUid` to every stream and to its primary key, for tables that several "
            "accounts share."
        ),
    ),
    th.Property(
        "report_path",
        th.StringType,
        title="Report",
        description="A JSON file that tells what the run did; it is written when the run ends.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header. Default: tap-datto-rmm/VERSION.",
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(_CUSTOM_STREAM),
        default=[],
        title="Custom streams",
        description="Endpoints of the spec, or outside it, as extra streams (GET only).",
    ),
    th.Property(
        "spec_path",
        th.StringType,
        title="OpenAPI document",
        description="Another OpenAPI document than the packaged one, e.g. a freshly synced one.",
    ),
).to_dict()
