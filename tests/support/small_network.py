"""A network server of plain lists and dictionaries, and a few things to put into it."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from lorawan.events.model import DeviceInfo, Event, Join, Uplink
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    ListedDevice,
    NetworkUnknown,
    QueueItem,
)

LIGHT = "0102030405060708"
"""The one device that a fresh `SmallNetwork` knows."""

OTHER = "ffffffffffffffff"
"""A device that it does not know."""


class SmallNetwork:
    """A `NetworkServer` of plain lists and dictionaries, for servicers to stand on."""

    def __init__(self) -> None:
        self.items: dict[str, list[QueueItem]] = {LIGHT: []}
        self.sessions: dict[str, Activation | None] = {LIGHT: None}
        self.kept: dict[str, list[Event]] = {LIGHT: []}
        self.listed: list[ListedDevice] = [listed(LIGHT)]
        self.states: dict[str, DeviceState] = {}
        """How a device is configured, where it is not as a light should be."""
        self.gateway_list: list[GatewayInfo] = []
        self.failure: Exception | None = None
        """Raised by every call while it is set."""

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        self._check(dev_eui)
        item = QueueItem(
            id=f"item-{len(self.items[dev_eui])}", f_port=f_port, data=data, expires_at=expires_at
        )
        self.items[dev_eui].append(item)
        return item.id

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        self._check(dev_eui)
        return self.items[dev_eui]

    async def activation(self, dev_eui: str) -> Activation | None:
        self._check(dev_eui)
        return self.sessions[dev_eui]

    async def device(self, dev_eui: str) -> DeviceState:
        self._check(dev_eui)
        if not any(each.dev_eui == dev_eui for each in self.listed):
            raise NetworkUnknown(dev_eui)
        heard = [event.at for event in self.kept[dev_eui] if isinstance(event, Uplink)]
        return msgspec.structs.replace(
            self.states.get(dev_eui, DeviceState(dev_eui)),
            last_seen_at=max(heard) if heard else None,
        )

    async def flush(self, dev_eui: str) -> None:
        self._check(dev_eui)
        self.items[dev_eui].clear()

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        self._check(dev_eui)
        return list(self.kept[dev_eui])

    async def gateways(self) -> Sequence[GatewayInfo]:
        self._check(LIGHT)
        return self.gateway_list

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        self._check(LIGHT)
        wanted = profile_contains.lower()
        return [each for each in self.listed if wanted in each.device_profile_name.lower()]

    def _check(self, dev_eui: str) -> None:
        if self.failure is not None:
            raise self.failure
        if dev_eui not in self.items:
            raise NetworkUnknown(dev_eui)


def listed(
    dev_eui: str, *, profile: str = "Kuando Busylight", application: str = "lights"
) -> ListedDevice:
    """A device as the backend lists it."""
    return ListedDevice(
        dev_eui=dev_eui,
        name=f"light {dev_eui}",
        application_id=f"application-{application}",
        application_name=application,
        device_profile_id=f"profile-{profile}",
        device_profile_name=profile,
    )


def uplink(f_cnt: int, *, dev_eui: str = LIGHT) -> Uplink:
    """An uplink as the backend keeps it."""
    return Uplink(
        device=DeviceInfo(dev_eui=dev_eui),
        at=1_700_000_000.0 + f_cnt,
        dev_addr="01020304",
        f_cnt=f_cnt,
        f_port=15,
        data=bytes(5),
    )


def webhook_body(event: Event) -> tuple[str, bytes]:
    """The kind and the JSON body of an uplink or a join; as much of it as the tests need."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="microseconds")
    body: dict[str, object] = {"time": at, "deviceInfo": {"devEui": event.device.dev_eui}}
    if isinstance(event, Uplink):
        data = base64.b64encode(event.data).decode()
        body |= {"devAddr": event.dev_addr, "fCnt": event.f_cnt, "fPort": event.f_port}
        return "up", json.dumps(body | {"data": data, "rxInfo": [], "txInfo": {}}).encode()
    assert isinstance(event, Join)
    return "join", json.dumps(body | {"devAddr": event.dev_addr}).encode()
