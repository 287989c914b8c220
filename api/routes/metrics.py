"""How well commands succeed, and everything countable for Prometheus."""

from quart import Blueprint, Response

from api.inputs import read_dev_eui, read_query
from api.meters import CONTENT_TYPE
from api.models import MetricsView, ReliabilityView
from api.models.requests import MetricsQuery
from api.openapi import Answer, answers, takes
from api.problems import INVALID, RATE_LIMITED, STORE_UNAVAILABLE, UNKNOWN_DEVICE, Problem
from api.replies import reply
from api.services import services

blueprint = Blueprint("downlink_metrics", __name__)
root = Blueprint("metrics", __name__)


@blueprint.get("/metrics/downlinks")
@answers(
    Answer(200, "Of all lights.", MetricsView),
    problems=(INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=MetricsQuery)
async def fleet_metrics() -> Response:
    """Success rate, frames and time to verify over the last hours."""
    query = read_query(MetricsQuery)
    return reply(MetricsView.of(None, await services().house.metrics(None, query.hours)))


@blueprint.get("/metrics/downlinks/<dev_eui>")
@answers(
    Answer(200, "Of this light.", MetricsView),
    problems=(UNKNOWN_DEVICE, INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=MetricsQuery)
async def device_metrics(dev_eui: str) -> Response:
    """The same of one light."""
    dev_eui, query, house = read_dev_eui(dev_eui), read_query(MetricsQuery), services().house
    if dev_eui not in house.devices():
        raise Problem(UNKNOWN_DEVICE)
    return reply(MetricsView.of(dev_eui, await house.metrics(dev_eui, query.hours)))


@blueprint.get("/metrics/reliability")
@answers(
    Answer(200, "Of all lights.", ReliabilityView),
    problems=(INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=MetricsQuery)
async def fleet_reliability() -> Response:
    """Spread of times and attempts over the last hours, and the worst lights with reasons."""
    query, house = read_query(MetricsQuery), services().house
    figures = await house.reliability(query.hours)
    devices = house.devices()
    names = {
        one.dev_eui: devices[one.dev_eui].name for one in figures.worst if one.dev_eui in devices
    }
    return reply(ReliabilityView.of(figures, names))


@root.get("/metrics")
@answers(
    Answer(200, "Prometheus text format.", media_type="text/plain"),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def prometheus() -> Response:
    """Counters and gauges of the service for Prometheus."""
    return Response(services().meters.render(), content_type=CONTENT_TYPE)
