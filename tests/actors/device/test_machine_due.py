"""When the machine must look at the clock: each time counts in its own phase only."""

import msgspec
import pytest

from actors.device.machine import next_due
from actors.device.model import Device, Inquiry, Phase, Pursuit, Setup
from actors.device.policy import Policy
from tests.support.story import RED, Inquire, Story

POLICY = Policy()
EUI = "2020200000000001"


@pytest.mark.parametrize("phase", Phase)
def test_the_next_attempt_is_due_in_retrying_only(phase: Phase) -> None:
    device = Device(dev_eui=EUI, phase=phase, pursuit=Pursuit(RED, "c1", next_at=5.0))
    assert next_due(device, POLICY) == (5.0 if phase is Phase.RETRYING else None)


@pytest.mark.parametrize("phase", Phase)
def test_the_next_setting_is_due_in_initializing_only(phase: Phase) -> None:
    device = Device(dev_eui=EUI, phase=phase, setup=Setup(next_at=5.0))
    assert next_due(device, POLICY) == (5.0 if phase is Phase.INITIALIZING else None)


@pytest.mark.parametrize("phase", Phase)
def test_with_nothing_open_nothing_is_due(phase: Phase) -> None:
    assert next_due(Device(dev_eui=EUI, phase=phase), POLICY) is None


@pytest.mark.parametrize("phase", [Phase.INITIALIZING, Phase.RETRYING])
def test_an_inquiry_is_waited_for_first(phase: Phase) -> None:
    device = Device(
        dev_eui=EUI,
        phase=phase,
        inquiry=Inquiry(1, 100.0),
        setup=Setup(next_at=5.0),
        pursuit=Pursuit(RED, "c1", next_at=5.0),
    )
    assert next_due(device, POLICY) == 100.0 + POLICY.inquiry_again_s


def test_an_answer_raises_no_question_and_the_events_after_it_do() -> None:
    story = Story().settle()
    old = story.compose()
    story.now += 100
    story.join()
    story.uplink()
    story.wait(5)
    story.carry_until_idle()
    story.command(RED)
    story.queue()
    story.txack()
    story.wait(31)
    foreign = type(old)(at=old.at, dev_addr="0badcafe", f_cnt=3, status=old.status)
    story.answer_inquiry(foreign)
    assert story.effect(Inquire) is None
    story.tell(msgspec.structs.replace(foreign, dev_addr="0badcaff"))
    assert story.effect(Inquire) is not None
