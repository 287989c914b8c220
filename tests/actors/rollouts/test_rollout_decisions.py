"""What a rollout decides, value by value."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.board.rollout import Rollout, State
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Newest, Wanted
from actors.reasons import Reason, ReasonCode, other
from actors.rollouts import decisions
from actors.rollouts.model import Conflict, Order, Part, PartState, Wish
from actors.rollouts.repository import piece_puts, read_rollouts, rollout_deletes, rollout_put
from lorawan.kuando.light_state import LightState
from store.port import Put, Record

NOW = 1_000.0
RED = LightState(255, 0, 0)
replace = msgspec.structs.replace


def order(count: int = 4, *, failures_most: int = 1, pace: float = 30.0) -> Order:
    return Order(
        dev_euis=tuple(f"{n:016x}" for n in range(count)),
        light=RED,
        keep=True,
        ttl_s=None,
        name="evening",
        pace_per_min=pace,
        failures_most=failures_most,
    )


def command(status: CommandStatus, **more: object) -> Command:
    return Command("r.0", "0", RED, True, NOW, NOW + 60, status=status, **more)  # type: ignore[arg-type]


def after(
    rollout: Rollout, parts: tuple[Part, ...], number: int, status: CommandStatus, **more: object
) -> tuple[Rollout, tuple[Part, ...]]:
    """The rollout once this light's command has come to this."""
    part = decisions.seen(parts[number], command(status, **more), NOW)
    moved = decisions.moved(rollout, [(parts[number], part)], NOW)
    return moved, (*parts[:number], part, *parts[number + 1 :])


@pytest.mark.parametrize(
    ("status", "overdue", "state", "settled"),
    [
        (CommandStatus.ACCEPTED, False, PartState.OPEN, False),
        (CommandStatus.HELD, False, PartState.OPEN, False),
        (CommandStatus.TRANSMITTED, False, PartState.OPEN, False),
        (CommandStatus.TRANSMITTED, True, PartState.FAILED, False),
        (CommandStatus.VERIFIED, True, PartState.VERIFIED, True),
        (CommandStatus.SUPERSEDED, True, PartState.SUPERSEDED, True),
        (CommandStatus.EXPIRED, False, PartState.FAILED, True),
        (CommandStatus.REJECTED, False, PartState.FAILED, True),
    ],
)
def test_a_light_goes_by_its_command(
    status: CommandStatus, overdue: bool, state: PartState, settled: bool
) -> None:
    part = decisions.seen(Part("0"), command(status, overdue=overdue), NOW)
    assert (part.state, part.settled, part.command_id) == (state, settled, "r.0")
    assert (part.failed_at is not None) is (state is PartState.FAILED)


def test_more_failures_than_the_limit_stop_it_and_a_resumption_counts_anew() -> None:
    rollout, parts = decisions.begun("r", order(5, failures_most=1), NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.REJECTED)
    assert rollout.state is State.RUNNING
    rollout, parts = after(rollout, parts, 1, CommandStatus.EXPIRED)
    assert (rollout.state, rollout.failed, rollout.waiting) == (State.STOPPED, 2, 3)
    assert rollout.reason == "2 lights failed, at most 1 may"
    assert rollout.cause == Reason(ReasonCode.ROLLOUT_FAILURES, (2, 1))
    assert (parts[1].reason, parts[1].cause) == (
        "expired: never proven",
        Reason(ReasonCode.ROLLOUT_EXPIRED, ("",)),
    )
    assert decisions.due_at(rollout) is None
    resumed = decisions.steered(rollout, Wish(State.RUNNING), NOW + 1)
    assert isinstance(resumed, Rollout)
    assert (resumed.state, resumed.failures, resumed.failed, resumed.reason) == (
        State.RUNNING,
        0,
        2,
        None,
    )
    once_more, parts = after(resumed, parts, 2, CommandStatus.REJECTED)
    assert once_more.failures == 0  # it failed before the resumption: NOW < counted_since
    later = decisions.failed(parts[3], other("gone"), NOW + 2)
    once_more = decisions.moved(once_more, [(parts[3], later)], NOW + 2)
    assert (once_more.failures, once_more.state) == (1, State.RUNNING)


def test_without_patience_the_first_failure_stops_it() -> None:
    rollout, parts = decisions.begun("r", order(failures_most=0), NOW)
    rollout, _ = after(rollout, parts, 0, CommandStatus.REJECTED)
    assert (rollout.state, rollout.reason) == (State.STOPPED, "1 light failed, at most 0 may")


def test_an_overdue_light_that_is_proven_after_all_no_longer_counts() -> None:
    rollout, parts = decisions.begun("r", order(2), NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.TRANSMITTED, overdue=True)
    assert (rollout.failed, rollout.failures) == (1, 1)
    rollout, parts = after(rollout, parts, 0, CommandStatus.VERIFIED)
    assert (rollout.failed, rollout.failures, rollout.verified) == (0, 0, 1)


