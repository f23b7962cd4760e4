"""The work with dlt: its REST API source, tuned as its performance guide says.

`dlt_rest_api.py URL KEY SECRET SINCE_MS FOLDER`: devices and the changed audits as Parquet files.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import dlt  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.common.configuration import configspec  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.helpers.rest_client import RESTClient  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]  # ty: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = "10"


@configspec
class PasswordGrant(OAuth2ClientCredentials):  # type: ignore[misc]
    """Datto RMM's token call, as dlt's guide on custom authentication has it."""

    def build_access_token_request(self) -> dict[str, Any]:
        """Give what goes into the token call."""
        return {
            "headers": {
                "Authorization": "Basic cHVibGljLWNsaWVudDpwdWJsaWM=",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            "data": {
                "grant_type": "password",
                "username": self.client_id,
                "password": self.client_secret,
            },
        }


def main() -> None:
    """Run the pipeline: extract, normalise, load."""
    url, key, secret, since, folder = sys.argv[1:]
    os.environ |= {
        "EXTRACT__WORKERS": WORKERS,
        "EXTRACT__MAX_PARALLEL_ITEMS": WORKERS,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    base_url = f"{url}/api/v2/"
    auth = PasswordGrant(
        access_token_url=f"{url}/auth/oauth/token", client_id=key, client_secret=secret
    )
    source = rest_api_source(
        {
            "client": {"base_url": base_url, "auth": auth},
            "resources": [
                {
                    "name": "devices",
                    "primary_key": "uid",
                    "max_table_nesting": 0,
                    "parallelized": True,
                    "endpoint": {
                        "path": "account/devices",
                        "params": {"max": 250},
                        "data_selector": "devices",
                        "paginator": {
                            "type": "json_link",
                            "next_url_path": "pageDetails.nextPageUrl",
                        },
                    },
                },
            ],
        },
        name="datto_rmm",
    )
    client = RESTClient(base_url, auth=auth)

    @dlt.transformer(parallelized=True, primary_key="device_uid", max_table_nesting=0)  # type: ignore[untyped-decorator]
    def device_audits(devices: list[dict[str, Any]]) -> Iterator[Any]:
        @dlt.defer  # type: ignore[untyped-decorator]
        def audit(uid: str) -> dict[str, Any]:
            return {"device_uid": uid, **client.get(f"audit/device/{uid}").json()}

        for device in devices:
            if device["lastAuditDate"] > int(since):
                yield audit(device["uid"])

    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.filesystem(f"file://{folder}/out"),
        dataset_name="datto_rmm",
    )
    resources = [source.resources["devices"], source.resources["devices"] | device_audits]
    print(pipeline.run(resources, loader_file_format="parquet"))


if __name__ == "__main__":
    main()
