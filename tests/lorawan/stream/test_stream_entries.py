"""Whose an entry is, and what it holds; the fields' numbers against the generated code."""

import pytest
from chirpstack_api.integration import integration_pb2
from hypothesis import given
from hypothesis import strategies as st

from lorawan.events import UnknownEventKind
from lorawan.events.model import Join
from lorawan.stream.entries import (
    DEV_EUI_FIELD,
    DEVICE_INFO_FIELD,
    PROFILE_NAME_FIELD,
    EntryId,
    StreamEntry,
    Whose,
    decoded,
    whose,
)
from simulation.world.bodies import protobuf_body
from tests.support.event_vectors import EXPECTED

MESSAGES = {
    "up": integration_pb2.UplinkEvent,
    "join": integration_pb2.JoinEvent,
    "ack": integration_pb2.AckEvent,
    "txack": integration_pb2.TxAckEvent,
    "log": integration_pb2.LogEvent,
    "status": integration_pb2.StatusEvent,
    "location": integration_pb2.LocationEvent,
}
TOLD = sorted((name, event) for name, (_, event) in EXPECTED.items())
AT = EntryId(1_719_847_234_567, 3)


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_device_stands_where_the_generated_code_has_it(kind):
    field = MESSAGES[kind].DESCRIPTOR.fields_by_name["device_info"]
    assert field.number == DEVICE_INFO_FIELD[kind]


def test_eui_and_profile_stand_where_the_generated_code_has_them():
    fields = integration_pb2.DeviceInfo.DESCRIPTOR.fields_by_name
    assert fields["dev_eui"].number == DEV_EUI_FIELD
    assert fields["device_profile_name"].number == PROFILE_NAME_FIELD


@pytest.mark.parametrize(("name", "event"), TOLD)
def test_whose_it_is_is_what_decoding_says(name, event):
    kind, body = protobuf_body(event)
    device = decoded(StreamEntry(AT, kind, body)).device
    found = whose(StreamEntry(AT, kind, body))
    assert found is not None
    assert found.dev_eui == device.dev_eui
    assert found.profile_name[:200] == device.device_profile_name


@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=300))
def test_no_bytes_whatever_make_it_fail(kind, body):
    found = whose(StreamEntry(AT, kind, body))
    assert found is None or isinstance(found, Whose)


@given(st.sampled_from(TOLD), st.integers(0, 400))
def test_a_body_that_is_cut_off_names_nobody_or_the_right_one(told, length):
    _, event = told
    kind, body = protobuf_body(event)
    found = whose(StreamEntry(AT, kind, body[:length]))
    assert found is None or found.dev_eui in {"", event.device.dev_eui}


def test_a_kind_that_is_not_known_is_said_to_be():
    with pytest.raises(UnknownEventKind):
        whose(StreamEntry(AT, "integration", b""))


def test_a_join_gets_the_time_of_its_entry():
    message = integration_pb2.JoinEvent(dev_addr="00189440")
    message.time.seconds = 1
    message.device_info.dev_eui = "2020203900000001"
    event = decoded(StreamEntry(AT, "join", message.SerializeToString()))
    assert isinstance(event, Join)
    assert event.at == 1_719_847_234.567


def test_ids_are_ordered_by_both_their_numbers():
    ids = ["9-0", "10-0", "10-2", "10-10"]
    assert sorted(map(EntryId.parse, reversed(ids))) == [EntryId.parse(one) for one in ids]
    assert str(EntryId.parse(b"10-2")) == "10-2"


def test_an_earlier_id_is_never_negative():
    assert EntryId(10_000, 5).earlier(4.0) == EntryId(6_000)
    assert EntryId(10).earlier(60.0) == EntryId(0)
