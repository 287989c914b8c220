"""What one process writes another reads, and nothing that belongs to a process leaves it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.board.changes import ActorView
from actors.board.sight import Sight
from actors.cluster import messages as ms
from actors.device import events as ev
from actors.device.model import Device
from actors.link.judgement import AttemptJudged
from actors.messaging.reply import Reply
from actors.storage.audit import AuditEntry
from actors.supervision import ChildState
from lorawan.events.model import (
    Ack,
    DeviceInfo,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    Modulation,
    Reception,
    TxAck,
    Uplink,
)
from lorawan.kuando import LightState
from lorawan.network import Activation
from tests.support.lorawan_strategies import lights, statuses

MESSAGE_BYTES_MOST = 512 * 1024
"""A request that is carried has a body of 256 kB at most; an uplink heard by 50 gateways has 8 kB,
an answer to an inquiry some 40 kB."""
EUI = "2020200000000001"
TEXT = st.text(max_size=20)
AT = st.floats(0, 2e9)
INFO = st.builds(DeviceInfo, st.just(EUI), TEXT, TEXT, TEXT, tags=st.dictionaries(TEXT, TEXT))
MODULATION = st.builds(Modulation, st.integers(7, 12), st.just(125_000))
RECEPTIONS = st.lists(st.builds(Reception, TEXT, st.integers(-130, 0), st.floats(-20, 10)))
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Uplink,
        INFO,
        st.none() | AT,
        TEXT,
        st.integers(0, 2**32),
        st.integers(1, 200),
        st.binary(max_size=50),
        TEXT,
        receptions=RECEPTIONS.map(tuple),
        modulation=st.none() | MODULATION,
    ),
    st.builds(Join, INFO, st.none() | AT, TEXT),
    st.builds(TxAck, INFO, AT, TEXT, TEXT, st.integers(0, 2**32), rx_delay_s=st.none() | AT),
    st.builds(Ack, INFO, AT, TEXT, st.booleans(), st.integers(0, 2**32)),
    st.builds(Log, INFO, AT, TEXT, TEXT, TEXT, st.none() | TEXT, st.dictionaries(TEXT, TEXT)),
    st.builds(DeviceStatus, INFO, AT),
    st.builds(Location, INFO, AT, AT, AT),
)
TRANSMITTED = st.builds(ev.Transmitted, AT, TEXT, TEXT, AT, st.integers(0, 99))
UPLINK = st.builds(ev.UplinkHeard, st.none() | AT, TEXT, st.integers(0, 99), st.none() | statuses())
JOINED = st.builds(ev.Joined, st.none() | AT, TEXT, st.none() | INFO)
DROPPED = st.builds(ev.ItemDropped, AT, TEXT, TEXT)
ACTIVATION = st.builds(Activation, TEXT, st.integers(0, 99), st.integers(0, 99))
DEVICE_EVENTS: st.SearchStrategy[ev.DeviceEvent] = st.one_of(
    st.builds(ev.CommandRequested, TEXT, lights(), st.booleans(), AT, TEXT, accepted_at=AT),
    st.builds(ev.WithdrawRequested, st.none() | TEXT, st.booleans(), TEXT),
    st.builds(ev.InitializeRequested, st.booleans()),
    st.builds(ev.StatusRequested, TEXT),
    st.builds(ev.ProbeRequested, TEXT),
    UPLINK,
    JOINED,
    TRANSMITTED,
    DROPPED,
    st.builds(ev.GatewayRefusedFrame, AT, TEXT),
    st.builds(ev.Listed, TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT)),
    st.builds(ev.AttemptHeld, st.integers(1, 9), TEXT),
    st.builds(ev.AttemptWaits, st.integers(1, 9), TEXT),
    st.builds(ev.AttemptQueued, st.integers(1, 9), TEXT, AT, ACTIVATION),
    st.builds(ev.AttemptTransmitted, st.integers(1, 9), st.none() | TEXT),
    st.builds(ev.AttemptNotSent, st.integers(1, 9), TEXT),
    st.builds(ev.AttemptRefused, st.integers(1, 9), TEXT),
    st.just(ev.DispatcherStarted()),
    st.builds(ev.GatewayHealthChanged, TEXT, st.booleans()),
    st.builds(ev.GatewayReturned, TEXT, st.booleans()),
    st.builds(
        ev.Inquired,
        st.integers(1, 9),
        st.lists(UPLINK | JOINED | TRANSMITTED | DROPPED),
        st.none() | ACTIVATION,
    ),
    st.just(ev.Tick()),
    st.just(ev.Restored()),
    st.just(ev.Swept()),
)
MESSAGES = st.one_of(
    st.builds(ms.NetworkTold, EVENTS),
    st.builds(ms.ForLight, TEXT, DEVICE_EVENTS, TEXT, st.integers(0, 99)),
    st.builds(
        ms.CommandTaken,
        TEXT,
        st.builds(ev.CommandRequested, TEXT, lights(), st.booleans(), AT, accepted_at=AT),
    ),
    st.builds(ms.ForLights, DEVICE_EVENTS, st.none() | TEXT),
    st.just(ms.LightListed(Device(dev_eui=EUI, name="a light", tags={"floor": "3"}))),
    st.builds(ms.LightConfirmed, TEXT),
    st.builds(ms.LightGone, TEXT, TEXT, st.booleans(), TEXT, st.integers(0, 9)),
    st.builds(ms.InquiryAnswered, TEXT, st.builds(ev.Inquired, st.integers(1, 9), st.just([]))),
    st.just(ms.Judged(EUI, AttemptJudged(1, "gw", True, True, 0.9))),
    st.builds(ms.LightHeardUnlisted, TEXT),
    st.builds(ms.QueueFlushed, TEXT),
    st.builds(ms.LightForgotten, TEXT),
    st.just(ms.ActorTold(ActorView(f"device {EUI}", ChildState.PARKED, 5, "it crashed"))),
    st.builds(
        ms.AuditTold,
        st.builds(
            AuditEntry, id=TEXT, at=AT, by=TEXT, scope=TEXT, what=TEXT, detail=st.just({"on": 1})
        ),
    ),
    st.builds(ms.FailoverTook, TEXT, TEXT, st.integers(0, 9), st.integers(0, 9)),
    st.builds(ms.EventsUnread, TEXT, TEXT, TEXT, st.none() | AT),
    st.builds(
        ms.CarriedRequest,
        st.integers(0, 9),
        TEXT,
        AT,
        st.just("GET"),
        TEXT,
        TEXT,
        st.lists(st.tuples(TEXT, TEXT)).map(tuple),
        st.binary(max_size=99),
        peer=TEXT,
        sight=st.builds(Sight, tags=st.lists(TEXT).map(tuple)),
    ),
)


def test_no_kind_was_added_without_being_tried_below() -> None:
    assert len(msgspec.inspect.type_info(ev.DeviceEvent).types) == 24  # type: ignore[attr-defined]
    assert len(msgspec.inspect.type_info(Event).types) == 7  # type: ignore[attr-defined]
    assert len(msgspec.inspect.type_info(ms.Message).types) == 17  # type: ignore[attr-defined]


@given(MESSAGES)
def test_what_is_written_is_read(message: ms.Message) -> None:
    data = ms.encode(message)
    assert ms.decode(data) == message
    assert ms.encode(ms.decode(data)) == data
    assert len(data) <= MESSAGE_BYTES_MOST


@given(st.builds(ms.CarriedAnswer, st.integers(0, 99), st.integers(200, 599), body=st.binary()))
def test_an_answer_is_read(answer: ms.CarriedAnswer) -> None:
    assert ms.decode_answer(ms.encode(answer)) == answer
    for told in (ms.LightAnswered(3, "asked", None), ms.LightAnswered(3, "", "why", "parked")):
        assert ms.decode_answer(ms.encode(told)) == told


class AnsweredBefore(msgspec.Struct, frozen=True, tag="answered"):
    """`LightAnswered` as 0.2.0 began with it."""

    ask: int
    text: str = ""
    failure: str | None = None


def test_a_refusal_is_read_by_an_older_process_as_a_failure() -> None:
    data = ms.encode(ms.LightAnswered(3, "", "why", "parked"))
    assert msgspec.msgpack.decode(data, type=AnsweredBefore) == AnsweredBefore(3, "", "why")
    data = msgspec.msgpack.encode(AnsweredBefore(3, "", "why"))
    assert ms.decode_answer(data) == ms.LightAnswered(3, "", "why", "")


def test_a_promise_does_not_leave_its_process() -> None:
    reply: Reply[str] = Reply()
    asked = ms.ForLight(EUI, ev.StatusRequested("by hand", reply))
    assert ms.decode(ms.encode(asked)) == ms.ForLight(EUI, ev.StatusRequested("by hand"))
    assert asked.event.reply is reply  # type: ignore[union-attr]
    light = LightState(1, 2, 3)
    taken = ms.CommandTaken(EUI, ev.CommandRequested("c", light, True, 1.0, reply=reply))
    read = ms.decode(ms.encode(taken))
    assert isinstance(read, ms.CommandTaken)
    assert read.request.reply is None


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"type": "of a newer version"})]
)
def test_what_cannot_be_read_says_so(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        ms.decode(data)
    with pytest.raises(msgspec.MsgspecError):
        ms.decode_answer(data)


def test_unknown_fields_of_a_newer_version_are_left_out() -> None:
    data = msgspec.msgpack.encode({"type": "confirmed", "dev_eui": EUI, "why": "new"})
    assert ms.decode(data) == ms.LightConfirmed(EUI)


def test_texts_that_all_lights_share_are_kept_once() -> None:
    info = DeviceInfo(EUI, "a light", "app", "lights", tags={"floor": "3"})
    event = Uplink(info, 1.0, "01", 1, 1, b"", receptions=(Reception("0016c001f1100000"),))
    one, two = (ms.decode(ms.encode(ms.NetworkTold(event))) for _ in range(2))
    assert isinstance(one, ms.NetworkTold)
    assert isinstance(two, ms.NetworkTold)
    assert one.event.device.application_name is two.event.device.application_name
    assert isinstance(one.event, Uplink)
    assert isinstance(two.event, Uplink)
    assert one.event.receptions[0].gateway_id is two.event.receptions[0].gateway_id
