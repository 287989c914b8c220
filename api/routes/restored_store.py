"""After a restore or a lossy fail-over: what would be commanded again, and the decision."""

from quart import Blueprint, Response

from actors.refusal import Refusal
from actors.storage.audit import Act
from api.http.audit import by, note
from api.http.openapi import Answer, answers, takes
from api.http.problems import CONFLICT, NO_REPLY, RATE_LIMITED, STORE_UNAVAILABLE, WRITING, Problem
from api.http.refusals import refuse
from api.http.requests import read_body
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.models.requests import RestoredStoreDecision
from api.models.restored_store import RestoredStoreView, UnreadableList

blueprint = Blueprint("restored_store", __name__)


@blueprint.get("/restored-store")
@shows(Lights.ALL)
@answers(
    Answer(200, "What waits for a decision.", RestoredStoreView),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_restored_store() -> Response:
    """Whether the store was set back, and which lights an older wish would be sent to."""
    return reply(RestoredStoreView.of(application().restored_store.view()))


@blueprint.post("/restored-store")
@shows(Lights.ALL)
@answers(
    Answer(200, "What was open when it was decided.", RestoredStoreView),
    problems=(CONFLICT, *WRITING, STORE_UNAVAILABLE, NO_REPLY),
    tag="operation",
)
@takes(body=RestoredStoreDecision)
async def decide_restored_store() -> Response:
    """Decide: `resume` sends what was wanted before, `keep_shown` keeps what the lights show.

    To keep what is shown gives each light a command with that colour, once it was heard.
    """
    body = await read_body(RestoredStoreDecision)
    done = await application().restored_store.decide(
        keep_shown=body.decision == "keep_shown", by=by()
    )
    if done is None:
        raise Problem(CONFLICT, "nothing waits for a decision")
    if isinstance(done, Refusal):
        refuse(done)
    note(Act.RESTORED_STORE, decision=body.decision, lights=len(done.lights))
    return reply(RestoredStoreView.of(done))


@blueprint.get("/unreadable")
@shows(Lights.ALL)
@answers(
    Answer(200, "Records that are kept as they are.", UnreadableList),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_unreadable() -> Response:
    """What the store holds that this version cannot read: a newer version's words, or damage."""
    return reply(UnreadableList(application().unreadable.listed()))
