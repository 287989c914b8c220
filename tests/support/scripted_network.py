"""A small network server for actor tests: real queues and a real scheduler, failures by script.

`Server` is synchronous and pure (time comes in), for tests of the planner; `ScriptedNetwork` puts
it behind the `NetworkServer` port with latency, failures and, if asked, a running scheduler. It
models ChirpStack v4's Class C path: strict FIFO, one item per device and tick, a lock of 5 s after
each sending, f_cnt_down moving only on an acknowledged frame, expiry when an item reaches the head.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

import msgspec
import trio

from actors.clocks.clock import Clock
from actors.device.events import Transmitted
from lorawan.airtime import REGIONS, downlink_airtime_s
from lorawan.events import Event
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    ListedDevice,
    NetworkError,
    QueueItem,
)

SF9 = REGIONS["EU868"].rx2(3)


class Mood(Enum):
    """What a gateway does with a frame that it is given."""

    FINE = "fine"
    DEAD = "dead"  # neither sends nor acknowledges
    MUTE = "mute"  # sends, and never acknowledges


@dataclass(frozen=True)
class Sent:
    """One frame on the air."""

    dev_eui: str
    gateway_id: str
    item_id: str
    data: bytes
    starts_at: float
    ends_at: float


@dataclass
class Light:
    """One device as the server has it."""

    gateways: tuple[str, ...]
    activation: Activation | None
    queue: list[QueueItem] = field(default_factory=list)
    locked_until: float = 0.0


class Server:
    """The queues and the scheduler. Everything that happened is in `sent` and `enqueued`."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.modulation = SF9
        self.lights: dict[str, Light] = {}
        self.moods: dict[str, Mood] = {}
        self.sent: list[Sent] = []
        self.enqueued: list[tuple[float, str, QueueItem]] = []
        self.most_on_port: dict[str, int] = {}
        self._ids = 0

    def add(
        self, dev_eui: str, *gateways: str, f_cnt_up: int = 5, dev_addr: str | None = "01020304"
    ) -> Light:
        activation = None if dev_addr is None else Activation(dev_addr, f_cnt_up, 0)
        light = self.lights[dev_eui] = Light(gateways or ("gw-a",), activation)
        return light

    def put(
        self,
        dev_eui: str,
        data: bytes,
        *,
        f_port: int = 15,
        expires_at: float | None = None,
        now: float = 0.0,
    ) -> QueueItem:
        self._ids += 1
        item = QueueItem(f"item-{self._ids}", f_port, data, expires_at=expires_at)
        light = self.lights[dev_eui]
        light.queue.append(item)
        self.enqueued.append((now, dev_eui, item))
        ours = sum(one.f_port == 15 for one in light.queue)
        self.most_on_port[dev_eui] = max(self.most_on_port.get(dev_eui, 0), ours)
        return item

    def rejoin(self, dev_eui: str, dev_addr: str, *, f_cnt_up: int = 0) -> None:
        light = self.lights[dev_eui]
        light.queue.clear()
        light.activation = Activation(dev_addr, f_cnt_up, 0)

    def tick(self, now: float) -> list[tuple[str, Transmitted]]:
        """One run of the scheduler: what was acknowledged."""
        acknowledged: list[tuple[str, Transmitted]] = []
        for dev_eui in sorted(one for one, light in self.lights.items() if light.queue):
            told = self._serve(dev_eui, self.lights[dev_eui], now)
            if told is not None:
                acknowledged.append((dev_eui, told))
        return acknowledged

    def _serve(self, dev_eui: str, light: Light, now: float) -> Transmitted | None:
        activation = light.activation
        if now < light.locked_until or activation is None or activation.f_cnt_up == 0:
            return None
        while light.queue:
            expires_at = light.queue[0].expires_at
            if expires_at is None or expires_at > now:
                break
            light.queue.pop(0)
        if not light.queue:
            return None
        item = msgspec.structs.replace(light.queue[0], f_cnt_down=activation.f_cnt_down)
        light.queue[0] = item
        light.locked_until = now + 5.0
        gateway_id = self.rng.choice(light.gateways)
        mood = self.moods.get(gateway_id, Mood.FINE)
        if mood is Mood.DEAD:
            return None
        ends_at = now + downlink_airtime_s(len(item.data), self.modulation)
        self.sent.append(Sent(dev_eui, gateway_id, item.id, item.data, now, ends_at))
        if mood is Mood.MUTE:
            return None
        light.queue.pop(0)
        counted = activation.f_cnt_down + 1
        light.activation = msgspec.structs.replace(activation, f_cnt_down=counted)
        return Transmitted(now, item.id, gateway_id, ends_at, activation.f_cnt_down)


