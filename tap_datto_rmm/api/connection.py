"""The client, set up for Datto RMM: addresses, the way to sign in, and what errors advise."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from tap_datto_rmm.api.quota import QuotaMonitor
from tap_datto_rmm.http.client import Client
from tap_datto_rmm.http.failures import Advice
from tap_datto_rmm.http.rate_limit import RateLimiter
from tap_datto_rmm.http.requests_transport import RequestsTransport
from tap_datto_rmm.http.retry import RetryPolicy
from tap_datto_rmm.http.service import Service

if TYPE_CHECKING:
    from tap_datto_rmm.settings import Settings

API_PATH: Final = "/api"
TOKEN_PATH: Final = "/auth/oauth/token"  # noqa: S105 - a path
"""Lies outside `/api`: below it, the vendor answers 404 (docs/datto-rmm-api.md §1)."""

PUBLIC_PATH: Final = "/v2/system/status"
"""Answers without a token (docs/datto-rmm-api.md §1)."""

TOKEN_SECONDS: Final = 360_000.0
"""A token lives 100 hours (docs/datto-rmm-api.md §1)."""

CLIENT: Final = b"public-client:public"
"""HTTP Basic identity of every API client, published by the vendor; not a secret."""

POLICY: Final = RetryPolicy(block=305.0)
"""The vendor blocks an address for five minutes (docs/datto-rmm-api.md §3)."""

IMPATIENT: Final = RetryPolicy(patience=1, first_patience=1, outage=1, refused=0)
"""For a person who waits for the answer: a refusal is told instead of waited out."""

ADVICE: Final = Advice(
    name="Datto RMM",
    address="`platform`/`api_url`",
    outbound="outbound HTTPS to *.centrastage.net",
    timeout="`request_timeout`",
    socks="install tap-datto-rmm[socks]",
    credentials="Check `api_key`, `api_secret` and `platform`: a key works only on the platform it "
    "was made on, and only while API access is enabled for its user.",
    token="Check that `api_key` has not been revoked and that API access is enabled.",  # noqa: S106
    permission="The API user's security level does not allow this: change it in Datto RMM (Setup > "
    "Security Levels), or deselect the stream.",
    limit="Other tools use up the account's request limit: stop them, or run at another hour.",
    block="The vendor does that for five minutes when requests go on after 429. Stop the tools "
    "that share the address, then run again. If it was never let in, check `api_url` and the "
    "proxy.",
)


def service_of(settings: Settings) -> Service:
    """Say what the client must know of Datto RMM."""
    form = {
        "grant_type": "password",
        "username": settings.api_key,
        "password": settings.api_secret,
    }
    return Service(
        host_url=settings.host_url,
        base_path=API_PATH,
        token_path=TOKEN_PATH,
        token_form=form,
        token_headers={"Authorization": f"Basic {base64.b64encode(CLIENT).decode()}"},
        token_seconds=TOKEN_SECONDS,
        public_path=PUBLIC_PATH,
        pages_have="pageDetails",
        advice=ADVICE,
    )


def connect(settings: Settings, policy: RetryPolicy = POLICY) -> Client:
    """Make the client of a run; nothing is sent yet.

    Args:
        settings: where, as whom, how fast.
        policy: when to give up.
    """
    parallel = settings.max_parallel_requests
    transport = RequestsTransport(settings.user_agent, settings.request_timeout, parallel + 1)
    limiter = RateLimiter(settings.max_requests_per_minute, window=policy.window)
    client = Client(service_of(settings), transport, limiter, policy=policy, parallel=parallel)
    client.before_each_get(QuotaMonitor(client, policy.window).look_when_due)
    return client
