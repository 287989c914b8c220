"""An office to look at: lights in every state, gateways of which one is away, alerts."""

from typing import Any

import msgspec

from actors.board.changes import AlertView, GatewayView
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device, Hearing, Phase, Wanted
from actors.reasons import GatewayTold, Reason, ReasonCode
from lorawan.kuando.light_state import AFTER_JOIN, LightState
from tests.support.fake_application import NOW, a_light

ROOF, HALL, YARD = "0016c001f153a14c", "0016c001f153a14d", "0016c001f153a14e"
RED, GREEN, BLUE = LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255)
YELLOW, VIOLET, DARK = LightState(255, 190, 0), LightState(150, 0, 255), LightState(0, 0, 0)
BLINKING = LightState(255, 0, 0, 100, 100)


def eui(number: int) -> str:
    """The DevEUI of the light of this number."""
    return f"202020390729{number:04x}"


def light(number: int, name: str, shown: LightState, **changes: Any) -> Device:
    """A light that shows this, as wanted."""
    device = a_light(eui(number), name=name)
    assert device.report is not None
    report = msgspec.structs.replace(device.report, light=shown)
    wanted = Wanted(shown, "cmd-0", NOW - 700)
    return msgspec.structs.replace(device, **{"report": report, "wanted": wanted, **changes})


def order(
    number: int, wanted: LightState, status: CommandStatus, *steps: Step, **changes: Any
) -> Command:
    """An order under way for the light of this number."""
    accepted = Step(NOW - 95, StepKind.ACCEPTED)
    command = Command(
        id=f"order-{number}",
        dev_eui=eui(number),
        light=wanted,
        keep=True,
        accepted_at=NOW - 95,
        expires_at=NOW + 86_000,
        status=status,
        timeline=(accepted, *steps),
    )
    return msgspec.structs.replace(command, **changes)


def pursued(command: Command, name: str, shown: LightState, phase: Phase, **changes: Any) -> Device:
    """The light that this order is for."""
    number = int(command.dev_eui[-4:], 16)
    wanted = Wanted(command.light, command.id, command.accepted_at)
    return light(number, name, shown, phase=phase, command=command, wanted=wanted, **changes)


def office() -> list[Device | GatewayView | AlertView]:
    """Lights in every state, three gateways of which one is away, and the alerts of that."""
    away = (Hearing(YARD, NOW - 400, -118, -9.0, 3.5, latest=True, online=False),)
    held = "every gateway that hears this light is offline: Yard (since 08:46 UTC)"
    cause = Reason(ReasonCode.GATEWAYS_OFFLINE, ((GatewayTold(YARD, "Yard", NOW - 400),),))
    why: dict[str, Any] = {"reason": held, "cause": cause}
    waiting = order(20, VIOLET, CommandStatus.HELD, Step(NOW - 94, StepKind.HELD, 4, **why), **why)
    sent = order(
        21,
        BLUE,
        CommandStatus.TRANSMITTED,
        Step(NOW - 92, StepKind.QUEUED, 9),
        Step(NOW - 60, StepKind.TRANSMITTED, 9, ROOF),
        Step(NOW - 30, StepKind.UNPROVEN, 9, reason="no answer within the verification window"),
        Step(NOW - 9, StepKind.QUEUED, 10),
        Step(NOW - 7, StepKind.TRANSMITTED, 10, HALL),
    )
    lost = order(22, RED, CommandStatus.TRANSMITTED, attempts=3, overdue=True)
    rejoined = light(23, "Reception", AFTER_JOIN, wanted=Wanted(RED, "cmd-0", NOW - 5_000))
    joined = {"session": None, "report": None, "phase": Phase.UNINITIALIZED}
    lights = [
        light(1, "Desk 1", GREEN),
        light(2, "Desk 2", RED),
        light(3, "Desk 10", BLINKING),
        light(4, "Meeting room Turing", YELLOW),
        light(5, "Meeting room Hopper", GREEN),
        light(6, "Quiet room", VIOLET),
        light(7, "Workshop", LightState(255, 96, 0)),
        light(8, "Laboratory", BLUE),
        light(9, "Server room", LightState(0, 220, 255, 32, 160)),
        light(10, "Canteen", LightState(255, 255, 255)),
        light(11, "Archive", DARK),
        light(12, "Stairs", AFTER_JOIN, wanted=None),
        pursued(
            waiting,
            "Loading dock with a rather long name",
            GREEN,
            Phase.AWAITING_VERIFY,
            hearings=away,
        ),
        pursued(sent, "Desk 3", GREEN, Phase.AWAITING_VERIFY),
        pursued(lost, "Gate", AFTER_JOIN, Phase.FAILED, last_error="no proof after 3 attempts"),
        msgspec.structs.replace(rejoined, phase=Phase.INITIALIZING),
        light(24, "Post room", GREEN, wanted=Wanted(BLUE, "cmd-0", NOW - 90), phase=Phase.RETRYING),
        light(25, "Spare", GREEN, wanted=None, **joined),
    ]
    return [
        *lights,
        GatewayView(
            ROOF,
            "Roof",
            since=NOW - 90_000,
            heard_at=NOW - 60,
            airtime_used_s=41.2,
            airtime_budget_s=360.0,
            pending=1,
        ),
        GatewayView(
            HALL,
            "Hall",
            since=NOW - 90_000,
            heard_at=NOW - 20,
            airtime_used_s=337.0,
            airtime_budget_s=360.0,
        ),
        GatewayView(
            YARD,
            "Yard",
            online=False,
            since=NOW - 460,
            heard_at=NOW - 500,
            airtime_used_s=3.1,
            airtime_budget_s=360.0,
            pending=2,
        ),
        AlertView(
            "alert-1", "gateway_offline", YARD, "gateway Yard is offline", NOW - 430, NOW - 430
        ),
        AlertView(
            "alert-2",
            "light_failed",
            eui(22),
            "Gate does not show its colour: no proof after 3 attempts",
            NOW - 120,
            NOW - 60,
            1,
        ),
    ]
