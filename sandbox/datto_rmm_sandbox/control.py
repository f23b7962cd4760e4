"""The control plane under /_sandbox: what tests and demonstrations change and look into.

It takes no token and counts against no limit; the sandbox listens on loopback addresses only.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from datto_rmm_sandbox.alerts import alert_row
from datto_rmm_sandbox.checks import pattern
from datto_rmm_sandbox.devices import device_row
from datto_rmm_sandbox.expected import STREAMS, lines
from datto_rmm_sandbox.jobs import job_row
from datto_rmm_sandbox.life import advance
from datto_rmm_sandbox.questions import answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.requests import Request

    from datto_rmm_sandbox.records import Device, Row
    from datto_rmm_sandbox.state import State

LINES_AT_ONCE = 200


def _json(data: object, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status, media_type="application/json")


async def _body(request: Request) -> Row:
    text = await request.body()
    data = orjson.loads(text) if text else {}
    if not isinstance(data, dict):
        message = "the body must be a JSON object"
        raise TypeError(message)
    return data


def _device(state: State, uid: str) -> Device:
    device = state.account.device(uid)
    if device is None:
        message = f"there is no device {uid!r}"
        raise LookupError(message)
    return device


async def health(state: State, _request: Request) -> Response:
    """GET /_sandbox/health: is it there, how big is the account, what time is it in there."""
    account = state.account
    return _json(
        {
            "status": "ok",
            "now": account.now,
            "seed": account.seed,
            "devices": len(account.devices),
            "sites": len(account.sites),
            "open_alerts": len(account.open_alerts),
            "resolved_alerts": len(account.resolved_alerts),
            "activities": len(account.activities),
        },
    )


async def requests(state: State, request: Request) -> Response:
    """GET /_sandbox/requests?last=N: counters and the last N requests (1,000 where left out)."""
    last = int(request.query_params.get("last", "1000"))
    return _json(state.journal.summary(state.tokens.issued, last))


async def forget_requests(state: State, _request: Request) -> Response:
    """DELETE /_sandbox/requests: counters and log start anew."""
    state.journal.reset()
    state.tokens.issued = 0
    return _json({"reset": True})


async def live(state: State, request: Request) -> Response:
    """POST /_sandbox/advance: the account lives for some minutes; answers with what happened."""
    return _json(asdict(advance(state.account, **await _body(request))))


async def faults(state: State, request: Request) -> Response:
    """POST /_sandbox/faults {"faults": [...]}: these faults and no others from now on."""
    state.faults.replace((await _body(request)).get("faults", []))
    return _json(state.faults.struck())


async def show_faults(state: State, _request: Request) -> Response:
    """GET /_sandbox/faults: the faults in force and how often they struck."""
    return _json(state.faults.struck())


async def quirks(state: State, request: Request) -> Response:
    """POST /_sandbox/quirks {"over_max": "refuse", ...}: turns switches."""
    state.quirks = state.quirks.changed(await _body(request))
    state.moves.clear()
    return _json(asdict(state.quirks))


async def revoke_tokens(state: State, _request: Request) -> Response:
    """POST /_sandbox/revoke-tokens: no token is good any more."""
    return _json({"revoked": state.tokens.revoke()})


async def limits(state: State, request: Request) -> Response:
    """POST /_sandbox/limits: rate_limit, rate_window, other_client_rate, latency_ms and so on."""
    changes, limit = await _body(request), state.limit
    reset = changes.pop("reset", False)
    unknown = set(changes) - set(_LIMITS) - set(_LATENCIES)
    if unknown:
        message = f"there is no limit {', '.join(sorted(unknown))}"
        raise ValueError(message)
    state.options = replace(state.options, **changes)  # refuses what makes no sense
    for name, attribute in _LIMITS.items():
        if name in changes:
            setattr(limit, attribute, changes[name])
    if "other_client_rate" in changes:
        limit.set_other(float(changes["other_client_rate"]))
    if reset:
        limit.reset()
    return _json({"count": limit.count(), "blocked": limit.is_blocked})


_LIMITS = {
    "rate_limit": "limit",
    "rate_window": "window",
    "slow_down_seconds": "slow_down_seconds",
    "block_after": "block_after",
    "block_seconds": "block_seconds",
    "other_client_rate": "other_rate",
}
_LATENCIES = ("latency_ms", "page_latency_ms", "jitter_ms")


async def forbid(state: State, request: Request) -> Response:
    """POST /_sandbox/forbid {"paths": [...]}: these paths answer 403 from now on, no others."""
    state.forbidden = [pattern("paths", path) for path in (await _body(request)).get("paths", [])]
    return _json({"paths": [pattern.pattern for pattern in state.forbidden]})


async def add_devices(state: State, request: Request) -> Response:
    """POST /_sandbox/devices {"count": 1, "front": false}: new devices; answers with their rows."""
    body = await _body(request)
    front = bool(body.get("front", False))
    added = [state.account.add_device(front=front) for _ in range(int(body.get("count", 1)))]
    return _json([device_row(state.account, device, state.quirks) for device in added])


async def remove_device(state: State, request: Request) -> Response:
    """DELETE /_sandbox/devices/{uid}: the device leaves the account."""
    state.account.remove_device(_device(state, request.path_params["uid"]))
    return _json({"removed": request.path_params["uid"]})


async def restore_device(state: State, request: Request) -> Response:
    """POST /_sandbox/devices/{uid}/restore: a removed device comes back with its old audit date."""
    uid = request.path_params["uid"]
    if uid not in state.account.removed:
        message = f"no device {uid!r} was removed"
        raise LookupError(message)
    device = state.account.removed[uid]
    state.account.restore_device(device)
    return _json(device_row(state.account, device, state.quirks))


async def audit(state: State, request: Request) -> Response:
    """POST /_sandbox/audit/{uid} {"at": ms or null, "late": ms}: the device is audited.

    Without `at`, now; the device lists show that date `late` milliseconds later.
    """
    device, body = _device(state, request.path_params["uid"]), await _body(request)
    at, late = body.get("at", state.account.now), int(body.get("late", 0))
    state.account.audit(device, at, late=late)
    return _json(device_row(state.account, device, state.quirks))


async def resolve_alert(state: State, request: Request) -> Response:
    """POST /_sandbox/alerts/{uid}/resolve {"at": ms}: resolves an open alert."""
    uid, body = request.path_params["uid"], await _body(request)
    alert = state.account.alert(uid)
    if alert is None or alert.resolved is not None:
        message = f"there is no open alert {uid!r}"
        raise LookupError(message)
    state.account.resolve(alert, body.get("at"))
    return _json(alert_row(state.account, alert))


async def open_alert(state: State, request: Request) -> Response:
    """POST /_sandbox/alerts {"deviceUid": ..., "priority": ..., "at": ms}: opens an alert."""
    body, account = await _body(request), state.account
    device = _device(state, body["deviceUid"]) if "deviceUid" in body else account.devices[0]
    alert = account.open(device, body.get("at", account.now), body.get("priority"))
    return _json(alert_row(account, alert))


async def run_job(state: State, request: Request) -> Response:
    """POST /_sandbox/jobs {"deviceUids": [...], "at": ms}: a job runs, which the log tells."""
    body, account = await _body(request), state.account
    devices = [_device(state, uid) for uid in body.get("deviceUids", [account.devices[0].uid])]
    return _json(job_row(account, account.run_job(devices, body.get("at", account.now))))


async def finish_job(state: State, request: Request) -> Response:
    """POST /_sandbox/jobs/{uid}/finish {"at": ms}: a job ends, which the log does not tell."""
    uid, body = request.path_params["uid"], await _body(request)
    job = state.account.jobs.get(uid)
    if job is None:
        message = f"there is no job {uid!r}"
        raise LookupError(message)
    state.account.finish_job(job, body.get("at"))
    return _json(job_row(state.account, job))


async def expected(state: State, request: Request) -> Response:
    """GET /_sandbox/expected/{stream}: every row of a stream as JSON lines."""
    stream = request.path_params["stream"]
    if stream not in STREAMS:
        message = f"there is no stream {stream!r}; there are {', '.join(STREAMS)}"
        raise LookupError(message)
    return StreamingResponse(_in_turns(lines(state, stream)), media_type="application/x-ndjson")


async def truth(state: State, _request: Request) -> Response:
    """GET /_sandbox/answers: the true answer to every question, by question."""
    return _json(answers(state.account))


async def _in_turns(rows: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Let other requests be served between a few hundred lines."""
    while chunk := b"".join(islice(rows, LINES_AT_ONCE)):
        yield chunk
        await asyncio.sleep(0)


