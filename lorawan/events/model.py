"""What ChirpStack tells us, as our own frozen types, free of its wire formats.

Times ending in `_at`, and `at`, are Unix seconds UTC on ChirpStack's clock; None where it does not
say. `gateway_at` is a gateway's clock, which may be wrong by any amount: it decides nothing. EUIs
are lower-case hexadecimal. Fields that a server may leave out have the default that Protobuf gives
them. Events are tagged so that they can be handed from one process to another.
"""

import msgspec


class DeviceInfo(msgspec.Struct, frozen=True):
    """Whose event it is."""

    dev_eui: str
    device_name: str = ""
    application_id: str = ""
    application_name: str = ""
    tenant_id: str = ""
    device_profile_id: str = ""
    device_profile_name: str = ""
    device_class: str = ""
    """CLASS_A, CLASS_B or CLASS_C; empty from servers that do not say (CLASS_A from them in
    Protobuf, where it is the default)."""
    tags: dict[str, str] = {}


class Modulation(msgspec.Struct, frozen=True, gc=False):
    """LoRa modulation of one frame."""

    spreading_factor: int
    bandwidth_hz: int
    code_rate: str = "CR_4_5"


class Reception(msgspec.Struct, frozen=True, gc=False):
    """One gateway that heard an uplink."""

    gateway_id: str
    rssi_dbm: int = 0
    snr_db: float = 0.0


class Uplink(msgspec.Struct, frozen=True, tag=True):
    """`up`: a frame from the device; `data` is the decrypted payload (may be empty).

    `at` is when ChirpStack received it first (`rxInfo[].nsTime`).
    """

    device: DeviceInfo
    at: float | None
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    deduplication_id: str = ""
    confirmed: bool = False
    dr: int = 0
    receptions: tuple[Reception, ...] = ()
    modulation: Modulation | None = None
    frequency_hz: int = 0
    gateway_at: float | None = None
    """`time` of the event: the gateway's clock, where ChirpStack believed that."""


class Join(msgspec.Struct, frozen=True, tag=True):
    """`join`: a join-accept was handed to a gateway; no proof that the device got it.

    It names no time of the server's own: `at` is None but in a replay, which has one.
    """

    device: DeviceInfo
    at: float | None
    dev_addr: str
    deduplication_id: str = ""
    gateway_at: float | None = None
    """`time` of the event, a gateway's clock like an uplink's."""


class TxAck(msgspec.Struct, frozen=True, tag=True):
    """`txack`: a gateway took the frame into its transmit queue; not "on air", not "received".

    `gateway_id` is empty when a roaming partner's gateway is not named.
    """

    device: DeviceInfo
    at: float
    queue_item_id: str
    gateway_id: str
    f_cnt_down: int
    downlink_id: int = 0
    modulation: Modulation | None = None
    frequency_hz: int = 0
    rx_delay_s: float | None = None
    """It leaves so long after the end of an uplink, in RX1 or RX2, to the microsecond; None for one
    that leaves as soon as the gateway can (Class C)."""


class Ack(msgspec.Struct, frozen=True, tag=True):
    """`ack`: a confirmed downlink was acknowledged, or timed out."""

    device: DeviceInfo
    at: float
    queue_item_id: str
    acknowledged: bool
    f_cnt_down: int


class Log(msgspec.Struct, frozen=True, tag=True):
    """`log`: something went wrong; `code` as ChirpStack names it (EXPIRED, DOWNLINK_GATEWAY...).

    `queue_item_id` is None when the event does not name one (a gateway's transmit error never
    does).
    """

    device: DeviceInfo
    at: float
    level: str
    code: str
    description: str
    queue_item_id: str | None = None
    context: dict[str, str] = {}


class DeviceStatus(msgspec.Struct, frozen=True, tag=True):
    """`status`: battery and link margin answered to a MAC command."""

    device: DeviceInfo
    at: float
    margin_db: int = 0
    external_power: bool = False
    battery_percent: float | None = None


class Location(msgspec.Struct, frozen=True, tag=True):
    """`location`: a resolved position."""

    device: DeviceInfo
    at: float
    latitude: float
    longitude: float
    altitude_m: float = 0.0


Event = Uplink | Join | TxAck | Ack | Log | DeviceStatus | Location
