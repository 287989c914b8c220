"""The alerts: what is wrong, what was, and that somebody knows."""

from quart import Blueprint, Response

from actors.refusal import Refusal
from actors.storage.audit import Act
from api.http.audit import by, note
from api.http.exports import CSV, Table, reply_as, wanted
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NO_REPLY,
    RATE_LIMITED,
    UNKNOWN_ALERT,
    WRITING,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_body, read_query
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import AlertList, AlertShown
from api.models.columns import ALERTS
from api.models.requests import Acknowledgement, AlertQuery

blueprint = Blueprint("alerts", __name__)


@blueprint.get("/alerts")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Newest first.", AlertList, also=(CSV,)),
    problems=(INVALID, RATE_LIMITED),
    tag="operation",
)
@takes(query=AlertQuery)
async def list_alerts() -> Response:
    """Open and recent alerts, newest first."""
    query = read_query(AlertQuery)
    lights = seen()
    visible = (lights.alert(alert) for alert in application().board.alerts())
    alerts = [AlertShown.of(alert) for alert in visible if alert is not None]
    shown = [
        alert
        for alert in alerts
        if query.open in (None, alert.open) and query.kind in (None, alert.kind)
    ]
    view = AlertList(sum(alert.open for alert in alerts), shown[: query.limit])
    return reply_as(wanted(query.format), view, Table("alerts", ALERTS, view.alerts))


@blueprint.post("/alerts/<alert_id>/acknowledge")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The alert as it is now.", AlertShown),
    problems=(
        UNKNOWN_ALERT,
        CONFLICT,
        *WRITING,
        NO_REPLY,
    ),
    tag="operation",
    body_optional=True,
)
@takes(body=Acknowledgement)
async def acknowledge(alert_id: str) -> Response:
    """Say that somebody knows of an open alert: it is not repeated any more.

    People are told when it is over, and again when it comes back after that.
    """
    body = await read_body(Acknowledgement, optional=True)
    lights = seen()
    alert = next((one for one in application().board.alerts() if one.id == alert_id), None)
    if alert is None or lights.alert(alert) is None:
        raise Problem(UNKNOWN_ALERT)
    if lights.limited and alert.subject in application().board.gateways:
        raise Problem(FORBIDDEN, f"{by()} may see some lights only, and a gateway is of all")
    known = await application().alerter.acknowledge(alert_id, body.by or by())
    if known is None:
        raise Problem(CONFLICT, "the alert is over")
    if isinstance(known, Refusal):
        refuse(known)
    note(Act.ACKNOWLEDGE, alert_id, kind=known.kind, subject=known.subject, as_of=body.by)
    return reply(AlertShown.of(lights.alert(known) or known))
