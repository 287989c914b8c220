"""The gateways, as the watcher saw them last (30 s fresh)."""

import re

from quart import Blueprint, Response

from actors.board.changes import GatewayView
from api.http.exports import CSV, Table, reply_as, wanted
from api.http.openapi import Answer, answers, takes
from api.http.problems import INVALID, RATE_LIMITED, STORE_UNAVAILABLE, UNKNOWN_GATEWAY, Problem
from api.http.requests import read_query
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import (
    GatewayHealth,
    GatewayList,
    OutageList,
)
from api.models.columns import GATEWAYS, OUTAGES
from api.models.requests import OutageQuery, TableQuery

DAY_S = 86_400.0
GATEWAY_ID = re.compile(r"[0-9a-fA-F]{16}")

blueprint = Blueprint("gateways", __name__)


@blueprint.get("/gateways")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Every gateway.", GatewayList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED),
    tag="gateways",
)
@takes(query=TableQuery)
async def list_gateways() -> Response:
    """Every gateway, by id."""
    query, gateways = read_query(TableQuery), _gateways()
    view = GatewayList(len(gateways), gateways)
    return reply_as(wanted(query.format), view, Table("gateways", GATEWAYS, gateways))


@blueprint.get("/gateways/health")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Counts and troubles.", GatewayHealth), problems=(RATE_LIMITED,), tag="gateways"
)
async def gateway_health() -> Response:
    """How many gateways are online, and which are not."""
    gateways = _gateways()
    return reply(
        GatewayHealth(
            total=len(gateways),
            online=sum(gateway.online for gateway in gateways),
            offline=[gateway for gateway in gateways if not gateway.online],
            unknown=[gateway for gateway in gateways if not gateway.known],
        )
    )


@blueprint.get("/gateways/<gateway_id>/status")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The gateway.", GatewayView),
    problems=(UNKNOWN_GATEWAY, RATE_LIMITED),
    tag="gateways",
)
async def gateway_status(gateway_id: str) -> Response:
    """One gateway: online or not and since when, airtime used, frames waiting."""
    gateway = seen().gateway(gateway_id.lower())
    if gateway is None:
        raise _unknown(gateway_id)
    return reply(gateway)


@blueprint.get("/gateways/<gateway_id>/outages")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Newest first.", OutageList, also=(CSV,)),
    problems=(UNKNOWN_GATEWAY, INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="gateways",
)
@takes(query=OutageQuery)
async def gateway_outages(gateway_id: str) -> Response:
    """When one gateway was away, newest first; the running outage has no end."""
    gateway_id, query = known_gateway(gateway_id), read_query(OutageQuery)
    until = application().clock.now() + 1.0
    since = until - query.days * DAY_S
    past = await application().queries.gateway_past(gateway_id, since=since, until=until)
    view = OutageList(
        gateway_id=gateway_id,
        days=query.days,
        availability=past.availability,
        observed_s=past.observed_s,
        away_s=past.away_s,
        outages=past.outages,
        observed=past.observed,
    )
    return reply_as(wanted(query.format), view, Table("outages", OUTAGES, view.outages))


def known_gateway(text: str) -> str:
    """The id of a gateway that is known. Raises Problem."""
    gateway_id = text.lower()
    if seen().gateway(gateway_id) is None:
        raise _unknown(text)
    return gateway_id


def _unknown(gateway_id: str) -> Problem:
    formed = GATEWAY_ID.fullmatch(gateway_id)
    return Problem(UNKNOWN_GATEWAY, "" if formed else "an id is 16 hexadecimal digits")


def _gateways() -> list[GatewayView]:
    here = seen()
    found = (here.gateway(gateway_id) for gateway_id in sorted(application().board.gateways))
    return [gateway for gateway in found if gateway is not None]
