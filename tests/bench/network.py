"""A network server that answers at once and does nothing by itself.

It costs as little as it can, for it is not what is measured; what the gateways would do is done by
the bench, by `transmit`.
"""

import time
from collections.abc import Sequence

import msgspec

from lorawan.events import Event
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    ListedDevice,
    NetworkUnknown,
    QueueItem,
)
from tests.bench import fleet


class QuietNetwork:
    """A `NetworkServer` with lights 0 to `lights` - 1 and all their gateways online."""

    def __init__(self, lights: int) -> None:
        self._lights = lights
        self._queues: dict[str, list[QueueItem]] = {}
        self._activations = {
            fleet.dev_eui(number): Activation(f"{0x01000000 + number:08x}", fleet.F_CNT + 1, 14)
            for number in range(lights)
        }
        self.enqueued = 0

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        self.enqueued += 1
        item = QueueItem(f"item-{self.enqueued:08d}", f_port, data, expires_at=expires_at)
        self._queues.setdefault(dev_eui, []).append(item)
        return item.id

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        kept = [one for one in self._queues.get(dev_eui, ()) if _valid(one)]
        self._queues[dev_eui] = kept
        return list(kept)

    async def activation(self, dev_eui: str) -> Activation | None:
        known = self._activations.get(dev_eui)
        if known is None:
            raise NetworkUnknown(dev_eui)
        return known

    async def device(self, dev_eui: str) -> DeviceState:
        return DeviceState(dev_eui)

    async def flush(self, dev_eui: str) -> None:
        self._queues.pop(dev_eui, None)

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        return ()

    async def gateways(self) -> Sequence[GatewayInfo]:
        ids = [one for pair in range(fleet.PAIRS) for one in fleet.gateways_of(pair)]
        return [GatewayInfo(one, f"Gateway {one[-5:]}", last_seen_at=time.time()) for one in ids]

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        return [fleet.listed(number) for number in range(self._lights)]

    def transmit(self, dev_eui: str) -> str:
        """A gateway took the oldest item of this light; its id."""
        item = self._queues[dev_eui].pop(0)
        before = self._activations[dev_eui]
        counted = before.f_cnt_down + 1
        self._activations[dev_eui] = msgspec.structs.replace(before, f_cnt_down=counted)
        return item.id


def _valid(item: QueueItem) -> bool:
    return item.expires_at is None or item.expires_at > time.time()
