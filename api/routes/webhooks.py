"""The webhooks as routes: their description, and an edge for an app without the shortcut."""

from quart import Blueprint, Response, request

from api.http.auth import TOKEN_HEADER, Scope, requires, tokens_of
from api.http.middleware import scope
from api.http.openapi import Answer, answers
from api.http.requests import read_bytes
from api.http.responses import empty
from api.http.services import services
from api.webhooks.intake import PROBLEMS, Webhook

blueprint = Blueprint("webhooks", __name__)

_answers = answers(
    Answer(204, "In the mailbox of its device."),
    Answer(202, "Taken note of and ignored: another device's, or of a kind that is not known."),
    problems=PROBLEMS,
    tag="network",
)


@blueprint.post("/webhooks/chirpstack")
@requires(Scope.WEBHOOK)
@_answers
async def chirpstack() -> Response:
    """One event of ChirpStack's HTTP integration, `?event=` telling its kind.

    JSON or Protobuf by Content-Type; the token as `Authorization: Bearer` or in
    `X-Lamplighter-Token`, since ChirpStack can send any header.
    """
    return await _receive(request.args.get("event", ""))


@blueprint.post("/webhooks/chirpstack/uplink")
@requires(Scope.WEBHOOK)
@_answers
async def chirpstack_uplink() -> Response:
    """The same; without `?event=` it is an uplink."""
    return await _receive(request.args.get("event", "up"))


async def _receive(event: str) -> Response:
    webhook = Webhook(
        event=event,
        media_type=request.mimetype,
        tokens=tokens_of(request.headers.get("Authorization"), request.headers.get(TOKEN_HEADER)),
        address=services().peers.of(scope(request)).address,
    )
    webhooks = services().webhooks
    webhooks.admit(webhook)
    return empty(webhooks.take(webhook, await read_bytes()))
