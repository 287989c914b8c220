"""Events as ChirpStack's HTTP integration sends them: JSON or Protobuf bodies.

The bytes are built with ChirpStack's own messages, so that their reader is tested against the
wire and not against our own writer. As servers from 4.1 do, the `integration.*` messages print
their defaults in JSON, the `gw.*` and `common.*` parts inside do not.

Source: chirpstack/chirpstack v4.19, api/rust/build.rs and chirpstack/src/integration/http.rs.
"""

import json
import uuid
import zlib
from typing import Any

from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from lorawan.events.model import (
    Ack,
    DeviceInfo,
    DeviceStatus,
    Event,
    Join,
    Location,
    Log,
    Modulation,
    TxAck,
    Uplink,
)

_CLASS_C_FREQUENCIES_HZ = {869_525_000: 29, 923_300_000: 27}
"""RX2 of the regions that we simulate, and the power asked for."""
_RX1_POWER_DBM = 16
_CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000, *range(867_100_000, 868_000_000, 200_000))
_CONTEXT = b"\x13\x73\x96\x39"
_US_FROM_HZ = 902_000_000
_TENANT_NAME = "ChirpStack"


def protobuf_body(event: Event) -> tuple[str, bytes]:
    """The value of `?event=` and the binary body."""
    kind, message = _message(event)
    return kind, message.SerializeToString(deterministic=True)


def json_body(event: Event) -> tuple[str, bytes]:
    """The value of `?event=` and the JSON body."""
    kind, message = _message(event)
    return kind, json.dumps(_as_json(message), separators=(",", ":")).encode()


def _message(event: Event) -> tuple[str, Message]:
    match event:
        case Uplink():
            return "up", _uplink(event)
        case Join():
            return "join", _join(event)
        case TxAck():
            return "txack", _txack(event)
        case Ack():
            return "ack", _ack(event)
        case Log():
            return "log", _log(event)
        case DeviceStatus():
            return "status", _status(event)
        case Location():
            return "location", _location(event)


def _uplink(event: Uplink) -> Any:
    message = integration_pb2.UplinkEvent(
        deduplication_id=event.deduplication_id,
        time=_timestamp(event.gateway_at or event.at or 0.0),
        device_info=_device_info(event.device),
        dev_addr=event.dev_addr,
        adr=True,
        dr=event.dr,
        f_cnt=event.f_cnt,
        f_port=event.f_port,
        confirmed=event.confirmed,
        data=event.data,
        region_config_id=_region_config_id(event.frequency_hz),
    )
    for reception in event.receptions:
        seed = f"{event.deduplication_id}{reception.gateway_id}".encode()
        message.rx_info.append(
            gw_pb2.UplinkRxInfo(
                gateway_id=reception.gateway_id,
                uplink_id=zlib.crc32(seed),
                ns_time=None if event.at is None else _timestamp(event.at),
                rssi=reception.rssi_dbm,
                snr=reception.snr_db,
                channel=_channel(event.frequency_hz),
                location=common_pb2.Location(),
                context=_CONTEXT,
                crc_status=gw_pb2.CRCStatus.CRC_OK,
            )
        )
    if event.modulation is not None:
        message.tx_info.frequency = event.frequency_hz
        message.tx_info.modulation.CopyFrom(_modulation(event.modulation))
    return message


def _join(event: Join) -> Any:
    return integration_pb2.JoinEvent(
        deduplication_id=event.deduplication_id,
        time=_timestamp(event.gateway_at or event.at or 0.0),
        device_info=_device_info(event.device),
        dev_addr=event.dev_addr,
        region_config_id=_region_config_id(0),
    )


def _txack(event: TxAck) -> Any:
    message = integration_pb2.TxAckEvent(
        downlink_id=event.downlink_id,
        time=_timestamp(event.at),
        device_info=_device_info(event.device),
        queue_item_id=event.queue_item_id,
        f_cnt_down=event.f_cnt_down,
        gateway_id=event.gateway_id,
    )
    message.tx_info.frequency = event.frequency_hz
    message.tx_info.power = _CLASS_C_FREQUENCIES_HZ.get(event.frequency_hz, _RX1_POWER_DBM)
    message.tx_info.context = _CONTEXT
    if event.modulation is not None:
        message.tx_info.modulation.CopyFrom(_modulation(event.modulation))
        message.tx_info.modulation.lora.polarization_inversion = True
    if event.rx_delay_s is None:
        message.tx_info.timing.immediately.SetInParent()
    else:
        message.tx_info.timing.delay.delay.FromNanoseconds(round(event.rx_delay_s * 1e9))
    return message


