"""From ChirpStack's bodies to our own events.

Nothing is refused here any more. Defaults are filled in, names and EUIs get the one spelling that
the rest of Lamplighter compares, texts that are too long are cut, and lists that are too long lose
their last or weakest elements.
"""

import math
import re
from collections.abc import Iterable

from lorawan.events import model
from lorawan.events.kinds import EventKind
from lorawan.events.wire import (
    Wire,
    WireAck,
    WireDevice,
    WireJoin,
    WireLocation,
    WireLog,
    WireRxInfo,
    WireStatus,
    WireTxAck,
    WireTxInfo,
    WireUp,
)
from lorawan.shared_text import shared, shared_tags

WIRE_TYPES: dict[EventKind, type[Wire]] = {
    EventKind.UP: WireUp,
    EventKind.JOIN: WireJoin,
    EventKind.ACK: WireAck,
    EventKind.TXACK: WireTxAck,
    EventKind.LOG: WireLog,
    EventKind.STATUS: WireStatus,
    EventKind.LOCATION: WireLocation,
}

NAME_CHARS = 200
"""ChirpStack's own names have at most 100 characters; longer ones are cut: names are kept."""
GATEWAY_ID_CHARS = 64
"""A gateway's EUI has 16. A longer id counts as none: cut, it might be another gateway's."""
CODE_CHARS = 64
"""Of a code, a level, or an id that is a UUID of 36."""
TAGS_MOST = 16
TAG_CHARS = 64
"""Of a key and of a value: 16 tags are 2 kB of text at most. Of a log event's context likewise, the
values of which are sentences and cut as names are: 16 * (64 + 200) are 4 kB."""
RECEPTIONS_MOST = 50
"""The best ones are kept: an uplink in a city is heard by twenty gateways. 50 of 64 characters are
3 kB."""

COPIES_WITHIN_S = 2.0
"""Copies of one frame reach ChirpStack within its de-duplication delay, 0.2 s unless set longer."""

RX_DELAY_MOST_S = 16.0
"""RX1 opens after at most 15 s, RX2 a second later. Source: LoRaWAN 1.0.3, RXTimingSetupReq."""

_DURATION = re.compile(r"(\d{1,5}(?:\.\d{1,9})?)s", re.ASCII)
_QUEUE_ITEM_ID = "queue_item_id"
_UNDEFINED_CODE_RATE = "CR_UNDEFINED"


def to_event(wire: Wire) -> model.Event:
    """The event of a body."""
    match wire:
        case WireUp():
            return _uplink(wire)
        case WireJoin():
            return model.Join(
                device=_device(wire.device_info),
                at=None,
                dev_addr=wire.dev_addr.lower(),
                deduplication_id=_cut(wire.deduplication_id, CODE_CHARS),
                gateway_at=wire.time.at,
            )
        case WireTxAck():
            return _txack(wire)
        case WireAck():
            return model.Ack(
                device=_device(wire.device_info),
                at=wire.time.at,
                queue_item_id=wire.queue_item_id,
                acknowledged=wire.acknowledged or False,
                f_cnt_down=wire.f_cnt_down or 0,
            )
        case WireLog():
            return _log(wire)
        case WireStatus():
            return _status(wire)
        case WireLocation():
            return model.Location(
                device=_device(wire.device_info),
                at=wire.time.at,
                latitude=wire.location.latitude or 0.0,
                longitude=wire.location.longitude or 0.0,
                altitude_m=_finite(wire.location.altitude),
            )


def _uplink(wire: WireUp) -> model.Uplink:
    return model.Uplink(
        device=_device(wire.device_info),
        at=_received_at(wire.rx_info or ()),
        dev_addr=wire.dev_addr.lower(),
        f_cnt=wire.f_cnt or 0,
        f_port=wire.f_port or 0,
        data=wire.data or b"",
        deduplication_id=_cut(wire.deduplication_id, CODE_CHARS),
        confirmed=wire.confirmed or False,
        dr=wire.dr or 0,
        receptions=_receptions(wire.rx_info or ()),
        modulation=_modulation(wire.tx_info),
        frequency_hz=_frequency_hz(wire.tx_info),
        gateway_at=wire.time.at,
    )


def _txack(wire: WireTxAck) -> model.TxAck:
    return model.TxAck(
        device=_device(wire.device_info),
        at=wire.time.at,
        queue_item_id=wire.queue_item_id,
        gateway_id=_gateway_id(wire.gateway_id),
        f_cnt_down=wire.f_cnt_down or 0,
        downlink_id=wire.downlink_id or 0,
        modulation=_modulation(wire.tx_info),
        frequency_hz=_frequency_hz(wire.tx_info),
        rx_delay_s=_rx_delay_s(wire.tx_info),
    )


def _log(wire: WireLog) -> model.Log:
    context = wire.context or {}
    # Cut, it might be another item's.
    item_id = context.get(_QUEUE_ITEM_ID) or None
    return model.Log(
        device=_device(wire.device_info),
        at=wire.time.at,
        level=_cut(wire.level, CODE_CHARS) or "INFO",
        code=_cut(wire.code, CODE_CHARS) or "UNKNOWN",
        description=_name(wire.description),
        queue_item_id=item_id if item_id is None or len(item_id) <= CODE_CHARS else None,
        context=_few(context, NAME_CHARS),
    )


