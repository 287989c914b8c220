"""Every error that leaves by HTTP, as RFC 9457 problem details.

All errors have one form, with a type for programs and text for people. Nothing internal is shown:
no traceback, no text of an unexpected exception.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from quart import Quart, Response, has_websocket_context
from quart_schema import RequestSchemaValidationError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.routing import WebsocketMismatch

from actors.storage.unreadable_records import UnreadableRecord
from api.validation import Mistake, mistakes_of
from store.errors import StoreError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:lamplighter:problem:"


class Kind(msgspec.Struct, frozen=True):
    """One kind of problem: the end of its type, its status and its title."""

    slug: str
    status: int
    title: str
    again_s: int = 0
    """In `Retry-After` where nobody knows better; 0: it would not help, or nobody can say."""


INVALID = Kind("invalid", 422, "The request has mistakes")
BAD_HTTP = Kind("bad-http", 400, "This is not HTTP/1.1 that can be read in one way only")
UNREADABLE = Kind("unreadable", 400, "The body cannot be read")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid token is needed")
FORBIDDEN = Kind("forbidden", 403, "The token does not allow this")
WRONG_HOST = Kind("wrong-host", 403, "The service is not known by this name")
WRONG_ORIGIN = Kind("wrong-origin", 403, "Pages of another origin may not do this")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
UNKNOWN_DEVICE = Kind("unknown-device", 404, "There is no such device")
UNKNOWN_COMMAND = Kind("unknown-command", 404, "There is no such command")
UNKNOWN_GATEWAY = Kind("unknown-gateway", 404, "There is no such gateway")
UNKNOWN_ACTOR = Kind("unknown-actor", 404, "There is no such parked actor")
UNKNOWN_ALERT = Kind("unknown-alert", 404, "There is no such alert")
UNKNOWN_ROLLOUT = Kind("unknown-rollout", 404, "There is no such rollout")
UNKNOWN_PLAN = Kind("unknown-plan", 404, "There is no such plan")
UNKNOWN_PICTURE = Kind("unknown-picture", 404, "No plan has this picture")
UNKNOWN_SCENE = Kind("unknown-scene", 404, "There is no such scene")
UNKNOWN_SCHEDULE = Kind("unknown-schedule", 404, "There is no such schedule")
UNKNOWN_HOOK = Kind("unknown-hook", 404, "There is no such hook")
UNKNOWN_RUN = Kind("unknown-run", 404, "There is no such initialisation")
BODY_TIMEOUT = Kind("body-timeout", 408, "The body did not arrive in time")
SUPERSEDED = Kind("superseded", 409, "A newer command took the place of this one")
CONFLICT = Kind("conflict", 409, "It cannot be changed like this as it is now")
TOO_MANY_ROLLOUTS = Kind("too-many-rollouts", 409, "Too many rollouts are under way")
ENDED = Kind("ended", 409, "The command has ended: there is nothing to take back")
WITHDRAWN = Kind("withdrawn", 409, "Somebody took the command back")
EDITED_MEANWHILE = Kind("edited-meanwhile", 412, "Somebody else changed it meanwhile")
EXPIRED = Kind("expired", 410, "The command's time to live is over")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is too large")
WRONG_MEDIA_TYPE = Kind("wrong-media-type", 415, "The body is of another type than expected")
FILE_REFUSED = Kind("file-refused", 422, "The file cannot be used")
KEY_REUSED = Kind("key-reused", 422, "The idempotency key belongs to another request")
UPGRADE_REQUIRED = Kind("upgrade-required", 426, "This is followed on a websocket")
REVISION_NEEDED = Kind("revision-needed", 428, "A change names the revision that it changes")
RATE_LIMITED = Kind("rate-limited", 429, "Too many requests", again_s=1)
INTERNAL = Kind("internal", 500, "Something failed inside; it is logged under the request id")
UNREADABLE_RECORD = Kind("unreadable-record", 500, "A stored record cannot be read")
REJECTED = Kind("rejected", 502, "The network server refused the command")
MAILBOX_FULL = Kind("mailbox-full", 503, "The device has too much to do", again_s=5)
TOO_MANY_TESTS = Kind("too-many-tests", 503, "Too many hooks are tested just now", again_s=10)
TOO_MANY_UPLOADS = Kind("too-many-uploads", 503, "Too many uploads are under way", again_s=30)
PARKED = Kind("parked", 503, "The device's actor is parked after too many crashes", again_s=60)
NO_OWNER = Kind("no-owner", 503, "No process has this part of the fleet just now", again_s=1)
NETWORK_UNAVAILABLE = Kind("network-unavailable", 503, "ChirpStack did not do it", again_s=10)
STORE_UNAVAILABLE = Kind("store-unavailable", 503, "The store does not answer", again_s=5)
STOPPING = Kind("stopping", 503, "The service is stopping", again_s=10)
TOO_MANY_CLIENTS = Kind("too-many-clients", 503, "Too many live clients", again_s=30)
NO_REPLY = Kind("no-reply", 504, "The device's actor did not answer in time")
TOO_SLOW = Kind("too-slow", 504, "The answer took too long")

KINDS: tuple[Kind, ...] = tuple(value for value in globals().values() if isinstance(value, Kind))

# Statuses that Quart, werkzeug or an added blueprint raise by themselves.
_BY_STATUS = {
    400: UNREADABLE,
    401: UNAUTHENTICATED,
    403: FORBIDDEN,
    404: NOT_FOUND,
    408: BODY_TIMEOUT,
    413: BODY_TOO_LARGE,
    415: WRONG_MEDIA_TYPE,
    422: INVALID,
    429: RATE_LIMITED,
    500: INTERNAL,
}


class ProblemView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457, `application/problem+json`). Further members depend on `type`."""

    type: str
    title: str
    status: int
    detail: str = ""
    """What happened this time, and what to do."""
    errors: list[Mistake] = []
    """Every mistake in the request, each with its field."""
    request_id: str = ""
    """The correlation id under which the service logged this."""


