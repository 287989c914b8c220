"""The bodies as ChirpStack sends them, field by field: what is required, and what may be missing.

Strict about what we rely on (whose event, when, which queue item), lenient about the rest. Servers
before 4.1 omit defaults, later ones print them, and the radio parts always omit them; `null` means
the default, too. Unknown fields are ignored.

Both encodings are decoded into these types, so that they are checked alike.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lorawan.events.instant import Instant

Eui = Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{16}\Z")]
DevAddr = Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{8}\Z")]
Uint32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Port = Annotated[int, Meta(ge=0, le=255)]
DataRate = Annotated[int, Meta(ge=0, le=15)]
# A LoRa frame has at most 255 bytes, so its payload has less.
Payload = Annotated[bytes, Meta(max_length=255)]
# A UUID; another server may name its items otherwise, but every one has a name.
ItemId = Annotated[str, Meta(min_length=1, max_length=64)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class _Part(msgspec.Struct, rename="camel", gc=False):
    """Base of all parts."""


class WireDevice(_Part):
    """`deviceInfo`."""

    dev_eui: Eui
    device_name: str | None = None
    application_id: str | None = None
    application_name: str | None = None
    tenant_id: str | None = None
    device_profile_id: str | None = None
    device_profile_name: str | None = None
    device_class_enabled: str | None = None
    tags: dict[str, str] | None = None


class WireLora(_Part):
    """`modulation.lora`."""

    spreading_factor: Uint32 | None = None
    bandwidth: Uint32 | None = None
    code_rate: str | None = None


class WireModulation(_Part):
    """`txInfo.modulation`; FSK and LR-FHSS are not read."""

    lora: WireLora | None = None


class WireDelay(_Part):
    """`timing.delay`: Protobuf's Duration, in JSON a text such as "1s"."""

    delay: str | None = None


class WireTiming(_Part):
    """`txInfo.timing`; `immediately` and `gpsEpoch` are not read."""

    delay: WireDelay | None = None


class WireTxInfo(_Part):
    """`txInfo`; an uplink's has no timing."""

    frequency: Uint32 | None = None
    modulation: WireModulation | None = None
    timing: WireTiming | None = None


class WireRxInfo(_Part):
    """One of `rxInfo`. A roaming partner need not name its gateway, nor by an EUI."""

    gateway_id: str | None = None
    ns_time: Instant | None = None
    rssi: Int32 | None = None
    snr: float | None = None


class _Body(_Part):
    time: Instant
    device_info: WireDevice


class WireUp(_Body):
    """`up`."""

    dev_addr: DevAddr
    deduplication_id: str | None = None
    dr: DataRate | None = None
    f_cnt: Uint32 | None = None
    f_port: Port | None = None
    confirmed: bool | None = None
    data: Payload | None = None
    rx_info: list[WireRxInfo] | None = None
    tx_info: WireTxInfo | None = None


class WireJoin(_Body):
    """`join`."""

    dev_addr: DevAddr
    deduplication_id: str | None = None


class WireTxAck(_Body):
    """`txack`."""

    queue_item_id: ItemId
    downlink_id: Uint32 | None = None
    f_cnt_down: Uint32 | None = None
    gateway_id: str | None = None
    tx_info: WireTxInfo | None = None


class WireAck(_Body):
    """`ack`."""

    queue_item_id: ItemId
    acknowledged: bool | None = None
    f_cnt_down: Uint32 | None = None


class WireLog(_Body):
    """`log`."""

    level: str | None = None
    code: str | None = None
    description: str | None = None
    context: dict[str, str] | None = None


class WireStatus(_Body):
    """`status`."""

    margin: Int32 | None = None
    external_power_source: bool | None = None
    battery_level_unavailable: bool | None = None
    battery_level: float | None = None


class WirePlace(_Part):
    """`location.location`."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    altitude: float | None = None


class WireLocation(_Body):
    """`location`."""

    location: WirePlace


Wire = WireUp | WireJoin | WireTxAck | WireAck | WireLog | WireStatus | WireLocation


def decode_special(wanted: type, value: Any) -> Any:
    """msgspec's hook for the types it does not know. Raises `ValueError` for a bad value."""
    if wanted is not Instant:
        raise NotImplementedError(wanted)
    if isinstance(value, Instant):
        return value
    if not isinstance(value, str):
        raise ValueError("Expected an RFC 3339 time")  # noqa: TRY004 -- what msgspec expects
    return Instant.parse(value)
