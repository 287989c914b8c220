"""From the status webhook that proves a command to the verdict on a websocket.

Measured: from the first byte of the POST of the status uplink to the arrival, on /api/v1/live, of
the command as `verified`. That is HTTP, decoding, mailbox, machine, a durable commit (SQLite), the
board and the websocket, in the whole service in a process of its own. The websocket follows
everything, as a dashboard does.

Not measured: what comes before. The commands were posted, queued by the dispatcher over gRPC and
acknowledged by a gateway before; the pretend network server lives in our process and is silent
meanwhile. Commands are proven one at a time, at random moments, for the board tells its readers at
most every 50 ms. `idle`: nothing else happens. `at 500 webhooks/s`: other lights report meanwhile,
evenly, over 8 connections.
"""

import random
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from tests.bench import fleet, http, posts
from tests.bench.figures import Figure, latencies, percentile
from tests.bench.service import Service, running

LIGHTS = 1_000
BATCH = 50
"""Proven within seconds, before their items expire (30 s), each by gateways of its own."""
BATCHES = 4
BACKGROUND = range(2 * BATCH * BATCHES, LIGHTS - BATCH)
BACKGROUND_PER_S = 500.0
BACKGROUND_PREPARED = 15_000
BACKGROUND_CONNECTIONS = 8
PAUSE_S = (0.055, 0.105)
"""Between two verdicts: longer than the board's pause, and at no fixed beat with it."""
TIMEOUT_S = 20.0


class Follower:
    """Reads a websocket, and stamps what it tells of commands."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._seen: dict[tuple[str, str], float] = {}
        self._news = trio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            text = await self._socket.get_message()
            at = time.perf_counter()
            for change in msgspec.json.decode(text).get("changes", ()):
                if change["kind"] == "command":
                    what = change["what"]
                    self._seen.setdefault((what["dev_eui"], what["status"]), at)
                    self._news.set()

    async def told(self, dev_eui: str, status: str) -> float:
        """When the light's command was first told to stand there (perf_counter). Waits for it."""
        with trio.fail_after(TIMEOUT_S):
            while (dev_eui, status) not in self._seen:
                self._news = trio.Event()
                await self._news.wait()
        return self._seen[dev_eui, status]


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    url = f"sqlite:///{folder / 'verdicts.db'}"
    await fleet.stored(url, LIGHTS)
    prepared = background()
    half = BATCH * BATCHES
    async with running(url, LIGHTS) as service, following(service) as follower:
        bench = Bench(service, follower)
        await bench.proven(range(LIGHTS - BATCH, LIGHTS))  # warm-up
        idle = await bench.batches(range(half))
        load = http.Load()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                http.pace,
                service.port,
                prepared,
                BACKGROUND_CONNECTIONS,
                BACKGROUND_PER_S,
                load,
            )
            began = time.perf_counter()
            loaded = await bench.batches(range(half, 2 * half))
            load.took_s = time.perf_counter() - began
            nursery.cancel_scope.cancel(reason="enough was measured")
    note = f"{len(loaded)} verdicts, {load.per_s:.0f} webhooks/s carried"
    if load.refused(204):
        note += f", {load.refused(204)} refused"
    return [
        *latencies("verdicts", "idle", idle, f"{len(idle)} verdicts"),
        *latencies("verdicts", f"at {BACKGROUND_PER_S:.0f} webhooks/s", loaded, note),
        Figure(
            "verdicts",
            "a background webhook meanwhile, p99",
            percentile(load.latencies_s, 99) * 1e3,
            "ms",
        ),
    ]


class Bench:
    """Brings lights to the point where one status proves their command, and gives it to them."""

    def __init__(self, service: Service, follower: Follower) -> None:
        self._service = service
        self._follower = follower
        self._rng = random.Random(1)

    async def batches(self, lights: range) -> list[float]:
        """Seconds from status to verdict of all these lights."""
        took: list[float] = []
        for start in range(lights.start, lights.stop, BATCH):
            took += await self.proven(range(start, start + BATCH))
        return took

    async def proven(self, lights: range) -> list[float]:
        """The same for one batch."""
        async with http.connected(self._service.port) as connection:
            await self._commanded(connection, lights)
            return [await self._verdict(connection, number) for number in lights]

    async def _commanded(self, connection: http.Connection, lights: range) -> None:
        for number in lights:
            status, body = await connection.ask(posts.command(number, fleet.RED))
            if status != 202:
                raise RuntimeError(f"a command was answered {status}: {body[:300]!r}")
        for number in lights:
            await self._follower.told(fleet.dev_eui(number), "queued")
        for number in lights:
            item_id = self._service.network.transmit(fleet.dev_eui(number))
            await self._sent(connection, posts.webhooks([fleet.txack(number, item_id)])[0])
        for number in lights:
            await self._follower.told(fleet.dev_eui(number), "transmitted")

    async def _verdict(self, connection: http.Connection, number: int) -> float:
        status = fleet.status(number, 1, fleet.RED, fleet.DOWNLINKS + 1)
        (request,) = posts.webhooks([status])
        await trio.sleep(self._rng.uniform(*PAUSE_S))
        began = time.perf_counter()
        await self._sent(connection, request)
        return await self._follower.told(fleet.dev_eui(number), "verified") - began

    async def _sent(self, connection: http.Connection, request: bytes) -> None:
        status, body = await connection.ask(request)
        if status != 204:
            raise RuntimeError(f"a webhook was answered {status}: {body[:300]!r}")


def background() -> Iterator[bytes]:
    """Statuses of the other lights in turn, bounded in number."""
    lights = len(BACKGROUND)
    numbers = range(BACKGROUND_PREPARED)
    turns = (fleet.status(BACKGROUND.start + n % lights, 1 + n // lights) for n in numbers)
    return iter(posts.webhooks(list(turns)))


@asynccontextmanager
async def following(service: Service) -> AsyncGenerator[Follower, None]:
    """A websocket that follows everything."""
    async with (
        open_websocket_url(f"ws://127.0.0.1:{service.port}/api/v1/live") as socket,
        trio.open_nursery() as nursery,
    ):
        follower = Follower(socket)
        nursery.start_soon(follower.run)
        yield follower
        nursery.cancel_scope.cancel(reason="enough was measured")
