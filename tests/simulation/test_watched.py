"""Which crashes of actors the oracle takes for their own."""

import pytest

from actors.supervision import ChildReport, ChildState
from simulation.harness.build import build_world
from simulation.harness.fault_injector import FaultInjector
from simulation.harness.oracle import Oracle
from simulation.harness.scenario import ServiceFaults
from simulation.harness.scenarios import scenario
from simulation.harness.trace import Trace
from simulation.harness.watched import watched
from simulation.world.chance import Chance


@pytest.mark.parametrize("stands_still", [True, False])
async def test_a_part_may_be_late_to_start_only_while_its_process_stands_still(
    autojump_clock: object, stands_still: bool
) -> None:
    world = build_world(scenario(1, "cluster", devices=1, gateways=1, hours=0.1))
    oracle = Oracle(world, Trace())
    injector = FaultInjector(ServiceFaults(), Chance("watched"), lambda why: None)
    names = ("StartTimedOut",) if stands_still else ()
    hooks = watched(oracle, injector, lambda: True, lambda: names)
    late = ChildReport(
        id="fleetwide",
        state=ChildState.BACKING_OFF,
        since=0.0,
        last_error="StartTimedOut: not ready within 30 s",
    )
    hooks.actor_changed(late)
    assert (oracle.violation is None) is stands_still
