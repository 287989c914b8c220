"""Who asks: what a token allows, for pages that offer only what will be done."""

from quart import Blueprint, Response, g

from api.http.auth import Caller
from api.http.openapi import Answer, answers
from api.http.problems import RATE_LIMITED
from api.http.refused import refused_to
from api.http.responses import reply
from api.http.sight import Lights, shows
from api.models.caller import CallerView

blueprint = Blueprint("caller", __name__)


@blueprint.get("/caller")
@shows(Lights.NONE)
@answers(Answer(200, "What it allows.", CallerView), problems=(RATE_LIMITED,), tag="operation")
async def get_caller() -> Response:
    """What the token of this request allows, and what would be refused to it."""
    caller: Caller = g.caller
    return reply(CallerView.of(caller, refused_to(caller)))
