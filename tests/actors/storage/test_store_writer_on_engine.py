"""The store's writer on an engine of several servers, of which one is silent."""

import random

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.storage.store_writer import MAILBOX_REQUESTS, SHARED_RETRY, StoreWriter
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.shards import LIGHT_SHARDS, shard_of
from store.port import Append, Put, Table, Write
from store.shards import ShardStore

START = 1_700_000_000.0
LIGHTS = 20_000


def step(dev_eui: str, number: int) -> list[Write]:
    """What a light writes at once: its record, and a line of its history."""
    return [
        Put(Table.DEVICE, dev_eui, b"%d" % number, START),
        Append(dev_eui, f"e{number}", START, b""),
    ]


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_silent_server_with_more_lights_than_fit_stops_nobody_elsewhere(
    nursery: trio.Nursery, autojump_clock: object, hangs: bool
) -> None:
    servers = MemoryServers(masters=3)
    store = ShardStore(MemoryEngine(servers), "a")
    await store.open()
    for shard, seen in (await store.engine.look(LIGHT_SHARDS)).items():
        lease = await store.engine.take(shard, seen, "a")
        assert lease is not None
        store.own(shard, lease)
    writer = StoreWriter(store, RunClock(START), random.Random(1))
    writer.retry = SHARED_RETRY
    await nursery.start(writer.run)
    lights = [f"{number:016x}" for number in range(LIGHTS)]
    silent = [one for one in lights if servers.part_of(shard_of(one)) == 1]
    others = [one for one in lights if servers.part_of(shard_of(one)) != 1]
    assert len(silent) > MAILBOX_REQUESTS
    written: set[str] = set()

    async def write(dev_eui: str, number: int) -> None:
        await writer.commit(step(dev_eui, number))
        written.add(dev_eui)

    servers.stop(1, hangs=hangs)
    for one in silent:
        nursery.start_soon(write, one, 1)
    await trio.sleep(10)
    took_s = []
    with trio.fail_after(120):
        for number, one in enumerate(others[:200]):
            began = trio.current_time()
            await write(one, number)
            took_s.append(trio.current_time() - began)
            await trio.sleep(0.1)
    assert max(took_s) < 3.0, max(took_s)  # half a second for each call to a server that hangs
    assert not written & set(silent)
    servers.go_on(1)
    await trio.sleep(5)
    assert written >= set(silent)
