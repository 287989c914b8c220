"""An application in which every kind of thing stands, with as many fields set as there are.

What it shows does not depend on the time at which it is asked, so that answers about it can be
compared with stored ones.
"""

from actors.board.changes import ActorView, AlertView, GatewayView
from actors.board.rollout import Rollout, State
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import (
    Attempt,
    Device,
    Hearing,
    Inquiry,
    Phase,
    Pursuit,
    Report,
    Session,
    Stage,
    Wanted,
)
from actors.fleet.initialization import InitializationRun
from actors.gateways.observed import Outage
from actors.messaging.dead_letters import DeadLetter
from actors.messaging.mailbox import MailboxStatistics
from actors.quality.model import Grade, Line, Rule
from actors.readiness import Readiness
from actors.reasons.code import ReasonCode
from actors.reasons.reason import GatewayTold, Reason
from actors.restored_store import RestoredStore, RestoredStoreDevice
from actors.rollouts.model import Part, PartState
from actors.storage.history import HistoryEntry
from actors.storage.signal_history import SignalPoint
from actors.supervision import ChildReport, ChildState
from lorawan.kuando.frames import SetLight
from lorawan.kuando.light_state import LightState
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.fake_cluster import one_lost
from tests.support.fake_quality import a_grade, a_risk, some_days, some_scores, told_of

BUSY, NEW, STRAY = "20202000000000b1", "20202000000000c2", "0016c001f1500002"
RED = LightState(red=255, green=1, blue=2, on=30, off=40)
OPEN = Command(
    id="cmd-open",
    dev_eui=BUSY,
    light=RED,
    keep=False,
    accepted_at=NOW - 90,
    expires_at=NOW + 900,
    status=CommandStatus.HELD,
    reason="every gateway that hears it is offline",
    cause=Reason(ReasonCode.GATEWAYS_OFFLINE, ((GatewayTold(GATEWAY, "Roof", NOW - 300),),)),
    attempts=1,
    overdue=True,
    correlation_id="request-1",
    heartbeat_only=True,
    timeline=(
        Step(NOW - 90, StepKind.ACCEPTED),
        Step(NOW - 80, StepKind.TRANSMITTED, 4, GATEWAY),
        Step(NOW - 20, StepKind.HELD, 7, None, "offline"),
    ),
    steps_omitted=2,
)
ENDED = Command(
    id="cmd-ended",
    dev_eui=BUSY,
    light=LightState(red=0, green=0, blue=9),
    keep=True,
    accepted_at=NOW - 900,
    expires_at=NOW - 100,
    status=CommandStatus.SUPERSEDED,
    superseded_by="cmd-open",
    ended_at=NOW - 90,
)


def busy_light() -> Device:
    """A light about which everything can be said."""
    return Device(
        dev_eui=BUSY,
        name='Desk "7" ü',
        application_id="app-2",
        application_name="Café",
        profile_name="Kuando Busylight EU868",
        tags={"room": "7", "floor": "2"},
        phase=Phase.AWAITING_VERIFY,
        since=NOW - 80.5,
        session=Session("01000001", NOW - 5_000, f_cnt=96, heard_at=NOW - 30, set_up=True),
        report=Report(NOW - 30, "01000001", 96, RED, 14, 97, 60, 15, -87, 31, 1),
        hearings=(
            Hearing(GATEWAY, NOW - 30, -87, 8.5, 16.25, latest=True),
            Hearing(STRAY, NOW - 900, -110, -7.25, 0.5, latest=False, online=False),
        ),
        wanted=Wanted(RED, "cmd-open", NOW - 90, keep=False),
        command=OPEN,
        pursuit=Pursuit(RED, "cmd-open", restoring=True, attempts=1, unsent=2, next_at=NOW + 10.25),
        attempt=Attempt(
            number=7,
            frame=SetLight(RED, reply=True),
            marker_us=42,
            submitted_at=NOW - 20,
            not_before=NOW - 20,
            retry=True,
            stage=Stage.QUEUED,
            reason="waits for its gateway",
            queue_item_id="item-1",
            queued_at=NOW - 19,
            ends_at=NOW + 1.5,
            gateway_id=GATEWAY,
        ),
        inquiry=Inquiry(3, NOW - 5),
        last_frame_at=NOW - 78,
        uplinks=96,
        duplicates=2,
        stale=3,
        missed=4,
        healed=5,
        joins=6,
        last_error="the queue could not be read",
        last_error_at=NOW - 700,
    )


