"""What goes wrong between the houses of a cluster, and in the engine that they share."""

import random

import msgspec

from simulation.world.chance import Span


class ClusterFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Every `..._every_s` is a mean time between two; 0 is never. The others are probabilities."""

    houses: int = 3
    need: int = 1
    replicas: int = 2
    masters: int = 1
    """Into how many parts the shards are cut, as in Redis Cluster."""
    prefix: str = ""
    """Of all keys: which part has what follows from it."""
    lag_s: float = 0.0005
    """Of the replicas, while nothing else is wrong."""

    kill_every_s: float = 0.0
    """Of any house."""
    down_s: Span = (0.5, 60.0)
    leave_every_s: float = 0.0
    """SIGTERM to a house, which is then started anew."""
    pause_every_s: float = 0.0
    """A house stands still: none of its calls leaves, and no answer reaches it."""
    pause_s: Span = (0.1, 90.0)
    pause_at_enqueue: float = 0.0
    """It stands still just between the guard of an enqueue and the enqueue."""
    cut_every_s: float = 0.0
    """A house and the engine are parted, both ways or one; where that has several parts, every
    second time from one of them alone."""
    cut_s: Span = (0.5, 40.0)
    blind_every_s: float = 0.0
    """A house and ChirpStack are parted."""
    blind_s: Span = (5.0, 120.0)

    late: float = 0.0
    """Of a request that its caller gives up, and that arrives afterwards."""
    late_s: Span = (0.0, 20.0)
    unanswered: float = 0.0
    again: float = 0.0
    cut: float = 0.0
    """Of a pipeline of which only the beginning is carried out."""
    slow: float = 0.0
    slow_s: Span = (0.01, 1.5)
    slow_back: float = 0.0
    """Of a slow request, that it arrives at once and its answer is slow."""
    bell_lost: float = 0.0

    fail_over_every_s: float = 0.0
    fail_over_s: Span = (2.0, 5.0)
    """From the master's end to the promotion."""
    lossy: float = 0.0
    """Of a failover before which the replicas stood still for a while, or the worst is promoted."""
    lossy_s: Span = (0.01, 5.0)
    old_lives: float = 0.0
    """Of a failover after which the old master goes on serving whoever is connected to it."""
    old_lives_s: float = 11.0
    missing_every_s: float = 0.0
    """A replica is away."""
    missing_s: Span = (1.0, 60.0)
    outage_every_s: float = 0.0
    """The engine, or one part of it, is away, and comes back with all it had."""
    outage_s: Span = (0.5, 30.0)
    hangs: float = 0.0
    """Of a server that is away or dead, that calls to it time out and are not refused at once."""
    silent_part: bool = False
    """When all else is over one part is silent, and the others have to go on."""
    moving_every_s: float = 0.0
    """A slot is moved: its shard refuses everything meanwhile (TRYAGAIN)."""
    moving_s: Span = (0.1, 10.0)
    clock_every_s: float = 0.0
    """The engine's clock is set."""
    clock_off_s: float = 600.0

    rate: float = 0.0
    """The steady clocks of houses run so much faster or slower: below 0.01, so that two of them
    differ by less than 2 %."""


def draw(seed: int) -> ClusterFaults:
    """Most faults absent, the others from mild to absurd, as `swarm.py` draws them."""
    rng = random.Random(f"cluster/{seed}")

    def some(low: float, high: float, present: float = 0.35) -> float:
        return 0.0 if rng.random() >= present else low * (high / low) ** rng.random()

    alone = rng.random() < 0.15
    """A single server, which nothing replaces."""
    drawn = ClusterFaults(
        houses=rng.choice((2, 2, 3, 3, 4)),
        need=0 if alone or rng.random() < 0.2 else 1,
        replicas=0 if alone else 2,
        masters=1 if alone else rng.choice((1, 1, 1, 3)),
        lag_s=rng.choice((0.0002, 0.002, 0.05)),
        kill_every_s=some(20.0, 300.0),
        down_s=(0.5, rng.choice((3.0, 20.0, 120.0))),
        leave_every_s=some(20.0, 300.0),
        pause_every_s=some(15.0, 240.0),
        pause_s=(0.1, rng.choice((3.0, 12.0, 90.0))),
        pause_at_enqueue=some(0.005, 0.1, 0.25),
        cut_every_s=some(15.0, 240.0),
        cut_s=(0.5, rng.choice((3.0, 12.0, 40.0))),
        blind_every_s=some(60.0, 300.0, 0.2),
        late=some(0.0003, 0.01),
        unanswered=some(0.0003, 0.01),
        again=some(0.0003, 0.02),
        cut=some(0.0003, 0.01),
        slow=some(0.001, 0.1),
        bell_lost=rng.choice((0.0, 0.0, 0.1, 1.0)),
        outage_every_s=some(30.0, 300.0, 0.25),
        moving_every_s=some(10.0, 120.0, 0.2),
        clock_every_s=some(20.0, 200.0, 0.2),
        clock_off_s=rng.choice((0.5, 60.0, 3_600.0)),
        rate=rng.choice((0.0, 0.0, 0.009)),
    )
    if alone:
        return drawn
    drawn = msgspec.structs.replace(
        drawn,
        fail_over_every_s=some(20.0, 200.0, 0.6),
        fail_over_s=(rng.choice((0.5, 2.0)), rng.choice((3.0, 6.0, 15.0))),
        lossy=rng.choice((0.0, 0.3, 1.0)),
        # without a replica that must confirm, whoever is connected to an old master loses its word
        old_lives=rng.choice((0.0, 0.3, 1.0)) if drawn.need else 0.0,
        missing_every_s=some(15.0, 200.0, 0.3),
    )
    others = random.Random(f"cluster parts/{seed}")  # its own, so that a seed's other faults stay
    return in_parts(drawn, others) if drawn.masters > 1 or others.random() < 0.2 else drawn


def in_parts(drawn: ClusterFaults, rng: random.Random) -> ClusterFaults:
    """Several masters, of which one is away now and then; a third of all seeds."""
    often_s = 20.0 * 10.0 ** rng.random()
    return msgspec.structs.replace(
        drawn,
        masters=3,
        replicas=2,
        prefix=f"fleet{rng.randrange(1_000)}",
        hangs=rng.choice((0.0, 0.5, 1.0)),
        outage_every_s=drawn.outage_every_s or (often_s if rng.random() < 0.5 else 0.0),
        silent_part=True,
    )
