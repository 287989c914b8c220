import struct

import pytest

from actors.device.events import (
    GatewayRefusedFrame,
    ItemDropped,
    Joined,
    Transmitted,
    UplinkHeard,
)
from actors.fleet.translate import described, translate
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
from lorawan.kuando.light_state import LightState

AT = 1_700_000_000.0
LIGHT = DeviceInfo("2c31d10000000001", "desk 4", device_profile_name="Kuando Busylight")
STATUS = struct.pack("<iiII", -71, 28, 5, 9) + bytes([255, 1, 2, 100, 50, 56, 12, 1])


def log_event(code: str, item: str | None = "item-1") -> Log:
    return Log(LIGHT, AT, "ERROR", code, "QUEUE_FULL", item)


def test_a_status_uplink_brings_its_status_and_receptions() -> None:
    heard = (Reception("g1", -70, 9.5), Reception("g2", -110, -3.0))
    event = Uplink(
        LIGHT, AT, "00aabbcc", 9, 15, STATUS, receptions=heard, modulation=Modulation(10, 125_000)
    )
    meaning = translate(event)
    assert isinstance(meaning, UplinkHeard)
    assert meaning.status is not None
    assert meaning.status.light == LightState(red=255, green=2, blue=1, on=100, off=50)
    assert (meaning.at, meaning.dev_addr, meaning.f_cnt) == (AT, "00aabbcc", 9)
    assert meaning.receptions == heard
    assert meaning.spreading_factor == 10
    assert meaning.device is LIGHT
    assert meaning.note is None


@pytest.mark.parametrize(("f_port", "data"), [(15, b""), (15, STATUS[:23]), (2, STATUS), (0, b"")])
def test_any_other_uplink_is_noted_but_no_status(f_port: int, data: bytes) -> None:
    meaning = translate(Uplink(LIGHT, AT, "00aabbcc", 9, f_port, data))
    assert isinstance(meaning, UplinkHeard)
    assert meaning.status is None
    assert meaning.note is not None
    assert f"port {f_port}" in meaning.note
    assert len(meaning.note) <= 200


def test_a_join() -> None:
    assert translate(Join(LIGHT, AT, "00aabbcc")) == Joined(AT, "00aabbcc", LIGHT)


@pytest.mark.parametrize(
    ("modulation", "airtime_s"),
    [(None, 1.3), (Modulation(12, 125_000), 1.3), (Modulation(7, 125_000), 0.051)],
)
def test_a_txack_ends_after_its_airtime(modulation: Modulation | None, airtime_s: float) -> None:
    meaning = translate(TxAck(LIGHT, AT, "item-1", "g1", 4, modulation=modulation))
    assert isinstance(meaning, Transmitted)
    assert (meaning.at, meaning.queue_item_id, meaning.gateway_id) == (AT, "item-1", "g1")
    assert meaning.ends_at - AT == pytest.approx(airtime_s, rel=0.2)


@pytest.mark.parametrize("code", ["EXPIRED", "DOWNLINK_PAYLOAD_SIZE", "F_CNT_DOWN"])
def test_a_dropped_item(code: str) -> None:
    assert translate(log_event(code)) == ItemDropped(AT, "item-1", code)
    assert described(log_event(code)) is None
    assert translate(log_event(code, None)) is None
    assert described(log_event(code, None)) is not None


def test_a_gateway_refusal_names_no_item() -> None:
    assert translate(log_event("DOWNLINK_GATEWAY", None)) == GatewayRefusedFrame(AT, "QUEUE_FULL")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Ack(LIGHT, AT, "item-1", acknowledged=False, f_cnt_down=3), "ack"),
        (DeviceStatus(LIGHT, AT, 12), "device_status"),
        (Location(LIGHT, AT, 52.1, 4.3), "location"),
        (log_event("UPLINK_F_CNT_RETRANSMISSION", None), "log"),
    ],
)
def test_what_means_nothing_to_the_light_is_described(event: Event, kind: str) -> None:
    assert translate(event) is None
    told = described(event)
    assert told is not None
    assert told.kind == kind
    assert told == described(event)  # a webhook sent twice makes the same entry


def test_what_the_light_deals_with_is_not_described_here() -> None:
    assert described(Join(LIGHT, AT, "00aabbcc")) is None
    assert described(TxAck(LIGHT, AT, "item-1", "g1", 4)) is None
    assert described(Uplink(LIGHT, AT, "00aabbcc", 9, 15, STATUS)) is None
