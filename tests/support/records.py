"""A light's record in which every field holds something."""

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import (
    Attempt,
    Device,
    Foreign,
    Hearing,
    Inquiry,
    Newest,
    Obstacle,
    Phase,
    Proof,
    Pursuit,
    Report,
    Session,
    Setup,
    Stage,
    Unanswered,
    Wanted,
)
from actors.link.judgement import AttemptJudged
from actors.link.loss_counters import LossCounters
from actors.reasons import GatewayTold, Reason, ReasonCode
from lorawan.kuando import LightState
from lorawan.kuando.frames import SetLight

NOW = 1_760_000_000.0
BECAUSE = Reason(ReasonCode.GATEWAYS_OFFLINE, ((GatewayTold("0a", "Roof", NOW - 50),),))
RED = LightState(255, 0, 0)


def a_full_record() -> Device:
    """No field is None, and every date is another one."""
    proof = Proof("01020304", 3, 7, 1)
    judged = AttemptJudged(
        3, "gateway", True, False, 0.9, 1.2, 1.3, sw_rev=61, spreading_factor=9, gap_s=10.5
    )
    step = Step(NOW + 1, StepKind.QUEUED, 1, "gateway", "because", BECAUSE)
    return Device(
        dev_eui="2020203907290902",
        name="Line 1",
        application_id="app",
        application_name="Factory",
        profile_name="Kuando",
        tags={"hall": "2"},
        phase=Phase.AWAITING_VERIFY,
        since=NOW + 2,
        session=Session(
            "01020304",
            NOW + 3,
            9,
            NOW + 4,
            previous=("0a0b0c0d",),
            interval_min=15,
            missing=(4,),
        ),
        report=Report(
            NOW + 5, "01020304", 9, RED, 3, 9, 56, 1, -70, 10, 1, server_at=NOW + 6, told_at=NOW + 7
        ),
        hearings=(Hearing("gateway", NOW + 8, -70, 9.0, 20.0, latest=True, spreading_factor=9),),
        wanted=Wanted(RED, "command", NOW + 9),
        wanted_before=Wanted(RED, "older", NOW + 10),
        newest=Newest("command", "1:aaaaaaaa 5-0"),
        command=Command(
            "command",
            "2020203907290902",
            RED,
            keep=True,
            accepted_at=NOW + 11,
            expires_at=NOW + 12,
            status=CommandStatus.QUEUED,
            reason="because",
            cause=BECAUSE,
            superseded_by="nobody",
            withdrawn_by="somebody",
            ended_at=NOW + 13,
            timeline=(step, step),
        ),
        pursuit=Pursuit(
            RED,
            "command",
            next_at=NOW + 14,
            proof=proof,
            timed=0,
            unanswered=Unanswered(judged, NOW + 35, NOW + 36),
        ),
        setup=Setup(proof=proof, next_at=NOW + 15),
        attempt=Attempt(
            number=4,
            frame=SetLight(RED, reply=True),
            marker_us=123_456,
            submitted_at=NOW + 16,
            not_before=NOW + 17,
            retry=False,
            expires_at=NOW + 18,
            due_at=NOW + 19,
            stage=Stage.QUEUED,
            reason="because",
            cause=BECAUSE,
            obstacle=next(iter(Obstacle)),
            dev_addr="01020304",
            f_cnt_down=3,
            queue_item_id="item",
            queued_at=NOW + 20,
            item_expires_at=NOW + 21,
            ends_at=NOW + 22,
            air_until=NOW + 23,
            gateway_id="gateway",
            sw_rev=61,
            spacing_s=10.0,
            gap_s=11.0,
        ),
        losses=LossCounters(9.5, 0.5, 8.0, 1.0, 1),
        reachable_at=NOW + 37,
        inquiry=Inquiry(2, NOW + 24),
        queued_until=NOW + 26,
        last_frame_at=NOW + 27,
        inquired_at=NOW + 28,
        refuses_reply=56,
        disabled_at=NOW + 31,
        unsettled_until=NOW + 32,
        foreign=(Foreign(NOW + 33, RED), Foreign(NOW + 34, RED)),
        last_error="because",
        last_error_at=NOW + 29,
        stepped_at=NOW + 30,
    )
