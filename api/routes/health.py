"""Probes: is the process alive, and can it do its work?

Liveness depends on no other part, so that a database that is down does not make an orchestrator
kill a service that is waiting for it.
"""

from quart import Blueprint, Response, g

from api.http.auth import Caller, Scope, requires
from api.http.openapi import Answer, answers
from api.http.responses import no_content, reply
from api.http.services import services
from api.http.sight import Lights, shows
from api.models import ReadinessView

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@shows(Lights.NONE)
@requires(Scope.PUBLIC)
@answers(Answer(204, "The process answers."), tag="operation")
async def healthz() -> Response:
    """Liveness. The header `Lamplighter-Version` tells the release."""
    return no_content()


@blueprint.get("/readyz")
@shows(Lights.NONE)
@requires(Scope.PUBLIC)
@answers(
    Answer(200, "Ready.", ReadinessView),
    Answer(503, "Not ready; `problems` say why to callers with scope viewer.", ReadinessView),
    tag="operation",
)
async def readyz() -> Response:
    """Readiness: store writable, ChirpStack answering, actors alive, not stopping."""
    here = services()
    readiness = here.application.readiness.check()
    problems = list(readiness.problems)
    if here.shutdown.begun:
        problems.append("the service is stopping")
    ready = readiness.ready and not here.shutdown.begun
    caller: Caller = g.caller
    told = caller.may(Scope.VIEWER) and not caller.sight.limited  # they may name lights
    shown = problems if told else []
    warnings = list(readiness.warnings) if told else []
    return reply(ReadinessView(ready, shown, warnings), 200 if ready else 503)
