"""The device machine takes any event in any phase, in any order, and keeps its promises."""

from typing import get_args

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import CommandChanged, Submit
from actors.device.liveness import asleep
from actors.device.machine import HANDLERS, MAY_FOLLOW, next_due, step
from actors.device.model import Device, Phase, Stage
from actors.device.policy import Policy
from actors.device.transition import Transition
from lorawan.events import Reception
from lorawan.kuando import AFTER_JOIN, LightState, Status
from lorawan.network import Activation

LIGHTS = [AFTER_JOIN, LightState(255, 0, 0), LightState(0, 255, 0)]
ADDRESSES = ["00000001", "00000002", "00000003"]
POLICY = Policy()

lights = st.sampled_from(LIGHTS)
addresses = st.sampled_from(ADDRESSES)
counters = st.integers(0, 6)
# gateways and servers whose clocks are off: by 25 s, by an hour, by a roll-over of GPS weeks
offsets = st.floats(-200, 5) | st.sampled_from([-25.0, 25.0, -3600.0, 3600.0, -1024 * 604_800.0])
items = st.sampled_from(["", "a", "b", "c"])
numbers = st.integers(0, 6)


@st.composite
def statuses(draw: st.DrawFn) -> Status:
    return Status(
        rssi_dbm=-80,
        snr_raw=20,
        downlinks_received=draw(counters),
        uplinks_sent=draw(counters),
        light=draw(lights),
        sw_rev=draw(st.sampled_from([41, 56, 61])),
        hw_rev=12,
        adr=1,
    )


activations = st.builds(Activation, addresses, counters, counters)


uplinks = st.builds(
    ev.UplinkHeard,
    at=st.none() | offsets,
    dev_addr=addresses,
    f_cnt=counters,
    status=st.none() | statuses(),
    receptions=st.sampled_from([(), (Reception("gw-1", -90, 3.0),)]),
    spreading_factor=st.sampled_from([None, 7, 12]),
    id=st.sampled_from(["", "a", "b"]),
)
retained = (
    uplinks
    | st.builds(
        ev.Joined, at=st.none() | offsets, dev_addr=addresses, id=st.sampled_from(["", "a", "b"])
    )
    | st.builds(
        ev.Transmitted,
        offsets,
        items,
        st.just("gw-1"),
        offsets,
        counters,
        number=st.none() | numbers,
    )
)
events = (
    st.builds(
        ev.CommandRequested,
        st.sampled_from(["x", "y", "z"]),
        lights,
        st.booleans(),
        st.sampled_from([60.0, 86_400.0]),
    )
    | st.builds(
        ev.WithdrawRequested,
        st.none() | st.integers(0, 40).map("c{}".format),
        st.booleans(),
    )
    | st.builds(ev.InitializeRequested, st.booleans())
    | st.builds(ev.StatusRequested, st.just("test"))
    | st.builds(ev.ProbeRequested, st.just("test"))
    | retained
    | st.builds(ev.ItemDropped, offsets, items, st.sampled_from(["EXPIRED", "F_CNT_DOWN"]))
    | st.builds(ev.GatewayRefusedFrame, offsets, st.just("QUEUE_FULL"))
    | st.builds(ev.AttemptHeld, numbers, st.sampled_from(["why", "because"]))
    | st.builds(ev.AttemptWaits, numbers, st.sampled_from(["why", "because"]))
    | st.builds(ev.AttemptQueued, numbers, items, offsets, activations)
    | st.builds(ev.AttemptTransmitted, numbers, st.sampled_from([None, "gw-1"]))
    | st.builds(ev.AttemptNotSent, numbers, st.just("no gateway took it"))
    | st.builds(ev.AttemptRefused, numbers, st.just("no"))
    | st.just(ev.DispatcherStarted())
    | st.builds(ev.GatewayHealthChanged, st.just("gw-1"), st.booleans())
    | st.builds(ev.GatewayReturned, st.sampled_from(["gw-1", "gw-9"]))
    | st.builds(
        ev.Inquired,
        numbers,
        st.lists(retained, max_size=4),
        st.none() | activations,
        st.none() | st.just("no answer"),
    )
    | st.just(ev.Tick())
    | st.just(ev.Restored())
    | st.just(ev.Swept())
)
stories = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 11.0, 31.0, 400.0]), events, st.floats(0, 0.999)),
    max_size=40,
)


