"""Nothing open sleeps for ever: what is found asleep is taken up again, whoever comes by."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import Inquire, Note, NoteKind, Submit
from actors.device.liveness import asleep, evidence_only
from actors.device.machine import next_due
from actors.device.model import Device, Phase, Pursuit, Setup, Stage
from actors.device.policy import Policy
from tests.support.story import GREEN, RED, Story

POLICY = Policy()
replace = msgspec.structs.replace

COMERS = [
    ev.Restored(),
    ev.Swept(),
    ev.InitializeRequested(force=True),
    ev.StatusRequested("by hand"),
]


def _stuck() -> Story:
    """As five lights stood on a real server: settings begun, nothing out, nothing to wake them."""
    story = Story().settle()
    story.command(RED)
    device, session = story.device, story.device.session
    assert session is not None
    story.device = replace(
        device,
        phase=Phase.INITIALIZING,
        setup=None,
        attempt=None,
        session=replace(session, set_up=False),
    )
    return story


def test_a_record_with_nothing_to_wake_it_is_called_asleep() -> None:
    story = _stuck()
    assert asleep(story.device, POLICY) is not None
    assert next_due(story.device, POLICY) == story.commands["c1"].expires_at


@pytest.mark.parametrize("comer", COMERS)
def test_whoever_comes_by_wakes_it_and_it_goes_home(comer: ev.DeviceEvent) -> None:
    story = _stuck()
    story.tell(comer)
    assert asleep(story.device, POLICY) is None
    assert story.effect(Submit) is not None
    assert story.device.healed == 1
    assert NoteKind.HEALED in [e.kind for e in story.effects if isinstance(e, Note)]
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_newer_command_wakes_it_too() -> None:
    story = _stuck()
    story.command(GREEN, "c2")
    story.carry_until_idle()
    assert story.status_of("c2") is CommandStatus.VERIFIED


def _broken() -> list[Device]:
    device = _stuck().device
    assert device.session is not None
    goal, session = Pursuit(RED, "c1"), replace(device.session, set_up=True)
    awake = replace(device, session=session)
    return [
        replace(awake, phase=Phase.INITIALIZING, setup=Setup(next_at=None)),
        replace(awake, phase=Phase.AWAITING_VERIFY, pursuit=goal),
        replace(awake, phase=Phase.RETRYING, pursuit=goal),
        replace(awake, phase=Phase.RETRYING, pursuit=goal, setup=Setup()),
        replace(awake, phase=Phase.RETRYING, pursuit=None, command=None),
        replace(awake, phase=Phase.FAILED, pursuit=None),
        replace(awake, phase=Phase.IDLE, pursuit=goal),
        replace(awake, phase=Phase.IDLE, pursuit=None),
        replace(awake, phase=Phase.UNINITIALIZED),
        replace(awake, phase=Phase.INITIALIZING, session=None, report=None),
    ]


@pytest.mark.parametrize("number", range(len(_broken())))
def test_every_kind_of_broken_record_is_found_and_mended(number: int) -> None:
    story = Story().settle()
    story.command(RED)
    story.device = _broken()[number]
    assert asleep(story.device, POLICY) is not None
    story.tell(ev.Swept())
    assert asleep(story.device, POLICY) is None
    assert story.device.healed == 1
    story.tell(ev.Swept())
    assert story.device.healed == 1, "once is enough"


def test_a_held_frame_is_handed_over_again_in_time_should_the_dispatcher_have_lost_it() -> None:
    story = Story().settle()
    story.command(RED)
    story.tell(ev.AttemptHeld(story.attempt.number, "offline"))
    steps = len(story.commands["c1"].timeline)
    story.wait(POLICY.resubmit_after_s)
    submit = story.effect(Submit)
    assert submit is not None
    assert submit.attempt.number == story.attempt.number
    assert story.attempt.stage is Stage.HELD
    story.tell(ev.AttemptHeld(story.attempt.number, "offline"))
    assert len(story.commands["c1"].timeline) == steps, "no news is told as none"


def test_where_only_evidence_goes_on_it_is_asked_for_again_and_again() -> None:
    story = Story().settle()
    story.command(RED)
    story.spend_attempts()
    assert evidence_only(story.device)
    for _ in range(2):
        story.wait(POLICY.evidence_asked_s + 1)
        story.tell(ev.Swept())
        assert story.effect(Inquire) is not None
        story.answer_inquiry()
    lost = story.compose()  # its webhook never comes
    story.wait(POLICY.evidence_asked_s + 1)
    story.tell(ev.Swept())
    story.answer_inquiry(lost)
    assert story.device.phase is Phase.AWAITING_VERIFY


def test_a_light_at_rest_is_not_asked_about() -> None:
    story = Story().settle()
    story.wait(POLICY.evidence_asked_s + 1)
    story.tell(ev.Swept())
    assert story.effect(Inquire) is None
