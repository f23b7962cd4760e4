"""One request and its answer: limit, faults, token, permission, the API, delays, delivery."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from datto_rmm_sandbox.answers import (
    HTML,
    HTML_PAGE,
    Answer,
    ApiError,
    Delivery,
    error_answer,
    json_answer,
)
from datto_rmm_sandbox.damage import BEFORE, change
from datto_rmm_sandbox.drift import drift
from datto_rmm_sandbox.journal import Entry
from datto_rmm_sandbox.limits import Verdict
from datto_rmm_sandbox.records import HOUR
from datto_rmm_sandbox.routes import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

    from datto_rmm_sandbox.faults import Fault
    from datto_rmm_sandbox.state import State

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105
TRICKLE_SECONDS = 0.2


class Exchange:
    """An ASGI application that serves one path of the API, or the token call.

    Args:
        state: The sandbox.
        endpoint: The path's template below /api, or the token path.
        route: Makes the answer of a GET request; None for paths that do not exist.
    """

    def __init__(
        self, state: State, endpoint: str, route: Callable[[State, Request], Answer] | None
    ) -> None:
        """Remember what is served."""
        self.state = state
        self.endpoint = endpoint
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Args:
            scope: The connection, whose state holds its transport.
            receive: Gives the request's body.
            send: Takes the answer.
        """
        journal, began = self.state.journal, time.perf_counter()
        request = Request(scope, receive)
        journal.begin()
        answer = Answer(500)
        try:
            answer = await self._answer(request)
            if self._asks_to_wait(answer.status):
                answer.headers["retry-after"] = self.state.quirks.retry_after
            clock = self.state.account.now + self.state.quirks.date_ahead * HOUR
            answer.headers["date"] = formatdate(clock / 1000, usegmt=True)
            await _deliver(answer, scope, receive, send)
        finally:
            entry = Entry(
                at=int(time.time() * 1000),
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                endpoint=self.endpoint,
                status=0 if answer.delivery is Delivery.RESET else answer.status,
                milliseconds=round((time.perf_counter() - began) * 1000, 3),
            )
            journal.end(entry)

    async def _answer(self, request: Request) -> Answer:
        verdict = self._verdict()
        if verdict is Verdict.BLOCKED:
            return Answer(403, HTML_PAGE.replace(b"502 Bad Gateway", b"403 Forbidden"), HTML)
        delay = self._delay()
        if verdict is Verdict.REFUSED:
            answer = self._error(request, ApiError(429))
        else:
            if verdict is Verdict.SLOW:
                delay += self.state.limit.slow_down_seconds
            answer = await self._with_faults(request)
        if answer.is_page:
            delay += self.state.options.page_latency_ms / 1000
        if delay:
            await asyncio.sleep(delay)
        return answer

    def _verdict(self) -> Verdict:
        limit = self.state.limit
        if self.endpoint != TOKEN_PATH:
            return limit.arrive()
        return Verdict.BLOCKED if limit.is_blocked else Verdict.FREE

    def _delay(self) -> float:
        options = self.state.options
        jitter = options.jitter_ms * self.state.dice.random() if options.jitter_ms else 0.0
        return (options.latency_ms + jitter) / 1000

    def _error(self, request: Request, error: ApiError) -> Answer:
        return error_answer(error, request.url.path, self.state.account.now, self.state.quirks)

    def _asks_to_wait(self, status: int) -> bool:
        passing = (
            status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
        return self.state.quirks.retry_after != "none" and (passing or self.state.limit.is_blocked)

    async def _with_faults(self, request: Request) -> Answer:
        fault = self._strike(request)
        try:
            if fault and (instead := await self._instead(fault, request)):
                return instead
            answer = await self._served(request)
            if answer.status == HTTPStatus.OK:
                inside = self._strike(request, answer.body)
                if inside and (instead := await self._instead(inside, request)):
                    return instead
                fault = fault or inside
        except ApiError as error:
            return self._error(request, error)
        return change(answer, fault) if fault else answer

    def _strike(self, request: Request, body: bytes | None = None) -> Fault | None:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        fault = self.state.faults.strike(request.method, path, self.state.account.now, body)
        if fault:
            self.state.journal.faults[fault.kind] += 1
        return fault

    async def _instead(self, fault: Fault, request: Request) -> Answer | None:
        """What comes in the place of the API's answer; None where that stands or is changed."""
        if fault.kind == "revoke":
            self.state.tokens.revoke(request.headers.get("authorization", ""))
        if fault.kind not in BEFORE:
            return None
        instead: Answer | None = await BEFORE[fault.kind](fault)
        return instead

    async def _served(self, request: Request) -> Answer:
        if self.endpoint == TOKEN_PATH:
            return self._token(request, await request.body())
        path = request.url.path.removeprefix("/api/")
        no_such = ApiError(404, f"No static resource {path}.")
        if self.route is None and path.startswith("auth/"):
            raise no_such
        authorization = request.headers.get("authorization", "")
        if self.endpoint not in OPEN and not self.state.tokens.accepts(authorization):
            raise ApiError(401)
        if any(pattern.search(request.url.path) for pattern in self.state.forbidden):
            raise ApiError(403)
        if self.route is None:
            raise no_such
        if request.method != "GET":
            raise ApiError(405)
        answer = self.route(self.state, request)
        if answer.has_next and self.state.quirks.drifts(request.url.path):
            drift(self.state, self.endpoint, request)
        return answer

    def _token(self, request: Request, body: bytes) -> Answer:
        if request.method != "POST":
            raise ApiError(405)
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        token = self.state.tokens.issue(request.headers.get("authorization", ""), form)
        if token:
            return json_answer(token)
        if self.state.quirks.token_failure == "400":  # noqa: S105
            return json_answer(
                {"error": "invalid_grant", "error_description": "Bad credentials"}, 400
            )
        return json_answer({"error": "unauthorized", "error_description": "Bad credentials"}, 401)


async def _deliver(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer, whole or not. A cut is real: the connection ends before the body does."""
    transport = scope["state"]["transport"]
    if answer.delivery is Delivery.RESET:
        _reset(transport)
        await _gone(receive)
        return
    if answer.delivery is Delivery.TRICKLE_HEADERS:
        await _trickle_headers(transport)
        return
    headers = dict(answer.headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        headers["content-type"] = answer.content_type
        if answer.delivery is not Delivery.CUT_CHUNKED:
            headers["content-length"] = str(len(answer.body))
    await send(
        {
            "type": "http.response.start",
            "status": HTTPStatus(answer.status).value,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        },
    )
    if answer.delivery is Delivery.WHOLE:
        await send(_body(answer.body, more=False))
        return
    if answer.delivery is Delivery.TRICKLE:
        await _trickle(answer.body, transport, send)
        return
    await send(_body(answer.body[: len(answer.body) // 2], more=True))
    transport.close()
    await _gone(receive)


async def _trickle(body: bytes, transport: Any, send: Send) -> None:
    """Send a byte now and then: no single wait is long, yet the whole takes for ever."""
    for place in range(len(body)):
        if transport.is_closing():
            return
        await send(_body(body[place : place + 1], more=place + 1 < len(body)))
        await asyncio.sleep(TRICKLE_SECONDS)


async def _trickle_headers(transport: Any) -> None:
    """Send a header that never ends, until the client has had enough."""
    transport.write(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    while not transport.is_closing():
        await asyncio.sleep(TRICKLE_SECONDS)
        transport.write(b"x")


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _reset(transport: Any) -> None:
    """End a connection with a TCP reset: lingering for no time makes the kernel send one."""
    no_time = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time)
    transport.abort()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
