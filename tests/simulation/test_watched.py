"""Which crashes of actors the oracle takes for their own."""

import pytest

from actors.supervision import ChildReport, ChildState
from lorawan.events import DeviceInfo, Uplink
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


async def test_a_parked_light_is_told_nothing_although_shards_of_others_move(
    autojump_clock: object,
) -> None:
    world = build_world(scenario(1, "cluster", devices=1, gateways=1, hours=0.1))
    oracle = Oracle(world, Trace())
    injector = FaultInjector(ServiceFaults(), Chance("watched"), lambda why: None)
    hooks = watched(oracle, injector, lambda: True)
    [dev_eui] = oracle.lights

    def is_told(f_cnt: int) -> bool:
        status = with_status(dev_eui, f_cnt)
        oracle.event_made(status)
        oracle.taken(status)
        return oracle.lights[dev_eui].heard is not None

    actor = f"device {dev_eui}"
    hooks.actor_changed(ChildReport(id=actor, state=ChildState.PARKED, since=0.0))
    oracle.killed()  # somebody took or gave a shard
    assert not is_told(0)
    hooks.actor_changed(ChildReport(id=actor, state=ChildState.RUNNING, since=0.0))
    assert is_told(1)


def with_status(dev_eui: str, f_cnt: int) -> Uplink:
    """A light shows green."""
    return Uplink(
        device=DeviceInfo(dev_eui=dev_eui),
        at=None,
        dev_addr="00ea8103",
        f_cnt=f_cnt,
        f_port=15,
        data=bytes.fromhex("00000000000000000000000000000000000035ff00440f01"),
        deduplication_id=f"{dev_eui}-{f_cnt}",
    )
