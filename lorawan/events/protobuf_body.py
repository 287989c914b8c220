"""Decodes events in Protobuf, the `integration.*` messages of ChirpStack.

The generated messages, which have no types, are read in this file and in `protobuf_uplink.py` only,
and only the fields that we use; then the same checks apply as to JSON. Protobuf does not tell a
missing value from the default, so a missing one counts as the default: CLASS_A for a server that
does not tell the class.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from lorawan.events.errors import MalformedEvent
from lorawan.events.instant import Instant
from lorawan.events.kinds import EventKind, event_kind
from lorawan.events.model import Event
from lorawan.events.protobuf_uplink import wire_up
from lorawan.events.refusal import WHOLE, check_size, refusal
from lorawan.events.translate import WIRE_TYPES, to_event
from lorawan.events.wire import decode_special

Fields = dict[str, Any]
"""A message as the JSON decoder would see it."""


class _Messages(NamedTuple):
    """Everything that we use of the generated code."""

    types: dict[EventKind, Callable[[], Any]]
    device_class: Any
    code_rate: Any
    log_level: Any
    log_code: Any
    decode_error: type[Exception]


def decode_protobuf(kind: str, body: bytes) -> Event:
    """The event of `kind` in a Protobuf body. Raises `MalformedEvent` or `UnknownEventKind`."""
    known = event_kind(kind)
    check_size(body)
    messages = _messages()
    message = messages.types[known]()
    try:
        message.ParseFromString(body)
    except (messages.decode_error, ValueError) as error:  # the latter where Protobuf is in Python
        raise MalformedEvent(WHOLE, str(error)) from error
    if known is EventKind.UP:
        up = wire_up(message, _name, messages.device_class, messages.code_rate)
        if up is not None:
            return to_event(up)
    try:
        fields = _READERS[known](message)
        wire = msgspec.convert(fields, WIRE_TYPES[known], dec_hook=decode_special)
    except msgspec.ValidationError as error:
        raise refusal(error) from error
    return to_event(wire)


@cache
def _messages() -> _Messages:
    # Imported when first used: loading the generated code takes some 30 ms that those who receive
    # JSON need not spend.
    from chirpstack_api.common import common_pb2
    from chirpstack_api.gw import gw_pb2
    from chirpstack_api.integration import integration_pb2
    from google.protobuf.message import DecodeError

    return _Messages(
        types={
            EventKind.UP: integration_pb2.UplinkEvent,
            EventKind.JOIN: integration_pb2.JoinEvent,
            EventKind.ACK: integration_pb2.AckEvent,
            EventKind.TXACK: integration_pb2.TxAckEvent,
            EventKind.LOG: integration_pb2.LogEvent,
            EventKind.STATUS: integration_pb2.StatusEvent,
            EventKind.LOCATION: integration_pb2.LocationEvent,
        },
        device_class=common_pb2.DeviceClass,
        code_rate=gw_pb2.CodeRate,
        log_level=integration_pb2.LogLevel,
        log_code=integration_pb2.LogCode,
        decode_error=DecodeError,
    )


def _up(message: Any) -> Fields:
    return _head(message) | {
        "devAddr": message.dev_addr,
        "deduplicationId": message.deduplication_id,
        "dr": message.dr,
        "fCnt": message.f_cnt,
        "fPort": message.f_port,
        "confirmed": message.confirmed,
        "data": message.data,
        "rxInfo": [
            {
                "gatewayId": heard.gateway_id,
                "nsTime": _instant(heard, "ns_time"),
                "rssi": heard.rssi,
                "snr": heard.snr,
            }
            for heard in message.rx_info
        ],
        "txInfo": _tx_info(message),
    }


def _join(message: Any) -> Fields:
    return _head(message) | {
        "devAddr": message.dev_addr,
        "deduplicationId": message.deduplication_id,
    }


def _ack(message: Any) -> Fields:
    return _head(message) | {
        "queueItemId": message.queue_item_id,
        "acknowledged": message.acknowledged,
        "fCntDown": message.f_cnt_down,
    }


def _txack(message: Any) -> Fields:
    return _head(message) | {
        "queueItemId": message.queue_item_id,
        "downlinkId": message.downlink_id,
        "fCntDown": message.f_cnt_down,
        "gatewayId": message.gateway_id,
        "txInfo": _tx_info(message),
    }


def _log(message: Any) -> Fields:
    messages = _messages()
    return _head(message) | {
        "level": _name(messages.log_level, message.level),
        "code": _name(messages.log_code, message.code),
        "description": message.description,
        "context": dict(message.context),
    }


def _status(message: Any) -> Fields:
    return _head(message) | {
        "margin": message.margin,
        "externalPowerSource": message.external_power_source,
        "batteryLevelUnavailable": message.battery_level_unavailable,
        "batteryLevel": message.battery_level,
    }


def _location(message: Any) -> Fields:
    fields = _head(message)
    if message.HasField("location"):
        place = message.location
        fields["location"] = {
            "latitude": place.latitude,
            "longitude": place.longitude,
            "altitude": place.altitude,
        }
    return fields


_READERS: dict[EventKind, Callable[[Any], Fields]] = {
    EventKind.UP: _up,
    EventKind.JOIN: _join,
    EventKind.ACK: _ack,
    EventKind.TXACK: _txack,
    EventKind.LOG: _log,
    EventKind.STATUS: _status,
    EventKind.LOCATION: _location,
}


def _head(message: Any) -> Fields:
    fields: Fields = {}
    if message.HasField("time"):
        fields["time"] = _instant(message, "time")
    if message.HasField("device_info"):
        device = message.device_info
        fields["deviceInfo"] = {
            "devEui": device.dev_eui,
            "deviceName": device.device_name,
            "applicationId": device.application_id,
            "applicationName": device.application_name,
            "tenantId": device.tenant_id,
            "deviceProfileId": device.device_profile_id,
            "deviceProfileName": device.device_profile_name,
            "deviceClassEnabled": _name(_messages().device_class, device.device_class_enabled),
            "tags": dict(device.tags),
        }
    return fields


def _instant(message: Any, name: str) -> Instant | None:
    """A Timestamp of a message; None where it is not set. Raises `MalformedEvent`."""
    if not message.HasField(name):
        return None
    given = getattr(message, name)
    try:
        return Instant.of(given.seconds, given.nanos)
    except ValueError as error:
        raise MalformedEvent(name, str(error)) from error


def _tx_info(message: Any) -> Fields | None:
    if not message.HasField("tx_info"):
        return None
    info = message.tx_info
    fields: Fields = {"frequency": info.frequency}
    if info.modulation.HasField("lora"):
        lora = info.modulation.lora
        modulation: Fields = {
            "spreadingFactor": lora.spreading_factor,
            "bandwidth": lora.bandwidth,
            "codeRate": _name(_messages().code_rate, lora.code_rate),
        }
        fields["modulation"] = {"lora": modulation}
    if info.DESCRIPTOR.name == "DownlinkTxInfo" and info.timing.HasField("delay"):
        fields["timing"] = {"delay": {"delay": _duration(info.timing.delay.delay)}}
    return fields


def _duration(given: Any) -> str | None:
    """As JSON spells it; None for what is no duration, which in JSON counts as not told, too."""
    try:
        return str(given.ToJsonString())
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _name(enum: Any, number: int) -> str:
    """The name of an enumeration's value; the number itself where the server is newer than us.

    Kept, for to look it up costs as much as to check a body's device.
    """
    try:
        return str(enum.Name(number))
    except ValueError:
        return str(number)
