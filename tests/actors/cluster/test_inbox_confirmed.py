"""A command is handed on once as many replicas have it as it takes: then its place is for good."""

import pytest
import trio

from actors.cluster.messages import encode
from store.engine.memory import MemoryEngine, MemoryServers, Replica, Request
from store.engine.port import Accept, Commit, Lease
from store.engine.shards import ALL_SHARDS
from store.errors import StoreUnavailable
from store.port import Put, Table, outcome
from tests.actors.cluster.cluster_kit import Reading, asked, command, dev_euis, post, reading

SHARD = "07"
[ONE] = dev_euis(SHARD, 1)


async def _caller(servers: MemoryServers) -> MemoryEngine:
    engine = MemoryEngine(servers, need=1)
    await engine.open()
    await engine.look([SHARD])  # and is connected
    return engine


async def _accept(
    engine: MemoryEngine, command_id: str, shard: str = SHARD, light: str = ONE
) -> None:
    message = encode(command(light, command_id))
    [answer] = await engine.accept([Accept(shard, light, command_id, b"{}", message, 1.0)])
    if isinstance(answer, StoreUnavailable):
        raise answer


async def _owning(kit: Reading, shard: str = SHARD, light: str = ONE) -> None:
    kit.lights.at_once = True
    kit.reader.take(shard, "0-0")
    lease = await kit.engine.take(shard, Lease(), "a1")
    assert lease is not None
    await kit.engine.commit(
        [Commit(shard, lease.token, 1, outcome([Put(Table.DEVICE, light, b"{}", 1.0)]))]
    )
    await trio.sleep(1.0)


async def test_what_an_old_master_alone_took_is_not_handed_on_before_what_the_new_one_took(
    autojump_clock: object,
) -> None:
    """Its caller was told nothing of it, and repeats it: it is the newer one."""
    servers = MemoryServers(replicas=2)
    async with reading(servers, need=1) as kit:
        await _owning(kit)
        late, prompt = await _caller(servers), await _caller(servers)
        old = servers.fail_over(old_lives=True)
        prompt.connected.clear()
        await _accept(prompt, "first")
        await trio.sleep(1.0)
        with pytest.raises(StoreUnavailable):
            await _accept(late, "second")
        kit.reader.ring(SHARD)
        await trio.sleep(5.0)
        assert kit.lights.said == ["first"]

        old.read_only = True
        await _accept(late, "second")
        await trio.sleep(1.0)
        assert kit.lights.said == ["first", "second"]


async def test_a_command_waits_for_the_replicas_and_an_event_does_not(
    autojump_clock: object,
) -> None:
    servers = MemoryServers(replicas=1)
    async with reading(servers, need=1) as kit:
        await _owning(kit)
        _replica_of(servers).held = True
        await post(kit.engine, SHARD, asked(ONE, "event"))
        await trio.sleep(0.1)
        assert kit.lights.said == ["event"]

        caller = await _caller(servers)
        with pytest.raises(StoreUnavailable):
            await _accept(caller, "c1")
        await trio.sleep(10.0)
        assert kit.lights.said == ["event"]
        _replica_of(servers).held = False
        await trio.sleep(3.0)
        assert kit.lights.said == ["event", "c1"]


@pytest.mark.parametrize("told", ["too few replicas", "a server among others"])
async def test_a_command_without_a_replica_holds_up_nothing_of_other_servers(
    autojump_clock: object, told: str
) -> None:
    servers = MemoryServers(replicas=1, masters=3)
    there = next(one for one in ALL_SHARDS if servers.part_of(one) != servers.part_of(SHARD))
    [light] = dev_euis(there, 1)
    async with reading(servers, need=1) as kit:
        await _owning(kit)
        await _owning(kit, there, light)
        caller = await _caller(servers)
        without = servers.masters[servers.part_of(SHARD)]
        assert without is not None
        without.replicas[0].held = True
        with pytest.raises(StoreUnavailable):
            await _accept(caller, "waits")
        await trio.sleep(5.0)
        for number in range(20):
            began = trio.current_time()
            if told == "too few replicas":  # of the only server that is asked whether it has any
                await post(kit.engine, there, asked(light, f"e{number}"))
            else:
                await _accept(caller, f"e{number}", there, light)
            with trio.fail_after(4.0):
                while kit.lights.said != [f"e{one}" for one in range(number + 1)]:  # noqa: ASYNC110
                    await trio.sleep(0.01)
            assert trio.current_time() - began < 1.5, "as long as the server may think of it"
        without.replicas[0].held = False
        await trio.sleep(3.0)
        assert kit.lights.said[-1] == "waits"


async def test_what_was_read_before_a_failover_and_confirmed_after_it_is_read_again(
    autojump_clock: object,
) -> None:
    """The new master confirms what it has, and that is not what the old one showed."""
    servers = MemoryServers(replicas=1)
    async with reading(servers, need=1) as kit:
        await _owning(kit)
        caller = await _caller(servers)
        _replica_of(servers).held = True

        async def failover_before(request: Request) -> None:
            if request.name == "confirm":
                kit.engine.before = nothing
                servers.fail_over()
                kit.engine.connected.clear()

        nothing, kit.engine.before = kit.engine.before, failover_before
        with pytest.raises(StoreUnavailable):
            await _accept(caller, "lost")
        await trio.sleep(5.0)
        assert kit.lights.said == []


def _replica_of(servers: MemoryServers) -> Replica:
    [master] = servers.masters
    assert master is not None
    [replica] = master.replicas
    return replica
