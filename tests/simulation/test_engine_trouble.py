"""What goes wrong with the simulated engine ends when it is healed, whatever was under way."""

import pytest
import trio

from simulation.harness.cluster.engine_trouble import EngineTrouble
from simulation.harness.cluster.faults import ClusterFaults
from simulation.world.chance import Chance
from store.engine.memory import MemoryServers

FAULTS = ClusterFaults(
    fail_over_every_s=0.1, fail_over_s=(2.0, 2.0), lossy=1.0, lossy_s=(2.0, 2.0), old_lives=0.0
)


@pytest.mark.parametrize("healed_after_s", [1.0, 3.0, 5.0])
async def test_a_fail_over_that_healing_meets_half_way_leaves_a_server_that_answers(
    autojump_clock: object, healed_after_s: float
) -> None:
    servers = MemoryServers(replicas=2)
    trouble = EngineTrouble(servers, FAULTS, Chance("healed"), lambda part, old: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trouble.run)
        await trio.sleep(healed_after_s)
        assert trouble.counts["failovers, lossy"], "one is under way"
        trouble.heal()
        await trio.sleep(30.0)
        [master] = servers.masters
        assert master is not None
        assert master.answers
        assert not master.read_only
        assert not any(replica.held for replica in master.replicas)
        nursery.cancel_scope.cancel(reason="the test ends")
