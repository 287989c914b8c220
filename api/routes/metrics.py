"""How well commands succeed, and everything countable for Prometheus."""

from quart import Blueprint, Response

from api.http.exports import CSV, Table, reply_as, wanted
from api.http.metrics import CONTENT_TYPE
from api.http.openapi import Answer, answers, takes
from api.http.problems import INVALID, RATE_LIMITED, STORE_UNAVAILABLE, UNKNOWN_DEVICE, Problem
from api.http.requests import read_dev_eui, read_query
from api.http.services import application, services
from api.http.sight import Lights, seen, shows
from api.models import MetricsView, ReliabilityView
from api.models.columns import METRICS, WORST
from api.models.requests import MetricsQuery, ReliabilityQuery

blueprint = Blueprint("downlink_metrics", __name__)
root = Blueprint("metrics", __name__)


@blueprint.get("/metrics/downlinks")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Of all lights.", MetricsView, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=MetricsQuery)
async def fleet_metrics() -> Response:
    """Success rate, frames and time to verify over the last hours."""
    query = read_query(MetricsQuery)
    lights = seen()
    sees = lights.light if lights.limited else None
    figures = await application().queries.downlinks(None, query.hours, sees)
    return _told(MetricsView.of(None, figures), query)


@blueprint.get("/metrics/downlinks/<dev_eui>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Of this light.", MetricsView, also=(CSV,)),
    problems=(UNKNOWN_DEVICE, INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=MetricsQuery)
async def device_metrics(dev_eui: str) -> Response:
    """The same of one light."""
    dev_eui, query = read_dev_eui(dev_eui), read_query(MetricsQuery)
    if dev_eui not in application().board.devices:
        raise Problem(UNKNOWN_DEVICE)
    figures = await application().queries.downlinks(dev_eui, query.hours)
    return _told(MetricsView.of(dev_eui, figures), query)


def _told(view: MetricsView, query: MetricsQuery) -> Response:
    return reply_as(wanted(query.format), view, Table("downlinks", METRICS, [view]))


@blueprint.get("/metrics/reliability")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Of all lights; as a table its worst ones.", ReliabilityView, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="operation",
)
@takes(query=ReliabilityQuery)
async def fleet_reliability() -> Response:
    """Spread of times and attempts over the last hours, and the worst lights with reasons."""
    query = read_query(ReliabilityQuery)
    lights = seen()
    sees = lights.light if lights.limited else None
    figures = await application().queries.reliability(query.hours, sees)
    devices = application().board.devices
    names = {
        one.dev_eui: devices[one.dev_eui].name for one in figures.worst if one.dev_eui in devices
    }
    view = ReliabilityView.of(figures, names)
    return reply_as(wanted(query.format), view, Table("reliability", WORST, view.worst))


@root.get("/metrics")
@shows(Lights.ALL)
@answers(
    Answer(200, "Prometheus text format.", media_type="text/plain"),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def prometheus() -> Response:
    """Counters and gauges of the service for Prometheus."""
    return Response(services().http_metrics.render(), content_type=CONTENT_TYPE)
