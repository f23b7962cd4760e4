"""Lists that change between two of their pages, as offset paging over live data does.

What changes is the account itself, so that later pages, counts and the truth agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox.routes import ordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.state import State


def _remove_device(state: State) -> None:
    state.account.remove_device(state.account.devices[0])


def _add_device(state: State, *, front: bool) -> None:
    state.account.add_device(front=front)


def _resolve_alert(state: State) -> None:
    state.account.resolve(ordered(state.account.open_alerts, state.account.seed, state.quirks)[0])


def _open_alert(state: State, *, front: bool) -> None:
    account = state.account
    newest_first = state.quirks.alert_order == "newest"
    at = account.now if front == newest_first else account.open_alerts[0].opened - 1
    account.open(account.devices[-1], at)


DRIFTING: dict[str, tuple[Callable[[State], None], Callable[..., None]]] = {
    "/v2/account/devices": (_remove_device, _add_device),
    "/v3/account/devices": (_remove_device, _add_device),
    "/v2/account/alerts/open": (_resolve_alert, _open_alert),
}
"""How a list's first row vanishes, and how a row comes to its front or its end."""


def drift(state: State, endpoint: str) -> None:
    """Change a list after one of its pages was served.

    Args:
        state: The sandbox; `quirks.drift` decides what happens.
        endpoint: The list's path below /api.
    """
    if endpoint not in DRIFTING:
        return
    remove, add = DRIFTING[endpoint]
    state.account.later(1)
    match state.quirks.drift:
        case "remove":
            remove(state)
        case "add":
            add(state, front=True)
        case "swap":
            remove(state)
            add(state, front=False)
