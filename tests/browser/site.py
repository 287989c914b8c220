"""A site of three floors to take pictures of: 64 lights, four gateways, a night's worth of past."""

import random
from typing import Any

import msgspec

from actors.board.changes import AlertView, GatewayView
from actors.device.command import CommandStatus, Step, StepKind
from actors.device.model import Device, Hearing, Phase
from actors.messaging.dead_letters import DeadLetter
from actors.quality.announcer import grade_told
from actors.quality.model import Grade, Line, Rule
from actors.supervision import ChildReport, ChildState
from lorawan.kuando.light_state import AFTER_JOIN, LightState
from tests.browser.office import BLUE, DARK, GREEN, RED, VIOLET, YELLOW, eui, light, order, pursued
from tests.browser.played_answers import HOUR, signal_of
from tests.browser.serve_fake import PlayedHouse
from tests.support.fake_application import NOW
from tests.support.fake_quality import a_grade, a_risk, some_days, some_scores

NORTH, SOUTH, HALL, YARD = (f"0016c001f153a1{number:02x}" for number in range(0x4A, 0x4E))
GATEWAYS = {NORTH: "Roof North", SOUTH: "Roof South", HALL: "Hall", YARD: "Yard"}
ORANGE, CYAN, WHITE = LightState(255, 96, 0), LightState(0, 220, 255), LightState(255, 255, 255)
BLINKS = LightState(255, 0, 0, 50, 50)
GROUPS = (
    ("Bay", 28, "P1", (GREEN, GREEN, GREEN, RED, RED, BLUE), (YARD, SOUTH)),
    ("Desk", 22, "2", (GREEN, RED, YELLOW, VIOLET, BLUE, DARK), (NORTH, HALL)),
    ("Line", 14, "3", (GREEN, GREEN, ORANGE, CYAN, WHITE, BLINKS), (HALL, SOUTH)),
)


def _hearings(number: int, ids: tuple[str, ...]) -> tuple[Hearing, ...]:
    some = ids if number % 3 else ids[:1]
    return tuple(
        Hearing(
            gateway_id,
            NOW - 20 - number,
            -96 - 7 * place - number % 9,
            8.0 - 3 * place,
            19.0 - 6 * place,
            latest=place == 0,
            online=gateway_id != YARD,
        )
        for place, gateway_id in enumerate(some)
    )


def _lights() -> list[Device]:
    chance = random.Random(7)
    lights = []
    number = 0
    for name, count, floor, colours, ids in GROUPS:
        for place in range(1, count + 1):
            number += 1
            shown = chance.choice(colours)
            changes: dict[str, Any] = {
                "tags": {"floor": floor},
                "application_id": f"app-{name}",
                "application_name": {"Bay": "Parking", "Desk": "Office", "Line": "Assembly"}[name],
                "hearings": _hearings(number, ids),
            }
            lights.append(light(number, f"{name} {place:02d}", shown, **changes))
    return lights


def _troubled(lights: list[Device]) -> list[Device]:
    held = "every gateway that hears this light is offline: Yard (since 08:36 UTC)"
    sent = (
        Step(NOW - 92, StepKind.QUEUED, 1),
        Step(NOW - 88, StepKind.TRANSMITTED, 1, NORTH),
        Step(NOW - 57, StepKind.UNPROVEN, 1, reason="no answer within the verification window"),
        Step(NOW - 9, StepKind.QUEUED, 2),
        Step(NOW - 7, StepKind.TRANSMITTED, 2, HALL),
    )
    made: dict[int, Device] = {}
    for number, wanted in ((3, RED), (9, GREEN), (15, RED)):
        step = Step(NOW - 94, StepKind.HELD, reason=held)
        waits = order(number, wanted, CommandStatus.HELD, step, reason=held)
        made[number] = pursued(waits, "", BLUE, Phase.AWAITING_VERIFY)
    for number, wanted in ((32, BLUE), (41, GREEN)):
        under_way = order(number, wanted, CommandStatus.TRANSMITTED, *sent, attempts=2)
        made[number] = pursued(under_way, "", YELLOW, Phase.AWAITING_VERIFY)
    lost = order(55, RED, CommandStatus.TRANSMITTED, *sent, attempts=3, overdue=True)
    made[55] = pursued(lost, "", AFTER_JOIN, Phase.FAILED, last_error="no proof after 3 attempts")
    kept = ("name", "tags", "application_id", "application_name", "hearings")
    return [
        msgspec.structs.replace(made[n], **{field: getattr(old, field) for field in kept})
        if (n := int(old.dev_eui[-4:], 16)) in made
        else old
        for old in lights
    ]


def _tree() -> ChildReport:
    devices = tuple(
        ChildReport(f"device {eui(n)}", ChildState.RUNNING, NOW - 7 * HOUR, int(n == 55), None)
        for n in range(1, 65)
    )
    dispatcher = ChildReport(
        "dispatcher",
        ChildState.RUNNING,
        NOW - 2 * HOUR,
        1,
        "NetworkError: unavailable",
        NOW - 7_300,
    )
    names = ("journal", "board", "gateway watcher", "sweeper", "alerter", "web")
    rest = tuple(ChildReport(name, ChildState.RUNNING, NOW - 31 * HOUR) for name in names)
    fleet = ChildReport("fleet", ChildState.RUNNING, NOW - 31 * HOUR, children=devices)
    return ChildReport(
        "root", ChildState.RUNNING, NOW - 31 * HOUR, children=(dispatcher, fleet, *rest)
    )


