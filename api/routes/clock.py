"""The clocks: this machine's and ChirpStack's."""

from quart import Blueprint, Response

from api.http.openapi import Answer, answers
from api.http.problems import RATE_LIMITED
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.models import ClockView

blueprint = Blueprint("clock", __name__)


@blueprint.get("/clock")
@shows(Lights.NONE)
@answers(Answer(200, "The clocks, now.", ClockView), problems=(RATE_LIMITED,), tag="operation")
async def get_clock() -> Response:
    """When the machine's clock was set or stood still, and how far ChirpStack's is from it."""
    return reply(ClockView.of(application().clock.now(), application().timekeeper.statistics()))
