"""Who asks: what a token allows, for pages that offer only what will be done."""

from quart import Blueprint, Response, g

from api.auth import Caller
from api.models.caller import CallerView
from api.openapi import Answer, answers
from api.problems import RATE_LIMITED
from api.replies import reply

blueprint = Blueprint("caller", __name__)


@blueprint.get("/caller")
@answers(Answer(200, "What it allows.", CallerView), problems=(RATE_LIMITED,), tag="operation")
async def get_caller() -> Response:
    """What the token of this request allows."""
    caller: Caller = g.caller
    return reply(CallerView.of(caller))
