"""From what ChirpStack says to what a light's machine understands.

A pure and total function: every event has a meaning, or None when it is for the history only.
Nothing here judges whether an event is late, doubled or of an earlier session.
"""

from typing import NamedTuple

from actors.device.events import (
    GatewayRefusedFrame,
    ItemDropped,
    Joined,
    Transmitted,
    UplinkHeard,
)
from actors.storage.event_lines import RAW_BYTES_MOST, LineKind, note_of
from lorawan.airtime import downlink_airtime_s
from lorawan.events.model import (
    Ack,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    Modulation,
    TxAck,
    Uplink,
)
from lorawan.kuando import (
    FRAME_BYTES_MOST,
    Status,
    parse_uplink,
)

RX2 = Modulation(spreading_factor=12, bandwidth_hz=125_000)
"""What a Class C frame is sent with in EU868 unless the network says otherwise."""
DROPPED = frozenset({"EXPIRED", "DOWNLINK_PAYLOAD_SIZE", "F_CNT_DOWN"})
"""Log codes after which the queue item is gone. Source: ChirpStack v4, downlink/data.rs."""
REFUSED = "DOWNLINK_GATEWAY"
"""Log code of a gateway's transmit error; the item stays queued, and is not named."""

NetworkEvent = UplinkHeard | Joined | Transmitted | ItemDropped | GatewayRefusedFrame


def for_light(event: Event) -> bool:
    """Whether the light has this straight, and not from the dispatcher."""
    match event:
        case TxAck():
            return False
        case Log(code=code):
            return code not in DROPPED
        case _:
            return True


def translate(event: Event) -> NetworkEvent | None:
    """What `event` means to its light, or None when it changes nothing there."""
    match event:
        case Uplink():
            return _uplink(event)
        case Join():
            return Joined(event.at, event.dev_addr, event.device, event.deduplication_id)
        case TxAck():
            ends_at = event.at + _airtime_s(event.modulation or RX2)
            return Transmitted(
                event.at,
                event.queue_item_id,
                event.gateway_id,
                ends_at,
                event.f_cnt_down,
                event.frequency_hz,
                event.modulation,
                rx_delay_s=event.rx_delay_s,
            )
        case Log():
            return _log(event)
        case Ack() | DeviceStatus() | Location():
            return None


Detail = dict[str, str | float | None]


class Described(NamedTuple):
    """The history line of an event: its id, by which it is kept once, its kind and what it says."""

    entry: str
    kind: str
    detail: Detail


def described(event: Event) -> Described | None:
    """The history line for an event that means nothing to a light.

    None for one that does: the light's own actor writes that into the history.
    """
    detail: Detail
    match event:
        case Ack():
            entry = f"ack-{event.queue_item_id}-{event.acknowledged:d}"
            detail = {"item": event.queue_item_id, "acknowledged": event.acknowledged}
            return Described(entry, "ack", detail)
        case DeviceStatus():
            detail = {"margin_db": event.margin_db, "battery_percent": event.battery_percent}
            return Described(f"status-{event.at:.6f}", LineKind.DEVICE_STATUS, detail)
        case Location(latitude=latitude, longitude=longitude, altitude_m=altitude_m):
            detail = {"latitude": latitude, "longitude": longitude, "altitude_m": altitude_m}
            return Described(f"location-{event.at:.6f}", "location", detail)
        case Log() if _log(event) is None:
            detail = {"level": event.level, "code": event.code, "text": event.description}
            return Described(f"log-{event.code}-{event.at:.6f}", "log", detail)
        case _:
            return None


def _airtime_s(modulation: Modulation) -> float:
    """Of the longest frame of ours, for a txack does not tell the length; a byte less shortens the
    frame by 0.16 s at most, at SF12."""
    try:
        return downlink_airtime_s(FRAME_BYTES_MOST, modulation)
    except ValueError:  # FSK, or a spreading factor of no LoRaWAN region: the longest will do
        return downlink_airtime_s(FRAME_BYTES_MOST, RX2)


def _uplink(event: Uplink) -> UplinkHeard:
    report = parse_uplink(event.f_port, event.data)
    status = report if isinstance(report, Status) else None
    return UplinkHeard(
        at=event.at,
        dev_addr=event.dev_addr,
        f_cnt=event.f_cnt,
        status=status,
        receptions=event.receptions,
        spreading_factor=event.modulation.spreading_factor if event.modulation else None,
        device=event.device,
        id=event.deduplication_id or event.data.hex(),
        note=None if isinstance(report, Status) else note_of(event.f_port, report),
        raw=event.data[:RAW_BYTES_MOST],
        f_port=event.f_port,
        dr=event.dr,
        frequency_hz=event.frequency_hz,
    )


def _log(event: Log) -> ItemDropped | GatewayRefusedFrame | None:
    if event.code in DROPPED and event.queue_item_id is not None:
        return ItemDropped(event.at, event.queue_item_id, event.code)
    if event.code == REFUSED:
        return GatewayRefusedFrame(event.at, event.description)
    return None
