"""A status uplink of a light, from ChirpStack's JSON to Redis.

The uplink and the Kuando payload are decoded, the light's record is brought up to date, a line is
added to its history, and the change is published: one read, and one transaction for all the rest.
It decides nothing, follows no downlink and proves nothing, so it does less than Lamplighter does
with the same uplink.
"""

import struct
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.types import Base64Bytes
from redis.asyncio import Redis

F_PORT = 15
HISTORY_KEPT = 1_000
CHANGES = "changes"
"""The channel on which records are published that changed."""
_STATUS = struct.Struct("<iiII8B")


class _FromChirpStack(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class DeviceInfo(_FromChirpStack):
    """Whose uplink it is."""

    dev_eui: str
    device_name: str
    application_id: str
    application_name: str
    device_profile_name: str
    tags: dict[str, str] = {}


class RxInfo(_FromChirpStack):
    """One gateway that heard it."""

    gateway_id: str
    rssi: int = 0
    snr: float = 0.0


class Uplink(_FromChirpStack):
    """ChirpStack's event `up`, as far as it is used."""

    deduplication_id: str
    time: datetime
    device_info: DeviceInfo
    dev_addr: str
    dr: int = 0
    f_cnt: int = 0
    f_port: int = 0
    data: Base64Bytes = b""
    rx_info: list[RxInfo] = []


class Colour(BaseModel):
    """What a light shows."""

    red: int
    green: int
    blue: int
    on: int
    off: int


class Status(BaseModel):
    """What a light says of itself."""

    rssi: int
    snr: int
    downlinks_received: int
    uplinks_sent: int
    colour: Colour
    sw_rev: int
    hw_rev: int


class Light(BaseModel):
    """The record of a light."""

    dev_eui: str
    name: str
    application_id: str
    application_name: str
    profile_name: str
    tags: dict[str, str]
    dev_addr: str
    f_cnt: int
    heard_at: datetime
    gateways: list[RxInfo]
    uplinks: int = 0
    status: Status | None = None
    wanted: Colour | None = None
    shows_wanted: bool = False


class Line(BaseModel):
    """One line of a light's history."""

    at: datetime
    kind: str
    f_cnt: int
    colour: Colour


def decode_status(data: bytes) -> Status:
    """Raises struct.error for what is no status."""
    fields = _STATUS.unpack(data[: _STATUS.size])
    rssi, snr, received, sent, red, blue, green, on, off, sw_rev, hw_rev, _ = fields
    return Status(
        rssi=rssi,
        snr=snr,
        downlinks_received=received,
        uplinks_sent=sent,
        colour=Colour(red=red, green=green, blue=blue, on=on, off=off),
        sw_rev=sw_rev,
        hw_rev=hw_rev,
    )


def heard(before: Light | None, uplink: Uplink) -> tuple[Light, Line]:
    """The record after a status uplink, and what its history says of it."""
    info, status = uplink.device_info, decode_status(uplink.data)
    wanted = None if before is None else before.wanted
    light = Light(
        dev_eui=info.dev_eui,
        name=info.device_name,
        application_id=info.application_id,
        application_name=info.application_name,
        profile_name=info.device_profile_name,
        tags=info.tags,
        dev_addr=uplink.dev_addr,
        f_cnt=uplink.f_cnt,
        heard_at=uplink.time,
        gateways=uplink.rx_info,
        uplinks=1 if before is None else before.uplinks + 1,
        status=status,
        wanted=wanted,
        shows_wanted=status.colour == wanted,
    )
    return light, Line(at=uplink.time, kind="status", f_cnt=uplink.f_cnt, colour=status.colour)


async def take_in(redis: Redis, uplink: Uplink) -> None:
    """Carry one uplink out. One that is no status, or was heard before, changes nothing."""
    if uplink.f_port != F_PORT:
        return
    key = f"light:{uplink.device_info.dev_eui}"
    stored = await redis.get(key)
    before = None if stored is None else Light.model_validate_json(stored)
    if before is not None and (before.dev_addr, before.f_cnt) == (uplink.dev_addr, uplink.f_cnt):
        return
    light, line = heard(before, uplink)
    record = light.model_dump_json()
    async with redis.pipeline() as pipeline:
        pipeline.set(key, record)
        history = f"history:{light.dev_eui}"
        pipeline.xadd(history, {"line": line.model_dump_json()}, maxlen=HISTORY_KEPT)
        pipeline.publish(CHANGES, record)
        await pipeline.execute()
