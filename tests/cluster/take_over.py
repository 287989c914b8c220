"""How long a take-over takes with a large fleet: three real processes, one is killed each time.

python -m tests.cluster.take_over [LIGHTS] [KILLS]

ChirpStack is away all the time, so that nothing but the take-over is measured: from the SIGKILL
until the actors of every light run in one of the others, by what these tell of their own takes.
How much CPU that takes is told beside it: on a machine that is busy with something else the time is
longer, and the CPU is not.
"""

import logging
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import structlog
import trio

from actors.device.model import Device, Phase, Report, Session, Wanted
from actors.device.records import device_put
from lorawan.kuando import LightState
from store.engine.port import Commit, Lease
from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import target_of
from store.engine.shards import ALL_SHARDS, shard_of
from store.port import Outcome, Put
from tests.drill.serving import Serving
from tests.support.ended_by_signal import to_its_end
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

NAMES = ("north", "south", "west")
LIGHTS, KILLS = 20_000, 20
WRITES_MOST = 100
WELL_MOST_S = 300.0
LOOK_S = 0.2
REST_S, IDLE_S, AFTER_S = 3.0, 3.0, 2.0


async def fill(url: str, lights: int) -> None:
    """Records of so many lights that rest, as owners would have stored them."""
    engine = RedisEngine(target_of(url))
    await engine.open()
    now = await engine.time()
    shards: dict[str, list[Put]] = {shard: [] for shard in ALL_SHARDS}
    red = LightState(255, 0, 0)
    for number in range(lights):
        dev_eui = f"2020{number:012x}"
        session = Session(f"{number:08x}", now, 9, now, interval_min=15)
        device = Device(
            dev_eui=dev_eui,
            name=f"Light {number}",
            application_id="a",
            application_name="Factory",
            profile_name="Kuando",
            phase=Phase.IDLE,
            since=now,
            session=session,
            report=Report(now, session.dev_addr, 9, red, 3, 9, 61, 1, -70, 10, 1),
            wanted=Wanted(red, f"command-{number}", now),
        )
        shards[shard_of(dev_eui)].append(device_put(device, now))
    for shard, puts in shards.items():
        lease = await engine.take(shard, Lease(), "filler")
        assert lease is not None, "the engine is not empty"
        for seq, start in enumerate(range(0, len(puts), WRITES_MOST), start=1):
            some = Outcome(puts=puts[start : start + WRITES_MOST], deletes=(), appends=())
            await engine.commit([Commit(shard, lease.token, seq, some)])
        await engine.give(shard, lease.token)
    await engine.close()


def process(folder: Path, name: str, url: str) -> Serving:
    """One of the three, whose ChirpStack is away."""
    port = free_port()
    path = folder / f"{name}.toml"
    path.write_text(
        f"""
[chirpstack]
target = "127.0.0.1:{free_port()}"
api_key = "none"
[store]
url = "{url}"
[cluster]
name = "{name}"
[web]
port = {port}
[logs]
level = "warning"
""",
        encoding="utf-8",
    )
    return Serving(name, port, path)


async def told_by(http: httpx2.AsyncClient, one: Serving) -> dict[str, Any] | None:
    """What a process tells of the cluster."""
    try:
        answer = await http.get(f"{one.url}/api/v1/cluster")
    except httpx2.TransportError:
        return None
    return answer.json() if answer.is_success else None


async def well(http: httpx2.AsyncClient, alive: list[Serving], lights: int, since: float) -> float:
    """Wait until everything has an owner and all lights run; when the last take was complete."""
    with trio.fail_after(WELL_MOST_S):
        while True:
            told = [await told_by(http, one) for one in alive]
            views = [view for view in told if view is not None]
            if len(views) == len(alive) and all(_whole(view, alive, lights) for view in views):
                mine = [
                    move["at"]
                    for one, view in zip(alive, views, strict=True)
                    for move in view["moves"]
                    if move["after"] == one.name and move["at"] >= since
                ]
                return max(mine, default=since)
            await trio.sleep(LOOK_S)


def _whole(view: dict[str, Any], alive: list[Serving], lights: int) -> bool:
    names = {one.name for one in alive}
    members = [one for one in view["members"] if one["name"] in names and one["state"] == "alive"]
    counted = sum(one["shards"] + one["fleet"] for one in members)
    known = sum(one["lights"] for one in members)
    moved = {move["shard"] for move in view["moves"]}
    return counted == len(ALL_SHARDS) and known == lights and bool(moved)


async def balanced(http: httpx2.AsyncClient, everybody: list[Serving], lights: int) -> None:
    """Wait until each has its share."""
    with trio.fail_after(WELL_MOST_S):
        while True:
            view = await told_by(http, everybody[0])
            if view is not None and _whole(view, everybody, lights):
                loads = [one["shards"] + 8 * one["fleet"] for one in view["members"]]
                if len(loads) == len(everybody) and max(loads) <= 25:
                    return
            await trio.sleep(LOOK_S)


async def cpu_within(wait_s: float, some: list[Serving]) -> list[float]:
    """The CPU seconds that each uses while nothing happens."""
    before = [one.cpu_s for one in some]
    await trio.sleep(wait_s)
    return [one.cpu_s - first for one, first in zip(some, before, strict=True)]


def say(line: str) -> None:
    """At once: each step takes seconds."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def measure(lights: int, kills: int) -> None:
    """Kill one after the other, each time when all is in balance."""
    with RedisServer() as server, tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        await fill(server.url, lights)
        everybody = [process(Path(name), each, server.url) for each in NAMES]
        for one in everybody:
            stack.callback(one.close)
            one.start()
        took_s: list[float] = []
        cpu_s: list[float] = []
        started_s: list[float] = []
        async with httpx2.AsyncClient(timeout=10.0, trust_env=False) as http:
            await balanced(http, everybody, lights)
            for number in range(kills):
                await trio.sleep(REST_S)
                victim = everybody[number % len(everybody)]
                alive = [one for one in everybody if one is not victim]
                idle_s = await cpu_within(IDLE_S, alive)
                began, before = time.time(), [one.cpu_s for one in alive]
                victim.kill()
                took_s.append(await well(http, alive, lights, began) - began)
                await trio.sleep(AFTER_S)  # the others' shards are shown a moment later
                rest = (time.time() - began) / IDLE_S
                used = [
                    one.cpu_s - first - rest * idle
                    for one, first, idle in zip(alive, before, idle_s, strict=True)
                ]
                cpu_s += used
                say(
                    f"{victim.name} killed: {took_s[-1]:.1f} s, of CPU "
                    f"{' and '.join(f'{each:.2f}' for each in used)} s; "
                    f"load {os.getloadavg()[0]:.1f}"
                )
                victim.start()
                await balanced(http, everybody, lights)
                started_s.append(victim.cpu_s)
            left_s = await everybody[0].leave()
            say(f"a process with a third of all left in {left_s:.1f} s")
        took, cpu, start = (statistics.median(each) for each in (took_s, cpu_s, started_s))
        say(
            f"{lights} lights, {kills} kills: p50 {took:.1f} s, worst {max(took_s):.1f} s; of CPU "
            f"in each that takes over {cpu:.2f} s, at a start until all is in balance {start:.1f} s"
        )


def main(words: list[str]) -> None:
    """Read the numbers, and measure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lights = int(words[0]) if words else LIGHTS
    kills = int(words[1]) if len(words) > 1 else KILLS
    trio.run(to_its_end, partial(measure, lights, kills))


if __name__ == "__main__":
    main(sys.argv[1:])
