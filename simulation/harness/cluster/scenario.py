"""The swarm of clusters: the world's own swarm, under houses that part, die and stand still."""

import random

import msgspec

from simulation.harness.cluster.faults import draw
from simulation.harness.cluster.ledger_light import LIGHTS
from simulation.harness.scenario import Demand, Scenario, ServiceFaults
from simulation.harness.swarm import swarm
from simulation.world.profile import CALM


def leases(seed: int) -> Scenario:
    """Keepers, shards and commits alone, whose lights only count (`ledger.py`)."""
    return Scenario(
        seed=seed,
        faults="leases",
        devices=LIGHTS,
        gateways=1,
        hours=2.0 / 60.0,
        world=CALM,
        service=ServiceFaults(),
        people=Demand(),
        cluster=draw(seed),
    )


def cluster_swarm(seed: int) -> Scenario:
    """Two to four houses on one engine; the lights, radio and people are those of `swarm`.

    What goes wrong with a store of one process has its counterpart in the engine, and is left out.
    """
    drawn, rng = swarm(seed), random.Random(f"cluster swarm/{seed}")
    service = ServiceFaults(
        light_crash=drawn.service.light_crash,
        part_crash=drawn.service.part_crash if rng.random() < 0.5 else 0.0,
    )
    calmer = rng.random() < 0.5
    """Half of the worlds are well: there the cluster's own faults are what is looked at."""
    return msgspec.structs.replace(
        drawn,
        faults="cluster",
        service=service,
        hours=rng.choice((0.1, 0.15, 0.2)),
        devices=rng.randint(2, 6),
        people=msgspec.structs.replace(
            drawn.people, command_every_s=rng.choice((20.0, 60.0, 180.0))
        ),
        world=msgspec.structs.replace(
            drawn.world, **({"event_lost": 0.0, "call_timeout": 0.0} if calmer else {})
        ),
        cluster=draw(seed),
    )
