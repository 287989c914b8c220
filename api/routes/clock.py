"""The clocks: this machine's and ChirpStack's."""

from quart import Blueprint, Response

from api.models import ClockView
from api.openapi import Answer, answers
from api.problems import RATE_LIMITED
from api.replies import reply
from api.services import services

blueprint = Blueprint("clock", __name__)


@blueprint.get("/clock")
@answers(Answer(200, "The clocks, now.", ClockView), problems=(RATE_LIMITED,), tag="operation")
async def get_clock() -> Response:
    """When the machine's clock was set or stood still, and how far ChirpStack's is from it."""
    house = services().house
    return reply(ClockView.of(house.now(), house.clocks()))