def _ack(event: Ack) -> Any:
    # A timeout has no uplink behind it, hence no de-duplication id.
    return integration_pb2.AckEvent(
        deduplication_id=_deduplication_id(event.queue_item_id) if event.acknowledged else "",
        time=_timestamp(event.at),
        device_info=_device_info(event.device),
        queue_item_id=event.queue_item_id,
        acknowledged=event.acknowledged,
        f_cnt_down=event.f_cnt_down,
    )


def _log(event: Log) -> Any:
    context = dict(event.context)
    if event.queue_item_id is not None:
        context.setdefault("queue_item_id", event.queue_item_id)
    return integration_pb2.LogEvent(
        time=_timestamp(event.at),
        device_info=_device_info(event.device),
        level=integration_pb2.LogLevel.Value(event.level),
        code=integration_pb2.LogCode.Value(event.code),
        description=event.description,
        context=context,
    )


def _status(event: DeviceStatus) -> Any:
    return integration_pb2.StatusEvent(
        deduplication_id=_deduplication_id(event.device.dev_eui, str(event.at)),
        time=_timestamp(event.at),
        device_info=_device_info(event.device),
        margin=event.margin_db,
        external_power_source=event.external_power,
        battery_level_unavailable=event.battery_percent is None,
        battery_level=event.battery_percent or 0.0,
    )


def _location(event: Location) -> Any:
    return integration_pb2.LocationEvent(
        deduplication_id=_deduplication_id(event.device.dev_eui, str(event.at)),
        time=_timestamp(event.at),
        device_info=_device_info(event.device),
        location=common_pb2.Location(
            latitude=event.latitude, longitude=event.longitude, altitude=event.altitude_m
        ),
    )


def _device_info(device: DeviceInfo) -> Any:
    return integration_pb2.DeviceInfo(
        tenant_id=device.tenant_id,
        tenant_name=_TENANT_NAME,
        application_id=device.application_id,
        application_name=device.application_name,
        device_profile_id=device.device_profile_id,
        device_profile_name=device.device_profile_name,
        device_name=device.device_name,
        dev_eui=device.dev_eui,
        device_class_enabled=common_pb2.DeviceClass.Value(device.device_class or "CLASS_A"),
        tags=device.tags,
    )


def _modulation(modulation: Modulation) -> Any:
    return gw_pb2.Modulation(
        lora=gw_pb2.LoraModulationInfo(
            bandwidth=modulation.bandwidth_hz,
            spreading_factor=modulation.spreading_factor,
            code_rate=gw_pb2.CodeRate.Value(modulation.code_rate),
        )
    )


def _timestamp(at: float) -> Timestamp:
    """To the microsecond, which is about what a float of this size holds."""
    seconds, micros = divmod(round(at * 1_000_000), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def _region_config_id(frequency_hz: int) -> str:
    return "us915_0" if frequency_hz >= _US_FROM_HZ else "eu868"


def _deduplication_id(*parts: str) -> str:
    """Our events do not carry it for every kind; the same event gets the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)))


def _channel(frequency_hz: int) -> int:
    return _CHANNELS_HZ.index(frequency_hz) if frequency_hz in _CHANNELS_HZ else 0


def _as_json(message: Message) -> dict[str, Any]:
    """Protobuf's JSON mapping, with defaults printed for `integration.*` messages only."""
    inner: dict[str, Any] = {}
    outer = type(message)()
    outer.CopyFrom(message)
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.file.package not in ("gw", "common"):
            continue
        outer.ClearField(field.name)
        if isinstance(value, Message):
            inner[field.json_name] = MessageToDict(value)
        else:
            inner[field.json_name] = [MessageToDict(part) for part in value]
    body = MessageToDict(outer, always_print_fields_with_no_presence=True) | inner
    _utc_as_offset(body)
    return _in_order(body, message.DESCRIPTOR)


def _in_order(body: dict[str, Any], descriptor: Any) -> dict[str, Any]:
    """Keys in the order of declaration, as the server's library prints them."""
    ordered: dict[str, Any] = {}
    for field in descriptor.fields:
        if field.json_name not in body:
            continue
        value, inner = body[field.json_name], field.message_type
        if inner is not None and inner.file.package in ("integration", "gw", "common"):
            if isinstance(value, list):
                value = [_in_order(part, inner) for part in value]
            elif not inner.GetOptions().map_entry:
                value = _in_order(value, inner)
        ordered[field.json_name] = value
    return ordered


def _utc_as_offset(body: dict[str, Any]) -> None:
    """The server's library writes UTC as +00:00, Python's as Z."""
    for name in ("time", "nsTime"):
        if name in body:
            body[name] = body[name].removesuffix("Z") + "+00:00"
    for part in body.get("rxInfo", ()):
        _utc_as_offset(part)
