"""`GET /alerts`: what is wrong, and what was."""

from quart import Blueprint, Response

from api.inputs import read_query
from api.models import AlertList, AlertShown
from api.models.requests import AlertQuery
from api.openapi import Answer, answers, takes
from api.problems import INVALID, RATE_LIMITED
from api.replies import reply
from api.services import services

blueprint = Blueprint("alerts", __name__)


@blueprint.get("/alerts")
@answers(Answer(200, "Newest first.", AlertList), problems=(INVALID, RATE_LIMITED), tag="operation")
@takes(query=AlertQuery)
async def list_alerts() -> Response:
    """Open and recent alerts, newest first."""
    query = read_query(AlertQuery)
    alerts = [AlertShown.of(alert) for alert in services().house.alerts()]
    shown = [
        alert
        for alert in alerts
        if query.open in (None, alert.open) and query.kind in (None, alert.kind)
    ]
    return reply(AlertList(sum(alert.open for alert in alerts), shown[: query.limit]))
