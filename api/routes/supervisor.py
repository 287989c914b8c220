"""The tree of actors, its dead letters, and another life for a parked actor."""

from quart import Blueprint, Response

from api.inputs import read_query
from api.models import ActorNode, DeadLetterView, SupervisorView
from api.models.requests import SupervisorQuery
from api.openapi import Answer, answers, takes
from api.problems import INVALID, RATE_LIMITED, UNKNOWN_ACTOR, WRONG_ORIGIN, Problem
from api.replies import no_content, reply
from api.services import services

blueprint = Blueprint("supervisor", __name__)


@blueprint.get("/supervisor")
@answers(
    Answer(200, "The tree, the troubled first.", SupervisorView),
    problems=(INVALID, RATE_LIMITED),
    tag="operation",
)
@takes(query=SupervisorQuery)
async def get_supervisor() -> Response:
    """Every actor with its state, restarts, mailbox and last crash; dead letters.

    A fleet has thousands of actors: counts by state are of all of them, the list is cut.
    """
    query, house = read_query(SupervisorQuery), services().house
    return reply(
        SupervisorView(
            root=ActorNode.of(house.supervisor(), most=query.children),
            dead_letters=[DeadLetterView.of(d) for d in house.dead_letters(query.dead_letters)],
        )
    )


@blueprint.post("/supervisor/<path:actor_id>/revive")
@answers(
    Answer(204, "It was parked and lives again."),
    problems=(UNKNOWN_ACTOR, RATE_LIMITED, WRONG_ORIGIN),
    tag="operation",
)
async def revive(actor_id: str) -> Response:
    """Give a parked actor another life, with a fresh restart budget."""
    if not services().house.revive(actor_id):
        raise Problem(UNKNOWN_ACTOR)
    return no_content()