def test_it_is_done_when_nothing_waits_or_is_open() -> None:
    rollout, parts = decisions.begun("r", order(2), NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.VERIFIED)
    rollout, parts = after(rollout, parts, 1, CommandStatus.TRANSMITTED)
    assert rollout.state is State.RUNNING
    rollout, parts = after(rollout, parts, 1, CommandStatus.TRANSMITTED, overdue=True)
    assert (rollout.state, rollout.ended_at) == (State.DONE, NOW)
    rollout, parts = after(rollout, parts, 1, CommandStatus.VERIFIED)
    assert (rollout.state, rollout.verified, rollout.failed) == (State.DONE, 2, 0)


@pytest.mark.parametrize(
    ("state", "wish", "becomes"),
    [
        (State.RUNNING, State.PAUSED, State.PAUSED),
        (State.RUNNING, State.RUNNING, State.RUNNING),
        (State.PAUSED, State.RUNNING, State.RUNNING),
        (State.PAUSED, State.CANCELLED, State.CANCELLED),
        (State.STOPPED, State.RUNNING, State.RUNNING),
        (State.STOPPED, State.CANCELLED, State.CANCELLED),
        (State.STOPPED, State.PAUSED, None),
        (State.CANCELLED, State.RUNNING, None),
        (State.DONE, State.CANCELLED, None),
    ],
)
def test_what_may_follow_what(state: State, wish: State, becomes: State | None) -> None:
    rollout = replace(decisions.begun("r", order(), NOW)[0], state=state)
    steered = decisions.steered(rollout, Wish(wish), NOW + 1)
    if becomes is None:
        assert isinstance(steered, Conflict)
        assert state.value in steered.why
    else:
        assert isinstance(steered, Rollout)
        assert steered.state is becomes
        assert (steered.ended_at is not None) is (becomes is State.CANCELLED)


def test_the_pace_is_counted_from_the_newest_command() -> None:
    rollout, _ = decisions.begun("r", order(pace=30.0), NOW)
    assert decisions.due_at(rollout) == NOW
    rollout = decisions.commanded(rollout, NOW + 5)
    assert decisions.due_at(rollout) == NOW + 7
    slower = decisions.steered(rollout, Wish(pace_per_min=6.0), NOW + 6)
    assert isinstance(slower, Rollout)
    assert decisions.due_at(slower) == NOW + 15


def test_a_lower_limit_stops_it_at_once() -> None:
    rollout, parts = decisions.begun("r", order(failures_most=3), NOW)
    rollout, _ = after(rollout, parts, 0, CommandStatus.REJECTED)
    stopped = decisions.steered(rollout, Wish(failures_most=0), NOW)
    assert isinstance(stopped, Rollout)
    assert stopped.state is State.STOPPED


def test_only_a_newer_wish_of_somebody_else_overtakes() -> None:
    rollout, _ = decisions.begun("r", order(), NOW)
    eui = "0" * 16
    part = Part(eui)
    own = Device(dev_eui=eui, wanted=Wanted(RED, decisions.command_id_of("r", eui), NOW + 5))
    newer, older = (
        Device(dev_eui=eui, wanted=Wanted(RED, "hand", NOW + 5)),
        Device(dev_eui=eui, wanted=Wanted(RED, "hand", NOW - 5)),
    )
    assert not decisions.overtaken(rollout, part, Device(dev_eui=eui), None)
    assert not decisions.overtaken(rollout, part, own, None)
    assert not decisions.overtaken(rollout, part, older, None)
    assert decisions.overtaken(rollout, part, newer, None)
    assert not decisions.overtaken(rollout, part, newer, NOW - 1), "of a rollout before this one"
    assert decisions.overtaken(rollout, part, older, NOW + 1)


LINE, LATER_LINE = "4:aa.bb", "5:aa.bb.cc"


@pytest.mark.parametrize("clock_s", [-3_600.0, 3_600.0])
@pytest.mark.parametrize(
    ("asked", "place", "newer"),
    [
        (f"{LINE} 7-0", f"{LINE} 7-0", False),
        (f"{LINE} 7-0", f"{LINE} 7-1", True),
        (f"{LINE} 7-0", f"{LATER_LINE} 3-0", True),
        (f"{LATER_LINE} 3-0", f"{LINE} 7-0", False),
        ("", f"{LINE} 7-0", True),
    ],
)
def test_which_wish_is_newer_is_told_by_its_place_whatever_any_clock_says(
    asked: str, place: str, newer: bool, clock_s: float
) -> None:
    """Whoever accepted the other command has a clock that differs by an hour."""
    eui = order().dev_euis[0]
    rollout, parts = decisions.begun("r", order(), NOW, {eui: asked})
    [part] = [one for one in parts if one.dev_eui == eui]
    wanted = Wanted(RED, "hand", NOW + clock_s)
    light = Device(dev_eui=eui, wanted=wanted, newest=Newest("hand", place))
    assert decisions.overtaken(rollout, part, light, None) is newer
    expired = replace(light, newest=Newest("expired", place))
    assert decisions.overtaken(rollout, part, expired, None) is (clock_s > 0)
    before = replace(part, asked=None)
    assert decisions.overtaken(rollout, before, light, None) is (clock_s > 0)