def shifted(event: ev.DeviceEvent, now: float) -> ev.DeviceEvent:
    """The event with its times, drawn around zero, around `now`."""
    changes = {
        field: getattr(event, field) + now
        for field in ("at", "ends_at", "expires_at")
        if isinstance(getattr(event, field, None), float)
    }
    if isinstance(event, ev.Inquired):
        changes = {"events": [shifted(one, now) for one in event.events]}  # type: ignore[dict-item]
    return msgspec.structs.replace(event, **changes)


def test_every_event_has_a_handler() -> None:
    assert set(HANDLERS) == set(get_args(ev.DeviceEvent))


def test_the_table_of_phases_names_only_events_and_never_a_phase_after_itself() -> None:
    assert set(MAY_FOLLOW) <= set(HANDLERS)
    for event, row in MAY_FOLLOW.items():
        for before, following in row.items():
            assert len(following) == len(set(following))
            assert before not in following or event is ev.Inquired


@pytest.mark.parametrize("event", [ev.Swept(), ev.Restored()], ids=["not in row", "no row"])
def test_a_handler_that_leads_where_the_table_does_not_is_found_out(
    event: ev.DeviceEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leads_astray(transition: Transition, event: ev.DeviceEvent) -> None:
        transition.enter(Phase.FAILED)

    monkeypatch.setitem(HANDLERS, type(event), leads_astray)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="from uninitialized to failed"):
        step(Device(dev_eui="2020200000000001"), event, 1.0, 0.5, POLICY)


@pytest.mark.timeout(240)
@settings(max_examples=500, deadline=None)
@given(stories)
def test_any_event_in_any_order_keeps_the_promises(
    story: list[tuple[float, ev.DeviceEvent, float]],
) -> None:
    device, now = Device(dev_eui="2020200000000001"), 1_000_000.0
    told: list[ev.UplinkHeard | ev.Joined | ev.Transmitted] = []
    for index, (pause_s, drawn, chance) in enumerate(story):
        now += pause_s
        event = shifted(drawn, now)
        if isinstance(event, ev.CommandRequested):
            event = msgspec.structs.replace(event, command_id=f"c{index}")
        device, effects = step(device, event, now, chance, POLICY)
        _check(device, effects, now)
        if isinstance(event, ev.UplinkHeard | ev.Joined | ev.Transmitted):
            told = [*told, event][-6:]
        if device.inquiry is not None and index % 3 == 0:  # all of it once more, the oldest first
            session = device.session
            running = None if session is None else Activation(session.dev_addr, 4, 4)
            answer = ev.Inquired(device.inquiry.number, told, running)
            device, effects = step(device, answer, now, chance, POLICY)
            _check(device, effects, now)


def _check(device: Device, effects: list[object], now: float) -> None:
    assert asleep(device, POLICY) is None
    assert device.healed == 0
    for effect in effects:
        if isinstance(effect, Submit):
            assert device.attempt is None or effect.attempt.number <= device.attempt.number
            assert effect.attempt.stage is not Stage.TRANSMITTED
        if isinstance(effect, CommandChanged) and effect.command.status is CommandStatus.VERIFIED:
            _proved(device, effect.command.light)
    if device.phase is Phase.FAILED and device.pursuit is not None:
        assert device.reported != device.pursuit.goal
    if device.command is not None:
        assert not device.command.status.final
        assert device.pursuit is not None
        assert device.pursuit.goal == device.command.light
    if device.phase is Phase.IDLE:
        assert device.pursuit is None
    if device.phase is Phase.AWAITING_VERIFY:
        assert device.attempt is not None
        assert device.pursuit is not None
    if device.phase is Phase.UNINITIALIZED:
        assert device.attempt is None
    # deadlines never ask to be looked at again without end
    ticked = device
    for _ in range(4):
        due = next_due(ticked, POLICY)
        if due is None or due > now:
            return
        ticked, _ = step(ticked, ev.Tick(), now, 0.5, POLICY)
    raise AssertionError(f"the machine ticks for ever in {ticked.phase}")


def _proved(device: Device, light: LightState) -> None:
    report, session = device.report, device.session
    assert report is not None
    assert session is not None
    assert report.light == light
    assert report.dev_addr == session.dev_addr
    assert report.f_cnt == session.f_cnt or report.f_cnt <= session.f_cnt
