"""The swarm of clusters: the world's own swarm, under houses that part, die and stand still."""

import random

import msgspec

from simulation.harness.cluster.faults import draw
from simulation.harness.cluster.ledger_light import LIGHTS
from simulation.harness.scenario import Demand, Scenario, ServiceFaults
from simulation.harness.swarm import swarm
from simulation.world.profile import CALM, Profile

HOURS, SHARES = (0.03, 0.06, 0.15), (6, 3, 1)
"""Most runs are short: a fault of a cluster does its harm within a minute, and what is left of a
campaign's time goes into other mixtures of faults."""


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
    world = drawn.world
    if rng.random() < 0.5:
        world = _well(world)
    return msgspec.structs.replace(
        drawn,
        faults="cluster",
        service=service,
        hours=rng.choices(HOURS, SHARES)[0],
        devices=rng.randint(2, 6),
        people=msgspec.structs.replace(
            drawn.people, command_every_s=rng.choice((10.0, 30.0, 120.0))
        ),
        world=world,
        cluster=draw(seed),
    )


def cluster_crashes(seed: int) -> Scenario:
    """The same, where lights crash all the time and every fail-over loses commits: what is stored,
    what a light's actor knows and what is shown part most often there."""
    drawn, rng = cluster_swarm(seed), random.Random(f"cluster crashes/{seed}")
    assert drawn.cluster is not None  # noqa: S101 - it is of several houses
    return msgspec.structs.replace(
        drawn,
        faults="crashes",
        service=msgspec.structs.replace(
            drawn.service,
            light_crash=rng.choice((0.02, 0.05, 0.1)),
            part_crash=rng.choice((0.0, 0.0, 0.002)),
        ),
        people=msgspec.structs.replace(drawn.people, command_every_s=rng.choice((3.0, 10.0))),
        cluster=msgspec.structs.replace(
            drawn.cluster,
            need=0,
            replicas=2,
            lossy=1.0,
            lossy_s=(0.01, rng.choice((1.0, 5.0))),
            # What a failover took is in one memory only: of whoever stands still or is gone it is
            # not sent again (docs/cluster.md, "With need 0").
            pause_every_s=0.0,
            pause_at_enqueue=0.0,
            kill_every_s=0.0,
            leave_every_s=0.0,
            old_lives=0.0,  # as in `draw`, where no replica must confirm
            fail_over_every_s=rng.choice((8.0, 15.0, 30.0)),
            fail_over_s=(0.1, rng.choice((0.5, 3.0))),
        ),
    )


def _well(world: Profile) -> Profile:
    """The same gateways and lights, of which nothing is lost: what goes wrong is the cluster's."""
    return Profile(
        name="well",
        forwarders=world.forwarders,
        answer_delay=world.answer_delay,
        answer_delays=world.answer_delays,
    )
