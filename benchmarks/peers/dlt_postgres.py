"""A whole pipeline with dlt: the same streams into PostgreSQL, merged by key, as its docs show it.

`python -m benchmarks.peers.dlt_postgres URL KEY SECRET FOLDER DATABASE_URI STREAM...`: run again
with the same folder, it reads what is new of the audits and of the resolved alerts.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import dlt  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.helpers.rest_client import RESTClient  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator  # type: ignore[import-not-found]  # ty: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]  # ty: ignore[import-not-found]

from benchmarks.peers.dlt_rest_api import WORKERS, PasswordGrant

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS: Final = {
    "sites": ("account/sites", "uid"),
    "devices": ("account/devices", "uid"),
    "alerts": ("account/alerts/open", "alertUid"),
}
"""Path and key, by stream; the array in a page is called as the stream."""
PAGE: Final = {"max": 250}
NEXT: Final = "pageDetails.nextPageUrl"


def list_source(base_url: str, auth: PasswordGrant, streams: list[str]) -> Any:
    """Give the account's lists as resources of dlt's REST API source."""
    resources = [
        {
            "name": stream,
            "primary_key": key,
            "write_disposition": "merge",
            "max_table_nesting": 0,
            "parallelized": True,
            "endpoint": {
                "path": path,
                "params": PAGE,
                "data_selector": stream,
                "paginator": {"type": "json_link", "next_url_path": NEXT},
            },
        }
        for stream, (path, key) in LISTS.items()
        if stream in streams
    ]
    client = {"base_url": base_url, "auth": auth}
    return rest_api_source({"client": client, "resources": resources}, name="datto_rmm")


def resolved_alerts(client: RESTClient) -> Any:
    """Give the resolved alerts, newest first, down to those of the last run."""

    @dlt.resource(  # type: ignore[untyped-decorator]
        table_name="alerts",
        primary_key="alertUid",
        write_disposition="merge",
        max_table_nesting=0,
        parallelized=True,
    )
    def resolved(
        resolved_on: Any = dlt.sources.incremental("resolvedOn", row_order="desc"),  # noqa: ARG001, B008
    ) -> Iterator[Any]:
        yield from client.paginate(
            "account/alerts/resolved",
            params=PAGE,
            data_selector="alerts",
            paginator=JSONLinkPaginator(next_url_path=NEXT),
        )

    return resolved


def audit_resources(client: RESTClient, streams: list[str]) -> dict[str, Any]:
    """Give what is asked for device by device: of those whose audit is newer than at the last run.

    Args:
        client: of the API.
        streams: which of the two.
    """
    since: dict[str, int] = {}

    def changed(devices: list[dict[str, Any]], stream: str) -> Iterator[str]:
        state = dlt.current.resource_state()
        after = since.setdefault(stream, state.get("newest", 0))
        for device in devices:
            audited = device["lastAuditDate"]
            if device["deviceClass"] == "device" and (audited is None or audited > after):
                state["newest"] = max(state.get("newest", 0), audited or 0)
                yield device["uid"]

    options = {"parallelized": True, "max_table_nesting": 0, "write_disposition": "merge"}

    @dlt.transformer(primary_key="deviceUid", **options)  # type: ignore[untyped-decorator]
    def device_audits(devices: list[dict[str, Any]]) -> Iterator[Any]:
        @dlt.defer  # type: ignore[untyped-decorator]
        def audit(uid: str) -> dict[str, Any]:
            return {"deviceUid": uid, **client.get(f"audit/device/{uid}").json()}

        for uid in changed(devices, "device_audits"):
            yield audit(uid)

    @dlt.transformer(primary_key=["deviceUid", "name", "version"], **options)  # type: ignore[untyped-decorator]
    def device_software(devices: list[dict[str, Any]]) -> Iterator[Any]:
        @dlt.defer  # type: ignore[untyped-decorator]
        def software(uid: str) -> list[dict[str, Any]]:
            pages = client.paginate(
                f"audit/device/{uid}/software",
                data_selector="software",
                paginator=JSONLinkPaginator(next_url_path=NEXT),
            )
            return [
                {**row, "deviceUid": uid, "version": row["version"] or ""}
                for page in pages
                for row in page
            ]

        for uid in changed(devices, "device_software"):
            yield software(uid)

    both = {"device_audits": device_audits, "device_software": device_software}
    return {name: resource for name, resource in both.items() if name in streams}


def main() -> None:
    """Run the pipeline: extract, normalise, load."""
    url, key, secret, folder, uri, *streams = sys.argv[1:]
    os.environ |= {
        "EXTRACT__WORKERS": WORKERS,
        "EXTRACT__MAX_PARALLEL_ITEMS": WORKERS,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    base_url = f"{url}/api/v2/"
    auth = PasswordGrant(
        access_token_url=f"{url}/auth/oauth/token", client_id=key, client_secret=secret
    )
    source = list_source(base_url, auth, streams)
    client = RESTClient(base_url, auth=auth)
    devices = source.resources.get("devices")
    resources = [*source.resources.values()]
    resources += [devices | each for each in audit_resources(client, streams).values()]
    if "alerts" in streams:
        resources.append(resolved_alerts(client))
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.postgres(uri),
        dataset_name="dlt_rmm",
    )
    print(pipeline.run(resources))


if __name__ == "__main__":
    main()
