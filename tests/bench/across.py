"""A command given to one process, at the dispatcher of another.

Two whole processes on one Valkey (appendonly, appendfsync always, over its Unix socket) share 1,000
lights. Every command is posted to the one that does not hand out downlinks; each is for another
light, which may be either's.

Measured: from the first byte of the POST until the dispatcher of the other process was told of the
frame. That is HTTP, the engine's inbox, the light's step and commit, and the feed by which the
other process hears of it. `one at a time`: at random moments, nothing else happens. `20 at once`:
the next as soon as one was accepted.
"""

import random
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import trio

from tests.bench import fleet, http, posts
from tests.bench.figures import Figure, latencies
from tests.bench.network import QuietNetwork
from tests.bench.service import Service, running
from tests.support.redis_server import RedisServer

LIGHTS = 1_000
WARM_UP = range(50)
ALONE = range(50, 250)
AT_ONCE = range(250, 1_000)
CALLERS = 20
PAUSE_S = (0.05, 0.15)
SHARED_S = 60.0
CARRIED_S = 60.0
LOOK_S = 0.25
AIMS_MS = (10.0, 60.0)
"""p50 and p99."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes: whoever takes the commands, and whoever hands out downlinks."""

    taker: Service
    dispatcher: Service
    posted: dict[str, float] = field(default_factory=dict)


async def measure(_folder: Path) -> list[Figure]:
    """All figures of this bench."""
    with RedisServer() as server:
        await fleet.stored(server.unix_url, LIGHTS)
        async with two_processes(server.unix_url) as pair:
            await _given(pair, iter(WARM_UP), PAUSE_S)
            await _given(pair, iter(ALONE), PAUSE_S)
            at_once = iter(AT_ONCE)
            async with trio.open_nursery() as nursery:
                for _ in range(CALLERS):
                    nursery.start_soon(_given, pair, at_once, (0.0, 0.0))
            submitted = await _submitted(pair, len(WARM_UP) + len(ALONE) + len(AT_ONCE))
    return [
        *_figures(pair, submitted, ALONE, "one at a time"),
        *_figures(pair, submitted, AT_ONCE, f"{CALLERS} at once"),
    ]


def _figures(pair: Pair, submitted: dict[str, float], lights: range, how: str) -> list[Figure]:
    names = [fleet.dev_eui(number) for number in lights]
    took_s = [submitted[one] - pair.posted[one] for one in names]
    what, note = f"{how}, at the dispatcher", f"{len(took_s)} commands"
    return [
        replace(each, aim=aim)
        for each, aim in zip(latencies("across", what, took_s, note), AIMS_MS, strict=True)
    ]


async def _given(pair: Pair, numbers: Iterator[int], pause_s: tuple[float, float]) -> None:
    rng = random.Random(1)
    async with http.connected(pair.taker.port) as connection:
        for number in numbers:
            await trio.sleep(rng.uniform(*pause_s))
            pair.posted[fleet.dev_eui(number)] = time.perf_counter()
            status, body = await connection.ask(posts.command(number, fleet.RED))
            if status != 202:
                raise RuntimeError(f"a command was answered {status}: {body[:300]!r}")


async def _submitted(pair: Pair, count: int) -> dict[str, float]:
    """When the dispatcher was told of each; waits until it was told of so many."""
    with trio.fail_after(CARRIED_S):
        while True:
            found: dict[str, float] = (await pair.dispatcher.state(of="submitted"))["submitted"]
            if len(found) >= count:
                return found
            await trio.sleep(LOOK_S)


@asynccontextmanager
async def two_processes(url: str) -> AsyncGenerator[Pair, None]:
    """Two processes that share the lights evenly."""
    network = QuietNetwork(LIGHTS)
    async with (
        running(url, LIGHTS, network=network) as first,
        running(url, LIGHTS, network=network) as second,
    ):
        with trio.fail_after(SHARED_S):
            while (owner := await _owner(first, second)) is None:  # noqa: ASYNC110 another process
                await trio.sleep(LOOK_S)
        taker = second if owner is first else first
        yield Pair(taker, owner)


async def _owner(first: Service, second: Service) -> Service | None:
    """Who hands out downlinks, once every part has an owner and each process its share."""
    shown = msgspec.json.decode(await http.get(first.port, "/api/v1/cluster"))
    shares = {one["answering"]: one for one in shown["members"]}
    owned = sum(one["shards"] for one in shown["members"])
    if len(shares) < 2 or owned < 64 or abs(shares[True]["shards"] - shares[False]["shards"]) > 12:
        return None
    for answering, service in ((True, first), (False, second)):
        if shares[answering]["fleet"]:
            return service
    return None
