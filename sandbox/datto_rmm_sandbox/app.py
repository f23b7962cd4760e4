"""The whole sandbox as one Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from datto_rmm_sandbox import control
from datto_rmm_sandbox.exchange import TOKEN_PATH, Exchange
from datto_rmm_sandbox.life import advance
from datto_rmm_sandbox.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from datto_rmm_sandbox.state import State

HEARTBEAT = 1.0
"""Real seconds between two steps of a living account."""


def application(state: State) -> Starlette:
    """Put the API, the token call and the control plane together.

    Args:
        state: The sandbox.

    Returns:
        An ASGI application; it expects the connection's transport in the scope's state.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        heart = asyncio.create_task(_live(state))
        yield
        heart.cancel()

    api = [Route(f"/api{path}", Exchange(state, path, route)) for path, route in ROUTES.items()]
    return Starlette(
        routes=[
            *api,
            Route(TOKEN_PATH, Exchange(state, TOKEN_PATH, None)),
            Mount("/_sandbox", routes=control.routes(state)),
            Route("/api/{rest:path}", Exchange(state, "(no such path)", None)),
        ],
        lifespan=lifespan,
    )


async def _live(state: State) -> None:
    while state.options.live > 0:
        await asyncio.sleep(HEARTBEAT)
        advance(state.account, state.options.live * HEARTBEAT / 60)
