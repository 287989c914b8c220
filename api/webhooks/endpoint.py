"""`POST /api/v1/webhooks/chirpstack`: who may send, how much, how long, and what is answered.

204 means that the event is in its device's mailbox. Answered in front of Quart, whose routing,
contexts and tasks a webhook has no use for: through them it costs six times the CPU (612 us against
94, measured without the server, CPython 3.11). `description.py` describes it as a route.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs

import structlog
import trio

from actors.fleet.delivery import Delivery
from api.http.auth import TOKEN_HEADER, Caller, Scope, tokens_of
from api.http.checks import charge, check_host, keep_connection
from api.http.exchange import REQUEST_ID_HEADER, AsgiScope, Exchange
from api.http.peers import Peer
from api.http.problems import (
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    FORBIDDEN,
    INTERNAL,
    INVALID,
    MAILBOX_FULL,
    RATE_LIMITED,
    STOPPING,
    UNAUTHENTICATED,
    UNREADABLE,
    WRONG_MEDIA_TYPE,
    Kind,
    Problem,
)
from api.http.services import Services
from api.logging import bind_request_id
from api.validation import Mistake
from api.webhooks.intake import Decode, Intake
from lorawan.events import MalformedEvent, decode_json, decode_protobuf

log = structlog.get_logger()

KIND_BY_PATH = {"/api/v1/webhooks/chirpstack": "", "/api/v1/webhooks/chirpstack/uplink": "up"}
"""The paths that are answered here, and the kind of event that each means where the URL names
none."""

PROBLEMS: tuple[Kind, ...] = (
    UNREADABLE,
    UNAUTHENTICATED,
    FORBIDDEN,
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    WRONG_MEDIA_TYPE,
    INVALID,
    RATE_LIMITED,
    MAILBOX_FULL,
    STOPPING,
)
"""What may be answered instead of 204 and 202."""

# ChirpStack sends one, and a proxy may add a few.
PARAMETERS_MOST = 20

_DECODERS: dict[str, Decode] = {
    "application/json": decode_json,
    "application/octet-stream": decode_protobuf,  # as ChirpStack says
    "application/x-protobuf": decode_protobuf,
    "application/protobuf": decode_protobuf,
}
_HEADERS = {
    name.lower().encode(): name.lower()
    for name in (
        "Authorization",
        "Content-Length",
        "Content-Type",
        REQUEST_ID_HEADER,
        TOKEN_HEADER,
    )
}


class Endpoint:
    """Answers POST on the paths of `KIND_BY_PATH`."""

    def __init__(self, services: Services, intake: Intake) -> None:
        self._services = services
        self._intake = intake
        self._body_bytes_most = services.settings.web.body_bytes_most
        self._body_timeout_s = services.settings.web.body_timeout_s

    async def answer(self, scope: AsgiScope, path: str, peer: Peer, exchange: Exchange) -> None:
        """Take the event in and say what became of it; `path` without a slash at its end."""
        headers = _headers(scope["headers"])
        offered_id = headers.get(REQUEST_ID_HEADER.lower())
        request_id = bind_request_id(offered_id) if offered_id is not None else None
        try:
            check_host(self._services, peer)
            kind = _kind(scope["query_string"]) or KIND_BY_PATH[path]
            caller = self._caller(headers, peer)
            decode = _decoder(headers, kind)
            keep_connection(scope, caller)
            body = await self._body(headers, exchange)
            if body is None:
                return  # the peer left
            status = await self._taken(kind, body, decode)
        except Problem as problem:
            if problem.kind not in {BODY_TIMEOUT, STOPPING}:
                await exchange.discard_body()
            await exchange.refuse(problem, request_id or bind_request_id(None))
        except Exception:
            request_id = request_id or bind_request_id(None)
            log.exception("webhook failed")
            await exchange.refuse(Problem(INTERNAL), request_id)
        else:
            await exchange.answer(status, request_id=request_id)

    def _caller(self, headers: dict[str, str], peer: Peer) -> Caller:
        """Who sends. Only wrong tokens count against the rate limit: a busy network is no abuse.

        Raises Problem.
        """
        shown = tokens_of(headers.get("authorization"), headers.get(TOKEN_HEADER.lower()))
        caller = self._services.gatekeeper.caller(shown, peer.address)
        if caller is not None and caller.may(Scope.WEBHOOK):
            return caller
        charge(self._services, Caller(Scope.PUBLIC, "", peer.address))
        if caller is None or caller.scope is Scope.PUBLIC:
            raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
        raise Problem(FORBIDDEN, "needs scope webhook")

    async def _body(self, headers: dict[str, str], exchange: Exchange) -> bytes | None:
        """The body; None when the peer left. Raises Problem."""
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._body_bytes_most:
            raise Problem(BODY_TOO_LARGE)
        shutdown = self._services.shutdown
        with trio.move_on_after(self._body_timeout_s) as scope, shutdown.handling(scope):
            return await exchange.read()
        if shutdown.handlers_cancelled:
            raise Problem(STOPPING)
        raise Problem(BODY_TIMEOUT)

    async def _taken(self, kind: str, body: bytes, decode: Decode) -> int:
        """The status that says what became of the event. Raises Problem."""
        try:
            delivery = await self._intake.take(kind, body, decode)
        except MalformedEvent as error:
            mistake = Mistake(error.field, error.problem)
            raise Problem(UNREADABLE, "the event cannot be read", errors=[mistake]) from None
        match delivery:
            case Delivery.DELIVERED | Delivery.REGISTERED:
                return 204
            case Delivery.UNKNOWN:
                return 202
            case Delivery.FULL:
                raise Problem(MAILBOX_FULL, "send it again", headers={"Retry-After": "1"})
            case Delivery.STOPPING:
                raise Problem(STOPPING)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that matter, by their names in lower case; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in raw:
        known = _HEADERS.get(name.lower())
        if known is not None and known not in found:
            found[known] = value.decode("latin-1")
    return found


def _kind(query: bytes) -> str:
    """What `?event=` says; empty where it is missing. Raises Problem."""
    if query.startswith(b"event=") and query[6:].isalpha():  # as ChirpStack sends it
        return query[6:].decode()
    try:
        values = parse_qs(query.decode("latin-1"), max_num_fields=PARAMETERS_MOST).get("event")
    except ValueError:
        mistake = Mistake("", f"has more than {PARAMETERS_MOST} parameters in the query")
        raise Problem(INVALID, errors=[mistake]) from None
    return values[0] if values else ""


def _decoder(headers: dict[str, str], kind: str) -> Decode:
    """What reads this media type; the kind of event must be known, too. Raises Problem."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    decode = _DECODERS.get(media_type)
    if decode is None:
        raise Problem(WRONG_MEDIA_TYPE, "send application/json or application/octet-stream")
    if not kind:
        raise Problem(INVALID, errors=[Mistake("event", "is missing in the query")])
    return decode
