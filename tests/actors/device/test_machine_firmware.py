"""Software that refuses the sixth byte gets its colours without it; what one light taught helps."""

import pytest

from actors.device.command import CommandStatus
from actors.device.effects import Note, NoteKind
from actors.device.firmware import Taught, TaughtPolicy, knowledge_in
from actors.device.policy import Policy
from actors.link.knowledge import NOTHING_KNOWN, Knowledge
from lorawan.kuando import LightState
from lorawan.kuando.frames import SetLight
from tests.support.story import GREEN, RED, Story


def _colour_sent(story: Story, light: LightState, name: str, *, counts: bool) -> list[bool]:
    """Each colour frame of this command, by whether it had the byte. The light refuses those, and
    counts and answers them or not."""
    story.command(light, name)
    sent = []
    for _ in range(6):
        if story.status_of(name).final:
            return sent
        frame = story.attempt.frame
        assert isinstance(frame, SetLight)
        sent.append(frame.reply)
        if not frame.reply:
            story.carry()
        elif counts:
            story.now = max(story.now, story.attempt.not_before)
            story.queue()
            story.txack()
            story.received += 1
            story.now += 1
            story.uplink()
        else:
            story.carry(lost=True)
            story.wait(31)
            story.answer_inquiry()
            if story.device.pursuit is not None and story.device.pursuit.next_at is not None:
                story.wait(story.device.pursuit.next_at - story.now)
    raise AssertionError(f"not verified: {sent}")


@pytest.mark.parametrize("counts", [True, False])
def test_a_light_that_refuses_the_byte_gets_its_colour_without_it(counts: bool) -> None:
    story = Story().settle()
    assert _colour_sent(story, RED, "c1", counts=counts) == [True, False]
    assert story.status_of("c1") is CommandStatus.VERIFIED
    story.now += 60
    if not counts:  # one loss may be one: twice the same is no chance
        assert story.device.refuses_reply is None
        assert _colour_sent(story, GREEN, "c2", counts=False) == [True, False]
        story.now += 60
    assert story.device.refuses_reply == story.sw_rev
    told = [e.detail for e in story.effects if isinstance(e, Note) and e.kind is NoteKind.SETUP]
    assert told == [{"sixth_byte": "refused", "software": story.sw_rev}]
    assert _colour_sent(story, LightState(1, 2, 3), "c3", counts=counts) == [False]


def test_lights_of_the_same_software_profit() -> None:
    teacher = Story().settle()
    _colour_sent(teacher, RED, "c1", counts=True)
    known = Taught()
    known.note(teacher.device)
    plain = Policy()
    policy = known.known_to(plain)
    assert known.known_to(plain) is policy, "made once"
    assert Taught().known_to(plain) is plain
    same, other = Story(policy=policy).settle(), Story(sw_rev=58, policy=policy).settle()
    assert _colour_sent(same, RED, "c1", counts=True) == [False]
    other.command(RED)
    assert other.attempt.frame == SetLight(RED, reply=True)


def test_what_was_learned_of_the_air_leaves_what_is_known_of_the_software() -> None:
    teacher = Story().settle()
    _colour_sent(teacher, RED, "c1", counts=True)
    taught, plain = Taught(), Policy()
    taught.note(teacher.device)
    before = taught.known_to(plain)
    taught.learned(Knowledge(answer_waits_s={teacher.sw_rev: 2.5}))
    after = knowledge_in(taught.known_to(plain))
    assert (dict(after.answer_waits_s), after.refusing_reply) == ({61: 2.5}, frozenset({61}))
    assert knowledge_in(before).answer_waits_s == {}
    assert knowledge_in(plain) is NOTHING_KNOWN


def test_where_the_settings_are_not_proven_the_byte_stays() -> None:
    story = Story(policy=TaughtPolicy(knowledge=Knowledge(refusing_reply=frozenset({61}))))
    story.join()
    story.now += 5
    story.uplink()
    story.command(RED)
    assert not isinstance(story.attempt.frame, SetLight), "the settings come first"
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED


def test_a_colour_that_arrives_with_the_byte_teaches_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    assert (story.device.refuses_reply, story.device.without_proven) == (None, 0)


def test_another_software_revision_begins_anew() -> None:
    story = Story().settle()
    _colour_sent(story, RED, "c1", counts=True)
    story.sw_rev = 62
    story.uplink()
    story.command(GREEN, "c2")
    assert story.attempt.frame == SetLight(GREEN, reply=True)
