"""Scenarios by name: ever worse days, the rush, and swarms with a profile for each seed."""

import msgspec

from simulation.harness.cluster.scenario import cluster_crashes, cluster_swarm, leases
from simulation.harness.rush import rush
from simulation.harness.scenario import Demand, Scenario, ServiceFaults
from simulation.harness.swarm import swarm
from simulation.world.profile import CALM, CITY, HELL, STORM, Profile

STORMY = ServiceFaults(
    kill_every_s=3_600.0,
    kill_at_commit=0.001,
    store_slow=0.02,
    store_fails_every_s=3_600.0,
    store_answer_lost=0.01,
    light_crash=0.005,
    flood_every_s=3_600.0,
    poison_every_s=3_600.0,
)
HELLISH = ServiceFaults(
    kill_every_s=1_200.0,
    kill_at_commit=0.005,
    clock_off_s=4.0,
    store_slow=0.1,
    store_fails_every_s=1_800.0,
    store_answer_lost=0.05,
    light_crash=0.02,
    part_crash=0.002,
    flood_every_s=1_200.0,
    poison_every_s=1_200.0,
)
NAMED: dict[str, tuple[Profile, ServiceFaults, Demand]] = {
    "calm": (CALM, ServiceFaults(), Demand()),
    "city": (CITY, ServiceFaults(kill_every_s=6 * 3_600.0), Demand()),
    "storm": (STORM, STORMY, Demand(command_every_s=600.0)),
    "hell": (HELL, HELLISH, Demand(command_every_s=300.0, colours=3)),
}
PROFILE_NAMES = (*NAMED, "rush", "swarm", "cluster", "crashes", "leases")


def scenario(
    seed: int,
    faults: str,
    *,
    devices: int | None = None,
    gateways: int | None = None,
    hours: float | None = None,
) -> Scenario:
    """The scenario of a seed. What is not given is drawn (swarm), or 4 lights, 2 gateways, 1 h.

    Raises KeyError for a profile that is none.
    """
    if faults == "rush":
        drawn = rush(seed, faults)
    elif faults == "swarm":
        drawn = swarm(seed)
    elif faults == "cluster":
        drawn = cluster_swarm(seed)
    elif faults == "crashes":
        drawn = cluster_crashes(seed)
    elif faults == "leases":
        drawn = leases(seed)
    else:
        world, service, people = NAMED[faults]
        drawn = Scenario(
            seed=seed,
            faults=faults,
            devices=4,
            gateways=2,
            hours=1.0,
            world=world,
            service=service,
            people=people,
            old_firmware=faults in {"storm", "hell"},
        )
    return msgspec.structs.replace(
        drawn,
        devices=devices or drawn.devices,
        gateways=gateways or drawn.gateways,
        hours=hours or drawn.hours,
    )