def _past(application: PlayedHouse) -> None:
    played = application.played
    for at, colour, number in ((4.2, GREEN, 1), (9.0, RED, 2), (26.5, VIOLET, 3)):
        began = NOW - at * HOUR
        steps = (
            Step(began, StepKind.ACCEPTED),
            Step(began + 0.3, StepKind.QUEUED, 1),
            Step(began + 1.9, StepKind.TRANSMITTED, 1, NORTH),
            Step(began + 3.6, StepKind.VERIFIED, 1),
        )
        done = order(32, colour, CommandStatus.VERIFIED, id=f"past-{number}", attempts=1)
        done = msgspec.structs.replace(
            done, accepted_at=began, ended_at=began + 3.6, timeline=steps
        )
        played.past.setdefault(eui(32), []).append(done)
    played.points[eui(32)] = signal_of(3, {NORTH: -98.0, HALL: -109.0, SOUTH: -117.0})
    played.outages[YARD] = [
        {"since": NOW - 940, "until": None},
        {"since": NOW - 49 * HOUR, "until": NOW - 44 * HOUR},
        {"since": NOW - 120 * HOUR, "until": NOW - 119.4 * HOUR},
    ]
    played.outages[SOUTH] = [{"since": NOW - 76 * HOUR, "until": NOW - 75.2 * HOUR}]
    lost = AlertView("alert-9", "light_failed", eui(55), "told before", NOW, NOW)
    letter = DeadLetter("alerter", lost, "TimeoutError: no answer", NOW - 9_000)
    application.dead_letters.letters.append(letter)


def _expected(application: PlayedHouse) -> None:
    """Most lights are well; some are warned of, one is new."""
    chance = random.Random(11)
    for number in range(1, 64):
        risk = a_risk(eui(number), round(1 - abs(chance.gauss(0, 0.03)), 3))
        application.expects(msgspec.structs.replace(risk, margin_db=12.0))
    for number, of, rules in (
        (7, 0.71, (Rule.TREND,)),
        (18, 0.44, (Rule.COUNTERS,)),
        (32, 0.83, (Rule.TREND, Rule.MOVED)),
        (60, 0.9, (Rule.FLAPPING,)),
    ):
        application.expects(a_risk(eui(number), of, *rules, since=NOW - 30 * HOUR))
        application.quality.past[eui(number)] = some_days(NOW)
    words = "46 of 57 first attempts answered, 56 promised"
    grades = {
        NORTH: a_grade(NORTH, Grade.B, Line.NOISE, "noise -112 dBm, -115 dBm on the days before"),
        SOUTH: a_grade(SOUTH, Grade.A, Line.AWAY, "never away in 24 hours"),
        HALL: a_grade(HALL, Grade.D, Line.ANSWERED, words),
        YARD: a_grade(YARD, Grade.C, Line.ALONE, "12 of 14 lights are heard by it alone"),
    }
    application.quality.graded = grades
    application.quality.scored = some_scores()
    for gateway_id, graded in grades.items():
        told = grade_told(graded)
        view = application.board.gateways[gateway_id]
        application.board.publish(
            msgspec.structs.replace(view, grade=told.grade, grade_line=told.line)
        )


def _rollouts(application: PlayedHouse) -> None:
    played = application.played
    steady = {"on": 255, "off": 0, "keep": True}
    every = [eui(number) for number in range(1, 65)]
    for name, colour, some in (
        ("Night, all floors", {"red": 0, "green": 0, "blue": 0}, every),
        ("Assembly to green", {"red": 0, "green": 255, "blue": 0}, every[50:]),
        ("Parking free", {"red": 0, "green": 255, "blue": 0}, every[:28]),
    ):
        played.make_rollout({"dev_euis": some, "name": name, **colour, **steady})
    played.move("rollout-1", created_at=NOW - 10 * HOUR, ended_at=NOW - 10 * HOUR + 143)
    played.progress("rollout-1", verified=63, superseded=1)
    played.move("rollout-1", state="done")
    played.move("rollout-2", created_at=NOW - 2 * HOUR, ended_at=NOW - 2 * HOUR + 95)
    played.progress("rollout-2", verified=4, failed=5, open=2)
    reason = "5 lights failed, as many as were allowed"
    played.move("rollout-2", state="stopped", reason=reason)
    played.move("rollout-3", created_at=NOW - 38)
    played.progress("rollout-3", verified=14, open=3, failed=1)


def site() -> PlayedHouse:
    """The site, at ten to nine in the morning."""
    subjects: list[Device | GatewayView | AlertView] = [*_troubled(_lights())]
    for place, (gateway_id, name) in enumerate(GATEWAYS.items()):
        away = gateway_id == YARD
        gateway = GatewayView(
            gateway_id,
            name,
            online=not away,
            since=NOW - (940 if away else 400_000 - place * 90_000),
            heard_at=NOW - (960 if away else 4 + place * 9),
            airtime_used_s=(41.2, 96.8, 337.4, 3.1)[place],
            airtime_budget_s=360.0,
            pending=(1, 0, 2, 3)[place],
        )
        subjects.append(gateway)
    failed = "Line 05 does not show its colour: no proof after 3 attempts"
    subjects.append(AlertView("a-2", "light_failed", eui(55), failed, NOW - 120, NOW - 60, 1))
    offline = "gateway Yard is offline"
    subjects.append(AlertView("a-1", "gateway_offline", YARD, offline, NOW - 640, NOW - 640))
    application = PlayedHouse("7c1e04", subjects)
    application.supervisor.tree = _tree()
    application.played.spread["worst"] = [
        {**one, "name": name, "dev_eui": eui(number), "why": why}
        for one, (name, number, why) in zip(
            application.played.spread["worst"],
            (
                ("Line 05", 55, "2.7 attempts for each success"),
                ("Bay 03", 3, "its only gateway Yard was offline for 16 min"),
            ),
            strict=True,
        )
    ]
    _past(application)
    _expected(application)
    _rollouts(application)
    return application
