"""The scenario of pace: all is well but the radio, and one colour goes to every light at once.

Whatever hides facts from the service (lost webhooks, kills, failing calls) is absent, so that what
it does with what it knows can be held against it. Drawn: how lights answer, what gateways run, how
much is lost and whether in bursts, ChirpStack's tick, and new firmware.
"""

import random

from simulation.harness.scenario import Demand, Scenario, ServiceFaults
from simulation.world.answer_delay import ANSWER_DELAYS, HELD
from simulation.world.forwarder import FORWARDERS
from simulation.world.layout import FIRMWARE_MIX
from simulation.world.profile import Profile

PUSH_EVERY_S = (120.0, 600.0)
FIRMWARE_EVERY_S = 900.0
REFUSES_EVERY_S = 600.0
"""In one rush of five gateways refuse their frames now and then, which slows them for a while."""


def rush(seed: int, faults: str) -> Scenario:
    """The scenario of a seed, under the name by which it is asked for."""
    rng = random.Random(f"rush/{seed}")
    delays = (*ANSWER_DELAYS.values(), *ANSWER_DELAYS.values(), HELD)
    kinds = tuple(FORWARDERS.values())
    one_kind = rng.random() < 0.5
    forwarders = tuple(rng.choice(kinds) for _ in range(3))
    loss = rng.choice((0.0, 0.0, 0.02, 0.05, 0.1, 0.2))
    world = Profile(
        name="rush",
        answer_delay=rng.choice(delays),
        answer_delays={rng.choice(FIRMWARE_MIX)[0]: rng.choice(delays)},
        forwarders=forwarders[:1] if one_kind else forwarders,
        uplink_loss=loss,
        downlink_loss=loss,
        loss_in_bursts=rng.random() < 0.25,
        tx_fault_every_s=REFUSES_EVERY_S if rng.random() < 0.2 else 0.0,
        tx_fault_s=(30.0, 120.0),
        firmware_every_s=FIRMWARE_EVERY_S if rng.random() < 0.15 else 0.0,
        answer_delays_later=delays,
    )
    low_s, high_s = PUSH_EVERY_S
    return Scenario(
        seed=seed,
        faults=faults,
        devices=rng.randint(4, 16),
        gateways=rng.randint(1, 3),
        hours=0.5,
        world=world,
        service=ServiceFaults(),
        people=Demand(
            command_every_s=1_800.0, push_every_s=low_s + (high_s - low_s) * rng.random()
        ),
        sf12=rng.random() < 0.15,
        scheduler_interval_s=rng.choice((0.1, 1.0)),
        prompt=True,
    )
