"""Lists that change between two of their pages, as offset paging over live data does.

What changes is the account itself, so that later pages, counts and the truth agree. Rows that only
change places are in `moves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox.routes import ordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from datto_rmm_sandbox.records import Site
    from datto_rmm_sandbox.state import State


def _remove_device(state: State, _request: Request) -> None:
    state.account.remove_device(state.account.devices[0])


def _add_device(state: State, _request: Request, *, front: bool) -> None:
    state.account.add_device(front=front)


def _site(state: State, request: Request) -> Site:
    site = state.account.site(request.path_params["site_uid"])
    assert site  # noqa: S101 - its list was served just now
    return site


def _remove_device_of_site(state: State, request: Request) -> None:
    state.account.remove_device(next(iter(_site(state, request).devices.values())))


def _add_device_to_site(state: State, request: Request, *, front: bool) -> None:
    state.account.add_device(front=front, site=_site(state, request))


def _resolve_alert(state: State, _request: Request) -> None:
    state.account.resolve(ordered(state.account.open_alerts, state.account.seed, state.quirks)[0])


def _open_alert(state: State, _request: Request, *, front: bool) -> None:
    account = state.account
    newest_first = state.quirks.alert_order == "newest"
    at = account.now if front == newest_first else account.open_alerts[0].opened - 1
    account.open(account.devices[-1], at)


def _forget_alert(state: State, _request: Request) -> None:
    account = state.account
    account.forget_alert(ordered(account.resolved_alerts, account.seed, state.quirks)[0])


def _add_resolved_alert(state: State, _request: Request, *, front: bool) -> None:
    account = state.account
    newest_first = state.quirks.alert_order == "newest"
    oldest = account.resolved_alerts[0].resolved or account.now
    at = account.now if front == newest_first else oldest - 1
    account.resolve(account.open(account.devices[-1], at), at)


DRIFTING: dict[str, tuple[Callable[[State, Request], None], Callable[..., None]]] = {
    "/v2/account/devices": (_remove_device, _add_device),
    "/v3/account/devices": (_remove_device, _add_device),
    "/v2/site/{site_uid}/devices": (_remove_device_of_site, _add_device_to_site),
    "/v3/site/{site_uid}/devices": (_remove_device_of_site, _add_device_to_site),
    "/v2/site/{site_uid}/devices/network-interface": (_remove_device_of_site, _add_device_to_site),
    "/v2/account/alerts/open": (_resolve_alert, _open_alert),
    "/v2/account/alerts/resolved": (_forget_alert, _add_resolved_alert),
}
"""How a list's first row vanishes, and how a row comes to its front or its end."""


def drift(state: State, endpoint: str, request: Request) -> None:
    """Change a list after one of its pages was served.

    Args:
        state: The sandbox; `quirks.drift` decides what happens.
        endpoint: The list's path below /api.
        request: The request for that page.
    """
    if endpoint not in DRIFTING or state.quirks.drift == "reorder":
        return
    remove, add = DRIFTING[endpoint]
    state.account.later(1)
    match state.quirks.drift:
        case "remove":
            remove(state, request)
        case "add":
            add(state, request, front=True)
        case "swap":
            remove(state, request)
            add(state, request, front=False)
