"""Commands accepted: each is in the store, with its light's record and history, when it counts.

Measured, for SQLite (synchronous=FULL) and Redis (appendonly, appendfsync always, over its Unix
socket): `by the actors` (SQLite only) calls `commands.give` in the process of the service, without
web, by 50 callers at once; `by HTTP` posts `/api/v1/downlink/...` with `Prefer: respond-async` over
20 connections to the whole service in a process of its own. Every command is for another light, so
none supersedes another. What follows an acceptance goes on meanwhile: the dispatcher hands frames
to the pretend network server as far as the airtime of 400 gateways allows.

As a module it is the process of the service; its arguments are the store and the number.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import trio

from actors.commands import Accepted, CommandOrder
from api.service import spare_collector
from tests.bench import fleet, http, posts, stores
from tests.bench.bench_application import BenchApplication, answer, bench_application
from tests.bench.figures import Figure, latencies
from tests.bench.process import read_line, start, stop
from tests.bench.service import running

LIGHTS = 4_000
WARM_UP = 200
CALLERS = 50
CONNECTIONS = 20


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    figures = []
    for name in stores.names():
        ways = [("by HTTP", _by_http)]
        if name == stores.SQLITE:  # a store that processes share is served by a whole process
            ways.insert(0, ("by the actors", _by_actors))
        for how, bench in ways:
            inside = folder / f"{name}-{how[3:]}"
            inside.mkdir()
            with stores.store(name, inside) as url:
                await fleet.stored(url, LIGHTS)
                figures += await bench(url, f"{name}, {how}")
    return figures


async def _by_http(url: str, what: str) -> list[Figure]:
    requests = [posts.command(number, fleet.RED) for number in range(LIGHTS)]
    async with running(url, LIGHTS) as service:
        await service.until("running", LIGHTS)
        await http.hammer(service.port, requests[:WARM_UP], CONNECTIONS)
        load = await http.hammer(service.port, requests[WARM_UP:], CONNECTIONS)
    return _figures(what, load.latencies_s, load.took_s, load.refused(202), CONNECTIONS)


async def _by_actors(url: str, what: str) -> list[Figure]:
    process = start("tests.bench.commands", url, str(LIGHTS))
    try:
        line = await trio.to_thread.run_sync(read_line, process, abandon_on_cancel=True)
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(stop, process)
    found = msgspec.json.decode(line, type=Found)
    return _figures(what, found.latencies_s, found.took_s, found.refused, CALLERS)


class Found(msgspec.Struct):
    """What the process of the service measured."""

    latencies_s: list[float] = []
    took_s: float = 0.0
    refused: int = 0


def _figures(
    what: str, latencies_s: list[float], took_s: float, refused: int, callers: int
) -> list[Figure]:
    note = f"{callers} at once" + (f", {refused} refused" if refused else "")
    per_s = (len(latencies_s) - refused) / took_s
    return [
        Figure("commands", what, per_s, "1/s", None, note),
        *latencies("commands", what, latencies_s),
    ]


async def _main(url: str, lights: int) -> None:
    async with bench_application(url, lights) as home:
        await home.all_running(lights)
        spare_collector()
        await _called(home, range(WARM_UP))
        answer(await _called(home, range(WARM_UP, lights)))


async def _called(home: BenchApplication, numbers: range) -> Found:
    found, waiting = Found(), iter(numbers)
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(CALLERS):
            nursery.start_soon(_caller, home, waiting, found)
    found.took_s = time.perf_counter() - began
    return found


async def _caller(home: BenchApplication, waiting: Iterator[int], found: Found) -> None:
    for number in waiting:
        began = time.perf_counter()
        outcome = await home.application.commands.give(
            CommandOrder(
                dev_eui=fleet.dev_eui(number), light=fleet.RED, keep=True, correlation_id="bench"
            )
        )
        found.latencies_s.append(time.perf_counter() - began)
        found.refused += not isinstance(outcome, Accepted)


if __name__ == "__main__":
    trio.run(_main, sys.argv[1], int(sys.argv[2]))
