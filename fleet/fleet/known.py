"""The names of the tap's and the target's settings: a key that neither has is found at once.

They stand here because the accounts file is also checked where neither program is installed. A
test holds them to what the programs say of themselves.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIKENESS = 0.6
"""From 0 to 1; a name that is less like the one that was given is not meant."""


@dataclass(frozen=True, slots=True)
class Known:
    """The settings of a program."""

    settings: frozenset[str]
    """Those that the accounts file may hold."""
    elsewhere: Mapping[str, str]
    """Those that it may not, and why."""

    def check(self, name: str) -> str:
        """Give a setting's name back.

        Raises:
            ValueError: there is none of this name, or it has its place elsewhere.
        """
        if name in self.elsewhere:
            raise ValueError(self.elsewhere[name])
        if name not in self.settings:
            raise ValueError(no_such_key(name, self.settings))
        return name


def no_such_key(name: str, known: Iterable[str]) -> str:
    """Word what is wrong with a key that nobody knows."""
    return f"there is no such key.{did_you_mean(name, known)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Word the nearest name as the end of a message, a blank before it; empty without one."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=LIKENESS)
    return f" Did you mean `{close[0]}`?" if close else ""


_OF_THE_SDK = frozenset(
    {"faker_config", "flattening_enabled", "flattening_max_depth", "flattening_max_key_length"}
    | {"flattening_separator", "stream_map_config", "stream_maps"}
)

IN_ITS_ENTRY = "write it in the account's entry, outside of `settings`"
BY_THE_FLEET = "the fleet sets it itself"
IN_THE_ADDRESS = "write it in the warehouse's address, the secret that `warehouse` names"

TAP = Known(
    _OF_THE_SDK
    | {"account_column", "audit_sweep_days", "custom_streams", "deletion_guard_percent"}
    | {"emit_activate_version_messages", "full_sweep_days", "keep_unknown_properties"}
    | {"lookback_minutes", "max_parallel_requests", "max_requests_per_minute", "page_size"}
    | {"refresh_hours", "request_timeout", "spec_path", "start_date", "user_agent"},
    {
        **dict.fromkeys(("api_key", "api_secret", "api_url", "platform"), IN_ITS_ENTRY),
        "account_uid": "write it as `uid` in the account's entry",
        "report_path": BY_THE_FLEET,
    },
)

TARGET = Known(
    _OF_THE_SDK
    | {"activate_version", "add_record_metadata", "batch_size_rows", "hard_delete"}
    | {"interpret_content_encoding", "load_method", "process_activate_version_messages"}
    | {"sanitize_null_text_characters", "use_copy", "validate_records"},
    {
        "default_target_schema": BY_THE_FLEET,
        # The fleet's own connection would know nothing of these.
        **dict.fromkeys(
            {"database", "dialect+driver", "host", "password", "port", "sqlalchemy_url", "user"}
            | {"ssh_tunnel", "ssl_certificate_authority", "ssl_client_certificate"}
            | {"ssl_client_certificate_enable", "ssl_client_private_key", "ssl_enable"}
            | {"ssl_mode", "ssl_storage_directory"},
            IN_THE_ADDRESS,
        ),
    },
)