def _status(wire: WireStatus) -> model.DeviceStatus:
    # LoRaWAN answers either "external power", "cannot measure", or a level.
    external = wire.external_power_source or False
    measured = not (external or wire.battery_level_unavailable)
    return model.DeviceStatus(
        device=_device(wire.device_info),
        at=wire.time.at,
        margin_db=wire.margin or 0,
        external_power=external,
        battery_percent=round(_finite(wire.battery_level), 2) if measured else None,
    )


def _device(wire: WireDevice) -> model.DeviceInfo:
    return model.DeviceInfo(
        dev_eui=wire.dev_eui.lower(),
        device_name=_name(wire.device_name),
        application_id=shared(_name(wire.application_id)),
        application_name=shared(_name(wire.application_name)),
        tenant_id=shared(_name(wire.tenant_id)),
        device_profile_id=shared(_name(wire.device_profile_id)),
        device_profile_name=shared(_name(wire.device_profile_name)),
        device_class=shared(_name(wire.device_class_enabled)),
        tags=shared_tags(_few(wire.tags or {}, TAG_CHARS)),
    )


def _receptions(wires: Iterable[WireRxInfo]) -> tuple[model.Reception, ...]:
    """One per gateway that is named, in the order sent; a gateway of several antennas is listed
    once for each, and counts by its best. Of too many, the best ones."""
    best: dict[str, model.Reception] = {}
    for wire in wires:
        gateway_id = _gateway_id(wire.gateway_id)
        if not gateway_id:
            continue
        heard = model.Reception(
            gateway_id=gateway_id,
            rssi_dbm=wire.rssi or 0,
            # Protobuf has it as a 32-bit float; gateways measure in steps of 0.1 or 0.25 dB.
            snr_db=round(_finite(wire.snr), 2),
        )
        known = best.get(heard.gateway_id)
        if known is None or (known.snr_db, known.rssi_dbm) < (heard.snr_db, heard.rssi_dbm):
            best[heard.gateway_id] = heard
    if len(best) > RECEPTIONS_MOST:
        by_signal = sorted(best.values(), key=lambda one: (-one.snr_db, -one.rssi_dbm))
        return tuple(by_signal[:RECEPTIONS_MOST])
    return tuple(best.values())


def _received_at(wires: Iterable[WireRxInfo]) -> float | None:
    """When ChirpStack received the frame, by its own clock: the earliest of the gateways' times.

    ChirpStack stamps each gateway's copy when it arrives, so none is early, and the later ones are
    late by their backhaul. A roaming partner's copy may bear the partner's clock instead; those of
    our own gateways are within the de-duplication (some 0.2 s), so a copy that is not within
    `COPIES_WITHIN_S` of most others is passed over. The order of the list means nothing.
    """
    times = sorted(wire.ns_time.at for wire in wires if wire.ns_time is not None)
    if not times:
        return None
    middle = times[len(times) // 2]
    return next(at for at in times if abs(at - middle) <= COPIES_WITHIN_S)


def _modulation(wire: WireTxInfo | None) -> model.Modulation | None:
    """None when the frame was not LoRa as the regional plans know it."""
    lora = wire.modulation.lora if wire is not None and wire.modulation is not None else None
    if lora is None or not lora.bandwidth:
        return None
    spreading_factor = lora.spreading_factor or 0
    if not 7 <= spreading_factor <= 12:
        return None
    given = lora.code_rate if lora.code_rate != _UNDEFINED_CODE_RATE else None
    return model.Modulation(
        spreading_factor=spreading_factor,
        bandwidth_hz=lora.bandwidth,
        code_rate=_cut(given, CODE_CHARS) or "CR_4_5",
    )


def _frequency_hz(wire: WireTxInfo | None) -> int:
    return (wire.frequency or 0) if wire is not None else 0


def _rx_delay_s(wire: WireTxInfo | None) -> float | None:
    """Of a Class A slot. What is no duration of such a one (1 to 16 s) counts as not told."""
    delay = wire.timing.delay if wire is not None and wire.timing is not None else None
    written = _DURATION.fullmatch(delay.delay or "") if delay is not None else None
    delay_s = float(written[1]) if written is not None else 0.0
    return delay_s if 0.0 < delay_s <= RX_DELAY_MOST_S else None


def _name(text: str | None) -> str:
    return _cut(text, NAME_CHARS)


def _cut(text: str | None, most: int) -> str:
    return (text or "")[:most]


def _few(given: dict[str, str], most: int) -> dict[str, str]:
    """The first `TAGS_MOST` by name (Protobuf keeps no order), their values cut at `most`."""
    names = given if len(given) <= TAGS_MOST else sorted(given)[:TAGS_MOST]
    return {name[:TAG_CHARS]: given[name][:most] for name in names}


def _gateway_id(text: str | None) -> str:
    """In lower case; empty where the gateway is not named."""
    return shared(text.lower()) if text is not None and len(text) <= GATEWAY_ID_CHARS else ""


def _finite(value: float | None) -> float:
    """Protobuf can carry NaN and infinity, which JSON cannot; they count as missing."""
    return value if value is not None and math.isfinite(value) else 0.0