WRITING = (
    UNREADABLE,
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    WRONG_MEDIA_TYPE,
    INVALID,
    RATE_LIMITED,
    WRONG_ORIGIN,
)
"""What any request that changes something by a body may be refused for."""


class Problem(Exception):
    """Raised by a handler to answer with a problem; it is an answer, not a fault."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        errors: Sequence[Mistake] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or kind.title)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        again = {"Retry-After": str(kind.again_s)} if kind.again_s else {}
        self.headers = {**again, **(headers or {})}
        self.members = dict(members or {})

    def body(self) -> bytes:
        """The JSON of it."""
        kind = self.kind
        return problem_body(
            TYPE_PREFIX + kind.slug, kind.title, kind.status, self.detail, self.errors, self.members
        )

    def response(self) -> Response:
        """The answer."""
        return Response(self.body(), self.kind.status, self.headers, content_type=MEDIA_TYPE)


def problem_body(
    type_: str,
    title: str,
    status: int,
    detail: str,
    errors: Sequence[Mistake] = (),
    members: Mapping[str, Any] | None = None,
) -> bytes:
    """The JSON of a problem, the correlation id of the running request included."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    view = ProblemView(type_, title, status, detail, list(errors), request_id)
    return msgspec.json.encode({**(members or {}), **msgspec.to_builtins(view)})


def install(app: Quart) -> None:
    """Answer every error of the app with a problem."""
    app.register_error_handler(Problem, _on_problem)
    app.register_error_handler(RequestSchemaValidationError, _on_schema_error)
    app.register_error_handler(WebsocketMismatch, _on_websocket_mismatch)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(StoreError, _on_store_error)
    app.register_error_handler(UnreadableRecord, _on_unreadable)
    app.register_error_handler(Exception, _on_exception)


async def _on_problem(error: Problem) -> Response:
    return error.response()


async def _on_schema_error(error: RequestSchemaValidationError) -> Response:
    return Problem(INVALID, errors=mistakes_of(error.validation_error)).response()


async def _on_websocket_mismatch(error: WebsocketMismatch) -> Response:
    if has_websocket_context():
        return Problem(NOT_FOUND, "there is no websocket here; it is /api/v1/live").response()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    detail = "connect with a websocket client: the request has to ask for an upgrade"
    return Problem(UPGRADE_REQUIRED, detail, headers=headers).response()


async def _on_http_exception(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        return await _on_exception(error.original_exception)
    status = error.code or 500
    kind = _BY_STATUS.get(status)
    # The headers carry what the status demands: Allow of 405, Location of a redirect.
    headers = {k: v for k, v in error.get_headers() if k.lower() != "content-type"}
    if error.response is not None or 300 <= status < 400:
        return Response(b"", status, headers)
    if kind is not None:
        detail = "" if status == 404 else error.description or ""  # werkzeug talks of typing URLs
        return Problem(kind, detail, headers=headers).response()
    body = problem_body("about:blank", error.name, status, error.description or "")
    return Response(body, status, headers, content_type=MEDIA_TYPE)


async def _on_store_error(error: StoreError) -> Response:
    log.warning("store failed a request", exc_info=error)
    return Problem(STORE_UNAVAILABLE).response()


async def _on_unreadable(error: UnreadableRecord) -> Response:
    log.error("a stored record cannot be read", problem=str(error))
    return Problem(UNREADABLE_RECORD, f"{error}; it is kept as it is").response()


async def _on_exception(error: BaseException) -> Response:
    log.error("request failed", exc_info=error)
    return Problem(INTERNAL).response()
