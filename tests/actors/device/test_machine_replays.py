"""Replays, sessions and clocks: an event is known by what it is, never by when it says it was."""

import msgspec
import pytest

from actors.device import events as ev
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import Inquire, Note, NoteKind
from actors.device.liveness import asleep
from actors.device.model import Phase, Stage
from actors.device.records import writes_of
from lorawan.kuando import AFTER_JOIN, Status
from lorawan.network import Activation
from store.port import Append
from tests.support.story import BLUE, GREEN, RED, Story

HOUR_S = 3_600.0
WEEKS_S = 1024 * 604_800.0


def _replay(story: Story, *events: ev.UplinkHeard | ev.Joined | ev.Transmitted) -> None:
    """ChirpStack is asked, and what it keeps begins with the oldest."""
    if story.device.inquiry is None:
        story.tell(ev.Restored())
    assert story.device.inquiry is not None
    activation = Activation(story.dev_addr, story.f_cnt + 1, story.f_cnt_down)
    story.tell(ev.Inquired(story.device.inquiry.number, events, activation))


@pytest.mark.parametrize("behind_s", [25.0, HOUR_S, WEEKS_S])
def test_a_gateway_clock_that_goes_back_makes_no_session_of_a_replay(behind_s: float) -> None:
    # from the field: three uplinks with right clocks, one with clocks behind, then any inquiry
    story = Story().settle()
    kept = []
    for _ in range(3):
        story.now += 90
        kept.append(story.compose())
        story.tell(kept[-1])
    story.now += 90
    kept.append(msgspec.structs.replace(story.compose(), at=story.now - behind_s))
    story.tell(kept[-1])
    story.command(RED)
    story.lose_attempt()
    session, joins = story.device.session, story.device.joins
    for _ in range(3):
        _replay(story, *kept)
        assert story.device.session == session
        assert story.device.joins == joins
        if story.device.pursuit is not None and story.device.pursuit.next_at is not None:
            story.wait(story.device.pursuit.next_at - story.now)
    story.carry_until_idle()
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.device.healed == 0


def test_the_colour_of_a_replayed_uplink_is_never_shown() -> None:
    story = Story().settle()
    story.light = BLUE
    old = story.compose()
    story.tell(old)
    story.light = GREEN
    story.now += 60
    newest = msgspec.structs.replace(story.compose(), at=story.now - 25)
    story.tell(newest)
    _replay(story.asked(), old, newest)
    assert story.device.reported == GREEN
    story.tell(old)
    assert story.device.reported == GREEN


def test_a_late_uplink_of_the_session_before_changes_nothing_and_the_server_is_asked() -> None:
    story = Story().settle()
    late = story.compose()
    story.now += 60
    story.join()
    story.now += 5
    story.uplink()
    story.carry_until_idle()
    before = story.device.session
    story.tell(late)
    assert story.effect(Inquire) is not None
    story.answer_inquiry(late)
    assert story.device.session == before
    assert story.device.phase is Phase.IDLE


def test_a_session_taken_for_the_newest_by_mistake_is_left_again() -> None:
    """Two joins in a row; the only uplink of the first comes when the second is heard already."""
    story = Story().settle()
    story.join(told=False)
    between = story.compose()
    story.now += 60
    story.join(told=False)
    story.now += 5
    newest = story.compose()
    story.tell(newest)
    story.answer_inquiry(newest)
    story.tell(between)
    assert story.device.session is not None
    assert story.device.session.dev_addr == between.dev_addr, "an address that nobody knew"
    story.answer_inquiry(between, newest)
    assert story.device.session.dev_addr == newest.dev_addr
    assert story.device.phase is Phase.INITIALIZING
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_a_join_that_comes_after_four_later_ones_is_left_with_what_was_told_meanwhile() -> None:
    """Swarm of clusters, seed 600056: ChirpStack retained nothing, so that its answer named the
    session and did not hold the uplink by which we had come to doubt it."""
    story = Story().settle()
    before_us = ev.Joined(story.now - 600, "01ab01ab", id="a join of before we were told anything")
    story.tell(before_us)
    assert story.device.phase is Phase.UNINITIALIZED
    story.now += 60
    story.light = BLUE
    told = story.compose()
    story.tell(told)
    story.tell(told)
    assert story.device.reported is None
    story.answer_inquiry()
    assert story.device.session is not None
    assert story.device.session.dev_addr == told.dev_addr
    assert story.device.session.f_cnt == told.f_cnt
    assert story.device.reported == BLUE
    assert story.device.missed == 0, "it was told"
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE


