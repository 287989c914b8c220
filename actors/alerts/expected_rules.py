"""What is to be expected, as a reason to tell a person: a light that is warned of, a poor gateway.

The texts name no figures: those change with every frame, and an alert whose text changes is stored
and shown anew. One trouble is one alert: a light that fell silent has an alert for that, and while
a gateway is graded D the lights that it hears are told of by the gateway's alert.
"""

from collections.abc import Iterable, Iterator, Mapping

from actors.alerts.finding import LIGHTS_MOST, AlertKind, Finding
from actors.alerts.rules import NamedLight, named
from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.board.outlook import RiskTold
from actors.board.reachability import Reach
from actors.device.model import Device
from actors.quality.model import GatewayGrade, Grade, Line, Rule

WARNED: Mapping[str, str] = {
    Rule.TREND: "its signal falls day by day and will soon not be enough",
    Rule.COUNTERS: "more than half of its statuses are lost",
    Rule.FLAPPING: "it joins again and again, as if its power came and went",
    Rule.MOVED: "its signal fell at once and stays so, as if it, or an antenna, had been moved",
}
POOR: Mapping[Line, str] = {
    Line.TAKEN: "it does not take its frames at the first try",
    Line.ANSWERED: "fewer of its frames are answered than the lights' own records promise",
    Line.LEAD: "it takes frames late",
    Line.UPLINKS: "it hears fewer of the lights in its reach than in the week before",
    Line.NOISE: "the noise around it has grown",
    Line.AIRTIME: "its airtime was used up, and frames waited",
    Line.ALONE: "too many lights depend on it alone",
}
"""By the line that is graded D. Being away is told by the alert of each outage."""


def at_risk(device: Device, risk: RiskTold, reach: Reach, poor_gateway: str | None) -> Finding:
    """Whether a rule warns of a light; `poor_gateway` hears it and is graded D."""
    name, warnings = device.name or device.dev_eui, risk.warnings
    kind = AlertKind.LIGHT_AT_RISK
    if not warnings:
        return Finding(kind, device.dev_eui, holds=False, text=f"nothing warns of {name} any more")
    if reach not in {Reach.REACHABLE, Reach.NEVER_HEARD}:
        text = f"{name} cannot be reached now, of which another alert tells"
        return Finding(kind, device.dev_eui, holds=False, text=text)
    if poor_gateway is not None:
        text = f"gateway {poor_gateway}, which hears {name}, is graded D and has an alert"
        return Finding(kind, device.dev_eui, holds=False, text=text)
    why = "; ".join(WARNED.get(one.rule, one.rule) for one in warnings)
    since = min(one.since for one in warnings)
    return Finding(kind, device.dev_eui, holds=True, text=f"{name} may fail: {why}", since=since)


def poor_gateways(graded: Iterable[GatewayGrade], board: Board) -> Iterator[Finding]:
    """For each gateway with a grade whether that is D, with the lights it hears that are warned
    of."""
    for one in graded:
        view = board.gateways.get(one.gateway_id)
        if view is not None and one.grade is not None:
            yield _poor(one, view, board)


def _poor(graded: GatewayGrade, view: GatewayView, board: Board) -> Finding:
    name, kind = view.name or view.gateway_id, AlertKind.GATEWAY_POOR
    bad = [line.line for line in graded.lines if line.grade is Grade.D and line.line in POOR]
    if view.takes_nothing_since is not None and Line.TAKEN in bad:
        bad.remove(Line.TAKEN)  # the alert "gateway takes nothing" tells it
    if not view.online:
        text = f"gateway {name} is offline, of which another alert tells"
        return Finding(kind, view.gateway_id, holds=False, text=text)
    if not bad:
        text = f"gateway {name} is not graded D any more"
        return Finding(kind, view.gateway_id, holds=False, text=text)
    lights = sorted(_warned(view.gateway_id, board))
    text = f"gateway {name} is graded D: {'; '.join(POOR[line] for line in bad)}"
    if lights:
        count = "1 light" if len(lights) == 1 else f"{len(lights)} lights"
        text += f"; {count} that it hears may fail: {named(lights)}"
    return Finding(
        kind,
        view.gateway_id,
        holds=True,
        text=text,
        lights=tuple(light.dev_eui for light in lights[:LIGHTS_MOST]),
        lights_total=len(lights),
    )


def _warned(gateway_id: str, board: Board) -> Iterator[NamedLight]:
    for dev_eui, risk in board.risks.items():
        device = board.devices[dev_eui] if risk.warnings else None
        if device is not None and any(one.gateway_id == gateway_id for one in device.hearings):
            yield NamedLight(device.name or dev_eui, dev_eui)
