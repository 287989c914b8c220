"""From what ChirpStack says to what a light's machine understands.

The rule it keeps: pure, and total: every event has a meaning, or None when it is for the history
only. Nothing here judges whether an event is late, doubled or of an earlier session.
"""

from actors.device.events import (
    GatewayRefusedFrame,
    ItemDropped,
    Joined,
    Transmitted,
    UplinkHeard,
)
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
from lorawan.kuando import parse_uplink
from lorawan.kuando.status import Status

PAYLOAD_BYTES = 6
"""A txack does not tell the length of its frame. The longest of ours has six bytes (a colour that
asks for a reply), and at SF12 a byte less shortens the frame by 0.16 s at most."""
RX2 = Modulation(spreading_factor=12, bandwidth_hz=125_000)
"""What a Class C frame is sent with in EU868 unless the network says otherwise."""
DROPPED = frozenset({"EXPIRED", "DOWNLINK_PAYLOAD_SIZE", "F_CNT_DOWN"})
"""Log codes after which the queue item is gone. Source: ChirpStack v4, downlink/data.rs."""
REFUSED = "DOWNLINK_GATEWAY"
"""Log code of a gateway's transmit error; the item stays queued, and is not named."""
NOTE_CHARS = 200

NetworkEvent = UplinkHeard | Joined | Transmitted | ItemDropped | GatewayRefusedFrame


def translate(event: Event) -> NetworkEvent | None:
    """What `event` means to its light, or None when it changes nothing there."""
    match event:
        case Uplink():
            return _uplink(event)
        case Join():
            return Joined(event.at, event.dev_addr, event.device)
        case TxAck():
            airtime_s = downlink_airtime_s(PAYLOAD_BYTES, event.modulation or RX2)
            ends_at = event.at + airtime_s
            return Transmitted(event.at, event.queue_item_id, event.gateway_id, ends_at)
        case Log():
            return _log(event)
        case Ack() | DeviceStatus() | Location():
            return None


def described(event: Event) -> tuple[str, str, dict[str, str | float | None]] | None:
    """Entry id, kind and detail of the history line for an event that means nothing to a light.

    None for one that does: the light's own actor writes that into the history.
    """
    match event:
        case Ack():
            entry = f"ack-{event.queue_item_id}-{event.acknowledged:d}"
            return entry, "ack", {"item": event.queue_item_id, "acknowledged": event.acknowledged}
        case DeviceStatus():
            battery = event.battery_percent
            detail = {"margin_db": event.margin_db, "battery_percent": battery}
            return f"status-{event.at:.6f}", "device_status", detail
        case Location():
            place = {
                "latitude": event.latitude,
                "longitude": event.longitude,
                "altitude_m": event.altitude_m,
            }
            return f"location-{event.at:.6f}", "location", {**place}
        case Log() if _log(event) is None:
            detail_log = {"level": event.level, "code": event.code, "text": event.description}
            return f"log-{event.code}-{event.at:.6f}", "log", {**detail_log}
        case _:
            return None


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
        note=None if status is not None else str(report)[:NOTE_CHARS],
    )


def _log(event: Log) -> ItemDropped | GatewayRefusedFrame | None:
    if event.code in DROPPED and event.queue_item_id is not None:
        return ItemDropped(event.at, event.queue_item_id, event.code)
    if event.code == REFUSED:
        return GatewayRefusedFrame(event.at, event.description)
    return None
