"""`GET /commands/{id}`: one command with its timeline."""

from quart import Blueprint, Response

from api.http.openapi import Answer, answers
from api.http.problems import RATE_LIMITED, STORE_UNAVAILABLE, UNKNOWN_COMMAND, Problem
from api.http.responses import reply
from api.http.services import application
from api.models import CommandView

blueprint = Blueprint("commands", __name__)


@blueprint.get("/commands/<command_id>")
@answers(
    Answer(200, "The command as it is now.", CommandView),
    problems=(UNKNOWN_COMMAND, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="lights",
)
async def get_command(command_id: str) -> Response:
    """One command, open or ended, with all that happened to it."""
    command = await application().commands.find(command_id)
    if command is None:
        raise Problem(UNKNOWN_COMMAND)
    return reply(CommandView.of(command))
