"""A real service that is killed again and again while it reads ChirpStack's stream.

ChirpStack here is a writer into a real Valkey that never stops. What must hold at the end is known
from what was written alone: every status of every light was taken in, once.
"""

import random
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from actors.device.model import Device
from lorawan.events import Uplink
from simulation.world.server.redis_stream import RedisStream
from store.open import open_store
from store.port import Table
from tests.bench import fleet
from tests.bench.service import running
from tests.support.redis_server import RedisServer

LIGHTS = 200
HISTORY = 100_000
PACE_S = (0.1, 0.7)
BURST_MOST = 60
"""Some 75 events a second: each light speaks every 3 s, and remembers its last 64 events, of which
a new run reads those of a minute again."""
LIFE_S = (0.0, 2.5)
"""From the moment it listens to the kill."""
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Tally:
    """What came of it."""

    kills: int
    written: int
    took_s: float

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.written} events written, 0 lost, {self.took_s:.0f} s"


class Writer:
    """ChirpStack: writes the statuses of all lights in turn, in bursts, until it is told to end."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.written = 0
        self._stream = RedisStream(url, history=HISTORY, device_history=100)
        self._chance = chance

    async def run(self, over: trio.Event) -> None:
        while not over.is_set():
            count = self._chance.randint(1, BURST_MOST)
            events = [self._status(self.written + n) for n in range(count)]
            await trio.to_thread.run_sync(self._stream.write, events)
            self.written += count
            await trio.sleep(self._chance.uniform(*PACE_S))

    def _status(self, number: int) -> Uplink:
        return fleet.status(number % LIGHTS, 1 + number // LIGHTS)


async def kill_reader(folder: Path, *, seed: int, kills: int) -> Tally:
    """A whole trial. Raises AssertionError where an event is missing, or was taken in twice."""
    began, chance = time.monotonic(), random.Random(seed)
    url = f"sqlite:///{folder / 'lamplighter.db'}"
    await fleet.stored(url, LIGHTS)
    with RedisServer() as chirpstacks:
        writer, over = Writer(chirpstacks.url, chance), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.run, over)
            for _ in range(kills):
                async with running(url, LIGHTS, events_url=chirpstacks.url) as service:
                    await trio.sleep(chance.uniform(*LIFE_S))
                    service.process.kill()
            over.set()
        async with running(url, LIGHTS, events_url=chirpstacks.url) as service:
            await service.until("uplinks", LIGHTS * fleet.F_CNT + writer.written, PATIENCE_S)
    await _all_there(url, writer.written)
    return Tally(kills, writer.written, time.monotonic() - began)


async def _all_there(url: str, written: int) -> None:
    async with open_store(url) as store:
        records = await store.scan(Table.DEVICE)
        assert len(records) == LIGHTS
        for record in records:
            device = msgspec.json.decode(record.value, type=Device)
            number = next(n for n in range(LIGHTS) if fleet.dev_eui(n) == device.dev_eui)
            told = len(range(number, written, LIGHTS))
            assert device.session is not None
            assert device.uplinks == fleet.F_CNT + told, device
            assert device.session.f_cnt == fleet.F_CNT + told, device
            assert device.session.missing == (), device
            lines = await store.entries(device.dev_eui, since=0.0, until=1e12, most=100_000)
            kinds = [msgspec.json.decode(line.value)["kind"] for line in lines]
            assert kinds.count("status") == told, (device, kinds)
