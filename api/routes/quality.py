"""What is to be expected: lights at risk, a gateway's grade, and how good such tellings were."""

import trio
from quart import Blueprint, Response

from actors.board.outlook import worst_first
from actors.quality.model import GatewayGrade, Rule, Scores
from api.http.exports import CSV, Table, reply_as
from api.http.exports import wanted as form_of
from api.http.openapi import Answer, answers, takes
from api.http.problems import INVALID, RATE_LIMITED, UNKNOWN_GATEWAY
from api.http.requests import read_query
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models.columns import RISKS
from api.models.quality import RiskList, RiskView, gateway_quality
from api.models.requests import RiskQuery
from api.routes.devices import matcher
from api.routes.gateways import known_gateway

CHUNK = 20
"""Lights told of between two checkpoints, 100 us each with their sentence: 2 ms."""

blueprint = Blueprint("quality", __name__)


@blueprint.get("/risks")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The worst first.", RiskList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED),
    tag="lights",
)
@takes(query=RiskQuery)
async def list_risks() -> Response:
    """The lights most at risk, with their evidence; filters are combined as for the lights."""
    query = read_query(RiskQuery)
    board, quality = application().board, application().quality
    wanted = matcher(query, board.reachability)
    matching = [device for device in seen().devices.values() if wanted(device)]
    risks = board.risks
    known = worst_first([one for one in matching if one.dev_eui in risks], risks)
    if query.warned is not None:
        known = [one for one in known if bool(one[1].warnings) is query.warned]
    warned = dict.fromkeys(Rule, 0)
    for _, told in known:
        for rule in told.rules:
            warned[Rule(rule)] += 1
    shown = []
    for count, (device, _) in enumerate(known[query.offset : query.offset + query.limit], start=1):
        if count % CHUNK == 0:
            await trio.lowlevel.checkpoint()
        risk = quality.light(device.dev_eui)
        if risk is not None:
            shown.append(RiskView.of(device, risk))
    view = RiskList(
        total=len(known),
        unknown=sum(one.dev_eui not in risks for one in matching),
        warned=warned,
        limit=query.limit,
        offset=query.offset,
        risks=shown,
    )
    end = query.offset + query.limit
    following = {"offset": end} if end < len(known) else None
    return reply_as(form_of(query.format), view, Table("risks", RISKS, shown, following))


@blueprint.get("/gateways/<gateway_id>/quality")
@shows(Lights.ALL)
@answers(
    Answer(200, "The grade with every line.", GatewayGrade),
    problems=(UNKNOWN_GATEWAY, RATE_LIMITED),
    tag="gateways",
)
async def gateway_grade(gateway_id: str) -> Response:
    """One gateway's grade over 24 h: that of its worst line, which is the reason."""
    gateway_id = known_gateway(gateway_id)
    return reply(gateway_quality(gateway_id, application().quality.gateway(gateway_id)))


@blueprint.get("/quality/scores")
@shows(Lights.ALL)
@answers(Answer(200, "Judged by what came.", Scores), problems=(RATE_LIMITED,), tag="operation")
async def quality_scores() -> Response:
    """How good the chances and warnings were, over about the last 60 days."""
    return reply(application().quality.scores())
