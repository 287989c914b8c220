"""Memory of an idle light.

Measured: the growth of a running service (all actors, SQLite) when so many lights are taken in from
their stored records, divided by their number. A light is its task, machine record (set up in its
session, a report, two hearings, what is wanted), mailbox, supervisor's child, entry on the board
and in the fleet's registries. `RSS` is what the system counts, `objects` what Python allocated
(tracemalloc, in a process of its own). Each size in a fresh process.

`heard again` is the growth of RSS after each light has reported once more, with 20,000 lights: it
holds the board's ring of the newest 10,000 changes, too, which is the same for any fleet.

As a module it is one such process; its arguments are the store, the number, and whether to trace.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import trio
import trio.testing

from actors.device.model import Device
from actors.device.records import read_device
from actors.fleet.delivery import Delivery
from store.open import open_store
from store.port import Record, Table
from tests.bench import fleet
from tests.bench.bench_application import BenchApplication, answer, bench_application
from tests.bench.figures import Figure
from tests.bench.process import ROOT, read_line, rss_bytes, start, stop

SIZES = (1_000, 20_000)
AIM_KB = 9.0
HEARD_CHUNK = 500
PLACES = 7


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    figures = []
    for lights in SIZES:
        url = f"sqlite:///{folder / f'memory-{lights}.db'}"
        await fleet.stored(url, lights)
        plain, traced = [await _asked(url, lights, trace) for trace in ("plain", "trace")]
        what = f"{lights:,} lights"
        places = ", ".join(f"{size:.1f} {name}" for name, size in traced["places"])
        figures += [
            Figure("memory", f"{what}, RSS each", plain["each_kb"], "kB", AIM_KB),
            Figure("memory", f"{what}, objects each", traced["each_kb"], "kB", AIM_KB, places),
        ]
        if lights == SIZES[-1]:
            heard = plain["heard_kb"]
            figures.append(Figure("memory", f"{what}, RSS each, heard again", heard, "kB"))
            figures.append(Figure("memory", f"{what}, RSS in all", plain["all_mb"], "MB"))
    return figures


async def _asked(url: str, lights: int, trace: str) -> dict[str, Any]:
    process = start("tests.bench.memory", url, str(lights), trace)
    try:
        line = await trio.to_thread.run_sync(read_line, process, abandon_on_cancel=True)
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(stop, process)
    found: dict[str, Any] = msgspec.json.decode(line)
    return found


async def _main(url: str, lights: int, trace: bool) -> None:
    """Take the lights into a service that began with none, and say what that took."""
    async with open_store(url) as store:
        records = list(await store.scan(Table.DEVICE))
    empty = url.removesuffix(".db") + f"-{time.time_ns()}.db"
    async with bench_application(empty, 0) as home:
        await home.all_running(0)
        if trace:
            tracemalloc.start()
        before = _taken(trace)
        await home.parts.fleet.restore(_decoded(records))
        await home.all_running(lights)
        idle = _taken(trace)
        found: dict[str, Any] = {"each_kb": (idle - before) / lights / 1000}
        if trace:
            found["places"] = _places(lights)
        else:
            await _hear(home, lights)
            heard = _taken(trace)
            found |= {"heard_kb": (heard - before) / lights / 1000, "all_mb": heard / 1e6}
        answer(found)


def _decoded(records: list[Record]) -> Iterator[Device]:
    return (read_device(record) for record in records)


def _taken(trace: bool) -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] if trace else rss_bytes()


async def _hear(home: BenchApplication, lights: int) -> None:
    """Each light reports once more."""
    for number in range(lights):
        if home.application.fleet.deliver(fleet.status(number, 1)) is not Delivery.DELIVERED:
            raise RuntimeError("a status was not delivered")
        if number % HEARD_CHUNK == HEARD_CHUNK - 1:
            last = fleet.dev_eui(number)
            await home.parts.board.wait_device(last, lambda one: one.uplinks > fleet.F_CNT, 60.0)
    await trio.testing.wait_all_tasks_blocked(0.1)


def _places(lights: int) -> list[tuple[str, float]]:
    """Which packages hold the most, in kB for each light."""
    sizes: dict[str, int] = {}
    for one in tracemalloc.take_snapshot().statistics("filename"):
        name = _package(one.traceback[0].filename)
        sizes[name] = sizes.get(name, 0) + one.size
    most = sorted(sizes.items(), key=lambda item: -item[1])[:PLACES]
    return [(name, size / lights / 1000) for name, size in most]


def _package(filename: str) -> str:
    """Of which part of ours a file is, or trio, or something else."""
    if "trio" in filename:  # also what attrs generated for it
        return "trio"
    path = Path(filename)
    if not path.is_relative_to(ROOT):
        return "other"
    inside = path.relative_to(ROOT).with_suffix("")
    return "stored record" if inside.name == "records" else str(inside.parent)


if __name__ == "__main__":
    trio.run(_main, sys.argv[1], int(sys.argv[2]), sys.argv[3] == "trace")