def test_a_doubtful_uplink_that_the_answer_holds_too_is_taken_in_once() -> None:
    story = Story().settle()
    story.tell(ev.Joined(story.now - 600, "01ab01ab", id="a join of before we were told anything"))
    story.now += 60
    told, uplinks = story.compose(), story.device.uplinks
    story.tell(told)
    story.answer_inquiry(told)
    assert story.device.uplinks == uplinks + 1
    assert story.device.inquiry is None


def test_of_many_doubtful_uplinks_the_last_are_kept() -> None:
    story = Story().settle()
    story.tell(ev.Joined(story.now - 600, "01ab01ab", id="a join of before we were told anything"))
    told = []
    for _ in range(9):
        story.now += 3
        told.append(story.compose())
        story.tell(told[-1])
    assert story.device.inquiry is not None
    assert story.device.inquiry.doubtful == tuple(told[-4:])
    story.answer_inquiry()
    assert story.device.session is not None
    assert story.device.session.f_cnt == told[-1].f_cnt


def test_a_second_join_to_the_same_address_is_settled_by_the_servers_counter() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    same, session = story.dev_addr, story.device.session
    story.join(told=False)
    story.dev_addr = same
    story.tell(ev.Joined(story.now, same, id="another join-request"))
    assert story.device.session == session
    story.answer_inquiry()
    assert story.device.session is not None
    assert session is not None
    assert story.device.session.number == session.number + 1
    assert story.device.phase is Phase.UNINITIALIZED
    story.now += 5
    story.uplink()
    story.carry_until_idle()
    assert story.device.phase is Phase.IDLE
    assert story.device.reported == RED, "brought back after its restart"


def test_a_light_restarted_under_its_address_shows_by_its_own_counters_when_it_counts_on() -> None:
    story = Story()
    story.join()
    story.now += 5
    story.uplink()
    story.carry_until_idle()
    f_cnt, same = story.f_cnt, story.dev_addr
    story.join(told=False)
    story.dev_addr, story.f_cnt = same, f_cnt + 3
    story.uplink()
    assert story.device.phase is Phase.INITIALIZING
    assert story.device.session is not None
    assert story.device.session.reused


def test_an_activation_read_before_a_join_does_not_bring_the_old_session_back() -> None:
    story = Story().settle()
    story.command(RED)
    story.lose_attempt()
    story.tell(ev.Restored())
    assert story.device.inquiry is not None
    number, old = story.device.inquiry.number, Activation(story.dev_addr, story.f_cnt + 1, 3)
    story.join()
    story.tell(ev.Inquired(number, (), old))
    assert story.device.session is not None
    assert story.device.session.dev_addr == story.dev_addr
    assert story.effect(Inquire) is not None, "it is asked once more"


def test_a_counter_read_behind_the_heard_one_ends_the_session() -> None:
    story = Story().settle()
    story.uplink()
    story.command(RED)
    attempt = story.attempt
    behind = Activation(story.dev_addr, 1, 0)
    story.tell(ev.AttemptQueued(attempt.number, "item-9", story.now + 30, behind))
    assert story.device.phase is Phase.UNINITIALIZED
    assert story.effect(Inquire) is not None


# ------------------------------------------------------------------ told once, at its own time


def test_an_inquiry_tells_nothing_anew_and_moves_nothing() -> None:
    story = Story().settle()
    story.command(RED)
    queued_at = story.now
    item = story.queue()
    txack = story.taken(item)
    story.tell(txack)
    story.deliver()
    story.now += 1
    echo = story.compose()
    story.tell(echo)
    assert story.status_of() is CommandStatus.VERIFIED
    before = story.device
    story.now += 1_200
    _replay(story.asked(), txack, echo)
    device = story.device
    notes = [e for e in story.effects if isinstance(e, Note) and e.kind is not NoteKind.INQUIRY]
    assert notes == []
    assert device.last_frame_at == before.last_frame_at == queued_at + 0.2
    assert (device.stale, device.duplicates, device.uplinks, device.missed) == (
        before.stale,
        before.duplicates,
        before.uplinks,
        before.missed,
    )


def test_what_only_an_inquiry_told_has_its_own_time_and_is_marked_as_replayed() -> None:
    story = Story().settle()
    story.command(RED)
    item = story.queue()
    sent_at = story.now
    txack = story.taken(item)
    story.deliver()
    story.now += 1
    echo = story.compose()
    story.now += 1_200
    _replay(story.asked(), txack, echo)
    assert story.status_of() is CommandStatus.VERIFIED
    assert story.device.missed == 2
    assert story.device.last_frame_at == pytest.approx(sent_at + 0.2)
    assert story.device.heard_at == echo.at
    steps = {step.kind: step.at for step in story.commands["c1"].timeline}
    assert steps[StepKind.TRANSMITTED] == sent_at
    told = {e.kind: e for e in story.effects if isinstance(e, Note)}
    assert told[NoteKind.TXACK].at == sent_at
    assert told[NoteKind.STATUS].at == echo.at
    assert told[NoteKind.STATUS].detail["replayed"] == "yes"


