"""After a restore or a lossy fail-over: what would be commanded again, and the decision."""

from quart import Blueprint, Response

from actors.surface import Refusal
from api.inputs import read_body
from api.models.requests import SetbackDecision
from api.models.setback import SetbackView, UnreadableList, UnreadableView
from api.openapi import Answer, answers, takes
from api.problems import CONFLICT, NO_REPLY, RATE_LIMITED, STORE_UNAVAILABLE, WRITING, Problem
from api.refusals import refuse
from api.replies import reply
from api.services import services

blueprint = Blueprint("setback", __name__)


@blueprint.get("/setback")
@answers(
    Answer(200, "What waits for a decision.", SetbackView),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_setback() -> Response:
    """Whether the store was set back, and which lights an older wish would be sent to."""
    return reply(SetbackView.of(services().house.setback()))


@blueprint.post("/setback")
@answers(
    Answer(200, "What was open when it was decided.", SetbackView),
    problems=(CONFLICT, *WRITING, STORE_UNAVAILABLE, NO_REPLY),
    tag="operation",
)
@takes(body=SetbackDecision)
async def decide_setback() -> Response:
    """Decide: `resume` sends what was wanted before, `keep_shown` keeps what the lights show.

    To keep what is shown gives each light a command with that colour, once it was heard.
    """
    body = await read_body(SetbackDecision)
    done = await services().house.decide_setback(keep_shown=body.decision == "keep_shown")
    if done is None:
        raise Problem(CONFLICT, "nothing waits for a decision")
    if isinstance(done, Refusal):
        refuse(done)
    return reply(SetbackView.of(done))


@blueprint.get("/unreadable")
@answers(
    Answer(200, "Records that are kept as they are.", UnreadableList),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_unreadable() -> Response:
    """What the store holds that this version cannot read: a newer version's words, or damage."""
    found = services().house.unreadable()
    return reply(UnreadableList([UnreadableView(one.table, one.key, one.why) for one in found]))
