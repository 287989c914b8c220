"""Requests that another process of the cluster has to answer: carried to it, and its answer back.

A handler that finds that something does not live here raises `NotHere`; then the request itself is
handed to the process that has it (`actors/cluster/carried.py`), of which the rights of the caller
were checked here, and runs there through the same app. So a handler raises it before it has done
anything: what it did would be done again. Handlers that only lack a part of their answer ask for
that with `asked_of`, and do without where nobody answers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from quart import Response, g, request

from actors.cluster.carried import NotCarried
from actors.cluster.messages import CarriedAnswer, CarriedRequest
from actors.fleetwide import NotHere
from api.http.auth import Caller, Scope
from api.http.problems import INTERNAL, MAILBOX_FULL, NO_OWNER, NO_REPLY, Problem
from api.http.requests import read_bytes
from api.http.services import application
from store.engine.shards import shard_of

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

CARRIED = "lamplighter.carried"
"""The key in an ASGI scope under which a request that was carried here lies; no header sets it."""
HEADERS = (
    "Content-Type",
    "Accept",
    "Idempotency-Key",
    "Prefer",
    "If-Match",
    "Content-Range",
    "X-Request-ID",
)
"""What handlers read."""
NOT_CARRIED_BACK = frozenset(
    {"content-length", "connection", "transfer-encoding", "date", "server"}
)
EVERYTHING = "everything"
"""The scope of a caller where no tokens are configured."""


def at_owner(dev_eui: str) -> None:
    """Go on only where the light's actor runs, or where no process has it. Raises NotHere."""
    here = application()
    if here.carrier is None or dev_eui in here.fleet.actors:
        return
    if dev_eui in here.board.devices:
        raise NotHere("the light's actor runs in another process", shard_of(dev_eui))


def at_fleet() -> None:
    """Go on only where what there is once for the fleet runs. Raises NotHere."""
    if not application().fleetwide_is_here:
        raise NotHere("another process runs this, or none")


async def asked_of(shard: str, timeout_s: float) -> bytes | None:
    """What the owner of this shard answers to the request that is being answered here; None where
    that is this process, or nobody answers well in time."""
    carrier = application().carrier
    if carrier is None or _carried() is not None:
        await trio.lowlevel.checkpoint()
        return None
    answer = await carrier.carry(shard, await _as_message(), timeout_s)
    if isinstance(answer, CarriedAnswer) and answer.status == 200:
        return answer.body
    return None


def caller_of(carried: CarriedRequest) -> Caller:
    """Who asked, as the process says that took the request."""
    scope = None if carried.scope == EVERYTHING else Scope(carried.scope)
    return Caller(scope, carried.caller, carried.peer, carried.sight)


class CarriedHere:
    """Runs requests that were carried here through the app: `Carrier.serve`."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, carried: CarriedRequest) -> CarriedAnswer:
        """Answer as over HTTP."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": carried.method,
            "scheme": "http",
            "path": carried.path,
            "raw_path": carried.path.encode(),
            "query_string": carried.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), text.encode()) for name, text in carried.headers],
            "client": ("", 0),
            "server": ("", 0),
            "extensions": {},
            CARRIED: carried,
        }
        asked = [{"type": "http.request", "body": carried.body, "more_body": False}]
        answered: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            return await trio.sleep_forever()

        async def send(message: dict[str, Any]) -> None:
            answered.append(message)

        await self._app(scope, receive, send)
        begin = answered[0]
        headers = tuple(
            (name.decode("latin-1"), text.decode("latin-1"))
            for name, text in begin["headers"]
            if name.decode("latin-1").lower() not in NOT_CARRIED_BACK
        )
        body = b"".join(message.get("body", b"") for message in answered[1:])
        return CarriedAnswer(carried.id, begin["status"], headers, body)


async def carried_to(shard: str) -> Response:
    """What the owner of this shard answers to the request that is being answered here.

    Waits no longer than for a body (`web.body_timeout_s`), and 12 s after that. Raises Problem
    where there is no answer, and what `read_bytes` raises.
    """
    carrier = application().carrier
    if carrier is None or _carried() is not None:  # on its way to here, or away again
        await trio.lowlevel.checkpoint()
        raise Problem(NO_OWNER)
    return _response(await carrier.carry(shard, await _as_message()))


async def _as_message() -> CarriedRequest:
    caller: Caller = g.caller
    body = await read_bytes()
    shown = ((name, request.headers.get(name)) for name in HEADERS)
    return CarriedRequest(
        id=0,
        asker="",
        deadline_at=0.0,
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers=tuple((name, text) for name, text in shown if text is not None),
        body=body,
        scope=EVERYTHING if caller.scope is None else caller.scope.value,
        caller=caller.name,
        peer=caller.address,
        sight=caller.sight,
    )


def _response(answer: CarriedAnswer | NotCarried) -> Response:
    match answer:
        case CarriedAnswer(_, status, headers, body):
            if status >= 400 and not any(name.lower() == "content-type" for name, _ in headers):
                raise _refused(status, body.decode(errors="replace"))
            response = Response(body, status)
            response.headers.clear()
            for name, text in headers:
                response.headers.add(name, text)
            response.headers["Content-Length"] = str(len(body))
            return response
        case NotCarried.NOBODY:
            raise Problem(NO_OWNER)
        case NotCarried.FULL:
            raise Problem(MAILBOX_FULL, "nothing was done")
        case NotCarried.UNANSWERED:
            raise Problem(
                NO_REPLY,
                "whether it was done is not known: look, or repeat the request with the same "
                "Idempotency-Key",
            )


def _refused(status: int, words: str) -> Problem:
    """What the carrier of the other process says by itself; an older one says no words."""
    return Problem(NO_OWNER if status == 503 else INTERNAL, words)


def _carried() -> CarriedRequest | None:
    found = request.scope.get(CARRIED)
    return found if isinstance(found, CarriedRequest) else None
