"""`POST /downlink/{dev_eui}`: set a colour and hear the verdict.

The handler only asks and waits. A caller who leaves, a time that runs out, a service that stops:
none of them affects the command, which is stored before anything is answered.
"""

import hashlib

import msgspec
import structlog
from quart import Blueprint, Response, request

from actors.commands import Accepted, CommandOrder
from actors.device.command import Command, CommandStatus
from actors.device.foreign_sender import in_words
from actors.storage.audit import Act
from api.http.audit import by, entry
from api.http.deadlines import waits
from api.http.header_parameters import IDEMPOTENCY_KEY, PREFER, REQUEST_ID
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    BODY_TIMEOUT,
    BODY_TOO_LARGE,
    EXPIRED,
    INVALID,
    RATE_LIMITED,
    REJECTED,
    STORE_UNAVAILABLE,
    SUPERSEDED,
    UNREADABLE,
    WITHDRAWN,
    WRONG_MEDIA_TYPE,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import REFUSALS, refuse
from api.http.requests import (
    Preferences,
    idempotency_key,
    read_body,
    read_dev_eui,
    read_preferences,
)
from api.http.response_headers import LOCATION, PREFERENCE_APPLIED, REPLAYED, VARY, sometimes
from api.http.responses import address, reply
from api.http.services import Services, services
from api.http.sight import Lights, shows
from api.models import CommandView
from api.models.requests import DownlinkRequest
from api.validation import Mistake

blueprint = Blueprint("downlink", __name__)

_PROBLEMS = (
    *REFUSALS,
    UNREADABLE,
    BODY_TIMEOUT,
    SUPERSEDED,
    WITHDRAWN,
    EXPIRED,
    BODY_TOO_LARGE,
    WRONG_MEDIA_TYPE,
    INVALID,
    RATE_LIMITED,
    REJECTED,
    STORE_UNAVAILABLE,
    WRONG_ORIGIN,
)
_HEADERS = (LOCATION, PREFERENCE_APPLIED, sometimes(VARY), REPLAYED)
"""Of an answer about the command."""


@blueprint.post("/downlink/<dev_eui>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Verified: the light reports exactly this state.", CommandView, headers=_HEADERS),
    Answer(
        202,
        "Accepted and pursued, but not verified yet: see `status`, `reason` and `overdue`. "
        "`Location` is the command.",
        CommandView,
        headers=_HEADERS,
    ),
    problems=_PROBLEMS,
    problem_headers=dict.fromkeys((SUPERSEDED, WITHDRAWN, EXPIRED, REJECTED), _HEADERS),
    tag="lights",
)
@takes(body=DownlinkRequest, headers=(IDEMPOTENCY_KEY, PREFER, REQUEST_ID))
@waits
async def set_light(dev_eui: str) -> Response:
    """Set a light's colour, and wait for the verdict.

    Headers: `Prefer: respond-async` answers at once, `Prefer: wait=10` after 10 s at the latest;
    `Idempotency-Key` makes a repetition harmless; `X-Request-ID` is kept with the command.
    """
    here = services()
    commands = here.application.commands
    dev_eui = read_dev_eui(dev_eui)
    preferences = read_preferences(request.headers.getlist("Prefer"))
    key = idempotency_key()
    body = await read_body(DownlinkRequest)
    wait_s = _wait_s(here, body, preferences)
    taken = await commands.give(
        CommandOrder(
            dev_eui=dev_eui,
            light=body.light,
            keep=body.keep,
            ttl_s=body.ttl_s,
            correlation_id=structlog.contextvars.get_contextvars().get("request_id", ""),
            idempotency_key=key,
            fingerprint=fingerprint(dev_eui, body),
            by=by(),
            audit=entry(Act.COMMAND, dev_eui, light=in_words(body.light)),
        )
    )
    if not isinstance(taken, Accepted):
        refuse(taken)
    command = taken.command
    if wait_s > 0:
        with here.shutdown.releasing() as released:
            command = await commands.wait_settled(command.id, wait_s) or command
        if released.cancelled_caught:
            command = await commands.find(command.id) or command
    return _verdict(command, taken, preferences.applied(wait_s))


def fingerprint(dev_eui: str, body: DownlinkRequest) -> str:
    """What the command is, so that a key used again for another one is noticed. How long a caller
    waits is not part of it."""
    light = body.light
    canonical = [dev_eui, *msgspec.structs.astuple(light), body.keep, body.ttl_s]
    return hashlib.sha256(msgspec.json.encode(canonical)).hexdigest()


def _wait_s(here: Services, body: DownlinkRequest, preferences: Preferences) -> float:
    """How long to wait for the verdict; 0 answers as soon as the command is stored."""
    web = here.settings.web
    if body.timeout_s is not None and body.timeout_s > web.wait_most_s:
        mistake = Mistake("timeout_s", f"must be at most {web.wait_most_s:g}")
        raise Problem(INVALID, errors=[mistake])
    if not body.wait_for_verification:
        return 0.0
    if preferences.wait_s is not None:
        return min(preferences.wait_s, web.wait_most_s)
    if preferences.respond_async:
        return 0.0
    return body.timeout_s if body.timeout_s is not None else web.wait_default_s


def _verdict(command: Command, taken: Accepted, applied: str) -> Response:
    headers = {"Location": address(f"/api/v1/commands/{command.id}")}
    if applied:
        headers["Preference-Applied"] = applied
        headers["Vary"] = "Prefer"
    if taken.repeated:
        headers["Idempotent-Replayed"] = "true"
    view = CommandView.of(command)
    members = {"command": msgspec.to_builtins(view)}
    match command.status:
        case CommandStatus.VERIFIED:
            return reply(view, 200, headers)
        case CommandStatus.SUPERSEDED:
            detail = f"by command {command.superseded_by}"
            raise Problem(SUPERSEDED, detail, headers=headers, members=members)
        case CommandStatus.WITHDRAWN:
            raise Problem(WITHDRAWN, command.reason or "", headers=headers, members=members)
        case CommandStatus.EXPIRED:
            raise Problem(EXPIRED, command.reason or "", headers=headers, members=members)
        case CommandStatus.REJECTED:
            raise Problem(REJECTED, command.reason or "", headers=headers, members=members)
        case _:
            return reply(view, 202, headers)