TABLE: tuple[tuple[str, str, Callable[[State, Request], Awaitable[Response]]], ...] = (
    ("GET", "/health", health),
    ("GET", "/requests", requests),
    ("DELETE", "/requests", forget_requests),
    ("POST", "/advance", live),
    ("GET", "/faults", show_faults),
    ("POST", "/faults", faults),
    ("POST", "/quirks", quirks),
    ("POST", "/revoke-tokens", revoke_tokens),
    ("POST", "/limits", limits),
    ("POST", "/forbid", forbid),
    ("POST", "/devices", add_devices),
    ("DELETE", "/devices/{uid}", remove_device),
    ("POST", "/devices/{uid}/restore", restore_device),
    ("POST", "/audit/{uid}", audit),
    ("POST", "/alerts", open_alert),
    ("POST", "/alerts/{uid}/resolve", resolve_alert),
    ("POST", "/jobs", run_job),
    ("POST", "/jobs/{uid}/finish", finish_job),
    ("GET", "/expected/{stream}", expected),
    ("GET", "/answers", truth),
)


def routes(state: State) -> list[Route]:
    """The control plane's routes.

    Args:
        state: The sandbox.

    Returns:
        Routes below /_sandbox. A request that cannot be understood is answered with 400, one for a
        thing that is not there with 404, both with `{"error": ...}`.
    """
    return [Route(path, _guarded(state, call), methods=[method]) for method, path, call in TABLE]


def _guarded(
    state: State, call: Callable[[State, Request], Awaitable[Response]]
) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        try:
            return await call(state, request)
        except LookupError as error:
            return _json({"error": str(error)}, 404)
        except (TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)

    return serve
