"""ChirpStack's API messages as our own frozen types, and back.

Protobuf messages do not leave `lorawan.chirpstack`, and session keys are never read from them.
"""

import re
from typing import Any

from chirpstack_api import api
from google.protobuf.timestamp_pb2 import Timestamp

from lorawan.network import (
    Activation,
    Encoding,
    GatewayInfo,
    GatewayState,
    HttpIntegration,
    ListedDevice,
    NetworkInvalid,
    QueueItem,
)

_STATES = {
    api.GatewayState.NEVER_SEEN: GatewayState.NEVER_SEEN,
    api.GatewayState.ONLINE: GatewayState.ONLINE,
    api.GatewayState.OFFLINE: GatewayState.OFFLINE,
}
_EUI = re.compile(r"[0-9a-f]{16}")


def canonical_eui(dev_eui: str) -> str:
    """The DevEUI in lower case. Raises `NetworkInvalid`: the server would answer a wrong one with
    INTERNAL, take an empty one for sixteen zeros, and stream no events for upper case."""
    lowered = dev_eui.lower()
    if not _EUI.fullmatch(lowered):
        raise NetworkInvalid(f"a DevEUI is 16 hexadecimal digits, not {dev_eui!r}")
    return lowered


def enqueue_request(dev_eui: str, f_port: int, data: bytes, expires_at: float) -> Any:
    """One unconfirmed item. Raises `NetworkInvalid` for an application port that does not exist:
    the server would cut it to eight bits and send something else."""
    if not 1 <= f_port <= 223:
        raise NetworkInvalid(f"f_port must be between 1 and 223, not {f_port}")
    return api.EnqueueDeviceQueueItemRequest(
        queue_item=api.DeviceQueueItem(
            dev_eui=canonical_eui(dev_eui),
            confirmed=False,
            f_port=f_port,
            data=data,
            expires_at=to_timestamp(expires_at),
        )
    )


def to_timestamp(at: float) -> Timestamp:
    """Unix seconds with their microseconds: all that a float of this size holds, and all that
    the server's database keeps. Raises `NetworkInvalid` for no time at all."""
    try:
        seconds, micros = divmod(round(at * 1_000_000), 1_000_000)
        return Timestamp(seconds=seconds, nanos=micros * 1000)
    except (ValueError, OverflowError) as error:
        raise NetworkInvalid(f"{at!r} is not a time in Unix seconds") from error


def from_timestamp(timestamp: Timestamp) -> float:
    """Unix seconds; `from_timestamp(to_timestamp(at))` is `at` rounded to microseconds."""
    micros = timestamp.seconds * 1_000_000 + round(timestamp.nanos / 1000)
    return micros / 1_000_000


def queue_item(item: Any) -> QueueItem:
    """From `api.DeviceQueueItem`."""
    return QueueItem(
        id=item.id,
        f_port=item.f_port,
        data=item.data,
        is_pending=item.is_pending,
        confirmed=item.confirmed,
        f_cnt_down=item.f_cnt_down,
        expires_at=_optional_time(item, "expires_at"),
    )


def activation(response: Any) -> Activation | None:
    """From `api.GetDeviceActivationResponse`. Up to LoRaWAN 1.0.x, which the lights speak, the
    counter in use is n_f_cnt_down."""
    if not response.HasField("device_activation"):
        return None
    session = response.device_activation
    return Activation(
        dev_addr=session.dev_addr, f_cnt_up=session.f_cnt_up, f_cnt_down=session.n_f_cnt_down
    )


def gateway(item: Any) -> GatewayInfo:
    """From `api.GatewayListItem`. A gateway without a position is listed at 0, 0."""
    place = item.location
    placed = bool(place.latitude or place.longitude)
    return GatewayInfo(
        gateway_id=item.gateway_id.lower(),
        name=item.name,
        tenant_id=item.tenant_id,
        last_seen_at=_optional_time(item, "last_seen_at"),
        latitude=place.latitude if placed else None,
        longitude=place.longitude if placed else None,
        state=_STATES.get(item.state),
    )


def stats_interval_s(response: Any) -> float | None:
    """From `api.GetGatewayResponse`; None where none is set."""
    seconds = response.gateway.stats_interval
    return float(seconds) if seconds > 0 else None


def listed_device(item: Any, *, application_id: str, application_name: str) -> ListedDevice:
    """From `api.DeviceListItem`."""
    return ListedDevice(
        dev_eui=item.dev_eui.lower(),
        name=item.name,
        application_id=application_id,
        application_name=application_name,
        device_profile_id=item.device_profile_id,
        device_profile_name=item.device_profile_name,
        tags=dict(item.tags),
    )


def http_integration(item: Any) -> HttpIntegration:
    """From `api.HttpIntegration`."""
    protobuf = item.encoding == api.Encoding.PROTOBUF
    return HttpIntegration(
        application_id=item.application_id,
        event_endpoint_url=item.event_endpoint_url,
        headers=dict(item.headers),
        encoding=Encoding.PROTOBUF if protobuf else Encoding.JSON,
    )


def http_integration_message(integration: HttpIntegration) -> Any:
    """To `api.HttpIntegration`."""
    protobuf = integration.encoding is Encoding.PROTOBUF
    return api.HttpIntegration(
        application_id=integration.application_id,
        event_endpoint_url=integration.event_endpoint_url,
        headers=integration.headers,
        encoding=api.Encoding.PROTOBUF if protobuf else api.Encoding.JSON,
    )


def _optional_time(message: Any, field: str) -> float | None:
    return from_timestamp(getattr(message, field)) if message.HasField(field) else None
