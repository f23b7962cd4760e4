"""The work with the Singer SDK alone: what its cookiecutter and its guides lead to.

`python -m benchmarks.peers.singer_sdk_tap --config FILE`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator, SingletonMeta
from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import ParseResult

    from singer_sdk.helpers.types import Context

UDFS = 300


class DattoAuthenticator(OAuthAuthenticator, metaclass=SingletonMeta):
    """Datto RMM's password grant."""

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        return {
            "grant_type": "password",
            "username": self.client_id,
            "password": self.client_secret,
        }

    @override
    def update_access_token(self) -> None:
        answer = requests.post(
            str(self.auth_endpoint),
            data=self.oauth_request_body,
            auth=("public-client", "public"),
            timeout=60,
        )
        answer.raise_for_status()
        token = answer.json()
        self.access_token, self.expires_in = token["access_token"], token["expires_in"]
        self.last_refreshed = datetime.now(UTC)


class NextPage(BaseHATEOASPaginator):
    """Follows `pageDetails.nextPageUrl`."""

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        url: str | None = response.json()["pageDetails"]["nextPageUrl"]
        return url


class DattoStream(RESTStream[Any]):
    """A stream of the API."""

    @property
    @override
    def url_base(self) -> str:
        return f"{self.config['api_url']}/api/v2"

    @property
    @override
    def authenticator(self) -> DattoAuthenticator:
        return DattoAuthenticator(
            client_id=self.config["api_key"],
            client_secret=self.config["api_secret"],
            auth_endpoint=f"{self.config['api_url']}/auth/oauth/token",
        )


class Devices(DattoStream):
    """The device list."""

    name = "devices"
    path = "/account/devices"
    primary_keys = ("uid",)
    records_jsonpath = "$.devices[*]"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("uid", th.StringType, required=True),
        th.Property("siteId", th.IntegerType),
        th.Property("siteUid", th.StringType),
        th.Property("siteName", th.StringType),
        th.Property(
            "deviceType",
            th.ObjectType(
                th.Property("category", th.StringType), th.Property("type", th.StringType)
            ),
        ),
        th.Property("hostname", th.StringType),
        th.Property("intIpAddress", th.StringType),
        th.Property("operatingSystem", th.StringType),
        th.Property("lastLoggedInUser", th.StringType),
        th.Property("domain", th.StringType),
        th.Property("cagVersion", th.StringType),
        th.Property("displayVersion", th.StringType),
        th.Property("extIpAddress", th.StringType),
        th.Property("description", th.StringType),
        th.Property("a64Bit", th.BooleanType),
        th.Property("rebootRequired", th.BooleanType),
        th.Property("online", th.BooleanType),
        th.Property("suspended", th.BooleanType),
        th.Property("deleted", th.BooleanType),
        th.Property("lastSeen", th.IntegerType),
        th.Property("lastReboot", th.IntegerType),
        th.Property("lastAuditDate", th.IntegerType),
        th.Property("creationDate", th.IntegerType),
        th.Property(
            "udf",
            th.ObjectType(
                *[th.Property(f"udf{number}", th.StringType) for number in range(1, UDFS + 1)]
            ),
        ),
        th.Property("snmpEnabled", th.BooleanType),
        th.Property("deviceClass", th.StringType),
        th.Property("portalUrl", th.StringType),
        th.Property("warrantyDate", th.StringType),
        th.Property(
            "antivirus",
            th.ObjectType(
                th.Property("antivirusProduct", th.StringType),
                th.Property("antivirusStatus", th.StringType),
            ),
        ),
        th.Property(
            "patchManagement",
            th.ObjectType(
                th.Property("patchStatus", th.StringType),
                th.Property("patchesApprovedPending", th.IntegerType),
                th.Property("patchesNotApproved", th.IntegerType),
                th.Property("patchesInstalled", th.IntegerType),
            ),
        ),
        th.Property("softwareStatus", th.StringType),
        th.Property("webRemoteUrl", th.StringType),
        th.Property("networkProbe", th.BooleanType),
        th.Property("onboardedViaNetworkMonitor", th.BooleanType),
    ).to_dict()

    @override
    def get_new_paginator(self) -> NextPage:
        return NextPage()

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        return dict(parse_qsl(next_page_token.query)) if next_page_token else {"max": 250}

    @override
    def generate_child_contexts(
        self, record: dict[str, Any], context: Context | None
    ) -> Iterable[Context | None]:
        if record["lastAuditDate"] > self.config["since"]:
            yield {"deviceUid": record["uid"]}


class DeviceAudits(DattoStream):
    """The audits of the devices that were audited lately."""

    name = "device_audits"
    path = "/audit/device/{deviceUid}"
    records_jsonpath = "$"
    primary_keys = ("deviceUid",)
    parent_stream_type = Devices
    state_partitioning_keys = ()
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("deviceUid", th.StringType, required=True),
        th.Property("portalUrl", th.StringType),
        th.Property("webRemoteUrl", th.StringType),
        th.Property("systemInfo", th.ObjectType(additional_properties=True)),
        th.Property("bios", th.ObjectType(additional_properties=True)),
        th.Property("baseBoard", th.ObjectType(additional_properties=True)),
        th.Property("snmpInfo", th.ObjectType(additional_properties=True)),
        *[
            th.Property(name, th.ArrayType(th.ObjectType(additional_properties=True)))
            for name in (
                "nics",
                "displays",
                "logicalDisks",
                "mobileInfo",
                "processors",
                "videoBoards",
                "attachedDevices",
                "physicalMemory",
            )
        ],
    ).to_dict()

    @override
    def post_process(
        self, row: dict[str, Any], context: Context | None = None
    ) -> dict[str, Any] | None:
        return {**(context or {}), **row}


class PlainTap(Tap):
    """The tap."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True),
        th.Property("api_secret", th.StringType, required=True),
        th.Property("since", th.IntegerType, required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> list[DattoStream]:
        return [Devices(self), DeviceAudits(self)]


if __name__ == "__main__":
    PlainTap.cli()
