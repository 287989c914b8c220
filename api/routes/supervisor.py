"""The tree of actors, its dead letters, and another life for a parked actor."""

from quart import Blueprint, Response

from actors.storage.audit import Act
from api.http.audit import note
from api.http.carrying import at_fleet, at_owner
from api.http.openapi import Answer, answers, takes
from api.http.problems import INVALID, RATE_LIMITED, UNKNOWN_ACTOR, WRONG_ORIGIN, Problem
from api.http.requests import read_query
from api.http.responses import no_content, reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import ActorNode, DeadLetterView, SupervisorView
from api.models.requests import SupervisorQuery
from api.routes.parts_elsewhere import with_fleetwide_elsewhere

blueprint = Blueprint("supervisor", __name__)


@blueprint.get("/supervisor")
@shows(Lights.ALL)
@answers(
    Answer(200, "The tree, the troubled first.", SupervisorView),
    problems=(INVALID, RATE_LIMITED),
    tag="operation",
)
@takes(query=SupervisorQuery)
async def get_supervisor() -> Response:
    """Every actor of this process, and of what runs once for the fleet, wherever that is, with its
    state, restarts, mailbox and last crash; dead letters.

    A fleet has thousands of actors: counts by state are of all of them, the list is cut.
    """
    query = read_query(SupervisorQuery)
    letters = application().dead_letters.recent(query.dead_letters)
    here = SupervisorView(
        root=ActorNode.of(application().supervisor.report(), most=query.children),
        dead_letters=[DeadLetterView.of(letter) for letter in letters],
    )
    return reply(await with_fleetwide_elsewhere(here, query))


@blueprint.post("/supervisor/<path:actor_id>/revive")
@shows(Lights.SEEN)
@answers(
    Answer(204, "It was parked and lives again."),
    problems=(UNKNOWN_ACTOR, RATE_LIMITED, WRONG_ORIGIN),
    tag="operation",
)
async def revive(actor_id: str) -> Response:
    """Give a parked actor another life, with a fresh restart budget."""
    kind, _, dev_eui = actor_id.partition(" ")
    lights = seen()
    if lights.limited and not (kind == "device" and lights.light(dev_eui)):
        raise Problem(UNKNOWN_ACTOR)
    if kind == "device":
        at_owner(dev_eui)
    if not application().supervisor.revive(actor_id):
        if kind != "device":
            at_fleet()
        raise Problem(UNKNOWN_ACTOR)
    note(Act.REVIVE, dev_eui if kind == "device" else actor_id)
    return no_content()
