"""The lights of the benches: records as they are stored, and what such lights say.

A light here is an ordinary one: set up in its session, idle, heard by two gateways, showing what it
was told to. It is a pure function of its number.
"""

import struct
import time
import uuid

import msgspec

from actors.device.model import Device, Hearing, Phase, Report, Session, Wanted
from lorawan.events import DeviceInfo, Modulation, Reception, TxAck, Uplink
from lorawan.kuando.frames import F_PORT
from lorawan.kuando.light_state import LightState
from lorawan.network import ListedDevice
from store.port import Put, Table
from tests.support.shared_store import any_store

GREEN = LightState(red=0, green=255, blue=0)
RED = LightState(red=255, green=0, blue=0)
PAIRS = 200
"""Light n is heard by pair n modulo 200 of gateways, so 200 neighbours never share their air."""
F_CNT = 96
"""The uplink counter of every stored light: a day at 15 minutes."""
DOWNLINKS = 14
PROFILE = "Kuando Busylight EU868"
APPLICATION = ("22222222-2222-4222-8222-222222222222", "Meeting rooms")
_TENANT = "11111111-1111-4111-8111-111111111111"
_PROFILE_ID = "33333333-3333-4333-8333-333333333333"
_SF7 = Modulation(spreading_factor=7, bandwidth_hz=125_000)
_SF9 = Modulation(spreading_factor=9, bandwidth_hz=125_000)
_STATUS = struct.Struct("<iiII8B")
_SW_REV, _HW_REV = 60, 15
_COMMIT = 500


def dev_eui(number: int) -> str:
    """DevEUI of a light."""
    return f"70b3d57ed00{number:05x}"


def gateways_of(number: int) -> tuple[str, str]:
    """The two gateways that hear it."""
    pair = number % PAIRS
    return f"0016c001f15{2 * pair:05x}", f"0016c001f15{2 * pair + 1:05x}"


def device(number: int, now: float) -> Device:
    """The record of a light, last heard within the last 15 minutes before `now` (Unix seconds)."""
    heard_at = now - 10.0 - number % 890
    dev_addr = _dev_addr(number)
    first, second = gateways_of(number)
    return Device(
        dev_eui=dev_eui(number),
        name=f"Busylight {number:05d}",
        application_id=APPLICATION[0],
        application_name=APPLICATION[1],
        profile_name=PROFILE,
        tags=_tags(number),
        phase=Phase.IDLE,
        since=now - 3_500.0,
        session=Session(
            dev_addr=dev_addr,
            since=now - 86_400.0,
            f_cnt=F_CNT,
            heard_at=heard_at,
            set_up=True,
            previous=(f"{0x02000000 + number:08x}",),
        ),
        report=Report(
            at=heard_at,
            dev_addr=dev_addr,
            f_cnt=F_CNT,
            light=GREEN,
            downlinks_received=DOWNLINKS,
            uplinks_sent=F_CNT,
            sw_rev=_SW_REV,
            hw_rev=_HW_REV,
            rssi_dbm=-87,
            snr_raw=31,
        ),
        hearings=(
            Hearing(first, heard_at, -87, 8.5, 16.0, latest=True),
            Hearing(second, heard_at, -101, 2.25, 9.75, latest=True),
        ),
        wanted=Wanted(GREEN, str(uuid.uuid5(uuid.NAMESPACE_OID, dev_eui(number))), now - 3_600.0),
        last_frame_at=now - 3_590.0,
        attempts_made=DOWNLINKS,
        uplinks=F_CNT,
        joins=1,
    )


async def stored(url: str, lights: int) -> None:
    """Put so many lights into the store at `url`."""
    now, encoder = time.time(), msgspec.json.Encoder()
    async with any_store(url) as store:
        for start in range(0, lights, _COMMIT):
            numbers = range(start, min(start + _COMMIT, lights))
            records = [device(number, now) for number in numbers]
            failures = await store.commit_each(
                [[Put(Table.DEVICE, one.dev_eui, encoder.encode(one), now)] for one in records]
            )
            if any(failures):
                raise RuntimeError(f"the lights are not stored: {failures}")


def listed(number: int) -> ListedDevice:
    """The same light as the network server lists it."""
    return ListedDevice(
        dev_eui=dev_eui(number),
        name=f"Busylight {number:05d}",
        application_id=APPLICATION[0],
        application_name=APPLICATION[1],
        device_profile_id=_PROFILE_ID,
        device_profile_name=PROFILE,
        tags=_tags(number),
    )


def status(number: int, nth: int, light: LightState = GREEN, received: int = DOWNLINKS) -> Uplink:
    """The `nth` status (from 1) after what is stored, heard by both gateways."""
    f_cnt = F_CNT + nth
    first, second = gateways_of(number)
    data = _STATUS.pack(
        -87, 31, received, f_cnt, light.red, light.blue, light.green, light.on, light.off,
        _SW_REV, _HW_REV, 1,
    )  # fmt: skip
    return Uplink(
        device=_info(number),
        at=time.time(),
        dev_addr=_dev_addr(number),
        f_cnt=f_cnt,
        f_port=F_PORT,
        data=data,
        deduplication_id=str(uuid.UUID(int=(number << 32) | f_cnt)),
        dr=5,
        receptions=(Reception(first, -87, 8.5), Reception(second, -101, 2.25)),
        modulation=_SF7,
        frequency_hz=868_100_000,
    )


def txack(number: int, item_id: str) -> TxAck:
    """The first gateway took this item."""
    return TxAck(
        device=_info(number),
        at=time.time(),
        queue_item_id=item_id,
        gateway_id=gateways_of(number)[0],
        f_cnt_down=DOWNLINKS + 1,
        downlink_id=number,
        modulation=_SF9,
        frequency_hz=869_525_000,
    )


def _dev_addr(number: int) -> str:
    return f"{0x01000000 + number:08x}"


def _tags(number: int) -> dict[str, str]:
    return {"building": "Head office", "floor": str(number % 12), "room": f"{number % 997:03d}"}


def _info(number: int) -> DeviceInfo:
    return DeviceInfo(
        dev_eui=dev_eui(number),
        device_name=f"Busylight {number:05d}",
        application_id=APPLICATION[0],
        application_name=APPLICATION[1],
        tenant_id=_TENANT,
        device_profile_id=_PROFILE_ID,
        device_profile_name=PROFILE,
        device_class="CLASS_C",
        tags=_tags(number),
    )
