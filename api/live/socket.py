"""`WS /api/v1/live`: who may follow the board, and which part of it they ask for.

What is wrong with a request is answered by HTTP before the websocket opens, with a problem as
everywhere; only a token that comes as the first message is checked after.
"""

import re

import msgspec
import structlog
import trio
from quart import Blueprint, g, websocket

from actors.board.subscription import Subscription
from api.http.auth import Caller, Scope
from api.http.checks import keep_connection
from api.http.middleware import scope
from api.http.problems import FORBIDDEN, INVALID, STOPPING, TOO_MANY_CLIENTS, Problem
from api.http.services import Services, services
from api.live.client import TOO_SLOW, LiveClient
from api.live.protocol import KINDS, SUBPROTOCOL, Auth, Filter, decode
from api.live.sight import LiveSight
from api.validation import Mistake

log = structlog.get_logger()

UNAUTHENTICATED_CODE = 4401
FORBIDDEN_CODE = 4403
# Time for the first message of a client that cannot set headers.
AUTH_S = 5.0
# 100 DevEUIs are 1.7 kB of a URL; a client that wants more follows all and picks.
FILTER_VALUES_MOST = 100

_RESUME = re.compile(r"([A-Za-z0-9._-]{1,64}):(\d{1,18})")
_PARAMETERS = frozenset({"resume", "dev_eui", "gateway", "kind"})

blueprint = Blueprint("live", __name__)


@blueprint.websocket("/live")
async def live() -> None:
    """Follow the board. See docs/live.md."""
    here = services()
    _admit(here)
    caller = _caller()
    wanted, resume = read_filter(), read_resume()
    offered = websocket.requested_subprotocols
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    if caller is None:
        caller = await _first_message(here)
        if caller is None:
            return None
    client = LiveClient(
        receive=websocket.receive,
        send=websocket.send,
        close=websocket.close,
        clock=here.application.clock,
        hub=here.hub,
        sight=LiveSight(wanted, here.application.board, caller.sight, caller.name),
        beat_s=here.settings.web.ping_s,
    )
    if here.hub.full:  # others came while this one showed its token
        return await websocket.close(TOO_SLOW, "too many live clients")
    here.hub.add(client, caller)
    try:
        if caller.sight.limited:
            resume = None  # see `LiveSight`
        with subscribe(here, resume) as subscription:
            resumed = subscription.snapshot is None
            log.info("live client came", client=caller.address, by=caller.name, resumed=resumed)
            await client.run(subscription)
    finally:
        here.hub.remove(client)
        if client.ending is not None:
            here.http_metrics.live_dropped.labels(str(client.ending[0])).inc()
        log.info("live client left", client=caller.address, by=caller.name, ending=client.ending)


def subscribe(here: Services, resume: tuple[str, int] | None) -> Subscription:
    """Follow the board from where the client was, if that was in this run of the service."""
    board, hub, capacity = here.application.board, here.hub, here.settings.web.live_queue
    if hub.boot is None:
        with board.subscribe(1) as first:
            hub.boot = first.snapshot.boot if first.snapshot is not None else ""
    resume_from = resume[1] if resume is not None and resume[0] == hub.boot else None
    return board.subscribe(capacity, resume_from)


def read_filter() -> Filter:
    """What the query asks for. Raises Problem with every mistake."""
    mistakes = [
        Mistake(name, "is not a known field") for name in websocket.args if name not in _PARAMETERS
    ]
    dev_euis = frozenset(value.lower() for value in _values("dev_eui", mistakes))
    gateways = frozenset(value.lower() for value in _values("gateway", mistakes))
    kinds = _values("kind", mistakes)
    mistakes += [
        Mistake("dev_eui", "must be 16 hexadecimal digits")
        for value in dev_euis
        if not re.fullmatch(r"[0-9a-f]{16}", value)
    ]
    if unknown := kinds - KINDS:
        names = ", ".join(sorted(KINDS))
        mistakes += [Mistake("kind", f"must be one of {names}") for _ in unknown]
    resume = websocket.args.get("resume")
    if resume is not None and not _RESUME.fullmatch(resume):
        mistakes.append(Mistake("resume", "must be boot:number as in a hello message"))
    if mistakes:
        raise Problem(INVALID, errors=mistakes[:50])
    return Filter(kinds=kinds or KINDS, dev_euis=dev_euis, gateways=gateways)


def read_resume() -> tuple[str, int] | None:
    """The run and the number to resume from, if asked for."""
    found = _RESUME.fullmatch(websocket.args.get("resume", ""))
    return (found[1], int(found[2])) if found else None


def _values(name: str, mistakes: list[Mistake]) -> frozenset[str]:
    """A parameter's values: given several times, or once with commas."""
    given = [part.strip() for value in websocket.args.getlist(name) for part in value.split(",")]
    values = frozenset(part for part in given if part)
    if len(values) > FILTER_VALUES_MOST:
        mistakes.append(Mistake(name, f"has more than {FILTER_VALUES_MOST} values"))
    return values


def _admit(here: Services) -> None:
    if here.shutdown.begun:
        raise Problem(STOPPING)
    if here.hub.full:
        raise Problem(TOO_MANY_CLIENTS)


def _caller() -> Caller | None:
    """Who asks, by the token of the request; None when it is still to come. Raises Problem."""
    caller: Caller = g.caller
    if not caller.known and not caller.name:
        return None
    if not caller.may(Scope.VIEWER):
        raise Problem(FORBIDDEN, "needs scope viewer")
    return caller


async def _first_message(here: Services) -> Caller | None:
    """Wait for the token as the first message; closes the socket and gives None if it is wrong."""
    caller = None
    with trio.move_on_after(AUTH_S), here.shutdown.releasing():
        try:
            message = decode(await websocket.receive())
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = None
        if isinstance(message, Auth):
            caller = here.gatekeeper.caller([message.token], g.caller.address)
    if caller is None:
        await websocket.close(UNAUTHENTICATED_CODE, "a valid token is needed")
        return None
    if not caller.may(Scope.VIEWER):
        await websocket.close(FORBIDDEN_CODE, "needs scope viewer")
        return None
    keep_connection(scope(websocket), caller)
    return caller
