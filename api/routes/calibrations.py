"""Calibration: what is measured of firmware and forwarders, and probing what is not."""

from collections.abc import Iterator

from quart import Blueprint, Response

from actors.calibration.model import Wish
from actors.refusal import Refusal
from actors.storage.audit import Act
from api.http.audit import note
from api.http.openapi import Answer, answers, takes
from api.http.problems import CONFLICT, INVALID, RATE_LIMITED, WRITING, Problem
from api.http.requests import read_body
from api.http.response_headers import LOCATION
from api.http.responses import address, reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.models.calibration import CalibrationPlan, CalibrationView
from api.models.requests import CalibrationRequest
from api.validation import MISTAKES_MOST, Mistake

blueprint = Blueprint("calibrations", __name__)


@blueprint.get("/calibrations")
@shows(Lights.ALL)
@answers(
    Answer(200, "What is known, what is not, and the newest run.", CalibrationView),
    problems=(RATE_LIMITED,),
    tag="operation",
)
async def get_calibrations() -> Response:
    """How soon lights answer and how long forwarders wait, as far as it was measured."""
    return reply(CalibrationView.of(application().calibrator, _name_of))


@blueprint.post("/calibrations/plan")
@shows(Lights.ALL)
@answers(
    Answer(200, "What it would send, and what that costs; nothing is sent.", CalibrationPlan),
    problems=WRITING,
    tag="operation",
)
@takes(body=CalibrationRequest)
async def plan_calibration() -> Response:
    """Say what a run like this would do now."""
    wish = _wish(await read_body(CalibrationRequest))
    return reply(CalibrationPlan.of(application().calibrator.plan(wish)))


@blueprint.post("/calibrations")
@shows(Lights.ALL)
@answers(
    Answer(202, "Begun; `Location` has its progress.", CalibrationView, headers=(LOCATION,)),
    problems=(*WRITING, CONFLICT),
    tag="operation",
)
@takes(body=CalibrationRequest)
async def begin_calibration() -> Response:
    """Probe lights for what is unknown, one at a time: each is sent twice the colour it shows.

    A command for a light goes first and ends its probe. One run at a time.
    """
    wish = _wish(await read_body(CalibrationRequest))
    calibrator = application().calibrator
    if calibrator.start(wish) is Refusal.TOO_MANY:
        raise Problem(CONFLICT, "a calibration is under way: wait for its end")
    on = wish.dev_euis[0] if len(wish.dev_euis) == 1 else ""
    note(Act.CALIBRATE, on, lights=wish.lights, again=wish.again)
    headers = {"Location": address("/api/v1/calibrations")}
    return reply(CalibrationView.of(calibrator, _name_of), 202, headers)


def _wish(body: CalibrationRequest) -> Wish:
    """What is asked for. Raises Problem with every name that is not known."""
    mistakes = list(_unknown(body))
    if mistakes:
        raise Problem(INVALID, errors=mistakes[:MISTAKES_MOST])
    return Wish(
        dev_euis=tuple(dev_eui.lower() for dev_eui in body.dev_euis),
        sw_revs=tuple(body.sw_revs),
        gateway_ids=tuple(gateway_id.lower() for gateway_id in body.gateway_ids),
        lights=body.lights,
        again=body.again,
    )


def _unknown(body: CalibrationRequest) -> Iterator[Mistake]:
    board = application().board
    for number, dev_eui in enumerate(body.dev_euis):
        if dev_eui.lower() not in board.devices:
            yield Mistake(f"dev_euis.{number}", "is not a known light")
    for number, gateway_id in enumerate(body.gateway_ids):
        if gateway_id.lower() not in board.gateways:
            yield Mistake(f"gateway_ids.{number}", "is not a known gateway")
    seen = {one.report.sw_rev for one in board.devices.values() if one.report is not None}
    for number, sw_rev in enumerate(body.sw_revs):
        if sw_rev not in seen:
            yield Mistake(f"sw_revs.{number}", "no light has this software")


def _name_of(gateway_id: str) -> str:
    view = application().board.gateways.get(gateway_id)
    return "" if view is None else view.name
