"""The gateways, as the watcher saw them last (30 s fresh)."""

from quart import Blueprint, Response

from api.models import GatewayHealth, GatewayList, GatewayShown
from api.openapi import Answer, answers
from api.problems import RATE_LIMITED, UNKNOWN_GATEWAY, Problem
from api.replies import reply
from api.services import services

blueprint = Blueprint("gateways", __name__)


@blueprint.get("/gateways")
@answers(Answer(200, "Every gateway.", GatewayList), problems=(RATE_LIMITED,), tag="gateways")
async def list_gateways() -> Response:
    """Every gateway, by id."""
    gateways = _gateways()
    return reply(GatewayList(len(gateways), gateways))


@blueprint.get("/gateways/health")
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
@answers(
    Answer(200, "The gateway.", GatewayShown),
    problems=(UNKNOWN_GATEWAY, RATE_LIMITED),
    tag="gateways",
)
async def gateway_status(gateway_id: str) -> Response:
    """One gateway: online or not and since when, airtime used, frames waiting."""
    gateway = services().house.gateways().get(gateway_id.lower())
    if gateway is None:
        raise Problem(UNKNOWN_GATEWAY)
    return reply(GatewayShown.of(gateway))


def _gateways() -> list[GatewayShown]:
    gateways = services().house.gateways()
    return [GatewayShown.of(gateways[gateway_id]) for gateway_id in sorted(gateways)]
