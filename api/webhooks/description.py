"""The webhooks as routes of the app: what the OpenAPI page says of them.

`endpoint.py` answers every POST before Quart sees it. The routes are here to be described, and so
that Quart answers other methods on these paths as it does everywhere.
"""

from typing import NoReturn

from quart import Blueprint

from api.http.auth import Scope, requires
from api.http.openapi import Answer, answers
from api.webhooks.endpoint import PROBLEMS

blueprint = Blueprint("webhooks", __name__)

_ELSEWHERE = "answered by api/webhooks/endpoint.py"
_answers = answers(
    Answer(204, "In the mailbox of its device."),
    Answer(202, "Taken note of and ignored: another device's, or of a kind that is not known."),
    problems=PROBLEMS,
    tag="network",
)


@blueprint.post("/webhooks/chirpstack")
@requires(Scope.WEBHOOK)
@_answers
async def chirpstack() -> NoReturn:
    """One event of ChirpStack's HTTP integration, `?event=` telling its kind.

    JSON or Protobuf by Content-Type; the token as `Authorization: Bearer` or in
    `X-Lamplighter-Token`, since ChirpStack can send any header.
    """
    raise NotImplementedError(_ELSEWHERE)


@blueprint.post("/webhooks/chirpstack/uplink")
@requires(Scope.WEBHOOK)
@_answers
async def chirpstack_uplink() -> NoReturn:
    """The same; without `?event=` it is an uplink."""
    raise NotImplementedError(_ELSEWHERE)