def full_application() -> FakeApplication:
    """An application that shows them all."""
    application = FakeApplication()
    new = a_light(
        NEW, session=None, report=None, hearings=(), wanted=None, phase=Phase.UNINITIALIZED
    )
    alert = AlertView(
        id="alert-1",
        kind="gateway_offline",
        subject=GATEWAY,
        summary="Gateway Roof is offline.",
        opened_at=NOW - 500,
        repeated_at=NOW - 100,
        repeats=2,
        acknowledged_at=NOW - 50,
        acknowledged_by="Anna",
        since=NOW - 800,
        lights=(BUSY, DEV_EUI),
        lights_total=2,
    )
    over = AlertView(
        "alert-0",
        "light_silent",
        NEW,
        "It is silent.",
        NOW - 9_000,
        NOW - 9_000,
        closed_at=NOW - 8_000,
        close_reason="it was heard",
    )
    roof = GatewayView(
        gateway_id=GATEWAY,
        name="Roof",
        online=False,
        since=NOW - 800,
        last_seen_at=NOW - 810,
        alive_at=NOW - 805,
        heard_at=NOW - 30,
        latitude=52.5,
        longitude=13.4,
        network_state="offline",
        stats_interval_s=30.0,
        offline_after_s=105.0,
        airtime_used_s=12.5,
        airtime_budget_s=360.0,
        pending=3,
        lights_heard=9,
        takes_nothing_since=NOW - 700,
        grade="D",
        grade_line="away",
    )
    rolled = Rollout(
        id="roll-1",
        name="Evening",
        light=RED,
        keep=True,
        ttl_s=600.0,
        created_at=NOW - 300,
        changed_at=NOW - 100,
        pace_per_min=12.5,
        failures_most=3,
        total=6,
        waiting=1,
        open=1,
        verified=1,
        failed=1,
        superseded=1,
        removed=1,
        state=State.CANCELLED,
        reason="by hand",
        ended_at=NOW - 100,
        correlation_id="request-2",
    )
    parts = [
        Part(f"20202000000001{n:02x}", state, None if n == 0 else f"cmd-r{n}", f"because {n}")
        for n, state in enumerate(PartState)
    ]
    for what in (busy_light(), new, roof, GatewayView(STRAY, known=False), over, alert):
        application.board.publish(what)
    risk = a_risk(BUSY, 0.62, Rule.TREND, Rule.COUNTERS, since=NOW - 5_000)
    application.quality.lights[BUSY] = risk
    application.quality.past[BUSY] = some_days(NOW, 4)
    application.board.tell_risk(BUSY, told_of(risk))
    words = "away for 130 min in 2 outages"
    application.quality.graded[GATEWAY] = a_grade(GATEWAY, Grade.D, Line.AWAY, words)
    application.quality.scored = some_scores()
    application.cluster.now = one_lost()
    application.board.publish(ActorView("journal", ChildState.PARKED, 6, "StoreError: full"))
    application.board.publish(rolled)
    application.rollouts.rolled[rolled.id] = rolled, tuple(parts)
    application.commands.given.update({one.id: one for one in (ENDED, OPEN)})
    application.queries.lines = [
        HistoryEntry("entry-2", NOW - 10, "uplink", {"f_cnt": 8, "light": {"red": 1}}),
        HistoryEntry("entry-1", NOW - 20.5, "joined", {}),
    ]
    application.queries.points = [
        SignalPoint(NOW - 60.5, GATEWAY, -97, 7.0, 7),
        SignalPoint(NOW - 60.5, STRAY, -120, -15.25, 7),
    ]
    application.queries.away = [Outage(NOW - 800, None), Outage(NOW - 3_000, NOW - 2_000)]
    run = InitializationRun("run-1", NOW - 40, 5, 4, 3, 2, 1, NOW - 4)
    application.initializer.runs = [(run, None, False)]
    application.restored_store.open = RestoredStore(
        NOW - 1_000,
        "was set back to an older copy",
        NOW - 90_000,
        True,
        [
            RestoredStoreDevice(BUSY, "Desk", RED, LightState(red=0, green=9, blue=0), True),
            RestoredStoreDevice(NEW, "New", RED, None, False),
        ],
    )
    application.dead_letters.letters = [
        DeadLetter(f"device {BUSY}", RED, "ValueError: odd", NOW - 3)
    ]
    box = MailboxStatistics(capacity=32, depth=2, peak=7, accepted=90, refused=1, dropped=0)
    device = ChildReport(
        f"device {BUSY}", ChildState.PARKED, NOW - 3, 6, "ValueError: odd", NOW - 3, box
    )
    application.supervisor.tree = ChildReport(
        "root",
        ChildState.RUNNING,
        NOW - 9_000,
        children=(
            ChildReport("board", ChildState.RUNNING, NOW - 9_000),
            ChildReport("lights", ChildState.RUNNING, NOW - 9_000, children=(device,)),
        ),
    )
    application.readiness.ready = Readiness(
        False, ("the store cannot be written",), ("no webhook came",)
    )
    return application
