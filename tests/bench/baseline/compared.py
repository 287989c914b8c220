"""What a status costs in CPU: by our stream, by our webhooks, and by the baseline.

Every way is served by a process of its own, all of them run all the time, and they are measured in
turn, a few thousand statuses each, so that a busy machine is busy for all. A status is an uplink
heard by two gateways, of one of 1,000 lights. It counts once it is stored, durable to the last
commit, and shown (the baseline: published).

By webhook it is JSON, over 50 connections; by stream it is what ChirpStack writes into its own
Redis. What is compared is the CPU time of the process that serves, of all its threads; what Redis
and the load generator take is left out.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median

from simulation.world.server.redis_stream import RedisStream
from tests.bench import fleet, http, posts
from tests.bench.baseline.service import Baseline, baseline
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
COUNTS = {BASELINE: 2_000, STREAM_SQLITE: 4_000, STREAM_ENGINE: 4_000, WEBHOOKS: 1_000}
CONNECTIONS = 50
AIM = 0.5
"""Of the baseline's CPU."""

Way = Callable[[int], Awaitable[float]]
"""Has so many statuses carried out; the CPU seconds that this took."""


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    async with ways(folder) as found:
        for way in found.values():
            await way(LIGHTS)  # a light's first one is not like the others
        costs: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(ROUNDS):
            for name, way in found.items():
                count = COUNTS[name]
                costs[name].append(await way(count) / count * 1e6)
    return [
        *(_figure(name, each, "us", None) for name, each in costs.items()),
        *(
            _figure(f"{name}, of the baseline", _shares(costs, name), "x", AIM)
            for name in (STREAM_SQLITE, STREAM_ENGINE)
        ),
    ]


def _shares(costs: dict[str, list[float]], name: str) -> list[float]:
    return [ours / theirs for ours, theirs in zip(costs[name], costs[BASELINE], strict=True)]


def _figure(what: str, values: list[float], unit: str, aim: float | None) -> Figure:
    digits = 0 if unit == "us" else 2
    note = f"{min(values):.{digits}f} to {max(values):.{digits}f} in {len(values)} rounds"
    return Figure(BENCH, what, median(values), unit, aim, note)


@asynccontextmanager
async def ways(folder: Path) -> AsyncGenerator[dict[str, Way], None]:
    """All of them, ready."""
    async with AsyncExitStack() as stack:
        server = partial(_server, stack)
        theirs = await stack.enter_async_context(baseline(server().unix_url))
        found: dict[str, Way] = {BASELINE: partial(_posted_to_baseline, theirs, Turns())}
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
                found[name] = partial(_posted, service, Turns())
            else:
                writer = RedisStream(events, history=HISTORY, device_history=100)
                found[name] = partial(_streamed, service, writer, Turns())
        yield found


def _server(stack: AsyncExitStack) -> RedisServer:
    return stack.enter_context(RedisServer())


async def _posted_to_baseline(service: Baseline, turns: Turns, count: int) -> float:
    requests, before = posts.webhooks(turns.take(count), posts.JSON), service.cpu_s()
    load = await http.hammer(service.port, requests, CONNECTIONS)
    _all_taken(load)
    return service.cpu_s() - before


async def _posted(service: Service, turns: Turns, count: int) -> float:
    requests = posts.webhooks(turns.take(count), posts.JSON)
    before = await service.state()
    _all_taken(await http.hammer(service.port, requests, CONNECTIONS))
    return await _spent(service, before, count)


async def _streamed(service: Service, writer: RedisStream, turns: Turns, count: int) -> float:
    events = turns.take(count)
    before = await service.state()
    for start in range(0, count, 500):
        writer.write(list(events[start : start + 500]))
    return await _spent(service, before, count)


def _all_taken(load: http.Load) -> None:
    if load.refused(204):
        raise RuntimeError(f"webhooks were answered {load.statuses}")


async def _spent(service: Service, before: dict[str, float], count: int) -> float:
    await service.until("uplinks", before["uplinks"] + count)
    spent: float = (await service.state())["cpu_s"] - before["cpu_s"]
    return spent