Script = Callable[[str, str], NetworkError | None]
"""(call, DevEUI) to the error that it is to raise, if any."""


class ScriptedNetwork:
    """`Server` as a `NetworkServer`. `script` decides about each call before it has its effect,
    `script_after` after it; `slow` names lights whose calls never come back."""

    def __init__(self, clock: Clock, rng: Random, *, latency_s: float = 0.01) -> None:
        self.clock = clock
        self.server = Server(rng)
        self.latency_s = latency_s
        self.reply_latency_s = 0.0  # of an enqueue, after its effect
        self.script: Script = lambda _call, _dev_eui: None
        self.script_after: Script = lambda _call, _dev_eui: None
        self.slow: set[str] = set()
        self.calls: list[tuple[float, str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.listed: list[GatewayInfo] = []
        self.states: dict[str, DeviceState] = {}
        self.retained: dict[str, list[Event]] = {}
        self.on_txack: Callable[[str, Transmitted], None] = lambda _dev_eui, _told: None
        self.txack_latency_s = 0.05
        self.lose_txack: Callable[[str], bool] = lambda _dev_eui: False

    async def run_scheduler(self, tick_s: float = 1.0) -> None:
        """Tick until cancelled; txacks arrive by `on_txack` after their latency."""
        async with trio.open_nursery() as late:
            while True:
                for dev_eui, told in self.server.tick(self.clock.now()):
                    if not self.lose_txack(dev_eui):
                        late.start_soon(self._tell, dev_eui, told)
                await trio.sleep(tick_s)

    async def _tell(self, dev_eui: str, told: Transmitted) -> None:
        await trio.sleep(self.txack_latency_s)
        self.on_txack(dev_eui, told)

    async def _begin(self, call: str, dev_eui: str) -> None:
        self.calls.append((self.clock.now(), call, dev_eui))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await trio.sleep(math.inf if dev_eui in self.slow else self.latency_s)
        finally:
            self.in_flight -= 1
        error = self.script(call, dev_eui)
        if error is not None:
            raise error

    def _end(self, call: str, dev_eui: str) -> None:
        error = self.script_after(call, dev_eui)
        if error is not None:
            raise error

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        await self._begin("enqueue", dev_eui)
        item = self.server.put(
            dev_eui, data, f_port=f_port, expires_at=expires_at, now=self.clock.now()
        )
        await trio.sleep(self.reply_latency_s)
        self._end("enqueue", dev_eui)
        return item.id

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        await self._begin("queue", dev_eui)
        return tuple(self.server.lights[dev_eui].queue)

    async def activation(self, dev_eui: str) -> Activation | None:
        await self._begin("activation", dev_eui)
        return self.server.lights[dev_eui].activation

    async def device(self, dev_eui: str) -> DeviceState:
        await trio.lowlevel.checkpoint()
        error = self.script("device", dev_eui)
        if error is not None:
            raise error
        return self.states.get(dev_eui, DeviceState(dev_eui))

    async def flush(self, dev_eui: str) -> None:
        await self._begin("flush", dev_eui)
        self.server.lights[dev_eui].queue.clear()

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        await self._begin("replay", dev_eui)
        return tuple(self.retained.get(dev_eui, ()))

    async def gateways(self) -> Sequence[GatewayInfo]:
        await self._begin("gateways", "")
        return tuple(self.listed)

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        await self._begin("devices", "")
        return ()
