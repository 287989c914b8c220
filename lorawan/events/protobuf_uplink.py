"""Reads an uplink in Protobuf straight into the checked form, without the fields in between.

Uplinks are nearly all of what a server tells, and the checks that JSON needs of types hold by
Protobuf itself. What is left is looked at here; a message that does not pass, or has anything out
of the ordinary, is left to the way that all other kinds take, which says precisely what is wrong.
"""

import re
from collections.abc import Callable
from typing import Any

from lorawan.events.instant import Instant
from lorawan.events.wire import (
    WireDevice,
    WireLora,
    WireModulation,
    WireRxInfo,
    WireTxInfo,
    WireUp,
)

Name = Callable[[Any, int], str]
"""The name of a value of an enumeration."""

_EUI = re.compile(r"[0-9a-fA-F]{16}", re.ASCII).fullmatch
_DEV_ADDR = re.compile(r"[0-9a-fA-F]{8}", re.ASCII).fullmatch
_PORT_MOST = 255
_DATA_RATE_MOST = 15
_PAYLOAD_MOST = 255


def wire_up(message: Any, name: Name, device_class: Any, code_rate: Any) -> WireUp | None:
    """An `integration.UplinkEvent`; None for one that is to be looked at closely."""
    device, dev_addr, data = message.device_info, message.dev_addr, message.data
    dr, f_port = message.dr, message.f_port
    if (
        not message.HasField("time")
        or not message.HasField("device_info")
        or _EUI(device.dev_eui) is None
        or _DEV_ADDR(dev_addr) is None
        or dr > _DATA_RATE_MOST
        or f_port > _PORT_MOST
        or len(data) > _PAYLOAD_MOST
    ):
        return None
    try:
        time = _instant(message.time)
        heard = [
            WireRxInfo(
                one.gateway_id,
                _instant(one.ns_time) if one.HasField("ns_time") else None,
                one.rssi,
                one.snr,
            )
            for one in message.rx_info
        ]
    except ValueError:
        return None
    return WireUp(
        time=time,
        device_info=WireDevice(
            device.dev_eui,
            device.device_name,
            device.application_id,
            device.application_name,
            device.tenant_id,
            device.device_profile_id,
            device.device_profile_name,
            name(device_class, device.device_class_enabled),
            dict(device.tags),
        ),
        dev_addr=dev_addr,
        deduplication_id=message.deduplication_id,
        dr=dr,
        f_cnt=message.f_cnt,
        f_port=f_port,
        confirmed=message.confirmed,
        data=data,
        rx_info=heard,
        tx_info=_tx_info(message.tx_info, name, code_rate) if message.HasField("tx_info") else None,
    )


def _tx_info(info: Any, name: Name, code_rate: Any) -> WireTxInfo:
    modulation = None
    if info.modulation.HasField("lora"):
        lora = info.modulation.lora
        rate = name(code_rate, lora.code_rate)
        modulation = WireModulation(WireLora(lora.spreading_factor, lora.bandwidth, rate))
    return WireTxInfo(info.frequency, modulation)


def _instant(given: Any) -> Instant:
    return Instant.of(given.seconds, given.nanos)