def test_a_commands_id_tells_its_rollout() -> None:
    assert decisions.rollout_id_of(decisions.command_id_of("a-b", "00ff")) == "a-b"
    assert decisions.rollout_id_of("a-b") == ""


STATUSES = st.sampled_from(list(CommandStatus))


@given(st.lists(st.tuples(st.integers(0, 119), STATUSES, st.booleans()), max_size=60))
def test_the_counts_are_always_those_of_the_lights(
    steps: list[tuple[int, CommandStatus, bool]],
) -> None:
    rollout, parts = decisions.begun("r", order(120, failures_most=10), NOW)
    for number, status, overdue in steps:
        if not parts[number].settled:
            rollout, parts = after(rollout, parts, number, status, overdue=overdue)
    for state in PartState:
        assert getattr(rollout, state.value) == sum(part.state is state for part in parts)
    assert rollout.failures == rollout.failed
    writes = [rollout_put(rollout), *piece_puts(rollout, parts, range(120))]
    stored = [Record(w.key, w.value, w.at) for w in writes if isinstance(w, Put)]
    assert read_rollouts(stored) == [(rollout, list(parts))]
    assert {w.key for w in rollout_deletes(rollout)} == {w.key for w in stored}  # type: ignore[union-attr]


def test_a_rollout_that_lacks_lights_is_left_out() -> None:
    rollout, parts = decisions.begun("r", order(120), NOW)
    pieces = [w for w in piece_puts(rollout, parts, range(60)) if isinstance(w, Put)]
    stored = [Record(w.key, w.value, w.at) for w in (rollout_put(rollout), *pieces)]
    assert read_rollouts([*stored, Record("odd", b"{", NOW)]) == []


def test_lights_may_each_have_a_colour_and_keep_it() -> None:
    blue = LightState(0, 0, 255)
    asked = replace(order(3), colours={f"{1:016x}": blue, f"{2:016x}": RED})
    rollout, parts = decisions.begun("r", asked, NOW)
    assert [part.light for part in parts] == [None, blue, None], "the common one stands once"
    assert rollout.colours == (RED, blue)
    rollout, parts = after(rollout, parts, 1, CommandStatus.EXPIRED)
    assert parts[1].light == blue
    read = read_rollouts([Record(put.key, put.value, NOW) for put in _puts(rollout, parts)])
    assert read == [(rollout, list(parts))]


def _puts(rollout: Rollout, parts: tuple[Part, ...]) -> list[Put]:
    pieces = [put for put in piece_puts(rollout, parts, range(len(parts))) if isinstance(put, Put)]
    return [rollout_put(rollout), *pieces]


def test_the_failed_lights_are_tried_again_with_their_colours() -> None:
    blue = LightState(0, 0, 255)
    asked = replace(order(4, failures_most=9), colours={f"{1:016x}": blue}, scene="night")
    rollout, parts = decisions.begun("r", asked, NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.VERIFIED)
    rollout, parts = after(rollout, parts, 1, CommandStatus.EXPIRED)
    known = {part.dev_eui for part in parts}
    once_more = decisions.again(rollout, parts, known, Wish(pace_per_min=7.0))
    assert isinstance(once_more, Order)
    assert once_more.dev_euis == (f"{1:016x}",), "those that wait get their turn"
    assert once_more.colours == {f"{1:016x}": blue}
    assert (once_more.again_of, once_more.scene, once_more.pace_per_min) == ("r", "night", 7.0)
    assert once_more.failures_most == 9


def test_lights_of_a_cancelled_rollout_that_were_never_commanded_are_unreached() -> None:
    rollout, parts = decisions.begun("r", order(3), NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.VERIFIED)
    cancelled = decisions.steered(rollout, Wish(state=State.CANCELLED), NOW)
    assert isinstance(cancelled, Rollout)
    once_more = decisions.again(cancelled, parts, {f"{2:016x}"}, Wish())
    assert isinstance(once_more, Order)
    assert once_more.dev_euis == (f"{2:016x}",), "one is known no longer"
    assert isinstance(decisions.again(cancelled, parts, (), Wish()), Conflict)


def test_a_command_that_was_taken_back_is_no_failure() -> None:
    rollout, parts = decisions.begun("r", order(1), NOW)
    rollout, parts = after(rollout, parts, 0, CommandStatus.WITHDRAWN)
    assert (rollout.withdrawn, rollout.failed, rollout.state) == (1, 0, State.DONE)
    assert parts[0].settled
