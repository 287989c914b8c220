"""Events out of ChirpStack's stream, carried out: stored, and shown on the board.

Measured: from the first look of a service that has so many entries to catch up with until its last
light had stored what it was told and shows it, and the CPU time of the service meanwhile. Each
entry is a status uplink heard by two gateways, as ChirpStack writes it (Protobuf, one field) into a
Valkey of its own; 1,000 lights take turns. Beside it, in the same run and by the same process, the
same statuses by webhook.
"""

from pathlib import Path

from simulation.world.server.redis_stream import RedisStream
from tests.bench import fleet, http, posts
from tests.bench.figures import Figure
from tests.bench.service import Service, running
from tests.support.redis_server import RedisServer

LIGHTS = 1_000
WARM_UP = 1_000
EVENTS = 12_000
WEBHOOKS = 6_000
CONNECTIONS = 50
HISTORY = 100_000


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    url = f"sqlite:///{folder / 'stream.db'}"
    await fleet.stored(url, LIGHTS)
    with RedisServer() as chirpstacks:
        writer = RedisStream(chirpstacks.url, history=HISTORY, device_history=100)
        async with running(url, LIGHTS, events_url=chirpstacks.url) as service:
            turns = Turns()
            await _streamed(service, writer, turns, WARM_UP)
            return [
                *await _streamed(service, writer, turns, EVENTS),
                *await _posted(service, turns, WEBHOOKS),
            ]


class Turns:
    """Hands out the statuses of all lights in turn."""

    def __init__(self) -> None:
        self.given = 0

    def take(self, count: int) -> list[fleet.Uplink]:
        """The next ones."""
        numbers = range(self.given, self.given + count)
        self.given += count
        return [fleet.status(n % LIGHTS, 1 + n // LIGHTS) for n in numbers]


async def _streamed(
    service: Service, writer: RedisStream, turns: Turns, count: int
) -> list[Figure]:
    events = turns.take(count)
    before = await service.state()
    for start in range(0, count, 500):
        writer.write(list(events[start : start + 500]))
    took_s = await service.until("uplinks", before["uplinks"] + count)
    return _figures("stream", before, await service.state(), count, took_s)


async def _posted(service: Service, turns: Turns, count: int) -> list[Figure]:
    requests = posts.webhooks(turns.take(count), posts.JSON)
    before = await service.state()
    load = await http.hammer(service.port, requests, CONNECTIONS)
    took_s = load.took_s + await service.until("uplinks", before["uplinks"] + count)
    return _figures("webhooks", before, await service.state(), count, took_s)


def _figures(
    what: str, before: dict[str, float], after: dict[str, float], count: int, took_s: float
) -> list[Figure]:
    each_us = (after["cpu_s"] - before["cpu_s"]) / count * 1e6
    return [
        Figure("stream", f"{what}, carried out", count / took_s, "1/s", None),
        Figure("stream", f"{what}, for each core", 1e6 / each_us, "1/s", None, f"{each_us:.0f} us"),
    ]