def test_a_line_of_history_bears_the_events_own_name_and_time() -> None:
    """So the store keeps one, whatever the record remembers."""
    story = Story().settle()
    event = story.compose()
    lines = []
    for name in ("run-1", "run-2"):
        device = msgspec.structs.replace(story.device, told=())
        told = Story()
        told.device, told.now = device, story.now + 7
        told.tell(event)
        writes = writes_of(told.device, told.effects, event, told.now, name)
        lines.append([(w.entry, w.at) for w in writes if isinstance(w, Append)])
    assert lines[0] == lines[1]
    assert lines[0][0][1] == event.at


def test_an_answer_longer_than_the_memory_is_read_from_what_is_remembered() -> None:
    story = Story().settle()
    kept = []
    for _ in range(100):
        story.now += 60
        kept.append(story.compose())
        story.tell(kept[-1])
    before = story.device
    _replay(story.asked(), *kept)
    assert (story.device.stale, story.device.missed) == (before.stale, before.missed)


def test_the_date_of_an_uplink_is_ours_where_the_server_has_none_and_never_in_our_future() -> None:
    story = Story().settle()
    story.tell(msgspec.structs.replace(story.compose(), at=None))
    assert story.device.heard_at == story.now
    story.now += 60
    story.tell(msgspec.structs.replace(story.compose(), at=story.now + HOUR_S))
    assert story.device.heard_at == story.now


def test_a_report_of_the_life_before_is_none_of_one_with_the_same_address() -> None:
    story = Story().settle()
    story.command(RED)
    story.carry()
    same = story.dev_addr
    story.join(told=False)
    story.dev_addr = same
    story.tell(ev.Joined(story.now, same, id="another join-request"))
    story.answer_inquiry()
    assert story.device.reported is None
    assert story.device.report is not None, "its software is known all the same"


def test_a_server_whose_counter_is_behind_begins_a_session_that_no_old_status_belongs_to() -> None:
    """From a drawn story. The server expects the counter that was heard: a life with its DevAddr.
    The status of the life before is then no first status of this one."""
    story = Story()
    status = Status(-80, 20, 0, 0, AFTER_JOIN, 41, 12, 1)
    told = ev.UplinkHeard(at=None, dev_addr=story.dev_addr, f_cnt=4, status=status, receptions=())
    for event in (ev.StatusRequested("test"), told, ev.Tick(), ev.Restored()):
        story.tell(event)
    inquiry = story.device.inquiry
    assert inquiry is not None
    behind = Activation(story.dev_addr, f_cnt_up=4, f_cnt_down=4)
    story.tell(ev.Inquired(inquiry.number, [told], behind))
    assert story.device.phase is Phase.UNINITIALIZED
    assert story.device.report is not None
    assert story.device.reported is None
    assert asleep(story.device, story.policy) is None


# ------------------------------------------------------------------ old news is not of just now


def test_a_txack_that_only_an_inquiry_tells_begins_no_window_and_no_spacing_anew() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    taken, at = story.taken(), story.now
    story.now += 20.0
    _replay(story.asked(), taken)
    assert story.attempt.stage is Stage.TRANSMITTED
    assert story.attempt.air_until == pytest.approx(at + 0.2)
    assert story.attempt.due_at == pytest.approx(at + 0.2 + story.policy.window_s)
    assert story.device.last_frame_at == pytest.approx(at + 0.2)


@pytest.mark.parametrize("late_s", [6.0, 20.0, 29.0])
def test_a_txack_told_late_or_once_more_happened_at_its_own_time(late_s: float) -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    taken, at = story.taken(), story.now
    story.now += late_s
    story.tell(taken)
    assert story.device.last_frame_at == pytest.approx(at + 0.2)
    assert story.attempt.due_at == pytest.approx(at + 0.2 + story.policy.window_s)


def test_a_frame_of_ours_was_not_taken_before_its_enqueue_whatever_a_clock_says() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    queued_at = story.now
    story.now += 8.0
    story.tell(msgspec.structs.replace(story.taken(), at=queued_at - HOUR_S))
    assert story.device.last_frame_at is not None
    assert story.device.last_frame_at >= queued_at


def test_a_frame_that_only_the_counter_told_was_not_taken_after_the_life_of_its_item() -> None:
    story = Story().settle()
    story.command(RED)
    story.queue()
    expires_at = story.attempt.item_expires_at
    assert expires_at is not None
    story.now = expires_at + 12.0
    story.taken_unseen()
    assert story.device.last_frame_at == expires_at
    assert story.attempt.due_at == expires_at + story.policy.window_s
