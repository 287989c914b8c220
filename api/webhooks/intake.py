"""What ChirpStack's HTTP integration sends: the hot path, one function behind two edges.

The rule it keeps: 204 means that the event is in its device's mailbox. ChirpStack sends each event
once and never again, so nothing here waits, and nothing is refused that could be taken.

This part knows no framework. `api/webhooks/ingest.py` is its edge in service;
`api/routes/webhooks.py` holds the description, and answers the same where the shortcut is not in
front.
"""

import msgspec
import structlog
import trio
from prometheus_client import Counter

from actors.service_api import Delivery, ServiceApi
from api.http.auth import Caller, Gatekeeper, Scope
from api.http.peers import network_of
from api.http.problems import (
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    FORBIDDEN,
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
from api.http.rate_limits import RateLimiter
from api.validation import Mistake
from lorawan.events import Event, MalformedEvent, UnknownEventKind, decode_json, decode_protobuf

log = structlog.get_logger()

JSON = "application/json"
PROTOBUF = frozenset({"application/octet-stream", "application/x-protobuf", "application/protobuf"})
_KNOWN = frozenset({"up", "join", "ack", "txack", "log", "status", "location", "integration"})
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


class Webhook(msgspec.Struct, frozen=True, gc=False):
    """One delivery as it came, apart from its body."""

    event: str
    """`?event=`, empty where the URL has none."""
    media_type: str
    tokens: list[str]
    address: str


class Webhooks:
    """Takes events for the service."""

    def __init__(
        self,
        application: ServiceApi,
        gatekeeper: Gatekeeper,
        limiter: RateLimiter,
        counter: Counter,
    ) -> None:
        self._application = application
        self._gatekeeper = gatekeeper
        self._limiter = limiter
        self._counter = counter
        self._counters: dict[tuple[str, str], Counter] = {}

    def admit(self, webhook: Webhook) -> Caller:
        """Judge what can be judged before the body is read; who sends. Raises Problem.

        Only wrong tokens count against the rate limit: a busy network is no abuse.
        """
        caller = self._gatekeeper.caller(webhook.tokens, webhook.address)
        if caller is None or not caller.may(Scope.WEBHOOK):
            wait_s = self._limiter.take(network_of(webhook.address), trio.current_time())
            if wait_s:
                raise Problem(RATE_LIMITED, headers={"Retry-After": str(int(wait_s) + 1)})
            if caller is None or caller.scope is Scope.PUBLIC:
                raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
            raise Problem(FORBIDDEN, "needs scope webhook")
        if webhook.media_type != JSON and webhook.media_type not in PROTOBUF:
            raise Problem(WRONG_MEDIA_TYPE, "send application/json or application/octet-stream")
        if not webhook.event:
            raise Problem(INVALID, errors=[Mistake("event", "is missing in the query")])
        return caller

    def take(self, webhook: Webhook, body: bytes) -> int:
        """Hand the event to the service; the status to answer with. Raises Problem."""
        try:
            event = _decode(webhook, body)
        except UnknownEventKind:
            self._count(webhook.event, "ignored")
            return 202
        except MalformedEvent as error:
            self._count(webhook.event, "malformed")
            log.warning("event malformed", kind=webhook.event, field=error.field)
            mistake = Mistake(error.field, error.problem)
            raise Problem(UNREADABLE, "the event cannot be read", errors=[mistake]) from None
        delivery = self._application.deliver(event)
        self._count(webhook.event, delivery.value)
        match delivery:
            case Delivery.DELIVERED | Delivery.REGISTERED:
                return 204
            case Delivery.UNKNOWN:
                return 202
            case Delivery.FULL:
                raise Problem(MAILBOX_FULL, "send it again", headers={"Retry-After": "1"})
            case Delivery.STOPPING:
                raise Problem(STOPPING, headers={"Retry-After": "10"})

    def _count(self, event: str, outcome: str) -> None:
        key = (event if event in _KNOWN else "other", outcome)
        child = self._counters.get(key)
        if child is None:
            child = self._counters[key] = self._counter.labels(*key)
        child.inc()


def _decode(webhook: Webhook, body: bytes) -> Event:
    if webhook.media_type == JSON:
        return decode_json(webhook.event, body)
    return decode_protobuf(webhook.event, body)
