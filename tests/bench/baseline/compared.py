"""What a status costs in CPU: by our stream, by our webhooks, and by the baseline.

Every way is served by a process of its own, all of them run all the time, and they are measured in
turn, a thousand statuses or so each, so that a busy machine is busy for all. A status is an uplink
heard by two gateways, of one of 1,000 lights. It counts once it is stored, durable to the last
commit, and shown (the baseline: published).

By webhook it is JSON, over 50 connections; by stream it is what ChirpStack writes into its own
Redis. What is compared is the CPU time of the process that serves, of all its threads; what Redis
and the load generator take is left out.

A process of a cluster also does things that go by time (leases, looks at the engine). On a machine
that is busy with others a round lasts several times as long, and holds as much more of that. So
what a process spends at rest is measured first, and the figures are those of a core that the
process has to itself: of `r` at rest and `m` for each status beside it, `m / (1 - r)`.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import trio

from simulation.world.server.redis_stream import RedisStream
from tests.bench import fleet, http, posts
from tests.bench.baseline.service import baseline
from tests.bench.figures import Figure
from tests.bench.service import Service, running
from tests.bench.stream import HISTORY, LIGHTS, Turns
from tests.support.redis_server import RedisServer

BENCH = "baseline"
BASELINE = "FastAPI, uvicorn and redis-py, by webhook"
WEBHOOKS = "webhooks, SQLite"
STREAM_SQLITE = "stream, SQLite"
STREAM_ENGINE = "stream, engine"
ROUNDS = 5
COUNTS = {BASELINE: 1_000, STREAM_SQLITE: 2_000, STREAM_ENGINE: 2_000, WEBHOOKS: 500}
CONNECTIONS = 50
AIM = 0.5
"""Of the baseline's CPU."""

REST_S = 10.0
CARRIED_S = 180.0
PAGE = 500

Send = Callable[[int], Awaitable[None]]
"""So many statuses, on their way."""


@dataclass(frozen=True, slots=True)
class Way:
    """How statuses come to a process. `carry` has so many of them carried out; `cpu_s` is what the
    process has spent until now."""

    carry: Callable[[int], Awaitable[None]]
    cpu_s: Callable[[], Awaitable[float]]

    async def cost_us(self, count: int, rest: float) -> float:
        """Of each of so many; `rest` is the part of a core that the process takes anyway."""
        began, before_s = time.perf_counter(), await self.cpu_s()
        await self.carry(count)
        spent_s, took_s = await self.cpu_s() - before_s, time.perf_counter() - began
        return (spent_s - rest * took_s) / (1 - rest) / count * 1e6


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    async with ways(folder) as found:
        for way in found.values():
            await way.carry(LIGHTS)  # a light's first one is not like the others
        rest = await _at_rest(found)
        costs: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(ROUNDS):
            for name, way in found.items():
                costs[name].append(await way.cost_us(COUNTS[name], rest[name]))
    return [
        *(
            _figure(name, each, "us", None, f", {rest[name]:.1%} of a core at rest")
            for name, each in costs.items()
        ),
        *(
            _figure(f"{name}, of the baseline", _shares(costs, name), "x", AIM)
            for name in (STREAM_SQLITE, STREAM_ENGINE)
        ),
    ]


async def _at_rest(found: dict[str, Way]) -> dict[str, float]:
    """What each takes of a core while nothing happens."""
    before = {name: await way.cpu_s() for name, way in found.items()}
    began = time.perf_counter()
    await trio.sleep(REST_S)
    took_s = time.perf_counter() - began
    return {name: (await way.cpu_s() - before[name]) / took_s for name, way in found.items()}


def _shares(costs: dict[str, list[float]], name: str) -> list[float]:
    return [ours / theirs for ours, theirs in zip(costs[name], costs[BASELINE], strict=True)]


def _figure(what: str, values: list[float], unit: str, aim: float | None, more: str = "") -> Figure:
    digits = 0 if unit == "us" else 2
    note = f"{min(values):.{digits}f} to {max(values):.{digits}f} in {len(values)} rounds{more}"
    return Figure(BENCH, what, median(values), unit, aim, note)


@asynccontextmanager
async def ways(folder: Path) -> AsyncGenerator[dict[str, Way], None]:
    """All of them, ready."""
    async with AsyncExitStack() as stack:
        server = partial(_server, stack)
        theirs = await stack.enter_async_context(baseline(server().unix_url))
        found = {BASELINE: Way(partial(_posted, theirs.port, Turns()), theirs.cpu_s)}
        urls = {
            STREAM_SQLITE: f"sqlite:///{folder / 'streamed.db'}",
            STREAM_ENGINE: server().unix_url,
            WEBHOOKS: f"sqlite:///{folder / 'posted.db'}",
        }
        for name, url in urls.items():
            await fleet.stored(url, LIGHTS)
            events = None if name == WEBHOOKS else server().url
            service = await stack.enter_async_context(running(url, LIGHTS, events_url=events))
            if events is None:
                send: Send = partial(_posted, service.port, Turns())
            else:
                writer = RedisStream(events, history=HISTORY, device_history=100)
                send = partial(_written, writer, Turns())
            found[name] = Way(partial(_carried_out, service, send), partial(_cpu_s, service))
        yield found


def _server(stack: AsyncExitStack) -> RedisServer:
    return stack.enter_context(RedisServer())


async def _posted(port: int, turns: Turns, count: int) -> None:
    load = await http.hammer(port, posts.webhooks(turns.take(count), posts.JSON), CONNECTIONS)
    if load.refused(204):
        raise RuntimeError(f"webhooks were answered {load.statuses}")


async def _written(writer: RedisStream, turns: Turns, count: int) -> None:
    events = turns.take(count)
    for start in range(0, count, PAGE):
        writer.write(list(events[start : start + PAGE]))


async def _carried_out(service: Service, send: Send, count: int) -> None:
    before = (await service.state())["uplinks"]
    await send(count)
    await service.until("uplinks", before + count, CARRIED_S)


async def _cpu_s(service: Service) -> float:
    spent: float = (await service.state())["cpu_s"]
    return spent
